"""The rules of the whole comparison hold for each outcome and each level, and for what is adjusted for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.what_if_results import Measure, Method, Status
from harmony_dash.services.what_if_evidence import TOO_FEW, judge_counts, lacks_counts
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.support import describe_counts
from tests.what_if_cohort import COHORT, ask, draw_cohort, open_house

QUESTION = WhatIfQuestion(COHORT, horizon_days=1461)
LEVELS = pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])


def keep_deaths(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """Deaths in remission and second malignancies beyond the first ones become relapses."""
    competing = frame.index[frame.relapse_cause.astype(int) > 1]
    frame.loc[competing[number:], "relapse_cause"] = 1
    frame.loc[competing[number:], "first_event"] = "relapse"
    return frame


@LEVELS
def test_an_outcome_with_hardly_any_events_is_withheld(tmp_path: Path, level: Level) -> None:
    result = ask(open_house(tmp_path, keep_deaths(draw_cohort(2500), 6)), QUESTION, level)

    assert result.status is not Status.REFUSED
    death = next(one for one in result.patients if one.outcome == "death_in_cr")
    assert death.reason == TOO_FEW
    assert "death_in_cr" not in {*(one.outcome for one in result.contrasts), *(one.outcome for one in result.curves),
                                 *(one.outcome for one in result.needed)}
    assert [one for one in result.contrasts if one.outcome == "relapse"]
    assert "death in remission or second malignancy: not shown" in result.summary.lower()


def test_an_outcome_that_nothing_is_adjusted_for_is_no_answer_of_method_a(tmp_path: Path) -> None:
    """Twelve events in each arm carry an arm and hardly a covariate: what is left is a plain comparison."""
    frame = draw_cohort(2500, seed=7)
    competing = frame[frame.relapse_cause.astype(int) > 1]
    kept = pd.concat([competing[(competing.intensity_assigned == arm) & (competing.efs_days <= 1400)][:7]
                      for arm in ("standard", "reduced")]).index
    rest = competing.index.difference(kept)
    frame.loc[rest, "relapse_cause"] = 1
    frame.loc[rest, "first_event"] = "relapse"
    result = ask(open_house(tmp_path, frame), QUESTION)

    found = {one.outcome: one.method for one in result.contrasts if one.measure is Measure.INCIDENCE}
    assert found == {"relapse": Method.STANDARDISED, "death_in_cr": Method.PLAIN}
    assert {one.outcome for one in result.needed} == {"efs", "relapse"}
    assert "too few events to adjust for anything" in result.methods


def test_a_level_with_hardly_any_events_is_withheld_and_the_other_is_not(tmp_path: Path) -> None:
    frame = draw_cohort(3000)
    positive = (frame.etv6_runx1 == "pos").to_numpy()
    kept = positive & (np.cumsum(positive) <= 150)
    frame.loc[positive & ~kept, "etv6_runx1"] = "neg"
    spared = kept & (frame.intensity_assigned == "reduced").to_numpy() & (np.cumsum(kept) > 20)
    for name in ("efs", "rfs", "relapse"):
        frame.loc[spared, f"{name}_cause"] = 0
    frame.loc[spared, "first_event"] = "none"
    frame.loc[spared, "first_event_days"] = pd.NA
    effects = {one.level: one for one in ask(open_house(tmp_path, frame), replace(
        QUESTION, modifiers=("etv6_runx1",))).effects}

    assert effects["pos"].difference is None
    assert effects["pos"].reason == TOO_FEW
    assert effects["neg"].difference is not None


@pytest.mark.parametrize(("missing", "severity"), [(0.05, None), (0.3, "amber"), (0.6, "refused")])
def test_missing_mrd_is_amber_before_it_is_refused(tmp_path: Path, missing: float, severity: str | None) -> None:
    result = ask(open_house(tmp_path, draw_cohort(2500, missing_mrd=missing)), QUESTION)

    found = {one.where: one.severity for one in result.reasons if one.code == "NO_CONFOUNDERS"}
    assert found == ({} if severity is None else {"MRD band at end of induction": severity})


def test_what_is_meant_for_a_few_patients_is_not_judged(tmp_path: Path) -> None:
    """Whether a few have a value would tell of single ones."""
    shown = []
    for known in (0, 1):
        frame = draw_cohort(2000)
        meant = frame.index[:3]
        frame.loc[meant, "immunophenotype"] = "T"
        frame.loc[frame.index[3:], "immunophenotype"] = "B"
        frame.loc[meant, "cyto_group"] = None
        frame.loc[meant[:known], "cyto_group"] = "good"
        result = ask(open_house(tmp_path / str(known), frame), QUESTION, Level.PROTECTED)
        shown.append(result.reasons)
    assert shown[0] == shown[1]


def make_table(n: int, events: int, day: int = 2000) -> EventTable:
    """Two arms alike."""
    days = np.full(2 * n, day)
    cause = np.tile(np.arange(n) < events, 2).astype(np.int64)
    days = np.where(cause > 0, 100, days)
    return EventTable.from_patients(days, cause, group=["standard"] * n + ["reduced"] * n,
                                    groups=["standard", "reduced"])


@pytest.mark.parametrize(("n", "events", "day", "lacks"), [
    (40, 12, 1461, False), (19, 10, 1461, True), (40, 4, 1461, True), (40, 12, 2001, True), (40, 35, 1461, True)])
def test_counts_of_a_table_are_judged_by_patients_events_and_follow_up(n: int, events: int, day: int,
                                                                      lacks: bool) -> None:
    support = describe_counts(make_table(n, events), day)

    assert support.arms[0].patients == n
    assert support.arms[1].events == events
    assert support.arms[0].at_risk == (n - events if day <= 2000 else 0)
    assert lacks_counts(support, Scope(Level.EXACT)) is lacks


def test_few_events_are_amber_where_they_are_enough() -> None:
    found = judge_counts(describe_counts(make_table(40, 7), 1461), Scope(Level.EXACT))
    assert {(one.code, one.severity) for one in found} == {("CELL_SMALL", "amber")}
    assert lacks_counts(describe_counts(make_table(40, 7), 1461), Scope(Level.PROTECTED))
