"""What chance allocated: each randomisation by itself, from its own day on, beside what doctors chose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harmony_dash.access.actor import OPERATOR
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
from harmony_dash.errors import TooManyQuestions
from harmony_dash.services.admission import admit
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.what_if import prepare_what_if
from harmony_dash.services.what_if_answer import compute_what_if
from harmony_dash.services.what_if_randomised import LEAST_DATED, WELL_DATED, _judge_dating, _share
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.stratified_difference import estimate_stratified_difference
from harmony_dash.store.randomisation import Randomisation
from tests.what_if_cohort import CLINICIAN, COHORT, FEW, ask, draw_cohort, open_house

QUESTION = WhatIfQuestion(COHORT, horizon_days=1461)
LEVELS = pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])


def draw_lots(frame: pd.DataFrame, trial: str, name: str, days: int, *, share: float = 1.0, dated: float = 1.0,
              reduced: float = 0.5) -> pd.DataFrame:
    """The trial drew lots for a share of its patients, and kept to them.

    Parameters
    ----------
    dated : share of them whose day of randomisation is known.
    reduced : share of them allocated to reduced treatment.
    """
    rng = np.random.default_rng(len(name) + days)
    if "rand_id" not in frame:
        frame = frame.assign(rand_id=None, rand_arm=None, randomised="no",
                             rand_days=pd.array([pd.NA] * len(frame), dtype="Int32"))
    inside = (frame.trial == trial).to_numpy() & (rng.random(len(frame)) < share)
    drawn = np.where(rng.random(len(frame)) < reduced, "reduced", "standard")
    frame.loc[inside, "rand_id"] = name
    frame.loc[inside, "rand_arm"] = drawn[inside]
    frame.loc[inside, "intensity_assigned"] = drawn[inside]
    frame.loc[inside, "randomised"] = "yes"
    frame.loc[inside & (rng.random(len(frame)) < dated), "rand_days"] = days
    return frame


def add_early_events(frame: pd.DataFrame, arm: str, day: int, share: float) -> pd.DataFrame:
    """A share of one randomised arm relapses on a day."""
    rng = np.random.default_rng(17)
    return strike(frame, (frame.rand_arm == arm).to_numpy() & (rng.random(len(frame)) < share), day)


def strike(frame: pd.DataFrame, struck: NDArray[np.bool_], day: int) -> pd.DataFrame:
    """These patients relapse on a day."""
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


def chosen_by(*filters: str) -> WhatIfQuestion:
    """The question about some of the patients."""
    return replace(QUESTION, cohort=replace(COHORT, where=tuple(map(parse_filter, filters))))


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
    assert found.clock == "randomisation (at least 95 % of all randomised in the disease)"
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


@LEVELS
def test_a_filter_that_was_known_at_the_draw_keeps_it_and_a_later_one_does_not(house: Deployment, level: Level) -> None:
    known = ask(house, chosen_by("cyto_group=good"), level)
    later = ask(house, chosen_by("risk_group_reported=SR,MR,HR"), level)

    everybody = ask(house, QUESTION, level)
    assert sum(arm.n or 0 for arm in behind(known).arms) < sum(arm.n or 0 for arm in behind(everybody).arms)
    assert contrast(known).estimate
    assert not [one for one in later.patients if one.population == RANDOMISED]
    assert any("before" in note and "became known" in note for note in later.notes)


@LEVELS
@pytest.mark.parametrize(("early", "found"), [(0.03, True), (0.2, False)])
def test_a_filter_must_be_known_before_all_but_hardly_anybody_was_randomised(
        tmp_path: Path, level: Level, early: float, found: bool) -> None:
    """MRD is known on day 42: where a fifth had been randomised on day 20, it chooses by what was their future."""
    frame = draw_lots(draw_cohort(4000), "Trial A", "A: lots", 60)
    drawn = frame.index[frame.rand_id.notna()]
    frame.loc[drawn[: int(early * len(drawn))], "rand_days"] = 20
    result = ask(open_house(tmp_path, frame), chosen_by("mrd_eoi_band=undetectable,pnq,<0.01%"), level)

    assert any(one.method is Method.RANDOMISED for one in result.contrasts) is found
    assert any("A: lots" in note and "became known" in note for note in result.notes) is not found


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


def lose_days(frame: pd.DataFrame, share: float, *, of_events: bool = False) -> pd.DataFrame:
    """A share of the reduced arm, or of its patients with an event, has no day of randomisation."""
    rng = np.random.default_rng(3)
    lost = (frame.rand_arm == "reduced").to_numpy() & (rng.random(len(frame)) < share)
    frame.loc[lost & ((frame.efs_cause > 0).to_numpy() | (not of_events)), "rand_days"] = pd.NA
    return frame


def test_days_that_one_arm_alone_lacks_are_judged_in_that_arm(tmp_path: Path) -> None:
    """Nine in ten of both arms together have a day, and three in four of one of them."""
    frame = lose_days(draw_lots(draw_cohort(2500), "Trial A", "A: lots", 60), 0.25)
    assert 0.85 < frame[frame.rand_id.notna()].rand_days.notna().mean() < 0.92
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert not [one for one in result.contrasts if one.method is Method.RANDOMISED]
    assert any("A: lots" in note and "of an arm" in note for note in result.notes)


@LEVELS
def test_days_that_patients_with_events_lack_are_a_reason_for_caution(tmp_path: Path, level: Level) -> None:
    """They are left out of one arm alone, and so are their events: less treatment looks better than it was."""
    frame = draw_lots(draw_cohort(4000, effect=0.0), "Trial A", "A: lots", 60)
    frame = lose_days(frame, 0.28, of_events=True)
    reduced = frame[frame.rand_arm == "reduced"]
    assert LEAST_DATED < reduced.rand_days.notna().mean() < WELL_DATED
    result = ask(open_house(tmp_path, frame), QUESTION, level)

    assert contrast(result).estimate > 0.03
    (said,) = [one for one in result.reasons if "day of randomisation" in one.message]
    assert (said.severity, said.where, said.value) == ("amber", "A: lots", None)
    assert result.status is Status.AMBER
    assert "day of randomisation" in result.summary


@pytest.mark.parametrize(("dated", "cautions"), [((1.0, 1.0), 0), ((0.95, 1.0), 0), ((0.949, 1.0), 1), ((1.0, 0.9), 1)])
def test_caution_hangs_on_the_arm_with_fewer_days(dated: tuple[float, float], cautions: int) -> None:
    assert len(_judge_dating(Randomisation("lots", "Trial A", "lots", 400, 60, 50, dated))) == cautions


@pytest.fixture(scope="module")
def unassigned(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The protocol's label is standard for all, and the lots decided about a part of the treatment."""
    frame = draw_lots(draw_cohort(4000), "Trial A", "A: lots", 60)
    return open_house(tmp_path_factory.mktemp("unassigned"), frame.assign(intensity_assigned="standard"))


@LEVELS
def test_those_randomised_are_compared_where_nobody_was_assigned_to_one_of_the_strategies(
        unassigned: Deployment, level: Level) -> None:
    result = ask(unassigned, QUESTION, level)

    assert result.primary is Method.RANDOMISED
    assert contrast(result).estimate
    assert result.status is Status.AMBER
    assert [one.severity for one in result.reasons if one.code in ("NO_CONTRAST", "CELL_SMALL")] == ["refused"]
    assert any("randomisation alone" in note for note in result.notes)


@LEVELS
def test_a_comparison_that_only_chance_answers_is_begun_before_anything_is_estimated(
        unassigned: Deployment, level: Level) -> None:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    admission = admit(unassigned, actor, COHORT, level=level, grant_id="")
    asked = prepare_what_if(QUESTION, admission, admission.snapshot.dictionary)

    def refuse() -> None:
        raise TooManyQuestions("the budget is used up")

    with pytest.raises(TooManyQuestions):
        compute_what_if(admission.snapshot, asked, QUESTION, scope=admission.scope, replicates=FEW, begin=refuse)


@LEVELS
def test_no_clock_without_a_landmark_is_not_mended_by_chance(house: Deployment, level: Level) -> None:
    result = ask(house, replace(QUESTION, strategy="hsct_cr1", reference="no", compared="yes"), level)

    assert result.status is Status.REFUSED
    assert [one.code for one in result.reasons] == ["NO_TIME_ZERO"]
    assert not result.patients


# -- each outcome is judged --------------------------------------------------------------------------------------------


def keep_deaths(frame: pd.DataFrame, arm: pd.Series[Any], few: int, many: int, by: int) -> pd.DataFrame:
    """So many deaths in remission of the reduced and of the standard arm by a day; all others are relapses."""
    for value, kept in (("reduced", few), ("standard", many)):
        died = frame.index[(arm == value) & frame.first_event.isin(("death_in_cr", "smn"))]
        others = [*died[frame.efs_days[died].astype(int) <= by][kept:], *died[frame.efs_days[died].astype(int) > by]]
        frame.loc[others, "first_event"] = "relapse"
        frame.loc[others, "relapse_cause"] = 1
    return frame


def test_few_deaths_in_remission_are_a_reason_for_caution_about_them(tmp_path: Path) -> None:
    frame = draw_lots(draw_cohort(5000), "Trial A", "A: lots", 60)
    frame = keep_deaths(frame, frame.rand_arm, 6, 14, QUESTION.horizon_days)
    result = ask(open_house(tmp_path, frame), QUESTION)

    found = behind(result, "death_in_cr")
    assert [arm.events_by_horizon for arm in found.arms] == [14, 6]
    assert not found.reason and result.needed
    assert ("CELL_SMALL", "amber", "reduced for death in remission or second malignancy, A: lots") in {
        (one.code, one.severity, one.where) for one in result.reasons}
    assert result.status is Status.AMBER


def test_few_deaths_in_remission_are_one_where_doctors_chose_too(tmp_path: Path) -> None:
    frame = draw_cohort(5000)
    frame = keep_deaths(frame, frame.intensity_assigned, 7, 60, QUESTION.horizon_days)
    result = ask(open_house(tmp_path, frame), QUESTION)

    assert any(one.outcome == "death_in_cr" for one in result.contrasts)
    assert ("CELL_SMALL", "amber", "reduced for death in remission or second malignancy") in {
        (one.code, one.severity, one.where) for one in result.reasons}


@pytest.mark.parametrize("by_chance", [False, True])
def test_a_filter_that_says_nothing_of_those_in_remission_is_told_under_their_outcome(
        tmp_path: Path, by_chance: bool) -> None:
    """Of the patients whom a filter leaves out, hardly any reached remission."""
    frame, rng = draw_cohort(5000), np.random.default_rng(8)
    if by_chance:
        frame = draw_lots(frame, "Trial A", "A: lots", 60)
    poor = rng.random(len(frame)) < 0.1
    frame["cyto_group"] = np.where(poor, "high", "good")
    lost = poor & (np.cumsum(poor) > 4)
    for name in ("rfs", "relapse", "relapse_1km", "trm"):
        frame.loc[lost, [f"{name}_days", f"{name}_cause"]] = pd.NA
        frame.loc[lost, f"{name}_excluded"] = "no_remission"
    result = ask(open_house(tmp_path, frame), chosen_by("cyto_group=good"), Level.PROTECTED)

    names = ["Relapse and what competes with it"]
    names += ["A: lots, relapse and what competes with it"] if by_chance else []
    assert [one.groups for one in result.not_applied] == [(name,) for name in names]
    for name in names:
        assert any(note.startswith(f"{name}: ") and "not applied" in note for note in result.notes)


@LEVELS
def test_the_first_note_says_whose_clock_it_is(house: Deployment, tmp_path: Path, level: Level) -> None:
    by_chance, adjusted = ask(house, QUESTION, level), ask(open_house(tmp_path, draw_cohort(4000)), QUESTION, level)

    assert any(note.startswith("The clock of the adjusted comparison starts on day") for note in by_chance.notes)
    assert not any(note.startswith("The clock starts") for note in by_chance.notes)
    assert any(note.startswith("The clock starts on day") for note in adjusted.notes)


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


@LEVELS
def test_two_trials_that_share_a_randomisation_are_not_pooled(tmp_path: Path, level: Level) -> None:
    """Neither trial has an effect, but the one of high risk allocated four in five to less, the other one in five."""
    frame = draw_cohort(6000, effect=0.0)
    lost = (frame.trial == "Trial A").to_numpy() & (np.random.default_rng(12).random(len(frame)) < 0.45)
    frame = strike(frame, lost, 300)
    for trial, reduced in (("Trial A", 0.8), ("Trial B", 0.2)):
        frame = draw_lots(frame, trial, "R1", 60, reduced=reduced)
    result = ask(open_house(tmp_path, frame), QUESTION, level)

    found = [one for one in result.contrasts if (one.method, one.outcome) == (Method.RANDOMISED, "efs")]
    assert [one.randomisation for one in found] == ["R1, Trial A", "R1, Trial B"]
    for one in found:
        assert one.lower is not None and one.upper is not None and one.lower < 0 < one.upper
        assert abs(one.estimate) < 0.08
    assert result.primary is None
    assert len({one.key for one in result.patients}) == len(result.patients)


@LEVELS
def test_one_of_them_alone_is_the_answer_to_a_question_about_its_patients(two: Deployment, level: Level) -> None:
    result = ask(two, chosen_by("trial=Trial B"), level)

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
