"""The same numbers as R on eleven published cohorts. The data live outside the repository; see shared_data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.gray import compare_incidence
from harmony_dash.stats.kaplan_meier import SurvivalCurve, estimate_survival, find_quantile, read_survival
from harmony_dash.stats.landmark import from_landmark
from harmony_dash.stats.log_rank import compare_pairs, compare_survival
from harmony_dash.stats.restricted_mean import estimate_restricted_means
from tests.reference.shared_data import load_reference, load_shared, needs_shared, numbers

pytestmark = needs_shared

COHORTS = ("amlsg", "bmt137", "bmt35", "bmtcrr177", "ebmt1", "ebmt3", "gehan", "mgus2", "myeloid", "timereg_bmt408",
           "uci_bmt_children")
COMPETING = (("bmt137", "bmt137", "cif"), ("bmt35", "bmt35", "cif"), ("bmtcrr177", "bmtcrr177", "cif"),
             ("ebmt1", "ebmt1", "cif"), ("mgus2", "mgus2", "cif"), ("timereg_bmt408", "timereg_bmt408", "cif"),
             ("amlsg remission", "amlsg", "cif_rfs"))
INTERVALS = ("log-log", "log", "plain")
ABSOLUTE = 1e-12
RELATIVE = 1e-10


def curves_of(name: str) -> list[tuple[EventTable, str | None, dict[str, Any]]]:
    """Return every curve of a cohort: the table, the group (None for all patients) and R's values."""
    cohort, reference = load_shared(name), load_reference(name)
    grouped = cohort.grouped()
    return [(cohort.everybody(), None, reference["km"]),
            *((grouped, label, values) for label, values in reference["km_by"]["levels"].items())]


def check_points(table: EventTable, group: str | None, expected: dict[str, Any], scale: int) -> int:
    """Compare a curve with R at R's days; return how many days lay inside the follow-up."""
    days = np.rint(numbers(expected["at"]["t"]) * scale).astype(int)
    compared = 0
    for interval in INTERVALS:
        curve = estimate_survival(table, group, interval=interval)
        at = read_survival(curve, days)
        np.testing.assert_array_equal(at.at_risk, expected["at"]["n_risk"])
        survival = numbers(expected["at"]["surv"])
        # R goes on past the last day of follow-up; an estimate there is not defined.
        inside = (days <= curve.days[-1]) | (survival == 0)
        assert np.isnan(at.survival[~inside]).all()
        np.testing.assert_allclose(at.survival[inside], survival[inside], rtol=0, atol=ABSOLUTE)
        drawn = inside & (survival > 0)
        np.testing.assert_allclose(at.std_error[drawn], numbers(expected["at"]["se"])[drawn], rtol=0, atol=ABSOLUTE)
        # Before the first event R draws the interval 1 to 1; we draw none.
        known = drawn & (survival < 1)
        limits = expected[f"ci_{interval}"]
        np.testing.assert_allclose(at.lower[known], numbers(limits["lower"])[known], rtol=0, atol=ABSOLUTE)
        np.testing.assert_allclose(at.upper[known], numbers(limits["upper"])[known], rtol=0, atol=ABSOLUTE)
        assert np.isnan(at.lower[~known]).all()
        compared += int(inside.sum())
    return compared


def check_quartiles(curve: SurvivalCurve, expected: dict[str, Any], scale: int) -> int:
    """Compare quartiles with R, except on a plateau at exactly that height; return how many were compared."""
    compared = 0
    for position, share in enumerate(expected["p"]):
        quantile = find_quantile(curve, share)
        for values, mine, theirs in ((curve.survival, quantile.days, "est"), (curve.lower, quantile.lower, "lower"),
                                     (curve.upper, quantile.upper, "upper")):
            if bool((np.abs(values - (1 - share)) < 1e-9).any()):
                continue
            np.testing.assert_equal(mine / scale, numbers(expected[theirs])[position])
            compared += 1
    return compared


@pytest.mark.parametrize("name", COHORTS)
def test_survival_and_its_intervals_equal_r_on_every_published_curve(name: str) -> None:
    scale = load_shared(name).scale
    assert sum(check_points(table, group, values, scale) for table, group, values in curves_of(name)) > 0


@pytest.mark.parametrize("name", COHORTS)
def test_quartiles_and_follow_up_equal_r_away_from_plateaus(name: str) -> None:
    scale, compared = load_shared(name).scale, 0
    for table, group, values in curves_of(name):
        for interval in INTERVALS:
            curve = estimate_survival(table, group, interval=interval)
            compared += check_quartiles(curve, values[f"quant_{interval}"], scale)
        compared += check_quartiles(estimate_follow_up(table, group).curve, values["followup_reverse_km"], scale)
    assert compared >= 24


@pytest.mark.parametrize("name", COHORTS)
def test_restricted_means_equal_r_or_are_refused_past_the_data(name: str) -> None:
    scale = load_shared(name).scale
    for table, group, values in curves_of(name):
        one = table if group is None else table.select_groups([group])
        tau = values["rmst"]["tau"] * scale
        if tau > one.day.max():
            with pytest.raises(StatisticsError, match="lies beyond the data"):
                estimate_restricted_means(one, tau_days=tau, least_at_risk=1)
            continue
        means = estimate_restricted_means(one, tau_days=tau, least_at_risk=1)
        assert means.days[0] / scale == pytest.approx(values["rmst"]["est"], rel=RELATIVE)
        assert means.std_error[0] / scale == pytest.approx(values["rmst"]["se"], rel=RELATIVE)


@pytest.mark.parametrize("name", COHORTS)
def test_log_rank_tests_equal_r_with_and_without_strata(name: str) -> None:
    cohort, reference = load_shared(name), load_reference(name)
    keys = [key for key in reference if key.startswith("logrank")]
    assert {"logrank", "logrank_rho1"} <= set(keys)
    for key in keys:
        expected = reference[key]
        test = compare_survival(cohort.grouped(strata=expected["strata"] is not None), rho=expected["rho"])
        assert list(test.groups) == expected["levels"]
        assert test.df == expected["df"]
        np.testing.assert_allclose(test.observed, expected["obs"], rtol=RELATIVE)
        np.testing.assert_allclose(test.expected, expected["exp"], rtol=RELATIVE)
        assert test.statistic == pytest.approx(expected["chisq"], rel=RELATIVE)
        assert test.p == pytest.approx(expected["p"], rel=RELATIVE)


@pytest.mark.parametrize("name", ["amlsg", "bmt137", "ebmt1", "ebmt3", "uci_bmt_children"])
def test_pairwise_p_values_equal_r_before_and_after_adjustment(name: str) -> None:
    table, expected = load_shared(name).grouped(), load_reference(name)["pairwise"]
    holm, hochberg = compare_pairs(table), compare_pairs(table, method="bh")
    assert [" vs ".join(pair) for pair in holm.pairs] == expected["pairs"]
    np.testing.assert_allclose(holm.p, expected["p"], rtol=RELATIVE)
    np.testing.assert_allclose(holm.adjusted, expected["holm"], rtol=RELATIVE)
    np.testing.assert_allclose(hochberg.adjusted, expected["BH"], rtol=RELATIVE)


@pytest.mark.parametrize(("name", "file", "key"), COMPETING)
def test_cumulative_incidence_and_both_standard_errors_equal_r(name: str, file: str, key: str) -> None:
    cohort, reference = load_shared(name), load_reference(file)[key]
    blocks = [(cohort.everybody(), None, reference["overall"]),
              *((cohort.grouped(), label, values) for label, values in reference["levels"].items())]
    compared = 0
    for table, group, values in blocks:
        curves = estimate_cumulative_incidence(table, group, interval="log")
        for position in range(2):
            expected = values.get(f"cause{position + 1}")
            if expected is None:
                continue
            days = np.rint(numbers(expected["t"]) * cohort.scale).astype(int)
            at = read_incidence(curves, days)
            inside = np.isfinite(at.incidence[:, position])
            assert (inside | (days > curves.days[-1])).all()
            estimate = numbers(expected["est"])
            for mine, theirs in ((at.incidence, "est"), (at.std_error, "se_survfit")):
                np.testing.assert_allclose(mine[inside, position], numbers(expected[theirs])[inside], rtol=0,
                                           atol=ABSOLUTE)
            known = inside & (estimate > 0)
            for mine, theirs in ((at.lower, "lower_log"), (at.upper, "upper_log")):
                np.testing.assert_allclose(mine[known, position], numbers(expected[theirs])[known], rtol=0,
                                           atol=ABSOLUTE)
            row = np.searchsorted(curves.days, days, side="right") - 1
            variance = np.where(row >= 0, curves.std_error_aalen[row, position] ** 2, 0)
            theirs_known = inside & np.isfinite(numbers(expected["cuminc_var"]))
            np.testing.assert_allclose(variance[theirs_known], numbers(expected["cuminc_var"])[theirs_known],
                                       rtol=RELATIVE, atol=1e-16)
            compared += int(inside.sum())
    assert compared > 0


@pytest.mark.parametrize(("name", "file", "key"), COMPETING)
def test_gray_tests_equal_r(name: str, file: str, key: str) -> None:
    table, expected = load_shared(name).grouped(), load_reference(file)[key]["gray"]
    for position, cause in enumerate(expected["cause"]):
        test = compare_incidence(table, str(cause))
        assert test.df == expected["df"][position]
        assert test.statistic == pytest.approx(expected["stat"][position], rel=RELATIVE)
        # R's cuminc takes 1 minus the distribution function, which loses digits of small p-values.
        assert test.p == pytest.approx(expected["p"][position], rel=RELATIVE, abs=1e-15)


def test_overall_survival_of_ebmt1_equals_r_with_half_days() -> None:
    cohort, expected = load_shared("ebmt1 death"), load_reference("ebmt1")["os"]
    assert check_points(cohort.everybody(), None, expected["km"], cohort.scale) == 9
    assert compare_survival(cohort.grouped()).statistic == pytest.approx(expected["logrank"]["chisq"], rel=RELATIVE)


def test_a_landmark_at_day_100_equals_r_on_the_patients_left() -> None:
    cohort, expected = load_shared("bmt137"), load_reference("bmt137")["landmark100"]
    landmark = from_landmark(cohort.grouped(), 100)
    assert landmark.table.patients.sum() == expected["n"]
    assert landmark.dropped.sum() == len(cohort.day) - expected["n"]
    assert check_points(landmark.table, None, expected["km"], 1) == 6
    means = estimate_restricted_means(landmark.table.pool_groups(), tau_days=expected["km"]["rmst"]["tau"])
    assert means.days[0] == pytest.approx(expected["km"]["rmst"]["est"], rel=RELATIVE)
    test = compare_survival(landmark.table)
    np.testing.assert_allclose(test.expected, expected["logrank_group"]["exp"], rtol=RELATIVE)
    assert test.statistic == pytest.approx(expected["logrank_group"]["chisq"], rel=RELATIVE)


def test_late_entry_at_platelet_recovery_equals_r() -> None:
    table, expected = load_shared("bmt137 late entry").everybody(), load_reference("bmt137")["left_truncated"]
    curve = estimate_survival(table)
    at = read_survival(curve, expected["t"])
    assert curve.patients == expected["n"]
    np.testing.assert_array_equal(at.at_risk, expected["n_risk"])
    for mine, theirs in ((at.survival, "surv"), (at.std_error, "se"), (at.lower, "lower_loglog"),
                         (at.upper, "upper_loglog")):
        np.testing.assert_allclose(mine, expected[theirs], rtol=0, atol=ABSOLUTE)


def test_part_of_a_day_counted_as_day_0_changes_no_test_and_no_curve_of_ebmt3() -> None:
    exact, whole = load_shared("ebmt3"), load_shared("ebmt3 whole days")
    expected = load_reference("ebmt3")
    assert check_points(whole.everybody(), None, expected["km"], 1) == 9
    assert compare_survival(whole.grouped()).statistic == pytest.approx(expected["logrank"]["chisq"], rel=RELATIVE)
    assert whole.day.min() == 0
    difference = (estimate_restricted_means(whole.everybody(), tau_days=1826).days[0]
                  - estimate_restricted_means(exact.everybody(), tau_days=1826 * exact.scale).days[0] / exact.scale)
    assert difference == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("case", ["plateau_at_half", "event_and_censor_same_day", "event_on_day_zero", "no_events",
                                  "ties_whole_years"])
def test_hand_made_conventions_equal_r(case: str) -> None:
    expected = load_reference("conventions")[case]
    curve = estimate_survival(EventTable.from_patients(expected["time"], expected["event"]))
    at = read_survival(curve, expected["t"])
    survival = numbers(expected["surv"])
    np.testing.assert_array_equal(at.at_risk, expected["n_risk"])
    np.testing.assert_allclose(at.survival, survival, rtol=0, atol=ABSOLUTE)
    np.testing.assert_allclose(at.std_error, numbers(expected["se"]), rtol=0, atol=ABSOLUTE)
    known = (survival > 0) & (survival < 1)
    np.testing.assert_allclose(at.lower[known], numbers(expected["lower_loglog"])[known], rtol=0, atol=ABSOLUTE)
    np.testing.assert_allclose(at.upper[known], numbers(expected["upper_loglog"])[known], rtol=0, atol=ABSOLUTE)
    assert np.isnan(at.lower[~known]).all()
    check_quartiles(curve, expected["median_r"], 1)
