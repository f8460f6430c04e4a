"""Questions out of the audit trail: what was answered with protected results, and whom it was about."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

from harmony_dash.access.audit import PANEL_ACTION, Decision, RecordedEvent, list_events
from harmony_dash.access.grant import GrantStatus
from harmony_dash.access.grants import find_grant
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question, question_from_json
from harmony_dash.cohort.what_if_question import (
    TRIAL,
    WhatIfQuestion,
    check_what_if,
    is_what_if,
    late_variables,
    what_if_from_json,
)
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.low_effect import TooFewPatients, apply_low_effect_rule
from harmony_dash.errors import QuestionError, UserError
from harmony_dash.services.admission import countries_of, cut_for_all, restrict
from harmony_dash.services.budget import as_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.protection import plan_answer
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.services.what_if_levels import level_questions
from harmony_dash.services.what_if_tables import plan_arms
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.extracts import narrow
from harmony_dash.store.membership import PatientSet
from harmony_dash.store.reader import Snapshot

_LEVELS: Final = (Level.PROTECTED, Level.PUBLIC)
_BATCH: Final = 5_000
_FORM: Final = re.compile(r"([0-9a-f]{16}) (\{.*)", re.DOTALL)


@dataclass(frozen=True)
class RecordedQuestion:
    """A question as the trail holds it, and when who was answered it.

    Attributes
    ----------
    fingerprint, text : the question; the text begins with its canonical JSON.
    grant, level : the grant it was asked under, empty for none, and how it was answered.
    panel : whether the cohort panel counted its patients, without a figure.
    moments : account name to when, in order.
    """

    fingerprint: str
    text: str
    grant: str
    level: Level
    panel: bool
    moments: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list), compare=False)

    @property
    def compares_treatments(self) -> bool:
        """Whether it is one of strategies, with strata and adjustment of its own."""
        return is_what_if(_read(self.text))

    @property
    def days(self) -> set[tuple[str, date]]:
        """Who asked it on which day (UTC)."""
        return {(username, moment.astimezone(UTC).date()) for username, moments in self.moments.items()
                for moment in moments}


@dataclass(frozen=True)
class View:
    """What a question can see without a grant, or under one.

    Attributes
    ----------
    snapshot : as for its answer.
    countries : whose patients are in it; None for all.
    granted : the condition that the grant puts on every question; None without one.
    """

    snapshot: Snapshot
    countries: tuple[str, ...] | None = None
    granted: OneOf | None = None

    def restrict(self, question: Question) -> Question:
        """The question, made to ask all patients for those of the view alone."""
        if self.countries is None:
            return question
        return replace(question, where=(*question.where, OneOf("country", self.countries)))


def read_recorded_questions(deployment: Deployment, since: datetime) -> list[RecordedQuestion]:
    """What was answered with protected results, each question once for every grant and level, the oldest first."""
    found: dict[tuple[str, str, str, bool], RecordedQuestion] = {}
    for row in _read_answers(deployment, since):
        event = row.event
        recorded = _FORM.fullmatch(event.question)
        if event.level not in _LEVELS or recorded is None:
            continue
        fingerprint, text = recorded.groups()
        panel = event.action == PANEL_ACTION
        one = found.setdefault((fingerprint, event.grant, event.level, panel),
                               RecordedQuestion(fingerprint, text, event.grant, Level(event.level), panel))
        one.moments[event.username].append(row.at)
    return list(found.values())


def open_view(deployment: Deployment, snapshot: Snapshot, grant_id: str) -> View:
    """The patients and variables of the snapshot that are open under a grant, or to everybody without one.

    Raises
    ------
    UserError for a grant that is over: nobody is entitled to its extract any more. StoreError.
    """
    cut = cut_for_all(deployment, snapshot)
    is_open = snapshot if cut is None else deployment.extracts.open(snapshot, cut)
    countries = None if cut is None else cut.countries
    if not grant_id:
        return View(is_open, countries)
    grant = find_grant(deployment.access, grant_id)
    status = grant.status(deployment.now())
    if status is not GrantStatus.ACTIVE:
        raise UserError(f"its grant {grant.id} is {status}")
    return View(narrow(is_open, grant.proposal.variables), countries, countries_of(grant, is_open))


def rebuild_question(recorded: RecordedQuestion, snapshot: Snapshot) -> Question:
    """The question behind a line of the trail, with the landmark its variables need; of a comparison that by strategy.

    Raises
    ------
    QuestionError for one that this version, or this snapshot, cannot be asked.
    """
    value = _read(recorded.text)
    if is_what_if(value):
        return _rebuild_comparison(what_if_from_json(value), snapshot)
    question = question_from_json(value)
    check_against_snapshot(question, snapshot)
    return as_recorded(question, snapshot.dictionary)


def _read(text: str) -> object:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)  # after it stands what it was counted by
    except (ValueError, RecursionError):
        raise QuestionError("this version cannot read it") from None
    return value


def _rebuild_comparison(asked: WhatIfQuestion, snapshot: Snapshot) -> Question:
    """The question by strategy, whose groups are the patients compared."""
    check_against_snapshot(asked.cohort, snapshot)
    question = check_what_if(asked, snapshot.dictionary).by_strategy
    check_against_snapshot(question, snapshot)
    return question


def find_answered_sets(recorded: RecordedQuestion, question: Question, view: View) -> list[PatientSet]:
    """The sets of patients that a question is answered from today, in terms of all patients.

    Parameters
    ----------
    question : as rebuilt for the view.

    Returns
    -------
    The cohort, and every group of the figure with the conditions that are applied to it; of the panel the cohort alone;
    of a comparison of treatments its arms in the trials that used both, and the levels of its biomarkers in them.
    Some may be too few to be shown. Without an answer, the cohort that is counted in its place.

    Raises
    ------
    QuestionError for a question that is not answered with protected results any more.
    """
    question = replace(question, horizon_days=None)  # where a curve ends says nothing about whose it is
    scope = Scope(recorded.level, grant=recorded.grant)
    if recorded.panel:
        found = _sets_of_panel(view.snapshot, question, scope)
    elif recorded.compares_treatments:
        found = _sets_compared(view, check_what_if(what_if_from_json(_read(recorded.text)), view.snapshot.dictionary),
                               question, scope)
    else:
        found = _sets_of_answer(view, question, scope)
    return [replace(one, question=view.restrict(one.question)) for one in found]


def _sets_of_answer(view: View, question: Question, scope: Scope) -> list[PatientSet]:
    plan = plan_answer(view.snapshot, restrict(question, view.granted), scope, countries=view.granted)
    if plan.question is None:
        return [PatientSet(_only_cohort(plan.nearest))]
    return [PatientSet(_only_cohort(plan.question)),
            *(PatientSet(part.question, figure=True, group=group if question.by else "")
              for part in plan.parts for group in part.groups)]


def _sets_compared(view: View, asked: WhatIfQuestion, question: Question, scope: Scope) -> list[PatientSet]:
    """The arms of a comparison in trials that used both, and each level of its biomarkers in them; without such trials
    the arms of all.

    Parameters
    ----------
    question : by strategy, with its landmark.
    """
    if late_variables(asked, view.snapshot.dictionary):
        return []  # refused before anybody is counted
    planned = plan_arms(view.snapshot, restrict(question, view.granted), asked.arms, TRIAL, scope,
                        countries=view.granted)
    if planned.tables is None:
        return []
    applied, trials = planned.tables.question, tuple(sorted(planned.tables.compared))
    if not trials:
        return [PatientSet(applied, figure=True, group=arm) for arm in asked.arms]

    def among(part: Question) -> Question:
        return replace(part, where=(*part.where, OneOf(TRIAL, trials)))

    found = [PatientSet(among(applied), figure=True, group=arm) for arm in asked.arms]
    for level in level_questions(asked, applied):
        plan = plan_answer(planned.tables.snapshot, level, scope, countries=view.granted)
        found += [PatientSet(among(part.question), figure=True, group=group)
                  for part in plan.parts for group in part.groups]
    return found


def _sets_of_panel(snapshot: Snapshot, question: Question, scope: Scope) -> list[PatientSet]:
    try:
        check_closed(question, snapshot.dictionary, scope.level)
        effects = fetch_effects(snapshot, _only_cohort(question), figure=False)
    except QuestionError:
        return []  # of such a question the panel tells nothing
    answer = apply_low_effect_rule(effects, scope.rules.minimum_cell)
    return [] if isinstance(answer, TooFewPatients) else [PatientSet(answer.question)]


def _only_cohort(question: Question) -> Question:
    """The question without its grouping and strata, which make no difference to its cohort."""
    return replace(question, by=None, strata=None)


def _read_answers(deployment: Deployment, since: datetime) -> list[RecordedEvent]:
    rows: list[RecordedEvent] = []
    before = None
    while batch := list_events(deployment.access, before_id=before, limit=_BATCH, since=since,
                               decision=Decision.ALLOWED):
        rows += batch
        before = batch[-1].id
    return rows[::-1]
