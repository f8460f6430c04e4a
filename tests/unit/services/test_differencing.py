"""The nightly look at recorded questions: which it finds, which it must not, and what it tells."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import PANEL_ACTION, AuditEvent, Decision, list_events, record_event
from harmony_dash.access.grant import Grant, GrantProposal
from harmony_dash.access.grants import approve_grant, end_grant, propose_grant, withdraw_country
from harmony_dash.cli import main
from harmony_dash.cohort import ENDPOINTS, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services import differencing
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.differencing import ACTION, ClosePair, review_differencing
from harmony_dash.services.recorded_questions import (
    find_answered_sets,
    open_view,
    read_recorded_questions,
    rebuild_question,
)
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from harmony_dash.store.conditions import Statement
from harmony_dash.store.event_tables import figure_conditions
from harmony_dash.store.membership import PatientSet
from harmony_dash.store.reader import Snapshot
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store
from tests.unit.access.people import add_account

CLARA, CARL = Actor("clara", Role.CLINICIAN, "s1"), Actor("carl", Role.CLINICIAN, "s2")
STEFAN, SONJA, DORA = (Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4"),
                       Actor("dora", Role.DATA_MANAGER, "s5"))
DEMAND = GrantProposal("Study", "To see.", ("ALL",), ("DE", "FR"), ("sex", "immunophenotype"), Level.PROTECTED,
                       ("anna",), date(2026, 11, 1), date(2026, 12, 31))


def plant(apart: int) -> pd.DataFrame:
    """Patients among whom T-cell disease and female sex nearly coincide; four come from the Netherlands."""
    frame = make_patients(900, seed=6)
    frame["immunophenotype"] = frame.sex.map({"F": "T", "M": "B"})
    boys = frame.index[(frame.sex == "M") & frame.os_days.gt(0)][:apart]
    frame.loc[boys, "immunophenotype"] = "T"
    frame["country"] = "DE"
    frame.loc[frame.index % 2 == 0, "country"] = "FR"
    frame.loc[frame.index[frame.sex == "F"][:4], "country"] = "NL"
    return frame


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, frame=plant(3))
    return folder


def open_on(store: Path, folder: Path) -> Deployment:
    return open_deployment(Settings(store, folder / "access.sqlite", None, access_key=ACCESS_KEY), now=lambda: NOW)


@pytest.fixture
def deployment(store: Path, tmp_path: Path) -> Iterator[Deployment]:
    opened = open_on(store, tmp_path)
    yield opened
    opened.access.close()


def ask(*where: str, **changes: Any) -> Question:
    values: dict[str, Any] = {"disease": "ALL", "endpoint": "os", **changes}
    return Question(where=tuple(map(parse_filter, where)), **values)


GIRLS, T_CELL = ask("sex=F"), ask("immunophenotype=T")


def note(deployment: Deployment, *questions: Question | str, actor: Actor = CLARA, at: datetime = NOW,
         level: str = "protected", grant: str = "", action: str = "survival", suffix: str = "",
         decision: Decision = Decision.ALLOWED) -> None:
    """Record answers that were given at another time, whatever is answered now."""
    for question in questions:
        text = question if isinstance(question, str) else question.for_the_record + suffix
        record_event(deployment.access, AuditEvent.of(actor, action, question=text, level=level, grant=grant,
                                                      decision=decision), now=at)


def pairs(deployment: Deployment, **options: int) -> tuple[ClosePair, ...]:
    return review_differencing(deployment, STEFAN, **options).pairs


def sides(pair: ClosePair) -> set[str]:
    return {asking.words for asking in (*pair.one, *pair.other)}


# --- what is found


def test_two_questions_about_nearly_the_same_patients_are_found(deployment: Deployment) -> None:
    ask_survival(deployment, CLARA, GIRLS)
    ask_survival(deployment, CARL, T_CELL)
    (pair,) = pairs(deployment)
    assert sides(pair) == {"Overall survival of patients with ALL, sex: Female",
                           "Overall survival of patients with ALL, immunophenotype: T-cell"}
    assert {asking.username for asking in (*pair.one, *pair.other)} == {"clara", "carl"}
    assert (pair.same_people, pair.fewer_than, pair.one[0].first, pair.one[0].times) == ((), 10, NOW, 1)


def test_what_one_person_could_combine_comes_first(deployment: Deployment) -> None:
    note(deployment, GIRLS, actor=CLARA, at=NOW - timedelta(hours=5))
    note(deployment, T_CELL, actor=CARL, at=NOW)
    boys, not_t = ask("sex=M"), ask("immunophenotype=B")
    note(deployment, boys, not_t, actor=CARL, at=NOW - timedelta(hours=9))
    first, second = pairs(deployment)
    assert (first.same_people, second.same_people) == (("carl",), ())


def test_a_group_of_a_figure_is_a_set_of_its_own(deployment: Deployment) -> None:
    note(deployment, ask(by="sex"), T_CELL)
    (pair,) = pairs(deployment)
    assert any(words.endswith("; the group Sex: Female") for words in sides(pair))


def test_what_the_panel_counted_is_compared_with_cohorts(deployment: Deployment) -> None:
    count_choices(deployment, CLARA, GIRLS, ["country"])
    note(deployment, T_CELL)
    (pair,) = pairs(deployment)
    assert {words.rsplit("; ")[-1] for words in sides(pair)} == {"counted in the panel", "the whole cohort"}


def test_a_person_who_saw_one_side_in_the_panel_alone_is_told_too(deployment: Deployment) -> None:
    note(deployment, GIRLS)
    note(deployment, T_CELL, actor=CARL)
    assert [pair.same_people for pair in pairs(deployment)] == [()]
    count_choices(deployment, CARL, GIRLS, ["country"])
    assert [pair.same_people for pair in pairs(deployment)] == [("carl",), ()]


def test_everybody_who_asked_either_is_named_with_how_often(deployment: Deployment) -> None:
    note(deployment, GIRLS, GIRLS, T_CELL, at=NOW - timedelta(hours=3))
    note(deployment, GIRLS, at=NOW)
    note(deployment, GIRLS, actor=CARL)
    (pair,) = pairs(deployment)
    girls = next(side for side in (pair.one, pair.other) if len(side) == 2)
    assert {(asking.username, asking.times, asking.first, asking.last) for asking in girls} == {
        ("clara", 3, NOW - timedelta(hours=3), NOW), ("carl", 1, NOW, NOW)}
    assert pair.same_people == ("clara",)


def test_questions_about_the_same_patients_are_one_side_of_one_finding(deployment: Deployment) -> None:
    note(deployment, GIRLS, ask("sex=F", endpoint="efs"), ask("sex!=M", horizon_days=1826), T_CELL)
    (pair,) = pairs(deployment)
    assert sorted(map(len, (pair.one, pair.other))) == [1, 3]


def plant_side_doors() -> pd.DataFrame:
    """Patients of whom a few have no remission, leave early, are in another trial or have no cytogenetic group."""
    frame = make_patients(900, seed=4)
    late = frame.os_days.where(frame.os_days > 50, 51)
    for name in ENDPOINTS:
        frame[f"{name}_days"], frame[f"{name}_cause"] = late, frame[f"{name}_cause"].fillna(0)
        frame[f"{name}_excluded"] = None
    frame.loc[frame.index[:4], ["rfs_days", "rfs_cause"]] = pd.NA
    frame.loc[frame.index[:4], "rfs_excluded"] = "no_remission"
    frame.loc[frame.index[10:15], "os_days"] = 40
    frame["trial"] = "Trial A"
    frame.loc[frame.index[20:26], "trial"] = "Trial B"
    frame["cyto_group"] = frame.sex.map({"F": "good", "M": "high"})
    frame.loc[frame.index[30:37], "cyto_group"] = None
    frame["sex"] = "F"
    frame.loc[frame.index % 2 == 0, "sex"] = "M"
    return frame


SIDE_DOORS = {
    "an endpoint": (ask(endpoint="rfs"), "Relapse-free survival of patients with ALL"),
    "a landmark": (ask(landmark_days=42), "from day 42 after diagnosis"),
    "groups that nearly everybody is in": (ask(by="cyto_group"), "its groups together"),
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doors")
    make_store(folder, frame=plant_side_doors())
    return folder


@pytest.mark.parametrize("case", SIDE_DOORS)
def test_few_patients_that_no_filter_takes_away_are_found(doors: Path, tmp_path: Path, case: str) -> None:
    """Each is four to seven patients from the figure of everybody, though the cohorts are the same."""
    opened = open_on(doors, tmp_path)
    other, words = SIDE_DOORS[case]
    note(opened, ask(), other)
    (pair,) = pairs(opened)
    assert pair.same_people == ("clara",)
    assert any(words in one for one in sides(pair))
    assert "Overall survival of patients with ALL" in sides(pair)


def test_a_group_that_nearly_everybody_is_in_is_withheld_or_found(doors: Path, tmp_path: Path) -> None:
    opened = open_on(doors, tmp_path)
    ask_survival(opened, CLARA, ask())
    grouped = ask_survival(opened, CLARA, ask(by="trial")).value
    assert len(pairs(opened)) == len(grouped.groups) <= 1


def test_side_doors_are_found_among_each_other_and_within_a_filter(doors: Path, tmp_path: Path) -> None:
    """Two doors differ by the few of both; among the women each leaves a part of its few."""
    opened = open_on(doors, tmp_path)
    note(opened, ask(landmark_days=42), ask(endpoint="rfs"))
    assert len(pairs(opened)) == 1
    note(opened, ask("sex=F", by="cyto_group"), ask("sex=F", endpoint="rfs"), actor=CARL)
    assert [pair.same_people for pair in pairs(opened)].count(("carl",)) == 1


@pytest.mark.parametrize("strata", ["trial", "cyto_group", "country"])
def test_strata_make_no_other_set_of_patients(doors: Path, tmp_path: Path, strata: str) -> None:
    opened = open_on(doors, tmp_path)
    note(opened, ask(by="sex"), ask(by="sex", strata=strata))
    assert review_differencing(opened, STEFAN).pairs == ()


# --- what is not


def test_different_and_equal_sets_of_patients_are_no_finding(deployment: Deployment) -> None:
    note(deployment, GIRLS, ask("sex=F", endpoint="efs"), ask("sex=M"), ask("country=DE"), ask(by="trial"), ask())
    report = review_differencing(deployment, STEFAN)
    assert (report.pairs, report.not_compared, report.questions, report.people) == ((), (), 6, 1)


@pytest.mark.parametrize("changes", [
    {"level": "exact"}, {"level": "off"}, {"level": ""}, {"decision": Decision.REFUSED},
    {"grant": "G-1", "level": "exact"}, {"at": NOW - timedelta(days=2)}])
def test_only_protected_answers_of_the_days_asked_for_are_compared(deployment: Deployment, changes: dict[str, Any],
                                                                   ) -> None:
    note(deployment, GIRLS)
    note(deployment, T_CELL, **changes)
    report = review_differencing(deployment, STEFAN)
    assert (report.pairs, report.not_compared, report.questions) == ((), (), 1)


def test_more_days_bring_older_questions(deployment: Deployment) -> None:
    note(deployment, T_CELL, at=datetime.combine(NOW.date() - timedelta(days=3), datetime.min.time(), NOW.tzinfo))
    note(deployment, GIRLS)
    assert (len(pairs(deployment, days=2)), len(pairs(deployment, days=3))) == (0, 1)


def test_questions_are_compared_as_they_are_applied(deployment: Deployment) -> None:
    """The filter that takes four girls away is left out, so both questions are answered from the same patients."""
    note(deployment, GIRLS, ask("sex=F", "country!=NL"))
    assert pairs(deployment) == ()


def test_sets_too_small_to_be_shown_are_no_finding(tmp_path: Path) -> None:
    frame = plant(3)
    frame.loc[frame.index[:25], "trial"] = "Trial D"
    frame.loc[frame.index[:27], "cyto_group"] = "high"
    frame.loc[frame.index[27:], "cyto_group"] = "good"
    frame.loc[frame.index[-40:], "cyto_group"] = None
    make_store(tmp_path / "store", frame=frame)
    small = open_on(tmp_path / "store", tmp_path)
    note(small, ask(by="trial"), ask(by="cyto_group"))
    assert pairs(small) == ()


def test_nothing_tells_by_how_many_patients_they_differ(deployment: Deployment, tmp_path: Path) -> None:
    make_store(tmp_path / "other", frame=plant(8))
    other = open_on(tmp_path / "other", tmp_path / "other")
    for one in (deployment, other):
        note(one, GIRLS, T_CELL, ask(by="sex"))
    assert pairs(deployment) == pairs(other) != ()


# --- grants


def activate(deployment: Deployment) -> Grant:
    for actor in (STEFAN, SONJA, DORA, Actor("anna", Role.ANALYST, "s6")):
        add_account(deployment.access, actor.username, actor.role, now=NOW)
    grant = propose_grant(deployment.access, DEMAND, by=DORA, now=NOW)
    for approver in (STEFAN, SONJA):
        grant = approve_grant(deployment.access, grant.id, by=approver, now=NOW)
    return grant


def test_a_grant_that_leaves_out_a_few_patients_is_answered_like_everybody(deployment: Deployment) -> None:
    """Four patients of the Netherlands are outside it, so that its countries make too little difference."""
    grant = activate(deployment)
    note(deployment, GIRLS)
    note(deployment, GIRLS, grant=grant.id)
    assert pairs(deployment) == ()


def test_questions_under_a_grant_are_compared_with_the_others(deployment: Deployment) -> None:
    grant = activate(deployment)
    note(deployment, T_CELL)
    note(deployment, GIRLS, grant=grant.id)
    (pair,) = pairs(deployment)
    assert {asking.grant for asking in (*pair.one, *pair.other)} == {"", grant.id}
    assert any(words.endswith(f"; under the grant {grant.id}") for words in sides(pair))


def test_of_a_withdrawn_country_nobody_is_compared(deployment: Deployment) -> None:
    grant = activate(deployment)
    note(deployment, GIRLS)
    note(deployment, GIRLS, grant=grant.id)
    withdraw_country(deployment.access, "NL", "asked to", by=DORA, now=NOW)
    report = review_differencing(deployment, STEFAN)
    assert (report.pairs, report.not_compared) == ((), ())


# --- what cannot be compared


def test_questions_that_cannot_be_rebuilt_are_listed_with_who_asked_and_why(deployment: Deployment) -> None:
    grant = activate(deployment)
    end_grant(deployment.access, grant.id, "done", by=DORA, now=NOW)
    note(deployment, GIRLS, grant=grant.id)
    note(deployment, ask("trial=Gone"), ask("wbc_dx=1..3"), ask(disease="AML"), actor=CARL)
    note(deployment, "0123456789abcdef {broken", '0123456789abcdee {"disease":"ALL"}', grant="")
    found = {(one.asking.username, one.why) for one in review_differencing(deployment, STEFAN).not_compared}
    assert found == {
        ("clara", f"its grant {grant.id} is ended"), ("carl", "'Gone' is not a value of trial in this snapshot"),
        ("carl", "a range of 'wbc_dx' must start and end (upper end excluded) at one of 10, 50, 100"),
        ("carl", "there is no disease 'AML'"), ("clara", "this version cannot read it"),
        ("clara", "the link does not hold a question this version can read")}


def test_what_memory_was_not_left_for_is_listed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    words = -(-deployment.store.current().patients // 64)
    monkeypatch.setattr(differencing, "MEMORY", 8 * words)
    note(deployment, GIRLS, ask("sex=M"))
    report = review_differencing(deployment, STEFAN)
    assert [(one.asking.fingerprint, one.why) for one in report.not_compared] == [
        (ask("sex=M").fingerprint, differencing.NO_MEMORY)]


def test_a_panel_that_told_nothing_is_not_listed(deployment: Deployment) -> None:
    five = ask("sex=F", "country=DE", "immunophenotype=T", "cyto_group=good", "trial=Trial A")
    for question in (five, ask("sex=F", "sex=?")):
        count_choices(deployment, CLARA, question, ["sex"])
    report = review_differencing(deployment, STEFAN)
    assert (report.questions, report.pairs, report.not_compared) == (2, (), ())


def test_a_transplant_without_a_landmark_is_still_compared_as_the_panel_counts_it(deployment: Deployment) -> None:
    count_choices(deployment, CLARA, ask("sex=F", by="hsct_cr1"), ["sex"])
    note(deployment, T_CELL)
    assert len(pairs(deployment)) == 1


# --- against a comparison one by one


def patients_of(snapshot: Snapshot, one: PatientSet) -> frozenset[str]:
    statement = Statement(one.question, snapshot.dictionary)
    where = [statement.cohort()]
    if one.figure:
        where += figure_conditions(statement, late_entry=snapshot.late_entry)
    if one.group and one.question.by:
        where.append(f"{statement.column(one.question.by)}::VARCHAR = {statement.bind(one.group)}")
    rows = snapshot.fetch_rows(f"SELECT patient FROM patient WHERE {' AND '.join(where)}", statement.parameters)
    return frozenset(row[0] for row in rows)


def test_the_findings_are_those_of_a_comparison_one_by_one(deployment: Deployment) -> None:
    filters = ["sex=F", "immunophenotype=T", "country=DE", "cyto_group=good,intermediate", "age_group=1-9",
               "cyto_group=?"]
    questions = [ask(*chosen, endpoint=endpoint, by=by) for size in range(3)
                 for chosen in itertools.combinations(filters, size) for endpoint in ("os", "rfs")
                 for by in (None, "sex", "trial", "mrd_group") if len({name[:5] for name in chosen}) == size]
    note(deployment, *questions)
    snapshot = deployment.store.current()
    view = open_view(deployment, snapshot, "")
    sets: dict[tuple[bool, frozenset[str]], None] = {}
    for recorded in read_recorded_questions(deployment, NOW):
        together: frozenset[str] = frozenset()
        for one in find_answered_sets(recorded, rebuild_question(recorded, view.snapshot), view):
            members = patients_of(snapshot, one)
            if len(members) >= (30 if one.figure else 10):
                sets[one.figure, members] = None
                together |= members if one.group else frozenset()
        if together:
            sets[True, together] = None
    close = {figure: sum(1 for one, other in itertools.combinations([s for f, s in sets if f is figure], 2)
                         if len(one ^ other) < 10) for figure in (True, False)}
    found = pairs(deployment)
    assert close[True] >= 10
    assert sum(1 for pair in found if not any("whole cohort" in words for words in sides(pair))) == close[True]
    assert len(found) - close[True] <= close[False]


# --- who, and what it leaves in the trail


def test_the_look_is_recorded_and_is_no_question_itself(deployment: Deployment) -> None:
    note(deployment, GIRLS)
    for _ in range(2):
        assert review_differencing(deployment, DORA).questions == 1
    event = list_events(deployment.access, limit=1)[0].event
    assert (event.username, event.action, event.question, event.decision) == (
        "dora", ACTION, '{"days": 1}', Decision.ALLOWED)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_days_that_are_none_are_refused(deployment: Deployment, days: int) -> None:
    with pytest.raises(UserError, match="1 to 366"):
        review_differencing(deployment, STEFAN, days=days)


# --- the alarm


def around_one_patient(n: int) -> list[Question]:
    """So many questions that share three conditions."""
    more = itertools.product((None, "country=DE", "country=FR", "country=DE,FR", "trial=Trial A", "trial=Trial B"),
                             ("os", "efs", "rfs", "relapse", "trm", "smn"), (None, 365, 731, 1096))
    return [ask("sex=F", "immunophenotype=T", "age_group=1-9", *filter(None, [where]), endpoint=endpoint,
                horizon_days=horizon) for where, endpoint, horizon in itertools.islice(more, n)]


def test_who_asks_a_hundred_questions_around_the_same_patients_is_listed(deployment: Deployment) -> None:
    note(deployment, *around_one_patient(100), actor=CARL)
    note(deployment, *around_one_patient(99), actor=CLARA)
    (alarm,) = review_differencing(deployment, STEFAN).alarms
    assert (alarm.username, alarm.day, alarm.questions) == ("carl", NOW.date(), 100)
    assert len(alarm.conditions) == 3
    assert "sex: Female" in alarm.conditions


def test_saying_the_same_in_other_words_does_not_avoid_the_alarm(deployment: Deployment) -> None:
    note(deployment, *around_one_patient(60))
    dictionary = deployment.store.current().dictionary
    other = [f"{name}!={','.join(value for value in dictionary[name].values if value != kept)}"
             for name, kept in (("sex", "F"), ("immunophenotype", "T"))]
    note(deployment, *(ask(*other, "age_group=1-9", endpoint=endpoint, horizon_days=horizon)
                       for endpoint in ("os", "efs", "rfs", "relapse", "trm", "smn")
                       for horizon in (None, 365, 731, 1096, 1461, 1826, 2192)))
    (alarm,) = review_differencing(deployment, STEFAN).alarms
    assert alarm.questions == 102


# --- the command line


@pytest.fixture
def run(deployment: Deployment, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    monkeypatch.setenv("HARMONY_ACCESS_KEY", ACCESS_KEY.decode())

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["audit", "differencing", "--store", str(store), *arguments])
        out = capsys.readouterr()
        return code, out.out, out.err

    return call


Run = Callable[..., tuple[int, str, str]]


def test_the_command_prints_the_report_as_json(deployment: Deployment, run: Run) -> None:
    now = datetime.now(NOW.tzinfo)
    note(deployment, GIRLS, T_CELL, *around_one_patient(100), ask("trial=Gone"), at=now)
    code, text, words = run("--json")
    report = json.loads(text)
    assert (code, report["questions"], report["people"]) == (0, 103, 1)
    pair = next(pair for pair in report["pairs"] if GIRLS.fingerprint in json.dumps(pair))
    assert (pair["same_people"], pair["differ_by_fewer_than"]) == (["clara"], 10)
    assert set(pair["one"][0]) == {"question", "fingerprint", "grant", "username", "first", "last", "times"}
    assert [one["why"] for one in report["not_compared"]] == ["'Gone' is not a value of trial in this snapshot"]
    assert [alarm["questions"] for alarm in report["alarms"]] == [100]
    assert "1 not compared; 1 alarms." in words


def test_the_command_prints_the_report_as_words(deployment: Deployment, run: Run) -> None:
    now = datetime.now(NOW.tzinfo)
    note(deployment, GIRLS, GIRLS, T_CELL, *around_one_patient(100), ask("trial=Gone"), at=now)
    code, text, _ = run("--days", "2")
    assert code == 0
    assert "PAIR  differ by fewer than 10 patients, both asked by clara" in text
    assert "2 times until" in text
    assert "NOT COMPARED  question " in text
    assert f"ALARM  clara asked 100 questions on {now.date()} around: " in text


def test_the_command_refuses_days_that_are_none(run: Run) -> None:
    assert run("--days", "0")[0] == 2


def test_the_panel_action_is_the_one_the_trail_has(deployment: Deployment) -> None:
    count_choices(deployment, CLARA, GIRLS, ["sex"])
    assert list_events(deployment.access, limit=1)[0].event.action == PANEL_ACTION == "count choices"
    assert review_differencing(deployment, OPERATOR).questions == 1
