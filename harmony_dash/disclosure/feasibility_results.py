"""Whether a question can be asked, in numbers of patients. There is no outcome among them."""

from __future__ import annotations

from dataclasses import dataclass, field

from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.results import INTERNAL, AttritionStep, FollowUpSupport, Unapplied


@dataclass(frozen=True)
class CountryCount:
    """The patients of one country, as a figure of countries would have them.

    Attributes
    ----------
    n : None where it may not be shown, or where the country gets no answer.
    differs : whether its patients answer a slightly different question than the others.
    answered : False where the question gets no answer for this country whatever the number.
    """

    country: str
    n: int | None
    differs: bool = False
    answered: bool = True


@dataclass(frozen=True)
class Loss:
    """What one variable costs.

    Attributes
    ----------
    lacking : patients who meet every filter and of whom it is not known.
    only : those of them of whom every other variable is known: what would be gained without it.

    Of a variable with values that few have, such as failed tests, some may be left out.
    """

    variable: str
    label: str
    lacking: int | None
    only: int | None
    lacking_as_asked: bool = field(default=True, metadata=INTERNAL)
    only_as_asked: bool = field(default=True, metadata=INTERNAL)


@dataclass(frozen=True)
class JointLoss:
    """Patients of whom exactly these variables, two or more, are not known."""

    variables: tuple[str, ...]
    labels: tuple[str, ...]
    n: int | None
    as_asked: bool = field(default=True, metadata=INTERNAL)


@dataclass(frozen=True)
class Stage:
    """Patients of a source who came this far.

    Attributes
    ----------
    n : None where it may not be shown.
    nearly_all : it is not shown because all but a few, or all, of the stage before are in it.
    """

    n: int | None
    nearly_all: bool = False


@dataclass(frozen=True)
class SourceFlow:
    """One source: rows it sent, patients accepted, followed for the endpoint, and counted in the end.

    `counted` is None where the question gets no answer for the source; where it gets a slightly different one, it
    `differs`.
    """

    source: str
    title: str
    registered: Stage
    accepted: Stage
    with_endpoint: Stage | None
    counted: Stage | None
    differs: bool = False


@dataclass(frozen=True)
class FeasibilityResult:
    """How many patients a question has, where they are and where they were lost.

    Attributes
    ----------
    question : what was asked, with its landmark, without groups: the one to take to other pages.
    known : the variables that must be known.
    n : patients counted: those that a figure without groups is of.
    steps : from the disease to all that meet filters and needs; then `not_followed` leave.
    joint : the largest first.
    reason : why there is no answer; empty where there is one.
    too_short : why follow-up cannot reach the horizon, whatever the data; empty where it can.
    follow_up_median_days, follow_up_of : what planning assumes of follow-up, and in words what it is.
    follow_up_patients : of whom it is the median.
    """

    question: Question
    known: tuple[str, ...]
    title: str
    snapshot: str
    synthetic: bool
    n: int | None
    by_country: tuple[CountryCount, ...]
    steps: tuple[AttritionStep, ...]
    not_followed: AttritionStep
    losses: tuple[Loss, ...]
    joint: tuple[JointLoss, ...]
    sources: tuple[SourceFlow, ...]
    follow_up_median_days: float | None
    not_applied: tuple[Unapplied, ...]
    notes: tuple[str, ...]
    methods: str
    reason: str = ""
    too_short: str = ""
    follow_up_of: str = "the median of all patients"
    follow_up_support: FollowUpSupport | None = field(default=None, metadata=INTERNAL)
    follow_up_patients: int = field(default=0, metadata=INTERNAL)
    # Of which step a variable's loss is a part.
    step_of: tuple[tuple[str, int], ...] = field(default=(), metadata=INTERNAL)
