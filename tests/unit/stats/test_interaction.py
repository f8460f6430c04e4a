from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import fit_cox
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.interaction import TreatmentInteraction, compare_treatment_effect

ARMS = ("standard", "reduced")


def make_table(trial: list[str], arm: list[str], marker: list[str], day: list[int], cause: list[int]) -> EventTable:
    return EventTable.from_patients(
        day, cause, group=[f"{a}|{m}" for a, m in zip(arm, marker, strict=True)],
        groups=[f"{a}|{m}" for a in (*ARMS, "intensified") for m in ("low", "high", "unknown")],
        stratum=trial, causes=("relapse", "death"))


def random_table(seed: int, *, patients: int = 900, one_arm: str | None = None) -> EventTable:
    rng = np.random.default_rng(seed)
    trial, arm = rng.choice(["T1", "T2", "T3"], patients), rng.choice(ARMS, patients)
    if one_arm is not None:
        arm[trial == one_arm] = "standard"
    marker = rng.choice(["low", "high"], patients)
    return make_table(trial.tolist(), arm.tolist(), marker.tolist(), rng.integers(1, 300, patients).tolist(),
                      rng.integers(0, 3, patients).tolist())


def ask(table: EventTable, arms: tuple[str, str] = ARMS, levels: tuple[str, ...] = ("low", "high"),
        **options: object) -> TreatmentInteraction:
    split = [label.split("|") for label in table.groups]
    return compare_treatment_effect(table, [a for a, _ in split], [m for _, m in split], arms, levels,
                                    **options)  # type: ignore[arg-type]


def test_with_one_trial_the_effects_are_those_of_treatment_marker_and_product() -> None:
    table = random_table(1).pool_strata()
    answer = ask(table, cause="relapse")
    split = [label.split("|") for label in table.groups]
    treated, high = np.array([a == "reduced" for a, _ in split]), np.array([m == "high" for _, m in split])
    model = fit_cox(table, np.column_stack([treated, high, treated & high]), ["A", "M", "AM"], cause="relapse")
    assert answer.effects[0].log_ratio == pytest.approx(model.coefficients[0])
    assert answer.effects[1].log_ratio == pytest.approx(model.coefficients[0] + model.coefficients[2])
    assert answer.effects[1].std_error == pytest.approx(np.sqrt(model.covariance[[0, 2]][:, [0, 2]].sum()))
    assert answer.log_ratio_of_ratios[0] == pytest.approx(model.coefficients[2])
    # A trial alone says the same as the model of one trial.
    assert answer.trial_log_ratios[0, 0] == pytest.approx(model.coefficients[2])
    assert answer.trial_std_errors[0, 0] == pytest.approx(model.std_error[2])
    assert answer.trial_weights.tolist() == [1]


def test_the_effects_of_two_levels_differ_by_the_ratio_of_ratios_whatever_the_weights() -> None:
    answer = ask(random_table(2))
    low, high = answer.effects
    assert high.log_ratio - low.log_ratio == pytest.approx(answer.log_ratio_of_ratios[0])
    assert answer.lower[0] < answer.ratio_of_ratios[0] < answer.upper[0]
    assert answer.trial_weights.sum() == pytest.approx(1)
    assert sum(effect.events[0] + effect.events[1] for effect in answer.effects) == answer.events
    assert sum(effect.patients[0] + effect.patients[1] for effect in answer.effects) == answer.patients


def test_swapping_the_arms_or_the_levels_turns_the_answer_round() -> None:
    table = random_table(3)
    answer, arms, levels = ask(table), ask(table, arms=ARMS[::-1]), ask(table, levels=("high", "low"))
    for turned in (arms, levels):
        assert turned.test.statistic == pytest.approx(answer.test.statistic)
        assert turned.log_ratio_of_ratios[0] == pytest.approx(-answer.log_ratio_of_ratios[0])
    assert arms.effects[0].log_ratio == pytest.approx(-answer.effects[0].log_ratio)
    assert levels.effects[1].std_error == pytest.approx(answer.effects[0].std_error)


def test_a_trial_with_one_arm_changes_nothing_and_is_named() -> None:
    table = random_table(4, one_arm="T2")
    answer = ask(table)
    without = ask(EventTable(table.groups, table.strata, table.causes,
                             *(getattr(table, name)[table.stratum != 1] for name in
                               ("group", "stratum", "day", "censored", "events", "entries"))))
    assert answer.trials == ("T1", "T3")
    assert answer.left_out_trials == (("T2", "no patients in the arm reduced"),)
    assert answer.test == without.test
    assert answer.effects == without.effects
    assert "within 2 trials that used both arms" in answer.methods
    assert answer.methods.endswith("; without T2 (no patients in the arm reduced)")


def test_a_difference_between_trials_is_not_taken_for_an_interaction() -> None:
    # In T1 treatment helps and the marker is rare, in T2 it harms and the marker is common; inside each the marker
    # changes nothing. Pooling the trials' effects makes the marker look predictive.
    rng = np.random.default_rng(5)
    n = 6000
    second, treated = rng.random(n) < 0.5, rng.random(n) < 0.5
    high = rng.random(n) < np.where(second, 0.8, 0.2)
    hazard = np.exp(np.where(treated, np.where(second, 0.8, -0.8), 0)) / 300
    day = np.minimum(rng.exponential(1 / hazard), 700).astype(int)
    table = make_table(np.where(second, "T2", "T1").tolist(), np.where(treated, "reduced", "standard").tolist(),
                       np.where(high, "high", "low").tolist(), day.tolist(), (day < 700).astype(int).tolist())
    assert ask(table).test.p > 0.05
    split = [label.split("|") for label in table.groups]
    a, m = np.array([a == "reduced" for a, _ in split]), np.array([m == "high" for _, m in split])
    leaking = fit_cox(table, np.column_stack([a, m, a & m]), ["A", "M", "AM"])
    assert leaking.p[2] < 1e-6


def test_patients_of_other_arms_and_levels_are_not_used() -> None:
    table = random_table(6)
    others = make_table(["T1", "T2", "T3", "T1"], ["intensified", "intensified", "standard", "reduced"],
                        ["low", "high", "unknown", "unknown"], [5, 6, 7, 8], [1, 1, 1, 1])
    assert ask(table + others).test == ask(table).test


def test_a_level_without_events_in_an_arm_is_left_out_and_named() -> None:
    table = random_table(7)
    unknown = make_table(["T1"] * 3 + ["T2", "T3"], ["standard"] * 5, ["unknown"] * 5, [5, 6, 7, 8, 9], [1] * 5)
    both = table + unknown
    answer = ask(both, levels=("low", "high", "unknown"))
    assert answer.levels == ("low", "high")
    assert answer.left_out_levels == (("unknown", "no patients in the arm reduced"),)
    assert answer.test == ask(table).test


def test_three_levels_have_two_degrees_of_freedom_and_a_trial_that_cannot_tell_says_so() -> None:
    rng = np.random.default_rng(8)
    n = 900
    trial, arm = rng.choice(["T1", "T2", "T3"], n), rng.choice(ARMS, n)
    marker = np.where(trial == "T3", "low", rng.choice(["low", "high", "unknown"], n))
    table = make_table(trial.tolist(), arm.tolist(), marker.tolist(), rng.integers(1, 300, n).tolist(),
                       rng.integers(0, 2, n).tolist())
    answer = ask(table, levels=("low", "high", "unknown"))
    assert answer.test.df == 2
    assert answer.trial_log_ratios.shape == answer.trial_std_errors.shape == (3, 2)
    assert np.isfinite(answer.trial_log_ratios[:2]).all()
    assert np.isnan(answer.trial_log_ratios[2]).all()


def test_without_a_trial_with_both_arms_the_question_is_refused() -> None:
    rng = np.random.default_rng(9)
    trial = rng.choice(["T1", "T2"], 300)
    table = make_table(trial.tolist(), np.where(trial == "T1", *ARMS).tolist(),
                       rng.choice(["low", "high"], 300).tolist(), rng.integers(1, 99, 300).tolist(), [1] * 300)
    with pytest.raises(StatisticsError, match="no trial has both arms, 'standard' and 'reduced'"):
        ask(table)


def test_what_cannot_be_compared_is_refused() -> None:
    table = random_table(10)
    with pytest.raises(StatisticsError, match="no trial has both arms"):
        ask(table, arms=("standard", "intensified"))
    with pytest.raises(StatisticsError, match=r"fewer than two levels .* unknown: no patients in the arm standard"):
        ask(table, levels=("low", "unknown"))
    for arms, levels in ((("reduced", "reduced"), ("low", "high")), (ARMS, ("low",)), (ARMS, ("low", "low"))):
        with pytest.raises(StatisticsError, match="two arms in at least two levels"):
            ask(table, arms=arms, levels=levels)
    with pytest.raises(StatisticsError, match="every group of the event table has an arm"):
        compare_treatment_effect(table, ["standard"], ["low"], ARMS, ("low", "high"))
    with pytest.raises(StatisticsError, match="too few for 5 parameters"):
        ask(table, events_per_parameter=500)
    quiet = EventTable.from_counts(table.groups, table.strata, table.causes, table.group, table.stratum, table.day,
                                   table.censored + np.where(table.group < 3, 0, table.events.sum(axis=1)),
                                   np.where((table.group < 3)[:, None], table.events, 0))
    with pytest.raises(StatisticsError, match="no trial has events in both arms"):
        ask(quiet)
