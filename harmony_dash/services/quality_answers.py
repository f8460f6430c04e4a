"""From what a snapshot carries to the quality of its sources, not yet released."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from harmony_dash.dictionary import Dictionary, Variable
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount
from harmony_dash.disclosure.protect_quality import tally
from harmony_dash.disclosure.quality_results import (
    CheckResult,
    ReasonCount,
    RiskCell,
    RiskMatrix,
    SourceQuality,
    TrendPoint,
)
from harmony_dash.quality.drafting import ROWS, is_outcome
from harmony_dash.quality.model import Answer, Check, Judgement, Showing, Verdict, judge
from harmony_dash.quality.types import TYPES
from harmony_dash.store.counts import fetch_sources
from harmony_dash.store.quality import Measured
from harmony_dash.store.quality_reports import fetch_reports, fetch_risk_pairs, fetch_row_numbers
from harmony_dash.store.quality_tables import (
    Earlier,
    fetch_answers,
    fetch_checks,
    fetch_history,
    fetch_supplied,
)
from harmony_dash.store.reader import Snapshot

DERIVED_RISKS = ("nci_risk", "mrd_group", "cyto_group")
_REPORTED = "risk_group_reported"
NOT_RECORDED = ""
_OF_CHANGE = (Judgement.SHIFT, Judgement.RATIO, Judgement.LOSS)


def describe_sources(snapshot: Snapshot, source: str | None = None, *, with_rows: bool = False,
                     unprotected: bool = False, withdrawn: Collection[str] = ()) -> tuple[SourceQuality, ...]:
    """The quality of every source of a snapshot, or of one with all its details; counts keyed, verdicts exact.

    Parameters
    ----------
    source : name of one source, with reasons, risk groups and trend; None for all, without these.
    with_rows : whether the row numbers of reported rows are given.
    unprotected : for level OFF, which an earlier snapshot does not take over from the served one: what must be
        protected of those before it is left out.
    withdrawn : countries; earlier snapshots in which the source had patients of one of them are left out.
    """
    checks = fetch_checks(snapshot)
    answers, history = fetch_answers(snapshot, source), fetch_history(snapshot, source)
    supplied = fetch_supplied(snapshot)
    found = []
    for row in fetch_sources(snapshot):
        name = str(row["source"])
        if source not in (None, name):
            continue
        earlier = tuple(
            replace(one, answers={})
            if (unprotected and not one.may_be_off) or not one.countries.isdisjoint(withdrawn) else one
            for one in history.get(name, ()))
        results = _answer_all(checks, checks, answers.get(name, {}), earlier)
        quality = SourceQuality(
            name, str(row["title"]), str(row["provider"]), row["accepted_count"], row["quarantined_count"],  # type: ignore[arg-type]
            results, tally(results), _not_supplied(snapshot.dictionary, supplied.get(name)))
        if source is not None:
            quality = replace(
                quality, reasons=_reasons(snapshot, name, with_rows=with_rows), matrices=_matrices(snapshot, name),
                trend=tuple(_point(checks, earlier, place) for place in range(len(earlier)) if earlier[place].answers))
        found.append(quality)
    return tuple(found)


def _answer_all(wanted: Sequence[Check], checks: Sequence[Check], answers: Mapping[str, Measured],
                earlier: Sequence[Earlier]) -> tuple[CheckResult, ...]:
    """The answers to some of the checks, each with the denominators beside which it is told."""
    beside = _denominators(checks, answers)
    before = _denominators(checks, {name: measured for name, (_, measured) in earlier[0].answers.items()}
                           if earlier else {})
    listed = answers["refused"].asked if "refused" in answers else None
    return tuple(replace(_answer(check, answers.get(check.id), earlier), beside=beside.get(check.id, ()),
                         judged_among=listed if check.id in answers and answers[check.id].judged_only else None,
                         beside_before=before.get(check.id, ()) if check.judgement in _OF_CHANGE else (),
                         failing_beside=_contained(check, answers))
                 for check in wanted)


def _contained(check: Check, answers: Mapping[str, Measured]) -> tuple[KeyedCount, ...]:
    """Who has no value is among those without a result."""
    missing = answers.get(f"completeness.{check.variable}") if check.type == "kept_apart" else None
    return () if missing is None or missing.failing is None else (missing.failing,)


def _denominators(checks: Sequence[Check], answers: Mapping[str, Measured]) -> dict[str, tuple[KeyedCount, ...]]:
    """By check: accepted patients, those who should have the value, and the denominators of its checks before.

    Of a check of rows: accepted patients, rows read, and the rows of further files that are told in checks before it.
    """
    if "size" not in answers:
        return {}
    accepted = answers["size"].asked
    read = answers.get("refused")
    rows = [accepted, accepted if read is None else read.asked]
    of_variable: dict[str, list[KeyedCount]] = {}
    found: dict[str, tuple[KeyedCount, ...]] = {}
    for check in checks:
        measured = answers.get(check.id)
        if measured is None:
            continue
        if check.asked != ROWS and not check.variable:
            found[check.id] = accepted, accepted
            continue
        expected = answers.get(f"completeness.{check.variable}")
        others = rows if check.asked == ROWS else of_variable.setdefault(
            check.variable, [accepted, accepted if expected is None else expected.asked])
        found[check.id] = tuple(others)
        if check.showing is Showing.NUMBERS and not measured.judged_only and measured.asked not in others:
            others.append(measured.asked)
    return found


def _answer(check: Check, measured: Measured | None, earlier: Sequence[Earlier]) -> CheckResult:
    """The answer beside that of the newest of the earlier snapshots."""
    then = earlier[0].answers.get(check.id) if earlier and check.judgement in _OF_CHANGE else None
    comparable = then is None or then[0] == check.digest
    before = then[1] if then is not None and comparable else None
    # Where none is left of those there were, that is told.
    if measured is None or (not measured.asked and (before is None or check.judgement is not Judgement.LOSS)):
        return CheckResult(check, None, None, None, _of_nobody(check), comparable=comparable)
    answer = Answer(
        measured.failing, measured.asked, measured.value, measured.refused,
        before.failing if before else None, before.asked if before else None, before.value if before else None)
    return CheckResult(
        check, measured.failing, measured.asked, measured.value, judge(check, answer),
        share=_share(answer.failing, answer.asked), share_before=_share(answer.failing_before, answer.asked_before),
        value_before=answer.value_before, refused=measured.refused, comparable=comparable, events=measured.events,
        failing_before=answer.failing_before, asked_before=answer.asked_before)


def _of_nobody(check: Check) -> Verdict:
    return judge(check, Answer(asked=0))


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole


def _not_supplied(dictionary: Dictionary, supplied: frozenset[str] | None) -> tuple[str, ...]:
    if supplied is None:
        return ()
    return tuple(variable.label for variable in dictionary.kept
                 if not variable.derived and variable.name not in supplied)


def _reasons(snapshot: Snapshot, source: str, *, with_rows: bool) -> tuple[ReasonCount, ...]:
    rows = fetch_row_numbers(snapshot, source) if with_rows else {}
    return tuple(ReasonCount(one.file, one.column, one.variable, one.reason, one.message, one.refused, one.n,
                             rows.get((one.file, one.column, one.reason, one.message), ()),
                             one.of_outcomes or _tells_outcome(snapshot.dictionary, one.variable, one.reason))
                 for one in fetch_reports(snapshot, source))


def _tells_outcome(dictionary: Dictionary, variable: str, reason: str) -> bool:
    return (variable in dictionary and is_outcome(dictionary[variable])) or any(
        reason in kind.reasons for kind in TYPES.values() if kind.showing is not Showing.NUMBERS)


def _matrices(snapshot: Snapshot, source: str) -> tuple[RiskMatrix, ...]:
    dictionary = snapshot.dictionary
    derived = [dictionary[name] for name in DERIVED_RISKS if name in dictionary]
    if _REPORTED not in dictionary or not derived:
        return ()
    reported = dictionary[_REPORTED]
    pairs = fetch_risk_pairs(snapshot, source, reported, derived)
    return tuple(RiskMatrix(variable.name, variable.label, _every_pair(reported, variable, pairs[variable.name]))
                 for variable in derived)


def _every_pair(reported: Variable, derived: Variable, found: Sequence[tuple[str, str, KeyedCount]],
                ) -> tuple[RiskCell, ...]:
    """All pairs of codes, those of nobody too: a cell that is left out would tell that it is empty."""
    counts = {(one, other): n for one, other, n in found}
    return tuple(RiskCell(one, other, counts.get((one, other), NOBODY))
                 for one in (*reported.values, NOT_RECORDED) for other in (*derived.values, NOT_RECORDED))


def _point(checks: Sequence[Check], earlier: Sequence[Earlier], place: int) -> TrendPoint:
    """One earlier snapshot: its answers to the checks that mean the same today."""
    then = earlier[place]
    same = [check for check in checks if check.id in then.answers and then.answers[check.id][0] == check.digest]
    changed = tuple(check.id for check in checks
                    if check.id in then.answers and then.answers[check.id][0] != check.digest)
    results = _answer_all(same, checks, {name: measured for name, (_, measured) in then.answers.items()},
                          earlier[place + 1:])
    return TrendPoint(then.snapshot, then.created, results, changed, tally(results))

