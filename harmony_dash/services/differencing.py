"""The nightly look at what was asked: which answers were about nearly the same patients, and who could combine them.

Whoever holds two answers whose patients differ by a few can subtract one from the other. The low-effect rule keeps a
question and its neighbour from being such a pair, but not two questions that only the data bring together. Looking for
those while people ask would make an answer depend on earlier ones, and refusals would tell of them; so it is done
afterwards, for those who watch over the project.

The report never says which patients, nor how many: only that they are fewer than the threshold.

Compared are, figure with figure and cohort with cohort, the sets of patients that a question is answered from today:
every group of a figure that is large enough to be drawn, its groups together, and the cohort as it is counted beside it
or in the panel. So it shows in whom endpoints, landmarks and groupings differ, too. Strata make no difference to a set.
What does not fit into memory is not compared, and the report names every question of which that is true.
Not compared at all are the panel's counts of single choices, the size of a cohort after each of its filters, numbers at
risk after the first day, and a figure with its own cohort. Groups with too few events count as drawn.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Final, TypeAlias

import numpy as np

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_filter, describe_question
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.selections import Selection, close_filters, open_selection, splits_of
from harmony_dash.errors import QuestionError, UserError
from harmony_dash.services.audited import check_and_record, record_answer
from harmony_dash.services.budget import DayQuestion, find_alarms
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.recorded_questions import (
    RecordedQuestion,
    View,
    find_answered_sets,
    open_view,
    read_recorded_questions,
    rebuild_question,
)
from harmony_dash.store.membership import KeptSets, PatientSet, find_close_pairs
from harmony_dash.store.reader import Snapshot

ACTION: Final = "review differencing"
MOST_DAYS: Final = 366
# A question's scan keeps one core busy; a second question fills the gaps it leaves.
_AT_ONCE: Final = 2
# Bytes of all sets that are compared: half a gigabyte holds 4,000 sets of a million patients.
MEMORY: Final = 2**29
NO_MEMORY: Final = "no memory was left to compare all of its patients: look at fewer days"


@dataclass(frozen=True)
class Asking:
    """One person who asked one question in the time looked at.

    Attributes
    ----------
    words : the question in English, and which of its patients are meant.
    fingerprint, grant : of the question, and the grant it was asked under; empty for none.
    first, last : when it was answered for the first and the last time.
    times : how often.
    """

    words: str
    fingerprint: str
    grant: str
    username: str
    first: datetime
    last: datetime
    times: int


@dataclass(frozen=True)
class ClosePair:
    """Two sets of patients that were both answered and differ by few.

    Attributes
    ----------
    one, other : who was shown each of them, by which questions.
    same_people : account names of those who asked for both.
    fewer_than : the threshold under which they differ; how far they do is not told.
    """

    one: tuple[Asking, ...]
    other: tuple[Asking, ...]
    same_people: tuple[str, ...]
    fewer_than: int


@dataclass(frozen=True)
class NotCompared:
    """A question whose patients cannot be told on the snapshot that is served now, and why."""

    asking: Asking
    why: str


@dataclass(frozen=True)
class SharedConditions:
    """A person who asked many questions of one day around the same conditions or their opposites, here in words."""

    username: str
    day: date
    questions: int
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class DifferencingReport:
    """What the look has found.

    Attributes
    ----------
    since, until : the time looked at: whole days (UTC), and today so far.
    snapshot : the one the questions were put to again.
    questions, people : how many different questions were recorded, of how many people.
    pairs : those that one person could combine first, then the newest.
    """

    since: datetime
    until: datetime
    snapshot: str
    questions: int
    people: int
    pairs: tuple[ClosePair, ...]
    not_compared: tuple[NotCompared, ...]
    alarms: tuple[SharedConditions, ...]


def review_differencing(deployment: Deployment, actor: Actor, *, days: int = 1) -> DifferencingReport:
    """Compare the protected questions of the last days with one another, whoever asked them; recorded.

    Parameters
    ----------
    days : how many whole days (UTC) before today; today so far is always looked at.

    Raises
    ------
    AccessRefused, AuditUnavailable, StoreError; UserError for a number of days that is none.
    """
    record = json.dumps({"days": days})
    check_and_record(deployment, actor, Permission.READ_AUDIT, ACTION, question=record)
    if not 1 <= days <= MOST_DAYS:
        raise UserError(f"the days looked at are 1 to {MOST_DAYS}", where="days")
    until = deployment.now()
    since = datetime.combine(until.astimezone(UTC).date() - timedelta(days=days), time(), UTC)
    recorded = read_recorded_questions(deployment, since)
    snapshot = deployment.store.current()
    rebuilt, failed = _rebuild_all(deployment, snapshot, recorded)
    planned = _plan_all(rebuilt)
    failed += [NotCompared(asking, plan.problem) for one, plan in zip(rebuilt, planned, strict=True)
               if isinstance(plan, UserError) for asking in _askings(one.recorded, _title(one, snapshot))]
    pairs, left_out = _find_pairs(snapshot, rebuilt, planned)
    failed += [NotCompared(asking, NO_MEMORY) for one in left_out
               for asking in _askings(one.recorded, _title(one, snapshot))]
    report = DifferencingReport(
        since, until, snapshot.snapshot, len({(one.fingerprint, one.grant) for one in recorded}),
        len({username for one in recorded for username in one.moments}), pairs,
        tuple(sorted(failed, key=lambda one: _order(one.asking))), _find_alarms(snapshot, rebuilt))
    record_answer(deployment, actor, ACTION, question=record, snapshot=report.snapshot)
    return report


@dataclass(frozen=True)
class _Rebuilt:
    """A recorded question that can be put to the snapshot, and what it can see of it."""

    recorded: RecordedQuestion
    question: Question
    view: View


# A set of patients and a question that was answered from it.
_Shown: TypeAlias = tuple[PatientSet, _Rebuilt]
_Plan: TypeAlias = list[PatientSet] | UserError


def _rebuild_all(deployment: Deployment, snapshot: Snapshot, recorded: Iterable[RecordedQuestion],
                 ) -> tuple[list[_Rebuilt], list[NotCompared]]:
    """The questions that can be put to the snapshot, and the others."""
    views: dict[str, View | UserError] = {}
    rebuilt, failed = [], []
    for one in recorded:
        if one.grant not in views:
            try:
                views[one.grant] = open_view(deployment, snapshot, one.grant)
            except UserError as problem:
                views[one.grant] = problem
        view = views[one.grant]
        try:
            if isinstance(view, UserError):
                raise view
            rebuilt.append(_Rebuilt(one, rebuild_question(one, view.snapshot), view))
        except UserError as problem:
            failed += [NotCompared(asking, problem.problem)
                       for asking in _askings(one, f"question {one.fingerprint}")]
    return rebuilt, failed


def _plan_all(rebuilt: Sequence[_Rebuilt]) -> list[_Plan]:
    """For each question the sets of patients it is answered from, in terms of all patients, or why it is not."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(_plan, rebuilt))


def _plan(one: _Rebuilt) -> _Plan:
    try:
        return find_answered_sets(one.recorded, one.question, one.view)
    except UserError as problem:
        return problem


def _find_pairs(snapshot: Snapshot, rebuilt: Sequence[_Rebuilt], planned: Sequence[_Plan],
                ) -> tuple[tuple[ClosePair, ...], list[_Rebuilt]]:
    """The pairs that differ by few, those that one person could combine first; and what was not compared in full."""
    shown: defaultdict[PatientSet, list[_Shown]] = defaultdict(list)
    for one, plan in zip(rebuilt, planned, strict=True):
        for patients in () if isinstance(plan, UserError) else plan:
            shown[patients].append((patients, one))
    # Whoever is too few was not shown.
    kept = KeptSets(snapshot, list(shown), _fewest_shown, memory=MEMORY)
    # The same patients asked for in other words are one set.
    figures: defaultdict[int, list[_Shown]] = defaultdict(list)
    cohorts: defaultdict[int, list[_Shown]] = defaultdict(list)
    for patients, place in kept.places.items():
        (figures if patients.figure else cohorts)[place] += shown[patients]
    left_out = _pool_groups(kept, rebuilt, planned, figures)
    pairs = _compare(snapshot, kept, figures)
    told = {both for pair in pairs for both in _questions_of(pair)}
    # Where figures are close their cohorts mostly are as well: one finding is enough.
    pairs += [pair for pair in _compare(snapshot, kept, cohorts) if not _questions_of(pair) <= told]
    return tuple(sorted(pairs, key=_those_of_one_person_first)), left_out


def _fewest_shown(patients: PatientSet) -> int:
    rules = Scope(Level.PROTECTED).rules
    return rules.minimum_patients if patients.figure else rules.minimum_cell


def _pool_groups(kept: KeptSets, rebuilt: Sequence[_Rebuilt], planned: Sequence[_Plan],
                 figures: defaultdict[int, list[_Shown]]) -> list[_Rebuilt]:
    """Add for each figure of several groups those in any of them, because the number of all who are drawn is shown.

    Returns
    -------
    The questions of which some set was not kept.
    """
    left_out = []
    for one, plan in zip(rebuilt, planned, strict=True):
        sets = [] if isinstance(plan, UserError) else plan
        if not kept.left_out.isdisjoint(sets):
            left_out.append(one)
            continue
        groups = [kept.places[patients] for patients in sets if patients.group and patients in kept.places]
        if len(groups) > 1:
            place = kept.pool(groups)
            if place is None:
                left_out.append(one)
            else:
                figures[place].append((PatientSet(one.question, figure=True), one))
    return left_out


def _compare(snapshot: Snapshot, kept: KeptSets, shown: Mapping[int, Sequence[_Shown]]) -> list[ClosePair]:
    """The close ones among rows of the sets kept, of each of which is given who was shown it."""
    sides = list(shown.values())
    limits = np.array([max(Scope(one.recorded.level).rules.minimum_cell for _, one in side) for side in sides],
                      dtype=np.int64)
    close = find_close_pairs(kept.bitmaps, limits, rows=list(shown))
    return [_pair(snapshot, sides[one], sides[other], int(max(limits[one], limits[other]))) for one, other in close]


def _pair(snapshot: Snapshot, one: Iterable[_Shown], other: Iterable[_Shown], fewer_than: int) -> ClosePair:
    sides = [tuple(sorted((asking for patients, question in side
                           for asking in _askings(question.recorded, _words(question, patients, snapshot))),
                          key=_order)) for side in (one, other)]
    first, second = sorted(sides, key=lambda side: _order(side[0]))
    both = {asking.username for asking in first} & {asking.username for asking in second}
    return ClosePair(first, second, tuple(sorted(both)), fewer_than)


def _questions_of(pair: ClosePair) -> set[frozenset[tuple[str, str, str]]]:
    """Which two questions of whom a pair is about, for all of its questions."""
    return {frozenset((asking.fingerprint, asking.grant, asking.username) for asking in both)
            for both in product(pair.one, pair.other)}


def _find_alarms(snapshot: Snapshot, rebuilt: Iterable[_Rebuilt]) -> tuple[SharedConditions, ...]:
    asked: list[DayQuestion] = []
    words: dict[Selection, str] = {}
    for one in rebuilt:
        try:
            selections, offered = close_filters(one.question.where, snapshot.dictionary, snapshot.values_of)
        except QuestionError:
            continue  # such a question is answered to nobody
        splits = splits_of(selections, offered)
        words |= {each: describe_filter(open_selection(each, offered), snapshot.dictionary) for each in splits}
        asked += [DayQuestion(username, day, one.recorded.fingerprint, frozenset(selections), splits)
                  for username, day in one.recorded.days]
    return tuple(SharedConditions(alarm.username, alarm.day, alarm.questions,
                                  tuple(sorted(words[each] for each in alarm.conditions)))
                 for alarm in find_alarms(asked))


def _askings(recorded: RecordedQuestion, words: str) -> list[Asking]:
    """One for each person."""
    return [Asking(words, recorded.fingerprint, recorded.grant, username, min(moments), max(moments), len(moments))
            for username, moments in sorted(recorded.moments.items())]


def _words(one: _Rebuilt, patients: PatientSet, snapshot: Snapshot) -> str:
    """The question, and which of its patients are meant."""
    words = _title(one, snapshot)
    if patients.group and patients.question.by:
        variable = snapshot.dictionary[patients.question.by]
        return f"{words}; the group {variable.label}: {variable.label_of(patients.group)}"
    if patients.figure and one.question.by:
        return f"{words}; its groups together"
    return words if patients.figure or one.recorded.panel else f"{words}; the whole cohort"


def _title(one: _Rebuilt, snapshot: Snapshot) -> str:
    words = describe_question(one.question, snapshot.dictionary)
    if one.recorded.panel:
        words += "; counted in the panel"
    if one.recorded.compares_treatments:
        words += "; as a comparison of treatments"
    return f"{words}; under the grant {one.recorded.grant}" if one.recorded.grant else words


def _order(asking: Asking) -> tuple[datetime, str, str]:
    return asking.first, asking.username, asking.words


def _those_of_one_person_first(pair: ClosePair) -> tuple[bool, float, str, str]:
    newest = max(asking.last for asking in (*pair.one, *pair.other))
    return not pair.same_people, -newest.timestamp(), pair.one[0].words, pair.other[0].words
