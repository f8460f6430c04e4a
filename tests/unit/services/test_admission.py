"""What a question is answered from: everybody's patients, a grant's, or nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harmony_dash.access.accounts import disable_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grant import Grant, GrantProposal
from harmony_dash.access.grants import approve_grant, end_grant, propose_grant, remove_member, withdraw_country
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, SettingsError, StoreError
from harmony_dash.services import choices, quality, release_info, survival
from harmony_dash.services.choices import count_choices
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.quality import ask_quality
from harmony_dash.services.release_info import describe_release
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from harmony_dash.store.writer import new_snapshot
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_record, make_store, no_issues
from tests.unit.access.people import add_account

ANNA, ALBERT = Actor("anna", Role.ANALYST, "s1"), Actor("albert", Role.ANALYST, "s2")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
DORA, CLARA = Actor("dora", Role.DATA_MANAGER, "s5"), Actor("clara", Role.CLINICIAN, "s6")
PROPOSAL = GrantProposal("Study", "To see.", ("ALL",), ("NL", "DE"), ("sex", "age_group"), Level.EXACT, ("anna",),
                         date(2026, 11, 21), date(2027, 5, 20))
QUESTION = Question("ALL", "efs", by="sex")


class Clock:
    """A clock that tests can turn."""

    moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deployment(tmp_path: Path, clock: Clock) -> Iterator[Deployment]:
    make_store(tmp_path / "store", 900)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    opened = open_deployment(settings, now=clock)
    for actor in (ANNA, ALBERT, STEFAN, SONJA, DORA, CLARA):
        add_account(opened.access, actor.username, actor.role, now=NOW)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, **changes: Any) -> Grant:
    grant = propose_grant(deployment.access, replace(PROPOSAL, **changes), by=DORA, now=NOW)
    for approver in (STEFAN, SONJA):
        grant = approve_grant(deployment.access, grant.id, by=approver, now=NOW)
    return grant


def count(deployment: Deployment, country: str) -> int:
    rows = deployment.store.current().fetch_rows(
        "SELECT count(*) FROM patient WHERE country::VARCHAR = $country AND sex IS NOT NULL", {"country": country})
    return int(rows[0][0])


def test_under_a_grant_the_answer_is_exact_and_of_its_countries_alone(deployment: Deployment) -> None:
    grant = activate(deployment)
    released = ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    assert (released.scope.level, released.scope.grant) == (Level.EXACT, grant.id)
    assert released.value.n == count(deployment, "NL") + count(deployment, "DE")
    assert any(grant.id in note and "Netherlands" in note for note in released.value.notes)
    event = list_events(deployment.access, limit=1)[0].event
    assert (event.grant, event.level, event.decision) == (grant.id, "exact", Decision.ALLOWED)
    assert '"by":"sex"' in event.question


def test_without_naming_the_grant_a_member_sees_what_a_clinician_sees(deployment: Deployment) -> None:
    activate(deployment)
    assert ask_survival(deployment, ANNA, QUESTION).value.n == ask_survival(deployment, CLARA, QUESTION).value.n
    with pytest.raises(AccessRefused):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT)


def test_a_grant_for_protected_results_gives_no_exact_ones(deployment: Deployment) -> None:
    grant = activate(deployment, level=Level.PROTECTED)
    with pytest.raises(AccessRefused, match="protected results"):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    assert ask_survival(deployment, ANNA, QUESTION, grant=grant.id).scope.level is Level.PROTECTED


@pytest.mark.parametrize(("question", "words"), [
    (replace(QUESTION, by="cyto_group"), "cyto_group"),
    (replace(QUESTION, strata="trial"), "trial"),
    (replace(QUESTION, where=(parse_filter("immunophenotype=B"),)), "immunophenotype"),
    (replace(QUESTION, where=(parse_filter("cyto_group=?"),)), "cyto_group"),
    (replace(QUESTION, where=(parse_filter("country=FR"),)), "FR"),
    (replace(QUESTION, where=(parse_filter("country!=FR"),)), "FR"),
    (replace(QUESTION, disease="AML"), "AML"),
])
def test_what_is_outside_the_grant_is_refused_by_name_and_recorded(deployment: Deployment, question: Question,
                                                                   words: str) -> None:
    grant = activate(deployment)
    with pytest.raises(AccessRefused, match=words):
        ask_survival(deployment, ANNA, question, level=Level.EXACT, grant=grant.id)
    event = list_events(deployment.access, limit=1)[0].event
    assert (event.decision, event.grant, event.username) == (Decision.REFUSED, grant.id, "anna")
    assert words in event.reason


@pytest.mark.parametrize("way", ["expired", "ended", "not a member"])
def test_a_grant_ends_at_the_next_question(deployment: Deployment, clock: Clock, way: str) -> None:
    grant = activate(deployment)
    assert ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id).value.n > 0
    if way == "expired":
        clock.moment = NOW + timedelta(days=181)
    elif way == "ended":
        end_grant(deployment.access, grant.id, "done", by=DORA, now=NOW)
    else:
        remove_member(deployment.access, grant.id, "anna", by=DORA, now=NOW)
    with pytest.raises(AccessRefused, match=way):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    assert ask_survival(deployment, ANNA, QUESTION).value.n > 0


def test_a_clock_turned_back_does_not_bring_a_grant_back(deployment: Deployment, clock: Clock) -> None:
    grant = activate(deployment)
    clock.moment = NOW + timedelta(days=400)
    ask_survival(deployment, CLARA, QUESTION)
    clock.moment = NOW
    with pytest.raises(AccessRefused, match="clock"):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    assert ask_survival(deployment, ANNA, QUESTION).value.n > 0


def test_a_withdrawn_country_leaves_every_answer_at_once(deployment: Deployment) -> None:
    grant = activate(deployment)
    before = ask_survival(deployment, CLARA, QUESTION).value.n
    withdraw_country(deployment.access, "NL", "letter", by=DORA, now=NOW)
    exact = ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id).value
    assert exact.n == count(deployment, "DE")
    assert ask_survival(deployment, CLARA, QUESTION).value.n < before
    with pytest.raises(AccessRefused, match="withdrawn"):
        ask_survival(deployment, ANNA, replace(QUESTION, where=(parse_filter("country=NL"),)), level=Level.EXACT,
                     grant=grant.id)
    coverage = review_coverage(deployment, CLARA, "ALL").value
    assert "NL" not in {cell.labels["country"] for cell in coverage.by_country}
    assert describe_release(deployment, CLARA).diseases["ALL"].countries == 2
    choices = count_choices(deployment, CLARA, Question("ALL", "efs"), ["country"]).value
    assert not choices.counts["country"]["NL"]
    exact_for_operator = ask_survival(deployment, OPERATOR, QUESTION, level=Level.EXACT).value.n
    assert exact_for_operator == count(deployment, "DE") + count(deployment, "FR")


def test_the_files_of_a_grant_go_with_it(deployment: Deployment) -> None:
    grant = activate(deployment)
    folder = deployment.settings.store / "extracts"
    ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    assert len(list(folder.iterdir())) == 1
    end_grant(deployment.access, grant.id, "done", by=DORA, now=NOW)
    ask_survival(deployment, CLARA, QUESTION)
    assert list(folder.iterdir()) == []


def test_a_grant_whose_countries_are_all_withdrawn_says_so(deployment: Deployment) -> None:
    grant = activate(deployment, countries=("NL",))
    withdraw_country(deployment.access, "NL", "letter", by=DORA, now=NOW)
    with pytest.raises(StoreError, match="no patient is left"):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)


@pytest.mark.parametrize("actor", [ALBERT, CLARA, STEFAN, DORA, OPERATOR])
def test_a_grant_is_its_members_alone(deployment: Deployment, actor: Actor) -> None:
    grant = activate(deployment)
    with pytest.raises(AccessRefused):
        ask_survival(deployment, actor, QUESTION, level=Level.EXACT, grant=grant.id)


@pytest.mark.parametrize(("synthetic", "may"), [("true", True), ("public", True), ("false", False)])
def test_protection_is_off_only_where_nobody_has_to_be_protected(tmp_path: Path, synthetic: str, may: bool) -> None:
    frame = make_patients(300)
    with new_snapshot(tmp_path / "store", load_dictionary(), NOW, DISCLOSURE_KEY) as (writer, _):
        writer.add_source(make_record(frame, synthetic=synthetic), frame, no_issues())
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY, protection="off")
    deployment = open_deployment(settings, now=lambda: NOW)
    if may:
        result = ask_survival(deployment, CLARA, QUESTION)
        assert (result.scope.level, result.value.n) == (Level.OFF, int(frame.sex.notna().sum()))
        assert count_choices(deployment, CLARA, Question("ALL", "efs"), ["sex"]).value.total == len(frame)
    else:
        for ask in (lambda: ask_survival(deployment, CLARA, QUESTION), lambda: describe_release(deployment, CLARA),
                    lambda: review_coverage(deployment, CLARA, "ALL"),
                    lambda: count_choices(deployment, CLARA, QUESTION, ["sex"])):
            with pytest.raises(SettingsError, match="off only when"):
                ask()


@pytest.mark.parametrize("way", ["disabled", "ended", "withdrawn"])
def test_what_changes_while_an_answer_is_computed_counts(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    grant = activate(deployment)
    compute = survival.compute_survival

    def slow(*arguments: Any, **options: Any) -> Any:
        result = compute(*arguments, **options)
        if way == "disabled":
            disable_account(deployment.access, "anna", by=DORA, now=NOW)
        elif way == "ended":
            end_grant(deployment.access, grant.id, "done", by=DORA, now=NOW)
        else:
            withdraw_country(deployment.access, "NL", "letter", by=DORA, now=NOW)
        return result

    monkeypatch.setattr(survival, "compute_survival", slow)
    with pytest.raises(AccessRefused):
        ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id)
    event = list_events(deployment.access, limit=1)[0].event
    assert (event.action, event.decision) == ("survival", Decision.REFUSED)


COUNTS: dict[str, tuple[ModuleType, str, Callable[[Deployment], object]]] = {
    "choices": (choices, "count_each_choice", lambda d: count_choices(d, CLARA, Question("ALL", "os"), ["sex"])),
    "quality": (quality, "describe_sources", lambda d: ask_quality(d, STEFAN)),
    "release": (release_info, "fetch_diseases", lambda d: describe_release(d, CLARA))}


@pytest.mark.parametrize("name", COUNTS)
def test_a_country_withdrawn_while_patients_are_counted_counts_before_the_answer(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    module, step, ask = COUNTS[name]
    compute = getattr(module, step)

    def counted(*args: Any, **more: Any) -> Any:
        withdraw_country(deployment.access, "NL", "letter", by=OPERATOR, now=NOW)
        return compute(*args, **more)

    monkeypatch.setattr(module, step, counted)
    with pytest.raises(AccessRefused, match="changed while the question ran"):
        ask(deployment)
    (last,) = list_events(deployment.access, limit=1)
    assert (last.event.decision, last.event.n) == (Decision.REFUSED, None)


def test_the_trail_keeps_the_size_of_an_exact_answer_as_others_might_see_it(deployment: Deployment) -> None:
    grant = activate(deployment)
    n = ask_survival(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant.id).value.n
    assert list_events(deployment.access, limit=1)[0].event.n == n - n % 5
