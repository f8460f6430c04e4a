from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.support import compare_means, describe_support, effective_size


def six() -> ArmPatients:
    return ArmPatients.from_rows([10, 20, 30, 10, 20, 30], [1, 1, 0, 0, 1, 0], [0, 0, 0, 1, 1, 1],
                                 [[0.0], [1], [2], [1], [2], [6]], ["age"], arms=("standard", "reduced"))


def test_counts_of_each_arm_at_the_day() -> None:
    support = describe_support(six(), np.full(6, 0.5), np.array([1.0, 1, 2, 1, 1, 1]), 20)
    standard, reduced = support.arms
    assert (standard.arm, standard.patients, standard.events, standard.at_risk) == ("standard", 3, 2, 2)
    assert (reduced.arm, reduced.patients, reduced.events, reduced.at_risk) == ("reduced", 3, 1, 2)
    assert standard.effective_size == pytest.approx(16 / 6)
    assert (standard.largest_share, reduced.largest_share) == pytest.approx((0.5, 1 / 3))


def test_the_histogram_counts_each_arm_and_common_support_lies_between_the_extremes() -> None:
    probability = np.array([0.05, 0.3, 0.62, 0.3, 0.61, 1.0])
    support = describe_support(six(), probability, np.ones(6), 20, bins=4)
    assert support.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert support.counts.tolist() == [[1, 1, 1, 0], [0, 1, 1, 1]]
    # Both arms have patients between 0.3 and 0.62.
    assert support.common_support == pytest.approx(4 / 6)


def test_mean_differences_are_standardised_by_the_unweighted_spread() -> None:
    (balance,) = compare_means(six(), np.array([1.0, 1, 1, 4, 1, 1]))
    spread = np.sqrt((np.var([0, 1, 2]) + np.var([1, 2, 6])) / 2)
    assert balance.before == pytest.approx((3 - 1) / spread)
    assert balance.after == pytest.approx((12 / 6 - 1) / spread)


def one_far_away(value: float, arm: int = 1) -> ArmPatients:
    """Two arms of 200 with values of 0 to 60 each, and somebody of one arm with another value."""
    x = np.concatenate([np.linspace(0, 60, 200), np.linspace(0, 60, 200) ** 1.02])
    x[200 * arm + 7] = value
    return ArmPatients.from_rows(np.full(400, 50), np.zeros(400), np.repeat([0, 1], 200), x[:, None], ["cells"])


@pytest.mark.parametrize("arm", [0, 1])
def test_nobody_stretches_winsorised_values(arm: int) -> None:
    near, far = (compare_means(one_far_away(value, arm), np.ones(400))[0] for value in (60, 1e6))
    assert abs(far.before - near.before) > 0.02
    assert far.winsorised == pytest.approx(near.winsorised, abs=0.002)
    assert far.reach == pytest.approx(near.reach, rel=0.05)
    assert near.winsorised == pytest.approx(near.before, abs=0.01)


def test_reach_is_the_distance_to_the_farthest_in_standard_deviations() -> None:
    indicator = np.tile([1.0] * 20 + [0.0] * 80, 2)
    arm, causes = np.repeat([0, 1], 100), np.zeros(200)
    patients = ArmPatients.from_rows(np.full(200, 50), causes, arm, indicator[:, None], ["x"])
    (one,) = compare_means(patients, np.ones(200))
    assert one.reach == pytest.approx(0.8 / np.sqrt(0.2 * 0.8))


def test_every_stratum_is_a_covariate_of_the_balance() -> None:
    patients = ArmPatients.from_rows([1, 2, 3, 4], [0, 1, 0, 1], [0, 1, 0, 1], [[5.0], [5], [5], [5]], ["x"],
                                     stratum=[0, 0, 1, 1], strata=("DE", "UK"))
    support = describe_support(patients, np.full(4, 0.5), np.array([3.0, 1, 1, 1]), 2)
    assert [one.name for one in support.balance] == ["x", "DE", "UK"]
    assert support.balance[0].after == 0
    assert max(abs(one.after) for one in support.balance) == pytest.approx((0.75 - 0.5) / 0.5)


def test_follow_up_has_the_upper_quartile_of_the_reverse_curve() -> None:
    # Without events it is the day by which three quarters were censored.
    patients = ArmPatients.from_rows([*range(1, 9), *range(11, 19)], [0] * 16, [0] * 8 + [1] * 8, np.zeros((16, 0)), [],
                                     stratum=[0, 1] * 8, strata=("DE", "UK"))
    support = describe_support(patients, np.full(16, 0.5), np.ones(16), 5)
    assert [arm.follow_up_days for arm in support.arms] == [6, 16]
    assert support.strata_follow_up == (("DE", 13.0), ("UK", 14.0))
    assert support.balance[0].name == "DE"


def test_equal_weights_leave_everybody_and_one_heavy_patient_nobody_else() -> None:
    assert effective_size(np.full(40, 0.3)) == pytest.approx(40)
    assert effective_size(np.array([1.0] * 10 + [1e9])) == pytest.approx(1)


def test_a_histogram_needs_bins() -> None:
    with pytest.raises(StatisticsError, match="at least one bin"):
        describe_support(six(), np.full(6, 0.5), np.ones(6), 20, bins=0)
