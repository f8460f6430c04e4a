"""Limits of protected curves contain the exact ones, by at most a step, whatever the curve is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.curves import Steps, fit_together, protect_curve
from harmony_dash.disclosure.results import Curve, IntervalType

QUARTERS = (0, 91, 183, 274, 365)
TOLERANCE = 1e-9
bounded = settings(max_examples=200, derandomize=True, deadline=None)

heights = st.builds(Steps, st.floats(0.001, 1 / 6), st.floats(0, 1, exclude_max=True))
shares = st.floats(0, 1)


def sorted_shares(size: int) -> st.SearchStrategy[list[float]]:
    return st.lists(shares, min_size=size, max_size=size).map(sorted)


@st.composite
def exact_curves(draw: st.DrawFn) -> Curve:
    """A falling curve on the grid with limits that fall with it and contain it."""
    estimate = np.array([1.0, *reversed(draw(sorted_shares(4)))])
    down, up = draw(shares), draw(shares)
    lower, upper = estimate * (1 - down), estimate + (1 - estimate) * up
    return Curve(np.array(QUARTERS, dtype=float), estimate, lower, upper, np.full(5, 50.0))


@bounded
@given(exact_curves(), heights)
def test_limits_contain_the_exact_ones_and_are_a_step_wider_at_most(exact: Curve, steps: Steps) -> None:
    curve = protect_curve(exact, QUARTERS, steps, 100, interval=IntervalType.LOG_LOG, on_first_day=False)
    lower, upper, shown = exact.lower[1:], exact.upper[1:], slice(1, None)
    assert np.all(curve.lower[shown] <= lower + TOLERANCE)
    assert np.all(curve.upper[shown] >= upper - TOLERANCE)
    assert np.all(curve.lower[shown] >= lower - steps.height - TOLERANCE)
    assert np.all(curve.upper[shown] <= upper + steps.height + TOLERANCE)
    assert np.all(np.abs(curve.estimate[shown] - exact.estimate[1:]) <= steps.height / 2 + TOLERANCE)
    assert np.all((curve.lower <= curve.estimate) & (curve.estimate <= curve.upper))
    assert np.all((curve.lower >= 0) & (curve.upper <= 1))
    for column in (curve.estimate, curve.lower, curve.upper):
        assert np.all(np.diff(column) <= TOLERANCE)


@bounded
@given(heights, shares)
def test_limits_tell_the_step_they_are_on_and_nothing_more(steps: Steps, share: float) -> None:
    values = np.array([share])
    middle = steps.height * (np.floor(share / steps.height + steps.phase) + 0.5 - steps.phase)
    edges = np.clip([middle - steps.height / 2, middle + steps.height / 2], 0, 1)
    assert steps.below(values)[0] == pytest.approx(edges[0], abs=TOLERANCE)
    assert steps.above(values)[0] == pytest.approx(edges[1], abs=TOLERANCE)


def test_what_does_not_exist_stays_so() -> None:
    steps = Steps(0.05, 0.3)
    for place in (steps.below, steps.middle, steps.above):
        assert np.isnan(place(np.array([np.nan])))[0]


@bounded
@given(st.lists(st.tuples(shares, shares), min_size=4, max_size=4), shares, shares, heights,
       st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3))
def test_curves_that_give_way_keep_limits_that_contain_the_exact_ones(
        quarters: list[tuple[float, ...]], down: float, up: float, steps: Steps, phases: tuple[float, ...]) -> None:
    """Each quarter takes its shares of whoever is left: two causes and the rest, which add up to 1."""
    left, causes = [1.0], [[0.0], [0.0]]
    for share, first in quarters:
        gone = left[-1] * share
        left.append(left[-1] - gone)
        causes[0].append(causes[0][-1] + gone * first)
        causes[1].append(causes[1][-1] + gone * (1 - first))
    exact = []
    for values in (left, *causes):
        estimate = np.array(values).clip(0, 1)
        exact.append(Curve(np.array(QUARTERS, dtype=float), estimate, estimate * (1 - down),
                           estimate + (1 - estimate) * up, np.full(5, 50.0)))
    survival, *others = (protect_curve(curve, QUARTERS, Steps(steps.height, phase), 100, interval=IntervalType.LOG_LOG,
                                       on_first_day=False) for curve, phase in zip(exact, phases, strict=True))
    rest, kept = fit_together(survival, others)
    for curve, true in zip((rest, *kept), exact, strict=True):
        assert np.all(curve.lower[1:] <= true.lower[1:] + TOLERANCE)
        assert np.all(curve.upper[1:] >= true.upper[1:] - TOLERANCE)
        assert np.all((curve.lower <= curve.estimate) & (curve.estimate <= curve.upper))
    assert np.all(rest.estimate + sum(curve.estimate for curve in kept) <= 1 + TOLERANCE)


def test_a_cause_that_stops_keeps_the_limits_of_its_estimate() -> None:
    days = np.array([0.0, 91, 183])

    def made(estimate: list[float], upper: list[float]) -> Curve:
        values = np.array(estimate)
        return Curve(days, values, values / 2, np.array(upper), np.full(3, np.nan))

    _, causes = fit_together(made([1, 0.6, 0.4], [1, 0.7, 0.5]),
                             [made([0, 0.3, 0.5], [0, 0.4, 0.7]), made([0, 0.2, 0.6], [0, 0.3, 0.8])])
    assert causes[0].estimate.tolist() == [0, 0.3, 0.3]
    assert causes[0].upper.tolist() == [0, 0.4, 0.7]
    assert all(np.all((cause.lower <= cause.estimate) & (cause.estimate <= cause.upper)) for cause in causes)
