"""Answers to checks as people read them: on the page, in the provider's report, in the CSV file and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from harmony_dash.disclosure.quality_results import CheckResult, ReasonCount, Tally
from harmony_dash.disclosure.wording import NOTHING
from harmony_dash.quality.model import Category, Check, Judgement, Showing, Verdict

VERDICTS: Mapping[Verdict, str] = MappingProxyType({
    Verdict.FAIL: "Failed", Verdict.WARN: "Warned", Verdict.PASS: "Passed", Verdict.NOT_APPLICABLE: "Not applicable"})
CATEGORIES: Mapping[Category, tuple[str, str]] = MappingProxyType({
    Category.CONFORMANCE: ("Conformance", "Do the values keep to the dictionary, and to each other?"),
    Category.COMPLETENESS: ("Completeness", "Are they there, and is \"not tested\" kept apart from \"negative\"?"),
    Category.PLAUSIBILITY: ("Plausibility", "Can they be true?")})
NOT_COMPARABLE = "not comparable"
NOT_SHOWN, HIDDEN = "not shown", "hidden"
NO_OUTCOMES = ("Who looks after the data does not look at outcomes. So checks that read what became of patients have "
               "a verdict and no numbers; so have those that count rows of several files, or of one that tells of it.")
WHY_NOT_SHOWN: Mapping[Showing, str] = MappingProxyType({
    Showing.NUMBERS: "",
    Showing.VERDICT: f"Its numbers are not shown. {NO_OUTCOMES} Reported and derived risk groups are counted in their "
                     "table.",
    Showing.NOTHING: "Neither verdict nor numbers are shown: that all patients but one have the same value would tell "
                     "of that one. `ingest --check-only` tells whoever holds the files."})


def failing_words(result: CheckResult, minimum: int, *, exact: bool = False) -> str:
    """How many failed: "15", "<10", "all but <10", or a dash where nothing was counted."""
    if result.failing is not None:
        return f"{result.failing:,}"
    if not exact and result.check.showing is not Showing.NUMBERS:
        return _not_shown(result)
    if result.nearly_all:
        return f"all but <{minimum}"
    counted = result.check.judgement not in (Judgement.SIZE, Judgement.RATIO, Judgement.LOSS) and result.value is None
    of_patients = result.check.judgement is not Judgement.WITHIN
    return f"<{minimum}" if not exact and counted and of_patients and result.asked else NOTHING


def asked_words(result: CheckResult, minimum: int, *, exact: bool = False) -> str:
    """Of how many."""
    if result.asked is not None:
        return f"{result.asked:,}"
    if not exact and result.check.showing is not Showing.NUMBERS:
        return _not_shown(result)
    if exact or result.verdict is Verdict.NOT_APPLICABLE:
        return NOTHING
    of_all = result.check.judgement in (Judgement.SIZE, Judgement.LOSS)
    return f"<{minimum}" if of_all or result.refused else HIDDEN


def _not_shown(result: CheckResult) -> str:
    of_nobody = result.check.showing is Showing.VERDICT and result.verdict is Verdict.NOT_APPLICABLE
    return NOTHING if of_nobody else NOT_SHOWN


def reason_words(reason: ReasonCount, minimum: int) -> str:
    """How many rows a reason was reported for."""
    if reason.n is not None:
        return f"{reason.n:,}"
    return NOT_SHOWN if reason.outcome else f"<{minimum}"


def found_words(result: CheckResult) -> str:
    """The number that the limit is about: a share, a median, or a change."""
    if not result.comparable:
        return NOT_COMPARABLE
    match result.check.judgement:
        case Judgement.SHIFT if result.share is not None and result.share_before is not None:
            return f"{format_points(result.share_before)} → {format_points(result.share)}"
        case Judgement.RATIO if result.value is not None and result.value_before is not None:
            return f"{result.value_before:.3g} → {result.value:.3g}"
    if result.value is not None and result.check.judgement is Judgement.WITHIN:
        return f"{result.value:.3g}"
    return NOTHING if result.share is None else format_points(result.share)


def format_points(share: float) -> str:
    """A share in per cent: whole ones as they are, small ones with a decimal."""
    percent = 100 * share
    return f"{percent:.1f}\u00a0%" if 0 < percent < 10 else f"{percent:.0f}\u00a0%"


def limit_words(check: Check) -> str:
    """From when on the check warns and fails."""
    match check.judgement:
        case Judgement.SIZE:
            return f"warn <{check.warn:g}, fail <{check.fail:g}"
        case Judgement.LACK:
            few = f"warn ≤{_percent(check.warn)}"
            return few if math.isinf(check.high) else f"{few} or >{_percent(check.high)}, fail >{_percent(check.fail)}"
        case Judgement.WITHIN:
            return f"{check.low:g} to {check.high:g}"
        case Judgement.SHIFT:
            return f"warn ±{100 * check.warn:g}, fail ±{100 * check.fail:g} points"
    warn = "warn >0" if check.warn == 0 else f"warn >{_percent(check.warn)}"
    return warn if math.isinf(check.fail) else f"{warn}, fail >{_percent(check.fail)}"


def _percent(share: float) -> str:
    return f"{100 * share:g}\u00a0%"


def tally_words(tally: Tally) -> str:
    """How many failed, warned and passed."""
    return f"{tally.failed:,} failed, {tally.warned:,} warned, {tally.passed:,} passed"


def rows_words(rows: tuple[int, ...], most: int = 30) -> str:
    """Row numbers as a list that ends somewhere."""
    shown = ", ".join(map(str, rows[:most]))
    return f"{shown}, … and {len(rows) - most:,} more" if len(rows) > most else shown

