"""The answer to a survival question, computed and released. A count of None is one that may not be shown.

It is not always small: a large count is hidden where it would give a small one away. In an unreleased result every
count of patients is a `KeyedCount`; in a released one it is a plain number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.question import Question

Floats = NDArray[np.float64]
UnappliedKind: TypeAlias = Literal["not applied", "left out", "taken in"]

# Marks what protection needs to know and nobody else: `release` puts the default in its place, at every level.
INTERNAL = {"internal": True}


class IntervalType(StrEnum):
    """How confidence intervals of a survival curve are made."""

    LOG_LOG = "log-log"
    LOG = "log"


@dataclass(frozen=True)
class Curve:
    """A right-continuous step curve: `estimate[i]` holds from `days[i]` until the next day.

    `days` starts at 0 with the value before any event; a drop on day 0 is a second entry at 0. `lower` and `upper` are
    NaN where no interval exists. `at_risk` counts patients with T ≥ day. A protected curve is no step curve but a
    reading at the days of the quarterly grid, and `at_risk` is NaN except on the days of the risk table.
    """

    days: Floats
    estimate: Floats
    lower: Floats
    upper: Floats
    at_risk: Floats


@dataclass(frozen=True)
class Censorings:
    """Days with censorings and the height of the curve there; empty on protected results."""

    days: Floats
    estimate: Floats


@dataclass(frozen=True)
class EstimateAt:
    """An estimate read off at one day. None where the curve is cut or no interval exists."""

    days: int
    estimate: float | None
    lower: float | None
    upper: float | None
    at_risk: int | None


@dataclass(frozen=True)
class RiskTable:
    """Patients at risk (T ≥ t), and events of every cause and censorings so far (up to and including t)."""

    days: tuple[int, ...]
    at_risk: tuple[int | None, ...]
    events: tuple[int | None, ...]
    censored: tuple[int | None, ...]


@dataclass(frozen=True)
class RestrictedMean:
    """Mean event-free time up to `tau_days`, in days, with its standard error. Protected: area under what is shown."""

    tau_days: int
    days: float
    se: float


@dataclass(frozen=True)
class RestrictedMeanDifference:
    """Difference of restricted mean times, `group` minus `reference`, in days."""

    group: str
    reference: str
    tau_days: int
    days: float
    lower: float
    upper: float
    p: float


@dataclass(frozen=True)
class CauseIncidence:
    """Cumulative incidence of one cause in one group (Aalen–Johansen); `events` counts that cause."""

    cause: str
    label: str
    curve: Curve
    at: tuple[EstimateAt, ...]
    events: int | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class FollowUpSupport:
    """What a median follow-up rests on: patients whose watch ended without an event, and those at risk on the day."""

    censored: int
    at_risk: int


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio with its limits and Wald test."""

    ratio: float
    lower: float
    upper: float
    p: float


@dataclass(frozen=True)
class GroupResult:
    """One group's results.

    `label` maps the grouping variable to its value, empty without a grouping; `name` is that in words. For an endpoint
    with competing causes `curve`, `at`, medians and `restricted_mean` describe freedom from every cause, and `events`
    counts the cause of interest. `hazard_ratio` is against the reference of the result, None for the reference itself
    and where there is none.

    The last two are what protection needs: the numbers of `risk_table` on every day of the quarterly grid, and the
    support of the median follow-up. Without them nothing of the group may leave protected.
    """

    label: Mapping[str, str]
    name: str
    n: int
    events: int | None
    curve: Curve
    censorings: Censorings
    at: tuple[EstimateAt, ...]
    risk_table: RiskTable
    median_days: float | None
    median_lower_days: float | None
    median_upper_days: float | None
    follow_up_median_days: float | None
    restricted_mean: RestrictedMean | None
    cumulative_incidence: tuple[CauseIncidence, ...]
    hazard_ratio: HazardRatio | None = None
    on_grid: RiskTable | None = field(default=None, metadata=INTERNAL)
    n_of_cohort: int | None = field(default=None, metadata=INTERNAL)  # where the cohort answers another question
    follow_up_support: FollowUpSupport | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class WithheldGroup:
    """A group that may not be shown, and why."""

    label: Mapping[str, str]
    name: str
    reason: str
    n: int | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class EqualityTest:
    """A test of equality of the groups; `label` says which, `events` on how many, `cause` which of competing ones.

    Of a protected test `events` says only that they were at least so many.
    """

    label: str
    statistic: float
    df: int
    p: float
    events: int
    cause: str = ""


@dataclass(frozen=True)
class Exclusion:
    """Patients of the cohort who have no place in the figure; n is None where it may not be shown."""

    reason: str
    n: int | None


@dataclass(frozen=True)
class AttritionStep:
    """Patients left after one more filter; the first step is the disease."""

    label: str
    n: int | None
    removed: int | None


@dataclass(frozen=True)
class Unapplied:
    """One way in which the answer differs from the question.

    Attributes
    ----------
    words, filter : what is concerned: the condition, or the values of a variable; in words and as JSON.
    kind : a condition that was not applied, values that were asked for and are left out, or values that were not asked
        for and are taken in.
    groups : names of the groups whose answers differ in this; empty for the whole cohort.
    """

    words: str
    filter: Mapping[str, Any]
    kind: UnappliedKind
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SurvivalResult:
    """The answer to one survival question; `events` are those of all groups together.

    `not_applied` says in what the answer differs from the question. `compared` names the groups that tests and
    differences are about: those that answer the same question, or none if one of them is withheld. `differing` names
    those that answer another question than the cohort. `reference` is the name of the group that hazard ratios are
    against, empty where there are none; `over_time` tests whether they change with time.
    """

    question: Question
    title: str
    snapshot: str
    synthetic: bool
    n: int
    groups: tuple[GroupResult, ...]
    withheld: tuple[WithheldGroup, ...]
    log_rank: EqualityTest | None
    pairwise: tuple[tuple[str, str, float, float], ...]  # group, group, raw p, Holm p
    gray: tuple[EqualityTest, ...]
    restricted_mean_differences: tuple[RestrictedMeanDifference, ...]
    attrition: tuple[AttritionStep, ...]
    exclusions: tuple[Exclusion, ...]
    interval: IntervalType
    notes: tuple[str, ...]  # what was done to the question, e.g. a landmark that was set
    methods: str
    summary: str
    events: int | None = None
    not_applied: tuple[Unapplied, ...] = ()
    compared: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    reference: str = ""
    over_time: EqualityTest | None = None
