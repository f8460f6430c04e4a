"""What a check is: its type, whom it asks, from when on it warns, and the verdict on an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from harmony_dash.quality.conditions import EVERYBODY, Condition


class Category(StrEnum):
    """The three questions of data quality (Kahn and others 2016)."""

    CONFORMANCE = "conformance"  # do the values keep to the dictionary, and to each other?
    COMPLETENESS = "completeness"  # are they there?
    PLAUSIBILITY = "plausibility"  # can they be true?


class Verdict(StrEnum):
    """What a check found."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"  # noqa: S105
    NOT_APPLICABLE = "not applicable"


class Judgement(StrEnum):
    """How the answer to a check becomes a verdict; `warn` and `fail` are the check's limits."""

    SHARE = "share above"  # of those asked, more than the limit fail; a refused row warns in any case
    LACK = "share not between"  # `warn` or fewer show what a real source always shows, or more than `high` or `fail` do
    SIZE = "number below"  # fewer patients than the limit
    WITHIN = "outside"  # a value, or else the share in per cent, outside `low` to `high`; fails `fail` times beyond
    SHIFT = "share changed by"  # the share moved by more than the limit since the previous snapshot
    RATIO = "changed by"  # the value moved by more than the limit, relative to the previous snapshot
    LOSS = "fewer by"  # more than this share of the patients of the previous snapshot are gone


class Showing(StrEnum):
    """What of an answer leaves at the protected levels; whoever holds the files sees all of it."""

    NUMBERS = "numbers"
    VERDICT = "verdict"  # judged only: it tells what became of patients, or another table tells it
    NOTHING = "nothing"  # the verdict alone would tell one patient from none


@dataclass(frozen=True)
class Check:
    """One check, as people read it. A snapshot keeps it beside the answers.

    Attributes
    ----------
    id : type and variable, and what else tells it from others: `range.wbc_dx`.
    type : name of its type, see `types.TYPES`.
    category : Kahn category.
    variable, label : the variable and its words; both empty for the source as a whole.
    words : what is counted, in one sentence.
    asked : whom the denominator counts, in words.
    judgement, warn, fail, low, high : see `Judgement`; `fail` is infinite for a check that only warns.
    least : below this denominator the check does not apply.
    showing : what of the answer leaves at the protected levels.
    digest : changes when what is counted changes, so that answers of two snapshots can be compared or not.
    """

    id: str
    type: str
    category: Category
    variable: str
    label: str
    words: str
    asked: str
    judgement: Judgement
    warn: float
    fail: float = math.inf
    low: float = -math.inf
    high: float = math.inf
    least: int = 1
    showing: Showing = Showing.NUMBERS
    digest: str = ""


# -- where the answer comes from ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reported:
    """Rows that ingest reported with one of these reasons.

    Attributes
    ----------
    reasons : codes of `ingest.issues.Reason`.
    variable : only those about it; empty for all that no other check takes.
    """

    reasons: tuple[str, ...]
    variable: str


@dataclass(frozen=True)
class Counted:
    """Accepted patients for whom `failing` holds, among those for whom `among` does."""

    failing: Condition
    among: Condition = EVERYBODY


@dataclass(frozen=True)
class Median:
    """The median of a number among some of the patients; the denominator counts them."""

    variable: str
    among: Condition = EVERYBODY


@dataclass(frozen=True)
class Pile:
    """Patients at the most frequent value of a number, among those for whom it is recorded."""

    variable: str
    among: Condition = EVERYBODY


@dataclass(frozen=True)
class Constant:
    """All patients with a value, if all have the same one; otherwise nobody."""

    variable: str
    among: Condition = EVERYBODY


@dataclass(frozen=True)
class Survival:
    """Survival on a day by Kaplan-Meier, in per cent; the denominator counts the patients.

    The value is the one in its 95 % interval that is nearest to the published one: sampling error does not warn.
    """

    endpoint: str
    day: int
    published: float
    among: Condition = EVERYBODY


@dataclass(frozen=True)
class Refused:
    """Rows that ingest refused, among all that it read."""


@dataclass(frozen=True)
class Size:
    """Accepted patients."""


Evidence: TypeAlias = Reported | Counted | Median | Pile | Constant | Survival | Refused | Size


@dataclass(frozen=True)
class Rule:
    """A check and how it is answered.

    Attributes
    ----------
    needs : variables a source must supply for the check to apply.
    """

    check: Check
    evidence: Evidence
    needs: tuple[str, ...] = ()


# -- verdict -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a check counted; None for what is not known or may not be shown.

    Attributes
    ----------
    failing, asked : numerator and denominator.
    value : median or estimate, where the check is about one.
    refused : whether some of those failing are rows that were refused.
    failing_before, asked_before, value_before : the same in the previous snapshot.
    """

    failing: int | None = None
    asked: int | None = None
    value: float | None = None
    refused: bool = False
    failing_before: int | None = None
    asked_before: int | None = None
    value_before: float | None = None


def judge(check: Check, answer: Answer) -> Verdict:
    """The verdict on an answer; not applicable where the answer does not say enough."""
    size = answer.asked or 0
    if check.judgement is Judgement.SIZE:
        return _beyond(-size, -check.warn, -check.fail)
    if check.judgement is Judgement.LOSS:
        # Before the size is looked at: the fewer are left, the more there is to tell.
        lost = 1 - size / answer.asked_before if answer.asked_before else None
        return Verdict.NOT_APPLICABLE if lost is None else _beyond(lost, check.warn, check.fail)
    if size < max(check.least, 1):
        return Verdict.NOT_APPLICABLE
    match check.judgement:
        case Judgement.SHARE if answer.failing is not None:
            verdict = _beyond(answer.failing / size, check.warn, check.fail)
            return Verdict.WARN if verdict is Verdict.PASS and answer.refused else verdict
        case Judgement.LACK if answer.failing is not None:
            lacking = answer.failing / size
            return Verdict.WARN if lacking <= check.warn else _beyond(lacking, check.high, check.fail)
        case Judgement.WITHIN:
            value = answer.value if answer.failing is None else 100 * answer.failing / size
            if value is not None:
                return _judge_range(check, value)
        case Judgement.SHIFT:
            now, before = _share(answer.failing, size), _share(answer.failing_before, answer.asked_before)
            if now is not None and before is not None and (answer.asked_before or 0) >= check.least:
                return _beyond(abs(now - before), check.warn, check.fail)
        case Judgement.RATIO if answer.value is not None and answer.value_before:
            if (answer.asked_before or 0) >= check.least:
                return _beyond(abs(answer.value / answer.value_before - 1), check.warn, check.fail)
    return Verdict.NOT_APPLICABLE


def _beyond(found: float, warn: float, fail: float) -> Verdict:
    return Verdict.FAIL if found > fail else Verdict.WARN if found > warn else Verdict.PASS


def _judge_range(check: Check, value: float) -> Verdict:
    if check.low <= value <= check.high:
        return Verdict.PASS
    beyond = check.low / value if 0 < value < check.low else value / check.high if value > check.high > 0 else 1.0
    return Verdict.FAIL if beyond > check.fail else Verdict.WARN


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
