from __future__ import annotations

import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.e_value import explain_hazard_ratio, explain_risk_ratio


def test_the_published_risk_ratio() -> None:
    # VanderWeele and Ding (2017): RR 3.9 (1.8 to 8.7).
    found = explain_risk_ratio(3.9, 1.8, 8.7)
    assert round(found.estimate, 2) == 7.26
    assert round(found.limit, 1) == 3.0


@pytest.mark.parametrize(("common", "value"), [(True, 2.35), (False, 2.97)])
def test_the_published_hazard_ratio(common: bool, value: float) -> None:
    assert round(explain_hazard_ratio(0.56, 0.46, 0.69, common=common).estimate, 2) == value


def test_a_ratio_and_its_inverse_are_explained_by_the_same() -> None:
    one, other = explain_risk_ratio(2, 1.5, 3), explain_risk_ratio(1 / 2, 1 / 3, 1 / 1.5)
    assert (one.estimate, one.limit) == pytest.approx((other.estimate, other.limit))


def test_an_interval_that_holds_one_needs_no_confounder() -> None:
    assert explain_risk_ratio(1.3, 0.9, 2).limit == 1
    assert explain_risk_ratio(1, 0.9, 2).estimate == 1


@pytest.mark.parametrize("ratio", [(0, 0, 1), (-1, -2, 1), (2, 3, 4), (float("nan"), 1, 2)])
def test_ratios_outside_their_limits_are_refused(ratio: tuple[float, float, float]) -> None:
    with pytest.raises(StatisticsError, match="positive ratio"):
        explain_risk_ratio(*ratio)
    with pytest.raises(StatisticsError, match="positive ratio"):
        explain_hazard_ratio(*ratio, common=True)
