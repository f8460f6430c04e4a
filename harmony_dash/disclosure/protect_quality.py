"""The quality of sources as it may leave: rounded counts, small ones hidden, and verdicts that tell no more than these.

Two rules for a verdict. On accepted patients it is judged again from the numbers that are shown; where one is hidden,
every number it could be is tried and the mildest verdict taken. So it tells nothing that the numbers do not. On rows
that were refused it also tells that there are any: they are not in the data and no question can reach them, so this is
about the file and not about a person. How many they are is protected like any count.

Two more for what is shown at all. Who looks after data looks at no outcomes: a check that rests on one is judged and
its numbers stay here, and so do those about rows of several files or of one that gives an outcome: its rows may be
those of the patients who died. And two denominators that differ by fewer than the threshold are shown as one: side by
side they would tell whether anybody lies between them. So are two numerators one of which contains the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
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
from harmony_dash.quality.drafting import ROWS
from harmony_dash.quality.model import Answer, Category, Judgement, Showing, Verdict, judge

# Quartiles and medians of numbers need this many patients.
_FEWEST_FOR_MEDIAN = 40
# Accepted patients, and those who should have a value: told of every variable.
_KNOWN = 2
_MILDEST = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.WARN, Verdict.FAIL)


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
    """Rounded, without row numbers, which would tell how many; a few rows that were kept are not told of at all.

    By what is shown, not by size: the order would tell which of two small numbers is the larger one.
    """
    shown = [replace(one, n=None if one.outcome else release_count(one.n, scope), rows=()) for one in reasons]
    return tuple(sorted((one for one in shown if one.refused or one.n is not None), key=lambda one: (
        not one.refused, -(one.n or 0), one.file, one.column, one.message)))


def _protect_matrix(matrix: RiskMatrix, scope: Scope) -> RiskMatrix:
    """The cells, audited with the totals of rows and columns, which other tables tell of."""
    sizes = [cell.n if isinstance(cell.n, KeyedCount) else NOBODY for cell in matrix.cells]
    members: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(matrix.cells):
        for total in (("cell", cell.reported, cell.derived), ("reported", cell.reported), ("derived", cell.derived),
                      ("all",)):
            members.setdefault(total, []).append(place)
    rounded = {one: release_count(union(sizes[place] for place in places), scope) for one, places in members.items()}

    def next_partner(candidates: list[tuple[str, ...]]) -> tuple[str, ...] | None:
        return min((one for one in candidates if one[0] == "cell"), key=lambda one: (shown_of(one), one), default=None)

    def shown_of(one: tuple[str, ...]) -> int:
        return rounded[one] or 0

    shown = hide_partners(members, rounded, [one for one, n in rounded.items() if n is None], scope.rules,
                          atoms=len(sizes), next_partner=next_partner)
    return replace(matrix, cells=tuple(RiskCell(cell.reported, cell.derived,
                                                shown["cell", cell.reported, cell.derived]) for cell in matrix.cells))


# -- one check ---------------------------------------------------------------------------------------------------------


def protect_check(result: CheckResult, scope: Scope) -> CheckResult:
    """The answer to one check as it may leave.

    Raises
    ------
    TypeError for a count without a key.
    """
    if result.judged_among is not None:
        showing = Showing.VERDICT if result.check.showing is Showing.NUMBERS else result.check.showing
        result = replace(result, asked=result.judged_among, judged_among=None,
                         check=replace(result.check, showing=showing))
    if result.check.showing is Showing.NOTHING:
        return _without_numbers(result, Verdict.NOT_APPLICABLE)
    if result.asked is None and result.check.judgement is not Judgement.SIZE:
        return result  # nobody was asked, so there is nothing to protect
    whole = find_told(result.asked, result.beside, scope)
    whole_before = find_told(result.asked_before, result.beside_before, scope)
    asked, failing = release_count(whole, scope), _release_failing(result.failing, result.asked, scope)
    if failing is not None:
        failing = release_count(find_told(result.failing, result.failing_beside, scope), scope)
    before = _release_failing(result.failing_before, result.asked_before, scope)
    asked_before = release_count(whole_before, scope)
    value = _release_value(result, whole, scope)
    value_before = _release_median(result.value_before, result.asked_before, whole_before, scope)
    verdict = _judge_shown(result, asked, failing, asked_before, before, value, value_before, scope)
    if result.check.showing is Showing.VERDICT or result.events is not None:
        return _without_numbers(result, verdict)
    # Beside a hidden numerator only those denominators stand that are told anyway, and how many rows a file has.
    told = (result.failing is None or failing is not None or not result.beside or whole in result.beside[:_KNOWN]
            or result.check.asked == ROWS)
    return replace(
        result, asked=asked if told else None, failing=failing, value=value, verdict=verdict,
        share=_share(failing, asked, scope), share_before=_share(before, asked_before, scope),
        value_before=value_before,
        nearly_all=failing is None and asked is not None and _is_nearly_all(result.failing, result.asked, scope))


def find_told(n: int | None, beside: Sequence[int], scope: Scope) -> int | None:
    """The number that is shown for one: the first of those beside it that is hardly another one, or else itself.

    One that is not shown as it is, because it is near an earlier one, is none that others are shown as.
    """
    least = scope.rules.minimum_cell
    if n is None or n < least:
        return n
    shown: list[int] = []
    for other in (*beside, n):
        near = next((one for one in shown if abs(one - other) < least), None)
        if other is n:
            return n if near is None else near
        if near is None and other >= least:
            shown.append(other)
    return n


def _without_numbers(result: CheckResult, verdict: Verdict) -> CheckResult:
    return replace(result, failing=None, asked=None, value=None, verdict=verdict, share=None, share_before=None,
                   value_before=None, nearly_all=False, failing_before=None, asked_before=None)


def _release_failing(failing: int | None, asked: int | None, scope: Scope) -> int | None:
    """Neither a small number nor one that leaves a small rest; all of them is as telling as none."""
    shown = release_count(failing, scope)
    return None if shown is None or _is_nearly_all(failing, asked, scope) else shown


def _is_nearly_all(failing: int | None, asked: int | None, scope: Scope) -> bool:
    least = scope.rules.minimum_cell
    return failing is not None and asked is not None and failing >= least and asked - failing < least


def _release_median(value: float | None, asked: int | None, whole: int | None, scope: Scope) -> float | None:
    """A median of enough patients, to two digits; enough of those who are shown, whoever of them has no value."""
    if value is None or asked is None or whole is None:
        return None
    fewest = _FEWEST_FOR_MEDIAN + (0 if whole is asked else scope.rules.minimum_cell - 1)
    return None if whole < fewest else round_significant(value, scope.rules)


def _release_value(result: CheckResult, whole: int | None, scope: Scope) -> float | None:
    """A median; or survival rounded by the key of its patients, to be judged by."""
    if result.value is None or not isinstance(result.asked, KeyedCount):
        return None
    if result.events is None:
        return _release_median(result.value, result.asked, whole, scope)
    if not scope.rules.carries_curve(result.asked, result.events):
        return None
    steps = Steps.of(result.asked, round_count(result.asked, scope), result.check.id, scope)
    return 100 * float(steps.middle(np.array([result.value / 100]))[0])


def _judge_shown(result: CheckResult, asked: int | None, failing: int | None, asked_before: int | None,
                 failing_before: int | None, value: float | None, value_before: float | None,
                 scope: Scope) -> Verdict:
    """The mildest verdict over what the hidden numbers can be, and at least a warning for refused rows."""
    # Of those who are left that cannot be shown there are as many as can be hidden.
    lost = result.check.judgement is Judgement.LOSS and asked is None
    left = scope.rules.minimum_cell - 1 if lost else asked
    verdicts = [judge(result.check, Answer(now, left, value, result.refused, then, asked_before, value_before))
                for now, then in product(_candidates(result.failing, failing, result.asked, asked, scope),
                                         _candidates(result.failing_before, failing_before, result.asked_before,
                                                     asked_before, scope))]
    verdict = min(verdicts, key=_MILDEST.index)
    if result.refused and verdict in (Verdict.NOT_APPLICABLE, Verdict.PASS):
        return Verdict.WARN
    if not result.comparable or (left is None and result.check.judgement is not Judgement.SIZE):
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
