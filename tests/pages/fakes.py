"""Services and a signed-in person for page tests: they answer at once and remember what they were asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.cohort.need import Need
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.coverage_changes import CoverageChanges, compare_coverage
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.release_info import CohortChoices, DiseaseInfo, ReleaseInfo
from harmony_dash.disclosure.released import Level, Released, Scope, make_released
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.errors import Cancelled, UserError
from harmony_dash.services.grants import GrantInfo
from harmony_dash.store.layout import SnapshotRecord
from tests.unit.charts.factories import make_coverage, make_result
from tests.unit.charts.feasibility import make_feasibility
from tests.unit.charts.what_if_factories import make_what_if

DICTIONARY = load_dictionary()
CODES = {"trial": ("Trial A", "Trial :red[B]"), "disease": ("ALL",)}


@dataclass
class FakeHouse:
    """Everything a page imports from the rest of the house."""

    role: Role = Role.CLINICIAN
    answer: SurvivalResult | Exception | None = None
    refuses: Callable[[Question], Exception | None] = lambda question: None
    coverage: CoverageResult | UserError | None = None
    what_if: WhatIfResult | Exception | None = None
    what_if_waits: bool = False  # until somebody cancels it
    what_if_ahead: int = 0  # others
    what_if_is_kept: bool = True
    what_if_left: UserError | None = None  # for whoever asks after the first time
    what_if_asked: list[WhatIfQuestion] = field(default_factory=list)
    what_if_options: dict[str, Any] = field(default_factory=dict)
    what_if_stopped: threading.Event = field(default_factory=threading.Event)
    diseases: dict[str, DiseaseInfo] = field(default_factory=lambda: {
        "ALL": DiseaseInfo("Acute lymphoblastic leukaemia", 5012, 6, 4)})
    asked: list[Question] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    grants: tuple[GrantInfo, ...] = ()
    snapshots: list[SnapshotRecord] = field(default_factory=list)
    feasible: FeasibilityResult | UserError | None = None
    options: list[dict[str, Any]] = field(default_factory=list)

    def require(self, permission: Permission) -> Actor:
        actor = Actor("tester", self.role, "session", "Tess Ter")
        if not user_can(actor, permission):
            st.subheader("This page is not open to your role")
            st.stop()
        return actor

    def describe_release(self, deployment: object, actor: Actor) -> ReleaseInfo:
        return ReleaseInfo("20261101-ab12", "2026-11-01T10:00:00", True, self.diseases, DICTIONARY, CODES)

    def count_choices(self, deployment: object, actor: Actor, question: Question, variables: Sequence[str],
                      ) -> Released[CohortChoices]:
        refused = self.refuses(question)
        if refused is not None:
            raise refused
        counts = {name: {value: None if place == 1 else 1000 - 10 * place
                         for place, value in enumerate(DICTIONARY[name].values or CODES.get(name, ()))}
                  for name in variables}
        return make_released(CohortChoices(2145, counts, dict.fromkeys(variables, 40)), Scope(Level.PROTECTED))

    def ask_survival(self, deployment: object, actor: Actor, question: Question, **options: Any,
                     ) -> Released[SurvivalResult]:
        self.asked.append(question)
        self.options.append(options)
        if isinstance(self.answer, Exception):
            raise self.answer
        result = self.answer or make_result(endpoint=question.endpoint, question=question)
        return make_released(result, Scope(Level.PROTECTED))

    def ask_feasibility(self, deployment: object, actor: Actor, need: Need) -> Released[FeasibilityResult]:
        self.needs.append(need)
        if isinstance(self.feasible, UserError):
            raise self.feasible
        return make_released(self.feasible or make_feasibility(need.as_question(DICTIONARY)), Scope(Level.PROTECTED))

    def ask_what_if(self, deployment: object, actor: Actor, question: WhatIfQuestion, *,
                    progress: Callable[[int, int], None], waiting: Callable[[int], None],
                    cancelled: Callable[[], bool], **options: Any) -> Released[WhatIfResult]:
        self.what_if_asked.append(question)
        self.what_if_options = options
        if self.what_if_left is not None and len(self.what_if_asked) > 1:
            raise self.what_if_left
        if not self.what_if_is_kept and cancelled():
            raise Cancelled
        waiting(self.what_if_ahead)
        progress(20, 600)
        while self.what_if_waits:
            if cancelled():
                self.what_if_stopped.set()
                raise Cancelled
            time.sleep(0.01)
        if isinstance(self.what_if, Exception):
            raise self.what_if
        return make_released(self.what_if or make_what_if(), Scope(Level.PROTECTED))

    def review_coverage(self, deployment: object, actor: Actor, disease: str) -> Released[CoverageResult]:
        if isinstance(self.coverage, UserError):
            raise self.coverage
        return make_released(self.coverage or make_coverage(), Scope(Level.PROTECTED))

    def review_changes(self, deployment: object, actor: Actor, disease: str) -> Released[CoverageChanges]:
        now = self.review_coverage(deployment, actor, disease)
        earlier = replace(now.value, by_country=now.value.by_country[1:], sources=now.value.sources[:-1])
        return compare_coverage(now, make_released(earlier, now.scope))
