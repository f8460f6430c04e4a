"""Which published comparisons stand beside which question."""

from __future__ import annotations

import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.filters import Missing, Not, OneOf
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.services.what_if_anchors import find_anchors


def test_published_comparisons_stand_beside_the_questions_they_belong_to() -> None:
    children = Question("ALL", "efs", (parse_filter("age_group=1-9"),))
    trials = {one.trial for one in find_anchors(WhatIfQuestion(children))}
    assert "AIEOP-BFM ALL 2000" in trials
    more = {one.trial for one in find_anchors(WhatIfQuestion(children, compared="intensified"))}
    assert "EORTC 58951" in more and "GRAALL-2005" not in more
    adults = Question("ALL", "efs", (parse_filter("age_group=40-59"),))
    assert not find_anchors(WhatIfQuestion(adults))


def anchors_of(*filters: str, **changes: str) -> set[str]:
    question = WhatIfQuestion(Question("ALL", "efs", tuple(map(parse_filter, filters))), **changes)
    return {one.trial for one in find_anchors(question)}


def test_a_published_comparison_of_another_strategy_does_not_belong() -> None:
    assert anchors_of(strategy="hsct_cr1", reference="no", compared="yes") == {"PETHEMA ALL-HR-11"}
    assert not anchors_of(strategy="randomised", reference="no", compared="yes")
    assert "AIEOP-BFM ALL 2000" not in anchors_of(strategy="intensity_received")
    assert "AIEOP-BFM ALL 2000" in anchors_of(strategy="rand_arm")


@pytest.mark.parametrize(("where", "shown"), [
    (("mrd_eoi_band=undetectable",), {"AIEOP-BFM ALL 2000", "UKALL 2003, low MRD"}),
    (("mrd_eoi_band=pnq",), {"UKALL 2003, low MRD"}), (("mrd_eoi_band=>=1%",), set()),
    (("mrd_group=mrd_failure",), set()), (("bcr_abl1=pos",), set()), (("subtype=BCR::ABL1",), set()),
    (("subtype=BCR::ABL1,HeH",), {"AIEOP-BFM ALL 2000", "UKALL 2003, low MRD"}),
    (("risk_group_reported=HR",), set()), (("risk_group_reported=MR",), {"UKALL 2003, low MRD"}),
    (("risk_group_reported=SR,HR",), {"AIEOP-BFM ALL 2000", "UKALL 2003, low MRD"})])
def test_a_published_comparison_of_other_patients_does_not_belong(where: tuple[str, ...], shown: set[str]) -> None:
    assert anchors_of(*where) == shown


def test_what_a_filter_takes_out_is_looked_at_too() -> None:
    base = Question("ALL", "efs", (Not(OneOf("mrd_eoi_band", ("undetectable",))),))
    assert {one.trial for one in find_anchors(WhatIfQuestion(base))} == {"UKALL 2003, low MRD"}
    unknown = Question("ALL", "efs", (Missing("mrd_eoi_band"),))
    assert not find_anchors(WhatIfQuestion(unknown))


def test_a_trial_in_deleted_ikzf1_does_not_stand_beside_patients_without() -> None:
    assert "DCOG ALL-11" in anchors_of("cna_ikzf1=del", compared="intensified")
    assert "DCOG ALL-11" not in anchors_of("cna_ikzf1=nodel", compared="intensified")
