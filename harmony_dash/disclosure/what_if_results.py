"""What a comparison of two treatment strategies holds: whether it may be answered, and then curves and differences.

As in `results`, a count of None is one that may not be shown, and counts of an unreleased result carry their keys where
it is to leave protected. A refused comparison has allocation and reasons, and no estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure.results import INTERNAL, Curve, RiskTable, Unapplied
from harmony_dash.disclosure.subgroup_results import Interval
from harmony_dash.disclosure.what_if_diagnostics import Diagnostics


class Status(StrEnum):
    """Whether the data carry an answer."""

    ANSWERED = "answered"
    AMBER = "amber"  # answered, with reasons for caution
    REFUSED = "refused"


class Mark(StrEnum):
    """What a trial tells about the two arms."""

    RANDOMISED = "randomised"  # nearly all patients were allocated to them at random
    PART = "part randomised"  # some were, others were given theirs by choice
    BOTH = "both used"
    ONE = "only one used"  # nothing there compares the arms


class Method(StrEnum):
    """How an estimate was made."""

    RANDOMISED = "randomised"  # within randomised comparisons, as randomised
    STANDARDISED = "A"  # g-formula over a stratified Cox model
    AUGMENTED = "B"  # augmented inverse weighting of pseudo-values
    WEIGHTED = "C"  # weighted Kaplan-Meier
    PLAIN = "plain"  # unadjusted, to be contrasted with the others and never an answer


class Measure(StrEnum):
    """What is compared."""

    SURVIVAL = "survival difference"  # share free of the event, compared minus reference
    INCIDENCE = "incidence difference"  # cumulative incidence of a cause
    RESTRICTED_MEAN = "restricted mean difference"  # days up to the horizon


# The patients who stand behind an estimate.
OBSERVED = "observed"
RANDOMISED = "randomised"


@dataclass(frozen=True)
class AllocationCell:
    """Patients of one arm in one trial (or another stratum), and how many of them had the event.

    Attributes
    ----------
    stratum, name : value and words.
    arm : value of the strategy.
    used : whether they stand behind the adjusted estimates.
    """

    stratum: str
    name: str
    arm: str
    n: int | None
    events: int | None
    mark: Mark
    used: bool


@dataclass(frozen=True)
class WhatIfReason:
    """Why a comparison is refused or marked.

    Attributes
    ----------
    code, severity : see `stats.refusal`; severity is "amber" or "refused".
    message : in plain words.
    where : the arm, variable, stratum or covariate it is about; empty when there is none.
    value, threshold : what was found, None where it may not be told, and what was asked for.
    needed : what data would be needed.
    """

    code: str
    severity: str
    message: str
    where: str
    value: float | None
    threshold: float | None
    needed: str


@dataclass(frozen=True)
class ComparedArm:
    """One arm among the patients behind some estimates.

    Attributes
    ----------
    n, events : patients, and events of the outcome over all follow-up.
    at_risk, events_by_horizon : at risk on the last day, events by then.
    """

    arm: str
    name: str
    n: int | None
    events: int | None
    at_risk: int | None
    events_by_horizon: int | None
    on_grid: RiskTable | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class ComparedPatients:
    """The patients behind the estimates of one outcome.

    Attributes
    ----------
    population : OBSERVED or RANDOMISED.
    outcome, label : name and words: the endpoint, or a cause ("relapse", "death_in_cr").
    clock : where their time starts, in words.
    arms : the reference first.
    horizon_days : the last day of curves and the day of the differences.
    reason : why the outcome has no estimates; empty if it has.
    randomisation : which randomised comparison; empty for OBSERVED.
    """

    population: str
    outcome: str
    label: str
    clock: str
    arms: tuple[ComparedArm, ComparedArm]
    horizon_days: int
    reason: str = ""
    randomisation: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Which patients, followed for what."""
        return self.population, self.randomisation, self.outcome


class _OfPatients:
    """Whose outcome it is."""

    method: Method
    outcome: str
    randomisation: str

    @property
    def population(self) -> str:
        """The patients behind it."""
        return RANDOMISED if self.method is Method.RANDOMISED else OBSERVED

    @property
    def key(self) -> tuple[str, str, str]:
        """As of the patients behind it."""
        return self.population, self.randomisation, self.outcome


@dataclass(frozen=True)
class StrategyCurve(_OfPatients):
    """One outcome had everybody been in one arm: event-free share, or cumulative incidence of a cause."""

    method: Method
    outcome: str
    arm: str
    curve: Curve
    randomisation: str = ""


@dataclass(frozen=True)
class Contrast(_OfPatients):
    """Compared arm minus reference arm; probabilities as shares, restricted means in days. None where unknown."""

    method: Method
    measure: Measure
    outcome: str
    days: int
    estimate: float
    lower: float | None
    upper: float | None
    randomisation: str = ""


@dataclass(frozen=True)
class NeededNumber:
    """A difference as a number of patients, in words with its interval, from the contrast as it is shown.

    Attributes
    ----------
    number : None where the interval holds no difference, or so many patients that it tells nothing.
    """

    method: Method
    outcome: str
    number: float | None
    text: str


@dataclass(frozen=True)
class LevelArm:
    """Patients of an arm in one level of a biomarker, and how many had the event."""

    arm: str
    n: int | None
    events: int | None


@dataclass(frozen=True)
class LevelEffect:
    """The difference between the arms among the patients of one level of a biomarker, by method A.

    Attributes
    ----------
    difference : in the endpoint at the horizon, compared minus reference; None with a `reason`.
    """

    variable: str
    label: str
    level: str
    name: str
    reference: LevelArm
    compared: LevelArm
    difference: Interval | None
    reason: str = ""


@dataclass(frozen=True)
class Anchor:
    """A published comparison of the same strategies.

    Attributes
    ----------
    trial, contrast, population : in words.
    randomised : whether patients were allocated at random.
    results : the published numbers in words, one a line.
    citation : reference.
    """

    trial: str
    contrast: str
    population: str
    randomised: bool
    results: tuple[str, ...]
    citation: str


@dataclass(frozen=True)
class WhatIfResult:
    """The answer to one what-if question, or its refusal.

    Attributes
    ----------
    question : with its landmark, adjustment variables and modifiers.
    title : one line.
    estimand : (heading, words) pairs: population, strategies, time zero, outcome, contrast, horizon.
    arms : (value, words) of the reference and of the compared strategy.
    allocation : trial by arm.
    between_protocol : no trial used both arms, so that a difference may be that of the protocols: only plain curves.
    primary : the method whose contrasts are the answer; None if there is none, or if several randomisations stand for
        themselves.
    patients : behind the estimates, by population and outcome.
    contrasts : PLAIN ones are there to be contrasted with the others.
    not_applied : in what the answer differs from the question, see `SurvivalResult`.
    notes, methods, summary : in words.
    replicates : of the bootstrap.
    methods_used : each method in words, without a number of patients.
    """

    question: WhatIfQuestion
    title: str
    snapshot: str
    synthetic: bool
    status: Status
    reasons: tuple[WhatIfReason, ...]
    estimand: tuple[tuple[str, str], ...]
    arms: tuple[tuple[str, str], tuple[str, str]]
    allocation: tuple[AllocationCell, ...]
    between_protocol: bool
    primary: Method | None
    patients: tuple[ComparedPatients, ...] = ()
    curves: tuple[StrategyCurve, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    needed: tuple[NeededNumber, ...] = ()
    effects: tuple[LevelEffect, ...] = ()
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    anchors: tuple[Anchor, ...] = ()
    not_applied: tuple[Unapplied, ...] = ()
    notes: tuple[str, ...] = ()
    methods: str = ""
    summary: str = ""
    replicates: int = 0
    methods_used: tuple[str, ...] = ()
