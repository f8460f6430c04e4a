"""The estimators find a truth that is known; a few cohorts on every run, many with `pytest -m nightly`."""

from __future__ import annotations

import pytest

from tests.benchmarks.what_if_truth import METHODS, SCENARIOS, Performance, measure, transplant_table, true_survival

ADJUSTED = METHODS[1:]


def by_method(found: tuple[Performance, ...]) -> dict[str, Performance]:
    return {one.method: one for one in found}


@pytest.mark.parametrize(("scenario", "truth"), [("moderate", (0.85055, 0.81200)), ("curved", (0.80694, 0.76613))])
def test_the_truth_is_the_one_written_down(scenario: str, truth: tuple[float, float]) -> None:
    assert true_survival(scenario) == pytest.approx(truth, abs=2e-4)


def test_a_plain_comparison_is_wrong_by_six_points_and_adjusted_ones_are_not() -> None:
    found = by_method(measure("moderate", 10, replicates=10))
    assert 4 < found["naive"].bias < 8
    assert all(abs(found[method].bias) < 1 for method in ADJUSTED)


def test_ever_or_never_gives_immortal_time_and_a_landmark_does_not() -> None:
    ratios = transplant_table(10)
    assert ratios["ever or never"] == pytest.approx(0.59, abs=0.05)
    for key in ("landmark at half a year", "landmark at one year", "from the day on"):
        assert ratios[key] == pytest.approx(1, abs=0.06)


@pytest.mark.nightly
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_intervals_cover_the_truth_in_many_cohorts(scenario: str) -> None:
    found = by_method(measure(scenario, 60, replicates=80))
    assert found["naive"].bias > 5
    assert found["naive"].coverage < 0.2
    for method in ADJUSTED:
        assert abs(found[method].bias) <= 1
        assert found[method].coverage >= 0.85
