from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.patient_cox import CoxRows, climb, fit_patient_cox, fit_prepared_cox
from harmony_dash.stats.patient_risk import score_and_information, sum_over_risk_sets
from tests.reference.what_if_data import load_arms


def draw(seed: int = 1, n: int = 200, days: int = 25) -> dict[str, Any]:
    """Few days, so that many events tie; three strata."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, 3))
    day = np.minimum(days, (rng.exponential(size=n) * np.exp(-0.4 * design[:, 0]) * 15).astype(int))
    return {"day": day, "event": rng.integers(0, 2, n), "design": design, "names": ["a", "b", "c"],
            "stratum": rng.integers(0, 3, n)}


def test_two_groups_by_hand() -> None:
    # Day 1: the event of a treated patient among 3 and 2 treated; day 2: one of an untreated among 3 and 1.
    model = fit_patient_cox([2, 9, 9, 1, 9], [1, 0, 0, 1, 0], [[0], [0], [0], [1], [1]], ["x"], events_per_parameter=0)
    r = np.sqrt(4.5)
    assert np.exp(model.coefficients[0]) == pytest.approx(r)
    np.testing.assert_allclose(model.baseline.at(np.array([0, 1, 2, 9]))[0],
                               [0, 1 / (3 + 2 * r), 1 / (3 + 2 * r) + 1 / (3 + r), 1 / (3 + 2 * r) + 1 / (3 + r)])


def test_efrons_rule_by_hand() -> None:
    # Two of three patients with equal hazards have the event on one day: 1/3 + 1/2; by Breslow's rule 2/3.
    rows = {"day": [4, 4, 6, 6, 6], "event": [1, 1, 0, 0, 1], "design": [[0.0], [1], [0], [1], [0]], "names": ["x"]}
    prepared = {ties: CoxRows.prepare(**rows, ties=ties) for ties in ("efron", "breslow")}
    for ties, expected in (("efron", 1 / 5 + 1 / 4), ("breslow", 2 / 5)):
        order = prepared[ties].order
        sums = sum_over_risk_sets(order, np.zeros(5), np.ones(5))
        assert sums.increment[list(order.day).index(4)] == pytest.approx(expected)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_and_information_are_the_derivatives_of_the_likelihood(ties: str) -> None:
    rows, beta, step = CoxRows.prepare(**draw(), strata=3, ties=ties), np.array([0.4, -0.3, 0.1]), 1e-5
    weight = np.random.default_rng(3).exponential(size=200)

    def at(values: Floats) -> tuple[float, Floats, Floats]:
        sums = sum_over_risk_sets(rows.order, rows.design @ values, weight)
        return sums.log_likelihood, *score_and_information(rows.order, sums, rows.design, weight)

    _, score, information = at(beta)
    shifted = [(at(beta + step * e), at(beta - step * e)) for e in np.eye(3)]
    np.testing.assert_allclose([(up[0] - down[0]) / (2 * step) for up, down in shifted], score, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose([-(up[1] - down[1]) / (2 * step) for up, down in shifted], information, rtol=1e-6,
                               atol=1e-6)


def test_the_order_of_patients_and_the_unit_of_time_change_nothing() -> None:
    rows = draw()
    mixed = np.random.default_rng(5).permutation(200)
    again = {key: value if key == "names" else np.asarray(value)[mixed] for key, value in rows.items()}
    again["day"] = again["day"] * 30
    one, other = fit_patient_cox(**rows), fit_patient_cox(**again)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-9)
    at = np.array([3, 11])
    np.testing.assert_allclose(other.baseline.at(at * 30), one.baseline.at(at), rtol=1e-9)


def test_by_breslows_rule_weights_that_are_counts_stand_for_so_many_patients() -> None:
    rows, weight = draw(), np.random.default_rng(2).integers(1, 4, 200)
    many = {key: value if key == "names" else np.repeat(np.asarray(value), weight, axis=0)
            for key, value in rows.items()}
    one, other = fit_patient_cox(**rows, weight=weight, ties="breslow"), fit_patient_cox(**many, ties="breslow")
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-9)


def test_shifting_a_column_scales_the_baseline_hazard_only() -> None:
    rows = draw()
    moved = fit_patient_cox(**{**rows, "design": rows["design"] + [10, 0, 0]})
    model = fit_patient_cox(**rows)
    np.testing.assert_allclose(moved.coefficients, model.coefficients, rtol=1e-9)
    ratio = np.exp(-10 * model.coefficients[0])
    np.testing.assert_allclose(moved.baseline.at(np.array([9])), model.baseline.at(np.array([9])) * ratio, rtol=1e-8)


def test_a_warm_start_ends_at_the_same_maximum_in_fewer_steps() -> None:
    rows, weight = CoxRows.prepare(**draw(n=600), strata=3), np.random.default_rng(7).exponential(size=600)
    model = fit_prepared_cox(rows)
    cold, warm = climb(rows, weight, np.zeros(3)), climb(rows, weight, model.coefficients * rows.unit)
    np.testing.assert_allclose(warm.scaled, cold.scaled, rtol=1e-9, atol=1e-12)
    assert warm.iterations <= cold.iterations


def test_a_stratum_without_events_has_no_hazard_and_changes_no_coefficient() -> None:
    patients = load_arms("made_up")
    rest = {"design": patients.outcome_design(), "names": patients.outcome_names, "stratum": patients.stratum}
    event = (patients.cause > 0) & (patients.stratum != 2)
    model = fit_patient_cox(patients.day, event, **rest)
    assert model.baseline.at(np.array([0, 60]))[2].tolist() == [0, 0]
    kept = patients.stratum != 2
    without = fit_patient_cox(patients.day[kept], event[kept], rest["design"][kept], rest["names"],
                              stratum=patients.stratum[kept])
    np.testing.assert_allclose(model.coefficients, without.coefficients, rtol=1e-9)


def test_the_methods_line_counts_strata_with_events() -> None:
    assert fit_patient_cox(**draw()).methods == ("Cox proportional hazards model, 3 strata, Efron ties and baseline "
                                                 "hazard")


@pytest.mark.parametrize(("changes", "problem"), [
    ({"event": [0] * 200}, "at least one event"),
    ({"event": [2] * 200}, "0 or 1"),
    ({"event": [1] * 7}, "one row for each patient"),
    ({"names": ["a", "b"]}, "one column for each name"),
    ({"weight": [0.0] * 200}, "positive weight"),
    ({"weight": [1.0] * 3}, "positive weight"),
    ({"ties": "exact"}, "one of efron, breslow"),
    ({"events_per_parameter": 100}, "events are too few for 3 parameters"),
    ({"day": [], "event": [], "design": np.zeros((0, 3)), "stratum": []}, "needs patients"),
])
def test_rows_without_an_estimate_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(StatisticsError, match=problem):
        fit_patient_cox(**{**draw(), **changes})


@pytest.mark.parametrize(("column", "problem"), [
    (lambda rows: np.zeros(200), "'c' never differs"),
    (lambda rows: rows["stratum"], "'c' never differs"),
    (lambda rows: rows["design"][:, 0] - 2 * rows["design"][:, 1], "'a', 'b', 'c' say the same"),
    (lambda rows: rows["design"][:, 1] + rows["stratum"], "'b', 'c' say the same"),
    (lambda rows: np.where(rows["event"] == 1, 1.0, 0.0), "'c' is infinite"),
    (lambda rows: np.where(np.arange(200) == 0, np.nan, 1.0), "missing or infinite"),
])
def test_columns_without_an_estimate_are_refused_and_named(column: Any, problem: str) -> None:
    rows = draw()
    rows["design"][:, 2] = column(rows)
    with pytest.raises(StatisticsError, match=problem):
        fit_patient_cox(**rows)
