"""What chance allocated: each randomisation by itself, from its own day on, beside what doctors chose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import (
    RANDOMISED,
    ComparedPatients,
    Contrast,
    Mark,
    Measure,
    Method,
    Status,
    WhatIfResult,
)
from harmony_dash.disclosure.what_if_words import find_contrast
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.what_if_randomised import LEAST_DATED, _share
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.stratified_difference import estimate_stratified_difference
from tests.what_if_cohort import COHORT, ask, draw_cohort, open_house

QUESTION = WhatIfQuestion(COHORT, horizon_days=1461)
LEVELS = pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])


def draw_lots(frame: pd.DataFrame, trial: str, name: str, days: int, *, share: float = 1.0, dated: float = 1.0,
              ) -> pd.DataFrame:
    """The trial drew lots for a share of its patients, and kept to them."""
    rng = np.random.default_rng(len(name) + days)
    if "rand_id" not in frame:
        frame = frame.assign(rand_id=None, rand_arm=None, randomised="no",
                             rand_days=pd.array([pd.NA] * len(frame), dtype="Int32"))
    inside = (frame.trial == trial).to_numpy() & (rng.random(len(frame)) < share)
    drawn = np.where(rng.random(len(frame)) < 0.5, "reduced", "standard")
    frame.loc[inside, "rand_id"] = name
    frame.loc[inside, "rand_arm"] = drawn[inside]
    frame.loc[inside, "intensity_assigned"] = drawn[inside]
    frame.loc[inside, "randomised"] = "yes"
    frame.loc[inside & (rng.random(len(frame)) < dated), "rand_days"] = days
    return frame


def add_early_events(frame: pd.DataFrame, arm: str, day: int, share: float) -> pd.DataFrame:
    """A share of one randomised arm relapses on a day."""
    rng = np.random.default_rng(17)
    struck = (frame.rand_arm == arm).to_numpy() & (rng.random(len(frame)) < share)
    frame.loc[struck, "first_event"] = "relapse"
    frame.loc[struck, "first_event_days"] = day
    for endpoint in ("efs", "rfs", "relapse"):
        frame.loc[struck, f"{endpoint}_days"] = day
        frame.loc[struck, f"{endpoint}_cause"] = 1
    return frame


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Trial A drew lots on day 60 for nearly everybody, and the reduced arm had early relapses."""
    frame = add_early_events(draw_lots(draw_cohort(4000), "Trial A", "A: less or more", 60), "reduced", 80, 0.1)
    return open_house(tmp_path_factory.mktemp("randomised"), frame)


def behind(result: WhatIfResult, outcome: str = "efs") -> ComparedPatients:
    return next(one for one in result.patients if (one.population, one.outcome) == (RANDOMISED, outcome))


def contrast(result: WhatIfResult, outcome: str = "efs") -> Contrast:
    found = find_contrast(result, Method.RANDOMISED, outcome)
    assert found is not None
    return found


# -- the answer --------------------------------------------------------------------------------------------------------


@LEVELS
def test_lots_drawn_within_a_trial_are_the_answer_and_the_rest_stands_beneath(house: Deployment, level: Level) -> None:
    result = ask(house, QUESTION, level)

    assert result.primary is Method.RANDOMISED
    assert {cell.stratum for cell in result.allocation if cell.mark is Mark.RANDOMISED} == {"Trial A"}
    assert {one.outcome for one in result.contrasts if one.method is Method.RANDOMISED} == {
        "efs", "relapse", "death_in_cr"}
    assert {one.method for one in result.needed} == {Method.RANDOMISED}
    assert {Method.STANDARDISED, Method.AUGMENTED, Method.WEIGHTED} <= {one.method for one in result.contrasts}
    assert "as randomised" in result.summary


def test_the_clock_of_each_patient_starts_with_the_draw_and_everybody_counts(house: Deployment) -> None:
    """Events before the landmark of the adjusted comparison are events of the arm that was drawn."""
    result = ask(house, QUESTION)
    frame = add_early_events(draw_lots(draw_cohort(4000), "Trial A", "A: less or more", 60), "reduced", 80, 0.1)
    drawn = frame[frame.rand_id.notna()]

    found = behind(result)
    assert {arm.arm: arm.n for arm in found.arms} == drawn.rand_arm.value_counts().to_dict()
    assert found.clock == "randomisation (at least 95 % of those randomised)"
    table = EventTable.from_patients(
        drawn.efs_days.astype(int) - 60, drawn.efs_cause.astype(int), group=drawn.rand_arm.tolist(),
        groups=["standard", "reduced"], causes=("event",))
    truth = estimate_stratified_difference(table, QUESTION.horizon_days)
    assert contrast(result).estimate == pytest.approx(truth.estimate)
    assert any("starts for each patient on the day of randomisation" in note for note in result.notes)
    assert not any("intention to treat" in text.lower() for text in (result.summary, result.methods, *result.notes))


@LEVELS
def test_a_clinicians_choice_of_landmark_does_not_move_the_draw(house: Deployment, level: Level) -> None:
    late = replace(QUESTION, cohort=replace(COHORT, landmark_days=365))

    assert contrast(ask(house, late, level)) == contrast(ask(house, QUESTION, level))


def test_a_filter_that_was_known_at_the_draw_keeps_it_and_a_later_one_does_not(house: Deployment) -> None:
    known = ask(house, replace(QUESTION, cohort=replace(COHORT, where=(parse_filter("cyto_group=good"),))))
    later = ask(house, replace(QUESTION, cohort=replace(COHORT, where=(parse_filter("risk_group_reported=SR,MR,HR"),))))

    assert sum(arm.n or 0 for arm in behind(known).arms) < sum(arm.n or 0 for arm in behind(ask(house, QUESTION)).arms)
    assert not [one for one in later.patients if one.population == RANDOMISED]
    assert any("before" in note and "became known" in note for note in later.notes)


def test_relapse_and_death_are_followed_in_those_in_remission_by_the_draw(house: Deployment) -> None:
    result = ask(house, QUESTION)

    found = behind(result, "relapse")
    assert found.clock.startswith("randomisation (in remission by then, ")
    assert contrast(result, "relapse").estimate > 0


# -- what is left out --------------------------------------------------------------------------------------------------


def test_without_days_of_randomisation_nobody_is_followed_from_it(tmp_path: Path) -> None:
    frame = draw_lots(draw_cohort(2500), "Trial A", "A: no days", 60, dated=LEAST_DATED - 0.2)
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert result.primary is not Method.RANDOMISED
    assert not [one for one in result.contrasts if one.method is Method.RANDOMISED]
    assert any("A: no days" in note and "day of randomisation is not known" in note for note in result.notes)


def test_an_arm_with_too_few_events_or_too_short_a_follow_up_is_not_read(house: Deployment) -> None:
    result = ask(house, replace(QUESTION, horizon_days=3900))

    assert result.status is Status.REFUSED
    assert result.primary is None
    assert behind(result).reason == "too few patients, events or follow-up in an arm"
    assert not [one for one in result.contrasts if one.method is Method.RANDOMISED]


# -- several, and some -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Trials A and B drew lots for different questions, and only that of trial A made a difference."""
    frame = draw_lots(add_early_events(
        draw_lots(draw_cohort(5000, effect=0.0), "Trial A", "A: steroids", 60), "reduced", 400, 0.15),
        "Trial B", "B: length", 90)
    return open_house(tmp_path_factory.mktemp("two"), frame)


@LEVELS
def test_two_randomisations_are_two_answers_and_no_common_one(two: Deployment, level: Level) -> None:
    result = ask(two, QUESTION, level)

    found = [one for one in result.contrasts if (one.method, one.outcome) == (Method.RANDOMISED, "efs")]
    assert [one.randomisation for one in found] == ["A: steroids", "B: length"]
    assert found[0].estimate < found[1].estimate - 0.05
    assert result.primary is None
    assert not result.needed
    assert result.status is Status.AMBER or result.status is Status.ANSWERED
    assert "A: steroids: " in result.summary and "B: length: " in result.summary
    assert any("no common answer" in note for note in result.notes)
    assert len({one.key for one in result.patients}) == len(result.patients)


def test_one_of_them_alone_is_the_answer_to_a_question_about_its_patients(two: Deployment) -> None:
    result = ask(two, replace(QUESTION, cohort=replace(COHORT, where=(parse_filter("trial=Trial B"),))))

    assert result.primary is Method.RANDOMISED
    assert contrast(result).randomisation == "B: length"


def test_a_trial_that_drew_lots_for_some_is_marked_so(tmp_path: Path) -> None:
    frame = draw_lots(draw_cohort(2500), "Trial A", "A: some", 60, share=0.5)
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert {cell.mark for cell in result.allocation if cell.stratum == "Trial A"} == {Mark.PART}
    shown = sum(cell.n or 0 for cell in result.allocation if cell.stratum == "Trial A")
    assert sum(arm.n or 0 for arm in behind(result).arms) < shown


@LEVELS
def test_chance_and_adjustment_that_contradict_one_another_are_amber(tmp_path: Path, level: Level) -> None:
    """Where doctors chose by something unrecorded, less treatment looks better; where lots were drawn, it is worse."""
    frame = draw_lots(draw_cohort(5000, effect=-0.9), "Trial A", "A: lots", 60)
    frame = add_early_events(frame, "reduced", 300, 0.3)
    result = ask(open_house(tmp_path, frame), QUESTION, level)

    assert result.status is Status.AMBER
    said = [one for one in result.reasons if one.code == "MODEL_DEPENDENT" and "say different things" in one.message]
    assert said
    assert all(one.severity == "amber" for one in said)
    assert "say different things" in result.summary


def test_chance_and_adjustment_that_agree_are_not_marked(tmp_path: Path) -> None:
    result = ask(open_house(tmp_path, draw_lots(draw_cohort(3000, effect=0.0), "Trial A", "A: lots", 60)), QUESTION)

    assert result.primary is Method.RANDOMISED
    assert not any("say different things" in one.message for one in result.reasons)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("followed", "patients", "words"), [
    (400, 400, "at least 95 %"), (396, 400, "at least 95 %"), (379, 400, "at least 90 %"), (60, 60, "at least 67 %"),
    (51, 60, "at least 67 %"), (0, 60, "at least 0 %")])
def test_shares_tell_a_few_patients_from_none_nowhere(followed: int, patients: int, words: str) -> None:
    assert _share(followed / patients, patients) == words


def test_measures_of_chance_are_those_of_the_outcome(house: Deployment) -> None:
    found = {one.outcome: one.measure for one in ask(house, QUESTION).contrasts if one.method is Method.RANDOMISED}
    assert found == {"efs": Measure.SURVIVAL, "relapse": Measure.INCIDENCE, "death_in_cr": Measure.INCIDENCE}
