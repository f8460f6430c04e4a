"""What the quality service computes. Before release counts are keyed, afterwards plain or None."""

from __future__ import annotations

from dataclasses import dataclass, field

from harmony_dash.disclosure.results import INTERNAL
from harmony_dash.quality.model import Category, Check, Verdict


@dataclass(frozen=True)
class CheckResult:
    """The answer to one check of one source.

    Attributes
    ----------
    failing, asked : numerator and denominator; None where not counted or not to be shown.
    value : median, where the check is about one; survival is never shown, only judged.
    verdict : at the protected levels what the shown numbers support, see `disclosure.protect_quality`.
    share : of those asked, from the shown numbers.
    share_before, value_before : the same in the previous snapshot, for a check of change.
    events : deaths or events behind a survival estimate.
    beside, beside_before : the denominators beside which that of the check is told, first the accepted patients, then
        those who should have a value, then those of the variable's checks before it; the latter in the previous
        snapshot.
    failing_beside : numerators that this one contains and beside which it is told.
    judged_among : for checks of rows whose number would tell of outcomes or of refused rows, the rows of the file that
        lists the patients: among them protected results judge, and show no number.
    refused : whether rows that were refused are among those failing.
    nearly_all : all but a few fail, so that `failing` is not shown.
    comparable : False for a check of change whose definition was another one in the previous snapshot.
    """

    check: Check
    failing: int | None
    asked: int | None
    value: float | None
    verdict: Verdict
    share: float | None = None
    share_before: float | None = None
    value_before: float | None = None
    refused: bool = False
    nearly_all: bool = False
    comparable: bool = True
    events: int | None = field(default=None, metadata=INTERNAL)
    failing_before: int | None = field(default=None, metadata=INTERNAL)
    asked_before: int | None = field(default=None, metadata=INTERNAL)
    beside: tuple[int, ...] = field(default=(), metadata=INTERNAL)
    beside_before: tuple[int, ...] = field(default=(), metadata=INTERNAL)
    failing_beside: tuple[int, ...] = field(default=(), metadata=INTERNAL)
    judged_among: int | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class ReasonCount:
    """Rows of one file that ingest reported with one reason; never a value of a patient.

    Attributes
    ----------
    column, variable : column of the file and harmonised variable; empty where none applies.
    reason, message : code and words.
    refused : whether these rows were refused, or kept with a remark.
    n : number of rows; None where it may not be shown.
    rows : the row numbers as a person sees them, for the provider alone; empty in protected results.
    outcome : whether it is about what became of patients, so that protected results do not tell how many rows.
    """

    file: str
    column: str
    variable: str
    reason: str
    message: str
    refused: bool
    n: int | None
    rows: tuple[int, ...] = ()
    outcome: bool = False


@dataclass(frozen=True)
class RiskCell:
    """Patients with one reported and one derived risk group; codes, empty for not recorded."""

    reported: str
    derived: str
    n: int | None


@dataclass(frozen=True)
class RiskMatrix:
    """Reported risk groups against one derived group.

    Attributes
    ----------
    variable, label : the derived group.
    cells : every pair of codes, in display order.
    """

    variable: str
    label: str
    cells: tuple[RiskCell, ...]


@dataclass(frozen=True)
class Tally:
    """Checks of one category by verdict."""

    category: Category
    failed: int
    warned: int
    passed: int
    not_applicable: int


@dataclass(frozen=True)
class TrendPoint:
    """A source in one snapshot.

    Attributes
    ----------
    tallies : over the checks that are comparable with the served snapshot.
    not_comparable : ids of the checks whose definition was another one then.
    results : the comparable checks; their words are those of the served snapshot.
    """

    snapshot: str
    created: str
    results: tuple[CheckResult, ...]
    not_comparable: tuple[str, ...] = ()
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True)
class SignOff:
    """A data manager's word on a source, from the audit trail."""

    source: str
    snapshot: str
    username: str
    at: str
    words: str


@dataclass(frozen=True)
class SourceQuality:
    """The quality of one source.

    Attributes
    ----------
    accepted, refused : rows; the two add up to what was read.
    results : the answers to all checks, or to those that failed or warned.
    tallies : all checks by category and verdict.
    not_supplied : labels of variables of the dictionary that the source does not give.
    reasons, matrices, trend : empty unless the source was asked for alone.
    """

    source: str
    title: str
    provider: str
    accepted: int | None
    refused: int | None
    results: tuple[CheckResult, ...]
    tallies: tuple[Tally, ...] = ()
    not_supplied: tuple[str, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    matrices: tuple[RiskMatrix, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    signed: tuple[SignOff, ...] = ()


@dataclass(frozen=True)
class QualityResult:
    """The quality of the sources of a snapshot.

    Attributes
    ----------
    snapshot, created : empty for a rehearsal that publishes nothing.
    detailed : whether the sources have all their results; otherwise only those that failed or warned.
    withheld : sources that are not shown because a country in them was withdrawn.
    methods : how it was counted and protected.
    """

    snapshot: str
    created: str
    synthetic: bool
    sources: tuple[SourceQuality, ...]
    detailed: bool = True
    withheld: tuple[str, ...] = ()
    methods: str = ""
