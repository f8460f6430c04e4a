"""Feasibility counts the patients whom the Survival page would draw, for whatever question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.need import Need, is_known
from harmony_dash.cohort.planned import PlannedQuestion
from harmony_dash.errors import AccessRefused, QuestionError, TooManyQuestions
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.feasibility import ACTION, ask_feasibility
from harmony_dash.services.survival import ask_survival
from tests.disclosure.house import CLINICIAN, STEERING, open_house, samples_of_run
from tests.disclosure.questions import EVERYDAY, realistic_question

KNOWN = ("cyto_group", "mrd_group", "cna_ikzf1", "subtype", "wbc_dx", "ikzf1plus", "immunophenotype",
         "mrd_eoi_status", "risk_group_reported")
QUESTIONS = 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return open_house(tmp_path_factory.mktemp("feasibility"), samples_of_run(tmp_path_factory))


@pytest.fixture(scope="module")
def needs(house: Deployment) -> list[Need]:
    snapshot = house.store.current()
    rows = snapshot.fetch_rows(f"SELECT {', '.join(f'{name}::VARCHAR' for name in EVERYDAY)} FROM patient")
    patients = pd.DataFrame(rows, columns=list(EVERYDAY))
    rng = np.random.default_rng(20261122)
    found = []
    for number in range(QUESTIONS):
        filters = int(rng.integers(0, 3))
        where = realistic_question(patients, filters, rng, several=bool(number % 2)).where if filters else ()
        known = rng.choice(KNOWN, int(rng.integers(0, 5 - filters)), replace=False).tolist()
        found.append(Need("ALL", str(rng.choice(["os", "efs", "rfs", "relapse", "trm"])), where, tuple(known), 1826))
    return found


def test_the_number_of_patients_is_that_of_the_figure(house: Deployment, needs: list[Need]) -> None:
    compared = countries = 0
    for need in needs:
        result = ask_feasibility(house, CLINICIAN, need).value
        drawn = ask_survival(house, CLINICIAN, result.question).value
        if drawn.groups:
            assert result.n == drawn.n == drawn.groups[0].n, need
            assert result.notes[:len(result.not_applied)] == drawn.notes[:len(drawn.not_applied)]
            compared += 1
        assert result.not_applied == drawn.not_applied
        by_country = {one.country: one.n for one in result.by_country}
        for group in ask_survival(house, CLINICIAN, replace(result.question, by="country")).value.groups:
            n = by_country[group.label["country"]]
            assert n in (group.n, None), need  # one more may be hidden beside what is lost
            countries += n is not None
    assert compared >= 30
    assert countries >= 60


def test_losses_add_up_to_what_is_missing_as_far_as_rounding_goes(house: Deployment) -> None:
    need = Need("ALL", "os", (OneOf("age_group", ("1-9", "10-17")),), ("cyto_group", "mrd_group"))
    result = ask_feasibility(house, STEERING, need).value
    without = ask_feasibility(house, STEERING, replace(need, known=("mrd_group",))).value
    only = {one.variable: one.only for one in result.losses}
    assert abs((result.n or 0) + (only["cyto_group"] or 0) - (without.n or 0)) <= 12


def test_it_counts_as_the_question_by_country_and_once(house: Deployment) -> None:
    need = Need("ALL", "os", known=("sex",))
    question = replace(ask_feasibility(house, STEERING, need).value.question, by="country")
    (row,) = list_events(house.access, limit=1)
    assert (row.event.action, row.event.decision, row.event.level) == (ACTION, Decision.ALLOWED, "protected")
    assert row.event.question == PlannedQuestion(question, ("sex",)).for_the_record
    assert row.event.question.endswith("counted by source, and by what is not known, sex")
    tight = replace(house, settings=replace(house.settings, daily_questions=1))
    other = replace(STEERING, username="sonja")
    ask_feasibility(tight, other, need)
    ask_feasibility(tight, other, need)
    with pytest.raises(TooManyQuestions):
        ask_feasibility(tight, other, replace(need, known=("cyto_group",)))
    (row,) = list_events(house.access, limit=1)
    assert row.event.decision is Decision.REFUSED
    assert row.event.question.endswith("not known, cyto_group")


def test_the_same_question_with_other_losses_counted_is_another_one(house: Deployment) -> None:
    """That a variable is known can be a filter or a need: the figure is the same, what is told beside it is not."""
    dictionary, actor = house.store.current().dictionary, replace(STEERING, username="sven")
    need = Need("ALL", "os", known=("cyto_group",))
    as_filter = replace(need, where=(is_known(dictionary["cyto_group"]),), known=())
    assert need.as_question(dictionary).fingerprint == as_filter.as_question(dictionary).fingerprint
    tight = replace(house, settings=replace(house.settings, daily_questions=1))
    ask_feasibility(tight, actor, as_filter)
    with pytest.raises(TooManyQuestions):
        ask_feasibility(tight, actor, need)


def test_a_refused_question_leaves_its_conditions_in_the_trail(house: Deployment) -> None:
    need = Need("ALL", "os", (OneOf("country", ("XX",)), OneOf("sex", ("F",))), ("mrd_group",))
    with pytest.raises(QuestionError):
        ask_feasibility(house, STEERING, need)
    (row,) = list_events(house.access, limit=1)
    assert (row.event.action, row.event.decision) == (ACTION, Decision.REFUSED)
    assert all(part in row.event.question for part in ('"XX"', '"sex"', "not known, mrd_group"))


def test_no_endpoint_but_overall_survival_without_the_right_to_outcomes(house: Deployment) -> None:
    with pytest.raises(AccessRefused, match="difference between two endpoints"):
        ask_feasibility(house, STEERING, Need("ALL", "relapse"))
    (row,) = list_events(house.access, limit=1)
    assert (row.event.action, row.event.decision) == (ACTION, Decision.REFUSED)


@pytest.mark.parametrize(("need", "words"), [
    (Need("ALL", "os", known=("hsct_cr1",)), "only during follow-up"),
    (Need("ALL", "os", known=("sex", "cyto_group", "mrd_group", "subtype", "cna_ikzf1")), "5 conditions"),
    (Need("ALL", "os", horizon_days=1000), "quarter of a year"),
    (Need("AML", "os"), "AML"), (Need("ALL", "os", known=("nothing",)), "nothing")])
def test_what_cannot_be_asked_is_refused_with_its_reason(house: Deployment, need: Need, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        ask_feasibility(house, STEERING, need)


def test_too_few_patients_are_told_no_number(house: Deployment) -> None:
    result = ask_feasibility(house, STEERING, Need("ALL", "os", (OneOf("country", ("IS",)),), ("mrd_group",))).value
    assert result.n is None
    assert result.reason
    assert (result.losses, result.joint, result.sources) == ((), (), ())


def test_no_source_tells_how_few_rows_it_had_refused(house: Deployment) -> None:
    sources = ask_feasibility(house, STEERING, Need("ALL", "os")).value.sources
    assert sources
    assert all(one.registered.n is None and one.registered.nearly_all for one in sources)


