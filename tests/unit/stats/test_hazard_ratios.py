from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import fit_cox
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios

LEVELS = ("a", "b", "c", "d")


def random_table(seed: int, *, patients: int = 400, levels: int = 3, strata: int = 2) -> EventTable:
    rng = np.random.default_rng(seed)
    return EventTable.from_patients(
        rng.integers(1, 200, patients), rng.integers(0, 3, patients), causes=("relapse", "death"),
        group=[LEVELS[g] for g in rng.integers(0, levels, patients)], groups=LEVELS,
        stratum=rng.integers(0, strata, patients))


def test_levels_against_the_reference_are_the_columns_of_one_model() -> None:
    table = random_table(1, levels=4)
    answer = estimate_hazard_ratios(table, "c", cause="death")
    model = fit_cox(table, np.eye(4)[:, [0, 1, 3]], "abd", cause="death")
    others = [entry for entry in answer.levels if entry.level != "c"]
    assert [entry.level for entry in answer.levels] == list(LEVELS)
    np.testing.assert_allclose([entry.log_ratio for entry in others], model.coefficients)
    np.testing.assert_allclose([entry.upper for entry in others], model.upper)
    np.testing.assert_allclose([entry.p for entry in others], model.p)
    assert answer.likelihood_ratio_test == model.likelihood_ratio_test
    assert [entry.patients for entry in answer.levels] == table.patients.tolist()
    assert [entry.events for entry in answer.levels] == table.event_counts[:, 1].tolist()
    reference = answer.levels[2]
    assert (reference.ratio, reference.not_estimable) == (1, "")
    assert np.isnan([reference.lower, reference.upper, reference.p]).all()


def test_a_level_without_patients_is_named_and_fails_nothing() -> None:
    answer = estimate_hazard_ratios(random_table(2))
    assert answer.left_out == ("d",)
    assert answer.levels[3].not_estimable == "no patients"
    assert np.isnan([answer.levels[3].ratio, answer.levels[3].p]).all()
    assert answer.likelihood_ratio_test.df == 2
    assert answer.methods.endswith("fitted without d")


def test_leaving_out_a_level_without_events_is_the_limit_of_the_model_with_it() -> None:
    table = random_table(3, levels=4)
    events = np.where((table.group == 3)[:, None], 0, table.events)
    quiet = EventTable.from_counts(table.groups, table.strata, table.causes, table.group, table.stratum, table.day,
                                   table.censored + (table.events - events).sum(axis=1), events)
    answer = estimate_hazard_ratios(quiet)
    assert answer.left_out == ("d",)
    assert answer.levels[3].not_estimable == "no events"
    # With a single event the ratio of d is near 0, and those of the others near what they are without d.
    extra = EventTable.from_counts(table.groups, table.strata, table.causes, [3], [0], [50], [0], [[1, 0]])
    near = estimate_hazard_ratios(quiet + extra)
    assert near.levels[3].ratio < 0.05
    assert near.levels[1].log_ratio == pytest.approx(answer.levels[1].log_ratio, abs=0.01)


def test_a_level_with_too_few_events_is_left_out_by_the_limit_given() -> None:
    table = random_table(4)
    events = table.event_counts.sum(axis=1)
    fewest = int(events[:3].min())
    answer = estimate_hazard_ratios(table, int(events.argmax()), least_events=fewest + 1)
    assert len(answer.left_out) == 2
    assert answer.levels[int(events[:3].argmin())].not_estimable == f"fewer than {fewest + 1} events"
    assert answer.patients == sum(entry.patients for entry in answer.levels if not entry.not_estimable)


def test_a_level_never_at_risk_beside_the_reference_is_named() -> None:
    # c is alone in its stratum.
    day, event = [1, 2, 3, 4, 5, 6, 1, 2, 3], [1, 1, 1, 1, 1, 0, 1, 1, 0]
    table = EventTable.from_patients(day, event, group=list("abababccc"), stratum=list("xxxxxxyyy"))
    answer = estimate_hazard_ratios(table, events_per_parameter=1)
    assert answer.left_out == ("c",)
    assert answer.levels[2].not_estimable.startswith("never at risk beside the reference level")


def test_a_level_with_all_events_on_one_side_is_named() -> None:
    # Everybody in c has the event before anybody in a or b has one.
    table = EventTable.from_patients([1, 1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1, 1, 0], group=list("cccababa"))
    answer = estimate_hazard_ratios(table, events_per_parameter=1)
    assert answer.levels[2].not_estimable.startswith("all events fall on one side")
    without = estimate_hazard_ratios(table.select_groups(["a", "b"]), events_per_parameter=1)
    assert answer.levels[1].ratio == pytest.approx(without.levels[1].ratio)


def test_a_reference_without_events_or_company_is_refused() -> None:
    table = random_table(5)
    with pytest.raises(StatisticsError, match=r"reference level 'd' has no patients\. choose another"):
        estimate_hazard_ratios(table, "d")
    with pytest.raises(StatisticsError, match="there is no group 'e'"):
        estimate_hazard_ratios(table, "e")
    with pytest.raises(StatisticsError, match="no level can be compared with the reference level 'a'"):
        estimate_hazard_ratios(table.select_groups(["a", "d"]))
    with pytest.raises(StatisticsError, match="too few for 2 parameters"):
        estimate_hazard_ratios(table, events_per_parameter=1000)
    with pytest.raises(StatisticsError, match="at least one event in each level"):
        estimate_hazard_ratios(table, least_events=0)
