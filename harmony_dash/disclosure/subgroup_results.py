"""What a table of subgroups holds: levels of many variables, one row each.

As in `results`, a count of None is one that may not be shown, and counts of an unreleased result carry their keys where
it is to leave protected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure.results import (
    INTERNAL,
    EqualityTest,
    EstimateAt,
    GroupResult,
    HazardRatio,
    IntervalType,
    SurvivalResult,
    Unapplied,
)


class RowKind(StrEnum):
    """What a row's patients have in common."""

    LEVEL = "level"
    UNTESTED = "untested"  # the test failed, was not done or said nothing: not the same as negative
    MISSING = "missing"  # nothing is recorded


class Finding(StrEnum):
    """What may be said of a variable."""

    PROGNOSTIC = "prognostic"  # levels differ in outcome
    PREDICTIVE = "predictive"  # a treatment works differently in them
    EXPLORATORY = "exploratory"


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class ArmCount:
    """Patients of one arm in a level, and how many of them had the event of interest."""

    arm: str
    name: str
    n: int | None
    events: int | None
    group: GroupResult | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class TreatmentInLevel:
    """What a treatment does among the patients of one level, within trials.

    Attributes
    ----------
    reference, compared : the two arms.
    hazard_ratio : compared against reference arm, among these patients alone. It has no p-value: whether the effect
        differs between levels is what the interaction tests, once.
    shrunken : the same drawn towards the mean of all levels of the variable; None where that is not possible.
    difference : of the endpoint's share at the day of the estimates, compared minus reference arm; None unless the
        trials followed that long in both arms hold two thirds of the smaller arm.
    reason : why there is no hazard ratio.
    difference_trials, difference_share : how many trials that is, and their share of the smaller arm; the share is None
        where results leave protected, because it would tell how few are in the other trials.
    """

    reference: ArmCount
    compared: ArmCount
    hazard_ratio: Interval | None
    shrunken: Interval | None
    difference: Interval | None
    reason: str = ""
    difference_trials: int | None = None
    difference_share: float | None = None


@dataclass(frozen=True)
class SubgroupRow:
    """One level of one variable.

    Attributes
    ----------
    level : the value; empty for patients without one.
    name : in words.
    n, events : patients, and those with the event of interest; None of a level that gets no answer, released or not.
    at : the endpoint's estimate on the day of the table; None where it may not be shown.
    is_reference : the level the others are compared with.
    hazard_ratio : against the reference; None for the reference and where there is none.
    q : its p-value adjusted over all levels of the table.
    reason : why there is no hazard ratio, or no estimate.
    own_question : the row answers another question than the cohort; the notes say which filter was left out.
    by_treatment : one entry for each arm compared.
    group : what protection needs.
    """

    level: str
    name: str
    kind: RowKind
    n: int | None
    events: int | None
    at: EstimateAt | None
    is_reference: bool = False
    hazard_ratio: HazardRatio | None = None
    q: float | None = None
    reason: str = ""
    own_question: bool = False
    by_treatment: tuple[TreatmentInLevel, ...] = ()
    group: GroupResult | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class LevelsTest:
    """A likelihood-ratio test, its p-value adjusted over all tests of its kind in the table."""

    statistic: float
    df: int
    p: float
    q: float | None = None


@dataclass(frozen=True)
class InteractionResult:
    """Does the effect of one arm against another differ between the levels of a variable? From within trials alone.

    Attributes
    ----------
    reference, compared : the arms.
    test : None where there is none; `reason` says why.
    levels : how many levels it compares.
    trials : how many trials had both arms.
    trials_agree : whether in two of three trials with an estimate of their own each level differs in the direction of
        the joint estimate; None with fewer than two such trials.
    assess_credibility : whether its credibility should be assessed (ICEMAN).
    finding : what may be said.
    """

    reference: str
    compared: str
    test: LevelsTest | None
    levels: int
    trials: int
    trials_agree: bool | None
    assess_credibility: bool
    finding: Finding
    reason: str = ""


@dataclass(frozen=True)
class SubgroupVariable:
    """One variable of the table.

    Attributes
    ----------
    reference : the level the others are compared with; empty where none is.
    test : of no difference between its levels.
    finding : prognostic or exploratory.
    reason : why its levels are not compared.
    is_circumstance : it says where, when or how patients were treated, so it is never called prognostic.
    over_time : whether the hazard ratios of its levels change with time.
    """

    variable: str
    label: str
    rows: tuple[SubgroupRow, ...]
    reference: str
    test: LevelsTest | None
    finding: Finding
    interactions: tuple[InteractionResult, ...] = ()
    reason: str = ""
    over_time: EqualityTest | None = None
    is_circumstance: bool = False


@dataclass(frozen=True)
class SubgroupsResult:
    """The table.

    Attributes
    ----------
    cohort : everybody, as the survival page answers it: size, estimate, attrition and exclusions.
    variables : in the dictionary's order.
    not_applied : in what rows answer another question than the one asked; its groups name variable and level.
    comparisons, comparisons_before : tests in this table, of levels, of variables and of interactions, and in those the
        person opened before it.
    """

    question: SubgroupsQuestion
    title: str
    snapshot: str
    synthetic: bool
    cohort: SurvivalResult
    variables: tuple[SubgroupVariable, ...]
    comparisons: int
    comparisons_before: int
    interval: IntervalType
    notes: tuple[str, ...]
    methods: str = ""
    summary: str = ""
    not_applied: tuple[Unapplied, ...] = ()
