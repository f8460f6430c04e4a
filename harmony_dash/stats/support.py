"""What the data hold for a comparison of two arms: overlap, balance, effective sizes. Counts and shares, no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.kaplan_meier import find_quantile

# The upper quartile of follow-up: beyond it fewer than a quarter of the patients could have been watched.
QUARTILE: Final = 0.75
# Patients at either end of a column that count as the last of them does, so that no single one stretches it.
ENDS: Final = 10


@dataclass(frozen=True)
class ArmSupport:
    """One arm.

    Attributes
    ----------
    arm : label.
    patients, events, at_risk : patients; events up to the day of the comparison; patients with T >= that day.
    effective_size : patients with equal weights who would know as much, (sum w)^2 / sum w^2.
    largest_share : of one patient in the sum of weights.
    follow_up_days : upper quartile of follow-up (reverse Kaplan-Meier); NaN where it is not reached.
    """

    arm: str
    patients: int
    events: int
    at_risk: int
    effective_size: float
    largest_share: float
    follow_up_days: float


@dataclass(frozen=True)
class CovariateBalance:
    """Standardised mean difference of one covariate, second arm minus reference, before and after weighing.

    Attributes
    ----------
    fewest : the smallest number of patients of an arm who have another value than most of that arm.
    is_stratum : whether it is that of a stratum, within which arms are compared anyway.
    winsorised : the difference before weighing when the highest and the lowest values count as the tenth of them does.
    reach : standard deviations from the mean of an arm to its farthest patient, of the same values.
    """

    name: str
    before: float
    after: float
    fewest: int = 0
    is_stratum: bool = False
    winsorised: float = 0.0
    reach: float = 0.0


@dataclass(frozen=True)
class Support:
    """What the data hold for one comparison.

    Attributes
    ----------
    day : day of the comparison.
    arms : the reference arm first.
    strata_follow_up : for each stratum with patients, its label and the upper quartile of follow-up in days.
    edges : shape (bins + 1,); of the probability of the second arm.
    counts : shape (2, bins); patients of each arm in each bin.
    common_support : share of all patients whose probability lies where both arms have patients.
    balance : for every covariate and stratum.
    """

    day: int
    arms: tuple[ArmSupport, ArmSupport]
    strata_follow_up: tuple[tuple[str, float], ...]
    edges: Floats
    counts: Ints
    common_support: float
    balance: tuple[CovariateBalance, ...]


def describe_support(patients: ArmPatients, probability: Floats, weight: Floats, day: int, *, bins: int = 20,
                     cause: int | None = None) -> Support:
    """Describe how far the data can carry a comparison at one day.

    Assumes
        `probability` and `weight` belong to these patients.

    Formula
        Effective size (sum w)^2 / sum w^2. Common support: probabilities between the larger of the two smallest and the
        smaller of the two largest. Standardised mean difference (m_1 - m_0) / sqrt((s_1^2 + s_0^2) / 2), the standard
        deviations those of the patients before weighing, so that only means move; 0 where nothing varies.

    Parameters
    ----------
    patients : the rows.
    probability : shape (n,); of the second arm.
    weight : shape (n,); as the comparison weighs them.
    day : day of the comparison.
    bins : of the histogram, of equal width between 0 and 1.
    cause : position of the cause that counts as event; None for any.

    Returns
    -------
    Support

    Raises
    ------
    StatisticsError without bins.

    References
    ----------
    Kish, Survey Sampling (1965), section 11.7; Caliendo, Kopeinig, J Econ Surv 22 (2008) 31-72, section 3.3, minima and
    maxima; Austin, Stuart, Stat Med 34 (2015) 3661-3679, section 3.1.
    """
    if bins < 1:
        raise StatisticsError("a histogram has at least one bin")
    edges = np.linspace(0, 1, bins + 1)
    counts = np.array([np.histogram(probability[patients.arm == arm], edges)[0] for arm in (0, 1)])
    inside = [probability[patients.arm == arm] for arm in (0, 1)]
    low, high = max(float(one.min()) for one in inside), min(float(one.max()) for one in inside)
    common = float(np.mean((probability >= low) & (probability <= high)))
    by_stratum = tuple((label, _follow_up_quartile(patients, patients.stratum == k))
                       for k, label in enumerate(patients.strata) if (patients.stratum == k).any())
    event = patients.cause > 0 if cause is None else patients.cause == cause + 1
    arms = []
    for arm, label in enumerate(patients.arms):
        here = patients.arm == arm
        w = weight[here]
        arms.append(ArmSupport(
            label, int(here.sum()), int((here & event & (patients.day <= day)).sum()),
            int((here & (patients.day >= day)).sum()), effective_size(w), float(w.max() / w.sum()),
            _follow_up_quartile(patients, here)))
    return Support(int(day), (arms[0], arms[1]), by_stratum, edges, counts.astype(np.int64), common,
                   compare_means(patients, weight))


def describe_counts(table: EventTable, day: int, *, cause: int | None = None) -> Support:
    """Patients, events and follow-up of two arms of an event table, where nothing is weighed.

    Parameters
    ----------
    table : groups are the arms.
    day, cause : as of `describe_support`.

    Returns
    -------
    Support, with full overlap, patients that weigh the same, and no strata.
    """
    arms, left = [], table.censored + table.events.sum(axis=1)
    events = table.events.sum(axis=1) if cause is None else table.events[:, cause]
    for place, label in enumerate(table.groups):
        here = table.group == place
        n = int(left[here].sum())
        arms.append(ArmSupport(
            label, n, int(events[here & (table.day <= day)].sum()), int(left[here & (table.day >= day)].sum()), n,
            1 / n if n else 1.0, find_quantile(estimate_follow_up(table, place).curve, QUARTILE).days))
    return Support(day, (arms[0], arms[1]), (), np.array([0.0, 1.0]), np.array([[arm.patients] for arm in arms]), 1.0,
                   ())


def effective_size(weight: Floats) -> float:
    """Return how many patients with equal weights would know as much, (sum w)^2 / sum w^2."""
    return float(weight.sum() ** 2 / np.sum(weight**2))


def compare_means(patients: ArmPatients, weight: Floats) -> tuple[CovariateBalance, ...]:
    """Return the standardised mean difference of every covariate and stratum before and after weighing.

    Before weighing every patient counts as in the target population. Winsorised values: Tukey, Ann Math Stat 33 (1962)
    1-67, section 14; here by a number of patients, `ENDS`, of both arms together.
    """
    used = np.unique(patients.stratum)
    used = used if len(used) > 1 else used[:0]
    design = np.hstack([patients.covariates, (patients.stratum[:, None] == used).astype(np.float64)])
    names = (*patients.names, *(patients.strata[k] for k in used))
    here = [patients.arm == arm for arm in (0, 1)]
    cut = _winsorise(design)
    before, after = (_differences(design, here, values) for values in (patients.weight, weight))
    winsorised, reach = _differences(cut, here, patients.weight), _reach(cut, here)
    fewest = [min(_count_others(design[one, place]) for one in here) for place in range(len(names))]
    return tuple(CovariateBalance(
        name, float(before[place]), float(after[place]), fewest[place], place >= len(patients.names),
        float(winsorised[place]), float(reach[place])) for place, name in enumerate(names))


def _differences(columns: Floats, here: Sequence[NDArray[np.bool_]], weight: Floats) -> Floats:
    """Standardised differences of the weighted means of two arms; 0 where nothing varies."""
    means = [weight[one] @ columns[one] / weight[one].sum() for one in here]
    return _in_spreads(means[1] - means[0], _spread(columns, here))


def _reach(columns: Floats, here: Sequence[NDArray[np.bool_]]) -> Floats:
    spread = _spread(columns, here)
    far = [_in_spreads(np.abs(columns[one] - columns[one].mean(axis=0)).max(axis=0), spread) for one in here]
    return np.asarray(np.maximum(*far))


def _spread(columns: Floats, here: Sequence[NDArray[np.bool_]]) -> Floats:
    return np.asarray(np.sqrt(np.mean([columns[one].var(axis=0) for one in here], axis=0)))


def _in_spreads(values: Floats, spread: Floats) -> Floats:
    return np.asarray(np.divide(values, spread, out=np.zeros(len(spread)), where=spread > 0))


def _winsorise(columns: Floats) -> Floats:
    """The columns with their `ENDS` highest and lowest values drawn in; of few patients, all to the middle ones."""
    ends = min(ENDS, (len(columns) + 1) // 2)
    ordered = np.sort(columns, axis=0)
    return np.clip(columns, ordered[ends - 1], ordered[-ends])


def _count_others(column: Floats) -> int:
    """How many have another value than the most common one."""
    _, counts = np.unique(column, return_counts=True)
    return int(len(column) - counts.max(initial=0))


def _follow_up_quartile(patients: ArmPatients, here: NDArray[np.bool_]) -> float:
    day, died = patients.day[here], patients.cause[here] > 0
    nobody = np.zeros(len(day), dtype=np.int64)
    table = EventTable.from_counts(("all",), ("all",), ("event",), nobody, nobody, day, ~died, died)
    return find_quantile(estimate_follow_up(table).curve, QUARTILE).days
