"""The quality of sources as it may leave: rounded counts, small ones hidden, and verdicts that tell no more than these.

Two rules for a verdict. On accepted patients it is judged again from the numbers that are shown; where one is hidden,
every number it could be is tried and the mildest verdict taken. So it tells nothing that the numbers do not. On rows
that were refused it also tells that there are any: they are not in the data and no question can reach them, so this is
about the file and not about a person. How many they are is protected like any count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.protect_counts import protect_parts
from harmony_dash.disclosure.quality_results import (
    CheckResult,
    QualityResult,
    ReasonCount,
    RiskCell,
    RiskMatrix,
    SourceQuality,
    Tally,
    TrendPoint,
)
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import release_count, round_count, round_share, round_significant
from harmony_dash.quality.model import Answer, Category, Judgement, Verdict, judge

# Quartiles and medians of numbers need this many patients.
_FEWEST_FOR_MEDIAN = 40
_MILDEST = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.WARN, Verdict.FAIL)
_BETWEEN = "\x1f"


def protect_quality(result: QualityResult, scope: Scope) -> QualityResult:
    """The result with everything rounded, small numbers hidden, and verdicts from what is left."""
    sources = tuple(_protect_source(source, scope) for source in result.sources)
    return replace(result, sources=sources if result.detailed else tuple(map(only_findings, sources)))


def only_findings(source: SourceQuality) -> SourceQuality:
    """The source with the results that failed or warned alone; its tallies still count all."""
    return replace(source, results=tuple(one for one in source.results
                                         if one.verdict in (Verdict.FAIL, Verdict.WARN)))


def tally(results: Sequence[CheckResult]) -> tuple[Tally, ...]:
    """Checks by category and verdict, every category once."""
    counts = Counter((one.check.category, one.verdict) for one in results)
    return tuple(Tally(category, *(counts[category, verdict] for verdict in (
        Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_APPLICABLE))) for category in Category)


def _protect_source(source: SourceQuality, scope: Scope) -> SourceQuality:
    results = tuple(protect_check(one, scope) for one in source.results)
    return replace(
        source, accepted=release_count(source.accepted, scope), refused=release_count(source.refused, scope),
        results=results, tallies=tally(results),
        reasons=_protect_reasons(source.reasons, scope),
        matrices=tuple(_protect_matrix(one, scope) for one in source.matrices),
        trend=tuple(_protect_point(point, scope) for point in source.trend))


def _protect_point(point: TrendPoint, scope: Scope) -> TrendPoint:
    results = tuple(protect_check(one, scope) for one in point.results)
    return replace(point, results=results, tallies=tally(results))


def _protect_reasons(reasons: Sequence[ReasonCount], scope: Scope) -> tuple[ReasonCount, ...]:
    """Rounded, without row numbers, which would tell how many; a few rows that were kept are not told of at all."""
    shown = [replace(one, n=release_count(one.n, scope), rows=()) for one in reasons]
    return tuple(one for one in shown if one.refused or one.n is not None)


def _protect_matrix(matrix: RiskMatrix, scope: Scope) -> RiskMatrix:
    parts = {f"{cell.reported}{_BETWEEN}{cell.derived}": cell.n for cell in matrix.cells}
    total = sum(int(n) for n in parts.values() if n is not None)
    shown, _ = protect_parts(parts, total, scope)
    return replace(matrix, cells=tuple(RiskCell(cell.reported, cell.derived,
                                                shown[f"{cell.reported}{_BETWEEN}{cell.derived}"])
                                       for cell in matrix.cells))


# -- one check ---------------------------------------------------------------------------------------------------------


def protect_check(result: CheckResult, scope: Scope) -> CheckResult:
    """The answer to one check as it may leave.

    Raises
    ------
    TypeError for a count without a key.
    """
    if result.asked is None and result.check.judgement is not Judgement.SIZE:
        return result  # nobody was asked, so there is nothing to protect
    rules = scope.rules
    asked, failing = release_count(result.asked, scope), _release_failing(result.failing, result.asked, scope)
    before = _release_failing(result.failing_before, result.asked_before, scope)
    asked_before = release_count(result.asked_before, scope)
    value = _release_value(result, scope)
    verdict = _judge_shown(result, asked, failing, asked_before, before, value, scope)
    judged_only = result.events is not None
    return replace(
        result, asked=asked, failing=failing, value=None if judged_only else value, verdict=verdict,
        share=_share(failing, asked, scope), share_before=_share(before, asked_before, scope),
        value_before=None if result.value_before is None or (result.asked_before or 0) < _FEWEST_FOR_MEDIAN
        else round_significant(result.value_before, rules),
        nearly_all=failing is None and asked is not None and _is_nearly_all(result.failing, result.asked, scope))


def _release_failing(failing: int | None, asked: int | None, scope: Scope) -> int | None:
    """Neither a small number nor one that leaves a small rest; all of them is as telling as none."""
    shown = release_count(failing, scope)
    return None if shown is None or _is_nearly_all(failing, asked, scope) else shown


def _is_nearly_all(failing: int | None, asked: int | None, scope: Scope) -> bool:
    least = scope.rules.minimum_cell
    return failing is not None and asked is not None and failing >= least and asked - failing < least


def _release_value(result: CheckResult, scope: Scope) -> float | None:
    """A median of enough patients, to two digits; survival rounded by the key of its patients, to be judged by."""
    if result.value is None or not isinstance(result.asked, KeyedCount):
        return None
    if result.events is None:
        return None if result.asked < _FEWEST_FOR_MEDIAN else round_significant(result.value, scope.rules)
    if not scope.rules.carries_curve(result.asked, result.events):
        return None
    steps = Steps.of(result.asked, round_count(result.asked, scope), result.check.id, scope)
    return 100 * float(steps.middle(np.array([result.value / 100]))[0])


def _judge_shown(result: CheckResult, asked: int | None, failing: int | None, asked_before: int | None,
                 failing_before: int | None, value: float | None, scope: Scope) -> Verdict:
    """The mildest verdict over what the hidden numbers can be, and at least a warning for refused rows."""
    before = None if result.value_before is None else round_significant(result.value_before, scope.rules)
    verdicts = [judge(result.check, Answer(now, asked, value, result.refused, then, asked_before, before))
                for now, then in product(_candidates(result.failing, failing, result.asked, asked, scope),
                                         _candidates(result.failing_before, failing_before, result.asked_before,
                                                     asked_before, scope))]
    verdict = min(verdicts, key=_MILDEST.index)
    if result.refused and verdict in (Verdict.NOT_APPLICABLE, Verdict.PASS):
        return Verdict.WARN
    if not result.comparable or (asked is None and result.check.judgement is not Judgement.SIZE):
        return Verdict.NOT_APPLICABLE
    return verdict


def _candidates(exact: int | None, shown: int | None, whole: int | None, shown_whole: int | None,
                scope: Scope) -> tuple[int | None, ...]:
    """What a number can be for somebody who sees what is shown: itself, or the ends of the range it is hidden in."""
    if exact is None or shown is not None:
        return (shown,)
    most = scope.rules.minimum_cell - 1
    if _is_nearly_all(exact, whole, scope) and shown_whole is not None:
        return max(0, shown_whole - most), shown_whole
    return 0, most


def _share(part: int | None, whole: int | None, scope: Scope) -> float | None:
    return None if part is None or not whole else round_share(part, whole, scope.rules)
