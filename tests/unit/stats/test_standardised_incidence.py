from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.bayesian_bootstrap import draw_replicates
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.standardised_incidence import StandardisedIncidence, standardise_incidence
from tests.reference.what_if_data import DAYS, load_arms


def standardise(patients: ArmPatients, replicates: int = 10, workers: int = 1) -> StandardisedIncidence:
    return standardise_incidence(patients, DAYS["made_up"], rng=np.random.default_rng(1), replicates=replicates,
                                 draw=partial(draw_replicates, workers=workers))


def directly(patients: ArmPatients, found: StandardisedIncidence) -> Floats:
    """The definition, patient by patient and day by day; shape (2 causes, 2 arms, days)."""
    every_day = np.arange(DAYS["made_up"][-1] + 1)
    answer = np.zeros((2, 2, len(DAYS["made_up"])))
    for arm in (0, 1):
        hazards = [model.baseline.at(every_day)[patients.stratum]
                   * np.exp(patients.outcome_design(arm) @ model.coefficients)[:, None] for model in found.models]
        before = np.exp(-np.pad(hazards[0] + hazards[1], ((0, 0), (1, 0)))[:, :-1])
        for cause in (0, 1):
            rise = before * np.diff(hazards[cause], axis=1, prepend=0.0)
            total = np.average(np.cumsum(rise, axis=1), axis=0, weights=patients.weight)
            answer[cause, arm] = total[list(DAYS["made_up"])]
    return answer


@pytest.mark.parametrize("weighted", [False, True])
def test_incidences_are_means_over_patients(weighted: bool) -> None:
    patients = load_arms("made_up", modifiers=("third",), weighted=weighted)
    found = standardise(patients)
    mine = np.array([one.estimate for one in found.incidence])
    np.testing.assert_allclose(mine, directly(patients, found), rtol=0, atol=1e-10)


def test_the_causes_the_other_way_round_give_the_same_incidences() -> None:
    patients = load_arms("made_up")
    swapped = replace(patients, causes=("death", "relapse"), cause=np.where(patients.cause, 3 - patients.cause, 0))
    one, other = standardise(patients), standardise(swapped)
    for cause in (0, 1):
        np.testing.assert_allclose(one.incidence[cause].estimate, other.incidence[1 - cause].estimate, atol=1e-12)
    assert (one.events, other.causes) == (other.events[::-1], ("death", "relapse"))


def test_intervals_hold_the_estimate_and_do_not_depend_on_threads() -> None:
    one, other = standardise(load_arms("made_up")), standardise(load_arms("made_up"), workers=2)
    for mine, theirs in zip(one.incidence, other.incidence, strict=True):
        assert ((mine.lower < mine.estimate) & (mine.estimate < mine.upper)).all()
        assert ((mine.difference_lower < mine.difference) & (mine.difference < mine.difference_upper)).all()
        np.testing.assert_array_equal(mine.lower, theirs.lower)


def test_one_minus_kaplan_meier_would_be_more() -> None:
    patients = load_arms("made_up")
    found = standardise(patients)
    alone = -np.expm1(-found.models[0].baseline.at(np.array(DAYS["made_up"]))[patients.stratum]
                      * np.exp(patients.outcome_design(0) @ found.models[0].coefficients)[:, None]).mean(axis=0)
    assert (found.incidence[0].estimate[0] < alone).all()


def test_anything_but_two_causes_is_refused() -> None:
    patients = load_arms("made_up")
    with pytest.raises(StatisticsError, match="two causes"):
        standardise(replace(patients, causes=("relapse", "death", "second malignancy")))


def test_a_day_beyond_the_follow_up_is_refused() -> None:
    with pytest.raises(StatisticsError, match="the follow-up of s0 ends"):
        standardise_incidence(load_arms("made_up"), [990], rng=np.random.default_rng(1))
