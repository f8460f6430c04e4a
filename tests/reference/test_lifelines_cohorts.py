"""The same numbers as R on data that come with lifelines; reference.json is written by make_reference.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.gray import compare_incidence
from harmony_dash.stats.kaplan_meier import SurvivalCurve, estimate_survival, find_quantile, read_survival
from harmony_dash.stats.log_rank import compare_pairs, compare_survival
from harmony_dash.stats.restricted_mean import estimate_restricted_means
from tests.reference.lifelines_data import NAMES, load_cohort

ABSOLUTE = 1e-12
RELATIVE = 1e-10
INTERVALS = ("log-log", "log", "plain")


@cache
def expected_of(name: str) -> dict[str, Floats]:
    values = json.loads((Path(__file__).parent / "reference.json").read_text())["values"][name]
    return {key: np.array([np.nan if x is None else x for x in row]) for key, row in values.items()}


def curves_of(name: str) -> list[tuple[str, EventTable, str | None]]:
    """Return the prefix in reference.json, the table and the group of every curve."""
    table = load_cohort(name).table()
    return [("all", table, None), *((f"group{i + 1}", table, label) for i, label in enumerate(table.groups))]


def check_quartiles(curve: SurvivalCurve, expected: dict[str, Floats], prefix: str) -> int:
    """Compare quartiles with R, except on a plateau at exactly that height; return how many were compared."""
    compared = 0
    for position, share in enumerate((0.25, 0.5, 0.75)):
        quantile = find_quantile(curve, share)
        for values, mine, part in ((curve.survival, quantile.days, "quantile"), (curve.lower, quantile.lower, "lower"),
                                   (curve.upper, quantile.upper, "upper")):
            if not bool((np.abs(values - (1 - share)) < 1e-9).any()):
                np.testing.assert_equal(mine, expected[f"{prefix}.{part}"][position])
                compared += 1
    return compared


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("name", NAMES)
def test_survival_its_intervals_and_quartiles_equal_r(name: str, interval: str) -> None:
    expected, compared = expected_of(name), 0
    for prefix, table, group in curves_of(name):
        curve = estimate_survival(table, group, interval=interval)
        at = read_survival(curve, expected[f"{prefix}.at"])
        survival = expected[f"{prefix}.survival"]
        np.testing.assert_array_equal(at.at_risk, expected[f"{prefix}.n_risk"])
        inside = (at.days <= curve.days[-1]) | (survival == 0)
        np.testing.assert_allclose(at.survival[inside], survival[inside], rtol=0, atol=ABSOLUTE)
        drawn = inside & (survival > 0)
        np.testing.assert_allclose(at.std_error[drawn], expected[f"{prefix}.std_error"][drawn], rtol=0, atol=ABSOLUTE)
        # Before the first event R draws the interval 1 to 1; we draw none.
        known = drawn & (survival < 1)
        for mine, part in ((at.lower, "lower"), (at.upper, "upper")):
            limit = expected[f"{prefix}.{interval}.{part}"]
            np.testing.assert_allclose(mine[known], limit[known], rtol=0, atol=ABSOLUTE)
            assert np.isnan(mine[~known]).all()
        compared += check_quartiles(curve, expected, f"{prefix}.{interval}.quartiles")
    assert compared > 0


@pytest.mark.parametrize("name", NAMES)
def test_follow_up_by_reverse_kaplan_meier_equals_r(name: str) -> None:
    assert sum(check_quartiles(estimate_follow_up(table, group).curve, expected_of(name), f"{prefix}.reverse")
               for prefix, table, group in curves_of(name)) > 0


@pytest.mark.parametrize("name", NAMES)
def test_restricted_means_and_their_standard_errors_equal_r(name: str) -> None:
    expected = expected_of(name)
    for prefix, table, group in curves_of(name):
        tau, mean, std_error = expected[f"{prefix}.rmst"]
        one = table.pool_groups() if group is None else table.select_groups([group])
        means = estimate_restricted_means(one, tau_days=int(tau), least_at_risk=1)
        assert means.days[0] == pytest.approx(mean, rel=RELATIVE)
        assert means.std_error[0] == pytest.approx(std_error, rel=RELATIVE)


@pytest.mark.parametrize("rho", [0, 1, 0.5])
@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_log_rank_and_its_variance_equal_r(name: str, strata: bool, rho: float) -> None:
    expected = expected_of(name)
    prefix = f"log_rank{'_strata' if strata else ''}.rho{rho:g}"
    test = compare_survival(load_cohort(name).table(strata=strata), rho=rho)
    np.testing.assert_allclose(test.observed, expected[f"{prefix}.observed"], rtol=RELATIVE)
    np.testing.assert_allclose(test.expected, expected[f"{prefix}.expected"], rtol=RELATIVE)
    np.testing.assert_allclose(test.variance.ravel(), expected[f"{prefix}.variance"], rtol=RELATIVE, atol=1e-12)
    assert test.statistic == pytest.approx(expected[f"{prefix}.statistic"][0], rel=RELATIVE)


@pytest.mark.parametrize("name", NAMES)
def test_log_rank_of_one_cause_censors_the_others_as_r_does(name: str) -> None:
    expected = expected_of(name)
    test = compare_survival(load_cohort(name).table(strata=True), cause="cause1")
    np.testing.assert_allclose(test.observed, expected["log_rank_cause1.observed"], rtol=RELATIVE)
    assert test.statistic == pytest.approx(expected["log_rank_cause1.statistic"][0], rel=RELATIVE)


@pytest.mark.parametrize("name", NAMES)
def test_pairwise_p_values_equal_r(name: str) -> None:
    table, expected = load_cohort(name).table(), expected_of(name)
    holm = compare_pairs(table)
    np.testing.assert_allclose(holm.p, expected["pairs.p"], rtol=RELATIVE)
    np.testing.assert_allclose(holm.adjusted, expected["pairs.holm"], rtol=RELATIVE)
    np.testing.assert_allclose(compare_pairs(table, method="bh").adjusted, expected["pairs.bh"], rtol=RELATIVE)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("name", NAMES)
def test_cumulative_incidence_and_its_intervals_equal_r(name: str, interval: str) -> None:
    expected, compared = expected_of(name), 0
    for prefix, table, group in curves_of(name):
        curves = estimate_cumulative_incidence(table, group, interval=interval)
        at = read_incidence(curves, expected[f"{prefix}.at"])
        row = np.searchsorted(curves.days, at.days, side="right")
        for k, cause in enumerate(curves.causes):
            key = f"{prefix}.{cause}"
            if f"{key}.incidence" not in expected:
                continue
            inside = np.isfinite(at.incidence[:, k])
            incidence = expected[f"{key}.incidence"]
            np.testing.assert_allclose(at.incidence[inside, k], incidence[inside], rtol=0, atol=ABSOLUTE)
            np.testing.assert_allclose(at.std_error[inside, k], expected[f"{key}.std_error"][inside], rtol=0,
                                       atol=ABSOLUTE)
            known = inside & (incidence > 0)
            for mine, part in ((at.lower, "lower"), (at.upper, "upper")):
                np.testing.assert_allclose(mine[known, k], expected[f"{key}.{interval}.{part}"][known], rtol=0,
                                           atol=ABSOLUTE)
            variance = np.concatenate([[0], curves.std_error_aalen[:, k] ** 2])[row]
            theirs = expected[f"{key}.cuminc_variance"]
            both = inside & np.isfinite(theirs)
            np.testing.assert_allclose(variance[both], theirs[both], rtol=RELATIVE, atol=1e-16)
            compared += int(known.sum())
    assert compared > 0


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_gray_tests_equal_r(name: str, strata: bool) -> None:
    table, expected = load_cohort(name).table(strata=strata), expected_of(name)
    keys = [key for key in expected if key.startswith("gray_strata." if strata else "gray.")]
    assert len(keys) >= 2
    for key in keys:
        test = compare_incidence(table, key.split(".")[1])
        assert test.statistic == pytest.approx(expected[key][0], rel=RELATIVE)
        # R takes 1 minus the distribution function, which loses digits of small p-values.
        assert test.p == pytest.approx(expected[key][1], rel=RELATIVE, abs=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_curves_with_late_entry_equal_r_started_from_the_first_patient(name: str) -> None:
    cohort, expected = load_cohort(name), expected_of(name)
    table = cohort.late_table()
    curve = estimate_survival(table, from_day=1)
    at = read_survival(curve, np.maximum(expected["all.at"], 1))
    # On a day when nobody leaves R gives the number at risk on the next day somebody does; we count that very day.
    under_observation = (cohort.entry < at.days[:, None]) & (cohort.day >= at.days[:, None])
    np.testing.assert_array_equal(at.at_risk, under_observation.sum(axis=1))
    exits = np.isin(at.days, cohort.day[cohort.entry < cohort.day]) & (expected["all.at"] >= 1)
    np.testing.assert_array_equal(at.at_risk[exits], expected["late.n_risk"][exits])
    known = (expected["all.at"] >= 1) & (expected["all.at"] <= curve.days[-1])
    np.testing.assert_allclose(at.survival[known], expected["late.survival"][known], rtol=0, atol=ABSOLUTE)
    np.testing.assert_allclose(at.std_error[known], expected["late.std_error"][known], rtol=0, atol=ABSOLUTE)
    incidence = read_incidence(estimate_cumulative_incidence(table, from_day=1), at.days)
    np.testing.assert_allclose(incidence.incidence[known, 0], expected["late.incidence1"][known], rtol=0,
                               atol=ABSOLUTE)
    # The jackknife needs to know who entered with whom, which a table does not; the delta method is close to it.
    jackknife = expected["late.jackknife1"][known]
    np.testing.assert_allclose(incidence.std_error[known, 0][jackknife > 0], jackknife[jackknife > 0], rtol=0.1)


@pytest.mark.parametrize("name", ["gbsg2", "larynx", "lung"])
def test_log_rank_with_late_entry_equals_the_score_test_of_an_exact_cox_model(name: str) -> None:
    expected = expected_of(name)
    assert compare_survival(load_cohort(name).late_table()).statistic == pytest.approx(expected["late.log_rank"][0],
                                                                                       rel=1e-8)


def test_statistics_that_count_from_day_0_refuse_late_entry_on_real_entries() -> None:
    table = load_cohort("gbsg2").late_table()
    with pytest.raises(StatisticsError, match="enter late"):
        compare_incidence(table, "cause1")
    with pytest.raises(StatisticsError, match="enter late"):
        estimate_restricted_means(table)
