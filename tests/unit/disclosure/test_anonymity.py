"""Risk figures of small tables, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.disclosure.anonymity import NO_CLASSES, ClassSizes, Limits, Risk, measure_grain, worst_of


def sizes(*kinds: tuple[int, int, int]) -> ClassSizes:
    """Kinds of classes: patients, outcomes, how many such classes."""
    return ClassSizes(*np.array(kinds, dtype=np.int64).reshape(-1, 3).T)


def risk_of(*kinds: tuple[int, int, int]) -> Risk:
    return measure_grain(("sex",), sizes(*kinds)).risk


def test_a_table_of_forty_patients() -> None:
    # Two alone, two threes, a class of twelve and one of twenty: 40 patients, 6 classes.
    grain = measure_grain(("country", "sex"), sizes((1, 1, 2), (3, 2, 2), (12, 1, 1), (20, 4, 1)))
    assert (grain.by, grain.patients, grain.classes) == (("country", "sex"), 40, 6)
    assert grain.risk == Risk(k=1, l=1, l_of_many=1, mean_risk=6 / 40, max_risk=1.0, share_over=8 / 40, few_patients=8,
                              share_few=8 / 40, share_unique=2 / 40)


@pytest.mark.parametrize(("size", "share"), [(11, 1.0), (12, 0.0)])
def test_twelve_alike_are_within_the_accepted_risk_and_eleven_are_not(size: int, share: float) -> None:
    assert risk_of((size, 1, 3)).share_over == share


@pytest.mark.parametrize(("size", "few"), [(9, 18), (10, 0)])
def test_ten_are_not_few(size: int, few: int) -> None:
    assert risk_of((size, 2, 2)).few_patients == few


def test_diversity_of_larger_classes_leaves_small_ones_out() -> None:
    assert risk_of((9, 1, 1), (10, 3, 1), (30, 2, 1)).l_of_many == 2
    assert risk_of((9, 1, 1)).l_of_many is None
    assert risk_of((9, 1, 1), (10, 3, 1)).l == 1


def test_nobody_is_at_no_risk() -> None:
    grain = measure_grain((), NO_CLASSES)
    assert (grain.patients, grain.classes, grain.risk.k, grain.risk.mean_risk) == (0, 0, 0, 0.0)
    assert not Limits(0.09, 0.0).are_exceeded(grain.risk)


def test_the_worst_is_taken_figure_by_figure() -> None:
    few_large, many_small = risk_of((1, 1, 1), (99, 3, 1)), risk_of((5, 2, 20))
    worst = worst_of([few_large, many_small])
    assert (worst.k, worst.l, worst.l_of_many, worst.max_risk) == (1, 1, 3, 1.0)
    assert (worst.mean_risk, worst.share_over, worst.share_few) == (0.2, 1.0, 1.0)
    assert (worst.share_unique, worst.few_patients) == (0.01, 100)
    assert worst_of([many_small]) == many_small


@pytest.mark.parametrize(("kinds", "exceeded"), [
    (((100, 2, 9),), False),
    (((1, 1, 45), (855, 3, 1)), False),  # 5 % alone, as many as are allowed
    (((1, 1, 46), (854, 3, 1)), True),
    (((11, 2, 9), (1, 1, 1)), True),  # mean risk 0.1
    (((100, 2, 1), (25, 2, 8)), False),  # mean risk 0.03
])
def test_limits_may_be_reached_and_not_passed(kinds: tuple[tuple[int, int, int], ...], *, exceeded: bool) -> None:
    assert Limits(0.09, 0.05).are_exceeded(risk_of(*kinds)) == exceeded


def test_a_mean_risk_of_exactly_the_limit_passes() -> None:
    assert not Limits(0.09, 0.05).are_exceeded(risk_of((11, 2, 8), (12, 2, 1)))  # 9 classes of 100
    assert Limits(0.09, 0.05).are_exceeded(risk_of((11, 2, 8), (11, 2, 1)))


@pytest.mark.parametrize(("mean_risk", "few"), [(0.09, 12), (0.1, 10), (0.5, 10), (1.0, 10), (0.05, 20)])
def test_the_bound_of_a_named_class_is_never_below_ten(mean_risk: float, few: int) -> None:
    assert Limits(mean_risk, 0.05).few == few


@pytest.mark.parametrize("kinds", [((0, 1, 1),), ((2, 3, 1),), ((2, 0, 1),), ((2, 1, 0),)])
def test_classes_that_cannot_be_are_refused(kinds: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(ValueError, match="class"):
        sizes(*kinds)
