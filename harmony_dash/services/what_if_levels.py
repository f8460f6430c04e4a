"""What the treatment would change in each level of a biomarker: counts with keys, differences from one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import TRIAL, WhatIfQuestion
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed
from harmony_dash.disclosure.subgroup_results import Interval
from harmony_dash.disclosure.what_if_results import LevelArm, LevelEffect
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.protection import plan_answer
from harmony_dash.services.what_if_estimates import SEED, Run, why_not
from harmony_dash.services.what_if_evidence import TOO_FEW, lacks_counts
from harmony_dash.services.what_if_tables import keep_strata
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.effect_by_level import standardise_by_level
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients
from harmony_dash.stats.support import describe_support
from harmony_dash.store.arm_rows import ArmRows
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot


def level_questions(question: WhatIfQuestion, asked: Question) -> list[Question]:
    """The questions of the survival page that the levels answer: by the biomarker within each arm."""
    return [replace(asked, by=name, where=(*asked.where, OneOf(question.strategy, (arm,))))
            for name in question.modifiers for arm in question.arms]


def compare_by_level(snapshot: Snapshot, question: WhatIfQuestion, asked: Question, strata: frozenset[str],
                     rows: ArmRows, patients: ArmPatients, run: Run, scope: Scope, *, countries: OneOf | None,
                     ) -> tuple[LevelEffect, ...]:
    """The effects in every level of every biomarker of the question.

    Parameters
    ----------
    snapshot : the patients who are compared.
    asked : the question both arms answer.
    strata : names of the trials that count.
    rows, patients : of these, and with the columns of the outcome model.

    Raises
    ------
    Cancelled.
    """
    found: list[LevelEffect] = []
    for name in question.modifiers:
        variable = snapshot.dictionary[name]
        values = [value for value in snapshot.values_of(variable) if value not in UNTESTED]
        counted = [_count(snapshot, question, asked, name, arm, strata, scope, countries) for arm in question.arms]
        for value in values:
            arms = [LevelArm(arm, *counts.get(value, (NOBODY, NOBODY)))
                    for arm, counts in zip(question.arms, counted, strict=True)]
            member = rows.codes[name] == snapshot.values_of(variable).index(value)
            found.append(LevelEffect(name, variable.label, value, variable.label_of(value), arms[0], arms[1], None,
                                     "" if _enough(patients, member, question.horizon_days, scope) else TOO_FEW))
    return _estimate(found, snapshot, question, rows, patients, run, scope)


def _enough(patients: ArmPatients, member: NDArray[np.bool_], day: int, scope: Scope) -> bool:
    """Whether a level has patients, events and follow-up enough in both arms, by the rules of the whole comparison."""
    within = replace(patients, day=patients.day[member], cause=patients.cause[member], arm=patients.arm[member],
                     covariates=patients.covariates[member, :0], names=(), modifiers=(),
                     stratum=np.zeros(int(member.sum()), dtype=np.int64), strata=("level",),
                     weight=patients.weight[member])
    if len(np.unique(within.arm)) < len(within.arms):
        return False
    support = describe_support(within, np.full(len(within.day), 0.5), within.weight, day, bins=1)
    return not lacks_counts(support, scope)


def _count(snapshot: Snapshot, question: WhatIfQuestion, asked: Question, name: str, arm: str, strata: frozenset[str],
           scope: Scope, countries: OneOf | None) -> dict[str, tuple[KeyedCount, KeyedCount]]:
    """Patients and events of each level in one arm, each counted as its own question would be answered.

    A filter that says nothing within a level (a lineage within a subtype) is left out there, as on the survival page.
    """
    within = replace(asked, by=name, where=(*asked.where, OneOf(question.strategy, (arm,))))
    try:
        plan = plan_answer(snapshot, within, scope, countries=countries)
    except QuestionError:
        return {}
    found: dict[str, tuple[KeyedCount, KeyedCount]] = {}
    for part in plan.parts:
        table = keep_strata(fetch_event_table(snapshot, replace(part.question, strata=TRIAL)), strata)
        n, events = keyed(count_keyed_patients(table)), keyed(count_keyed_events(table).union())
        found |= {group: (n[place], events[place]) for place, group in enumerate(table.groups) if group in part.groups}
    return found


def _estimate(levels: Sequence[LevelEffect], snapshot: Snapshot, question: WhatIfQuestion, rows: ArmRows,
              patients: ArmPatients, run: Run, scope: Scope) -> tuple[LevelEffect, ...]:
    open_levels = [place for place, one in enumerate(levels) if not one.reason]
    if not open_levels:
        return tuple(levels)
    members = []
    for place in open_levels:
        one = levels[place]
        code = snapshot.values_of(snapshot.dictionary[one.variable]).index(one.level)
        members.append((rows.codes[one.variable] == code).astype(np.float64))
    try:
        effect = standardise_by_level(patients, members, question.horizon_days, rng=np.random.default_rng(SEED),
                                      replicates=run.replicates, draw=run.draw_of(2))
    except StatisticsError as problem:
        reason = why_not(problem, is_protected=scope.is_protected)
        return tuple(replace(one, reason=one.reason or reason) for one in levels)
    values = dict(zip(open_levels, zip(effect.difference.tolist(), effect.lower.tolist(), effect.upper.tolist(),
                                       strict=True), strict=True))
    return tuple(replace(one, difference=Interval(*values[place])) if place in values else one
                 for place, one in enumerate(levels))
