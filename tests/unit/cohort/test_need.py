"""A need becomes the question that anybody could ask elsewhere."""

from __future__ import annotations

import pytest

from harmony_dash.cohort.filters import Missing, Not, OneOf
from harmony_dash.cohort.need import Need, is_known
from harmony_dash.cohort.published import Ages, published_share
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()


def test_what_must_be_known_becomes_a_condition() -> None:
    sex = OneOf("sex", ("F",))
    need = Need("ALL", "efs", (sex,), ("cyto_group", "cyto_group"), 1096)
    assert need.as_question(DICTIONARY) == Question("ALL", "efs", (sex, Not(Missing("cyto_group"))), horizon_days=1096)


def test_a_variable_with_chosen_values_is_known_already() -> None:
    need = Need("ALL", "os", (OneOf("cyto_group", ("good",)),), ("cyto_group", "mrd_group"))
    assert need.variables == ("mrd_group",)


def test_a_test_that_failed_or_was_not_done_is_not_known() -> None:
    assert is_known(DICTIONARY["cna_ikzf1"]) == OneOf("cna_ikzf1", ("del", "nodel"))
    assert is_known(DICTIONARY["sex"]) == Not(Missing("sex"))


def test_what_cannot_be_asked_about_is_refused() -> None:
    for name in ("nothing", "os_days"):
        with pytest.raises(QuestionError):
            Need("ALL", "os", known=(name,)).as_question(DICTIONARY)


def test_a_filter_of_a_variable_that_must_be_known_has_no_value_that_is_not() -> None:
    need = Need("ALL", "os", (OneOf("cna_ikzf1", ("del", "failed", "not_done")),), ("cna_ikzf1",))
    assert need.as_question(DICTIONARY).where == (OneOf("cna_ikzf1", ("del",)),)
    assert need.variables == ()
    alone = Need("ALL", "os", (OneOf("cna_ikzf1", ("failed",)),))
    assert alone.as_question(DICTIONARY).where == alone.where
    with pytest.raises(QuestionError, match="must be known"):
        Need("ALL", "os", alone.where, ("cna_ikzf1",)).as_question(DICTIONARY)


@pytest.mark.parametrize(("disease", "endpoint", "ages", "share"), [
    ("ALL", "os", Ages.CHILDREN, 0.918), ("ALL", "efs", Ages.ADULTS, 0.522), ("ALL", "os", Ages.INFANTS, 0.582),
    ("ALL", "smn", Ages.CHILDREN, None), ("AML", "os", Ages.CHILDREN, None)])
def test_published_shares_are_of_the_disease_and_age_asked_for(disease: str, endpoint: str, ages: Ages,
                                                               share: float | None) -> None:
    found = published_share(disease, endpoint, ages=ages)
    assert (found.share if found else None) == share
