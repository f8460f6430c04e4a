"""Every comparison of treatments counts, however little it differs from another, and also if nobody waited for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import Decision, list_asked, list_events
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.what_if_question import WhatIfQuestion, what_if_from_json
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import Cancelled, TooManyQuestions
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.differencing import review_differencing
from harmony_dash.services.what_if import ask_what_if
from harmony_dash.settings import Settings
from harmony_dash.ui.components.access_trail_words import question_words
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_store
from tests.what_if_cohort import COHORT, draw_cohort

CLARA, STEFAN = Actor("clara", Role.CLINICIAN, "s1"), Actor("stefan", Role.STEERING, "s2")
QUESTION = WhatIfQuestion(COHORT, adjust=("mrd_eoi_band", "cyto_group"), horizon_days=1461)
FEW = 3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, frame=draw_cohort(1200))
    return folder


def open_house(store: Path, folder: Path, questions: int) -> Deployment:
    settings = Settings(store, folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=questions)
    return open_deployment(settings, now=lambda: NOW)


@pytest.fixture
def deployment(store: Path, tmp_path: Path) -> Iterator[Deployment]:
    opened = open_house(store, tmp_path, 100)
    yield opened
    opened.access.close()


def asked_by(deployment: Deployment, actor: Actor = CLARA) -> set[str]:
    return {one.fingerprint for one in list_asked(deployment.access, actor.username, NOW.astimezone(UTC).date())}


@pytest.mark.parametrize("change", [{"adjust": ("mrd_eoi_band", "cyto_group", "sex")}, {"strata": "country"},
                                    {"horizon_days": 1096}])
def test_another_adjustment_stratum_or_horizon_is_another_question(deployment: Deployment, change: dict[str, Any],
                                                                   ) -> None:
    ask_what_if(deployment, CLARA, QUESTION, replicates=FEW)
    before = asked_by(deployment)
    ask_what_if(deployment, CLARA, QUESTION, replicates=FEW)
    assert asked_by(deployment) == before
    ask_what_if(deployment, CLARA, replace(QUESTION, **change), replicates=FEW)
    assert len(asked_by(deployment) - before) == 1


def test_the_budget_ends_a_search_through_adjustments(store: Path, tmp_path: Path) -> None:
    opened = open_house(store, tmp_path, 5)
    # the first one answers two questions of the survival page, too
    for more in ("sex", "wbc_dx", "age_dx_years"):
        ask_what_if(opened, CLARA, replace(QUESTION, adjust=(*QUESTION.adjust, more)), replicates=FEW)
    with pytest.raises(TooManyQuestions):
        ask_what_if(opened, CLARA, replace(QUESTION, adjust=(*QUESTION.adjust, "etv6_runx1")), replicates=FEW)
    ask_what_if(opened, CLARA, replace(QUESTION, adjust=(*QUESTION.adjust, "sex")), replicates=FEW)
    refused = [row.event for row in list_events(opened.access) if row.event.decision is Decision.REFUSED]
    assert [event.action for event in refused] == ["what-if"]
    opened.access.close()


def test_a_comparison_that_is_stopped_was_asked(deployment: Deployment) -> None:
    told: list[tuple[int, int]] = []
    recorded: list[set[str]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        recorded.append(asked_by(deployment))

    question = replace(QUESTION, horizon_days=913)
    with pytest.raises(Cancelled):
        ask_what_if(deployment, CLARA, question, replicates=20, progress=progress, cancelled=lambda: bool(told))
    assert len(recorded[0]) == 1  # before anything was told
    assert asked_by(deployment) == recorded[0]
    (line,) = [row.event for row in list_events(deployment.access) if row.event.action == "what-if"]
    assert (line.decision, line.level, line.n) == (Decision.ALLOWED, "protected", None)


def test_stopped_comparisons_use_the_budget_up(store: Path, tmp_path: Path) -> None:
    opened = open_house(store, tmp_path, 4)
    for horizon in (731, 1096):
        stop_at_the_first_word(opened, horizon)
    with pytest.raises(TooManyQuestions):
        ask_what_if(opened, CLARA, replace(QUESTION, horizon_days=1187), replicates=FEW)
    opened.access.close()


def stop_at_the_first_word(deployment: Deployment, horizon: int) -> None:
    told: list[int] = []
    with pytest.raises(Cancelled):
        ask_what_if(deployment, CLARA, replace(QUESTION, horizon_days=horizon), replicates=20,
                    progress=lambda done, _: told.append(done), cancelled=lambda: bool(told))


def test_a_person_who_gave_up_before_it_began_asked_nothing(deployment: Deployment) -> None:
    with pytest.raises(Cancelled):
        ask_what_if(deployment, CLARA, replace(QUESTION, horizon_days=822), replicates=FEW, cancelled=lambda: True)
    assert not asked_by(deployment)


def test_the_nightly_look_reads_comparisons_and_names_them(deployment: Deployment) -> None:
    for change in ({}, {"strata": "country"}, {"adjust": ("mrd_eoi_band", "cyto_group", "sex")}):
        ask_what_if(deployment, CLARA, replace(QUESTION, **change), replicates=FEW)  # type: ignore[arg-type]
    report = review_differencing(deployment, STEFAN)
    assert not report.not_compared
    assert report.questions == len(asked_by(deployment)) == 5


def test_what_few_of_the_compared_patients_differ_in_is_not_asked_of_them(tmp_path: Path) -> None:
    """Dutch patients are many in trials that compare nothing, and few in those that stand behind the estimates."""
    frame = draw_cohort(1600)
    frame["country"] = "DE"
    for trial, arm in (("Trial C", "standard"), ("Trial B", "reduced")):
        inside = frame.index[frame.trial == trial]
        frame.loc[inside, "intensity_assigned"] = arm
        frame.loc[inside[:40], "country"] = "NL"
    frame.loc[frame.index[frame.trial == "Trial A"][:6], "country"] = "NL"
    make_store(tmp_path / "store", frame=frame)
    opened = open_house(tmp_path / "store", tmp_path, 100)
    everybody, germans = QUESTION, replace(QUESTION, cohort=replace(COHORT, where=(OneOf("country", ("DE",)),)))
    of_all, of_germans = (ask_what_if(opened, CLARA, question, replicates=FEW).value
                          for question in (everybody, germans))

    assert of_all.patients and of_germans.patients == of_all.patients
    compared, others = ([[cell for cell in one.allocation if cell.used is used] for one in (of_all, of_germans)]
                        for used in (True, False))
    assert compared[0] and compared[0] == compared[1] and others[0] != others[1]
    assert [one.words for one in of_germans.not_applied] and not of_all.not_applied
    report = review_differencing(opened, STEFAN)
    assert not report.not_compared and not report.pairs
    opened.access.close()


def test_a_kept_answer_says_what_was_done_to_the_question_that_was_asked(deployment: Deployment) -> None:
    """Both are the same question once the clock has moved, and only one of them was moved."""
    moved = ask_what_if(deployment, CLARA, QUESTION, replicates=FEW).value
    day = moved.question.cohort.landmark_days
    as_it_is = ask_what_if(deployment, CLARA, replace(QUESTION, cohort=replace(COHORT, landmark_days=day)),
                           replicates=FEW).value
    assert as_it_is.question == moved.question
    assert any("The clock starts on day" in note for note in moved.notes)
    assert not any("The clock starts on day" in note for note in as_it_is.notes)


def test_the_trail_says_a_comparison_in_words(deployment: Deployment) -> None:
    ask_what_if(deployment, CLARA, QUESTION, replicates=FEW)
    lines = [row.event.question for row in list_events(deployment.access) if row.event.action == "what-if"]
    words = {question_words(line, load_dictionary()) for line in lines}
    assert any(one.startswith("What if: reduced instead of standard") for one in words)
    assert what_if_from_json(QUESTION.to_json()) == QUESTION
