"""Protected answers under a grant: the same as everybody gets who asks for its countries, and no closer to the few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import Grant, GrantProposal
from harmony_dash.access.grants import approve_grant, propose_grant, withdraw_country
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.policy import stricter
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.errors import AccessRefused, QuestionError, StoreError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store
from tests.unit.access.people import add_account

ANNA, CLARA = Actor("anna", Role.ANALYST, "s1"), Actor("clara", Role.CLINICIAN, "s2")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
DORA = Actor("dora", Role.DATA_MANAGER, "s5")
PROPOSAL = GrantProposal("Study", "To see.", ("ALL",), ("IS", "NL", "DE"), ("sex", "immunophenotype", "cyto_group"),
                         Level.PROTECTED, ("anna",), date(2026, 11, 21), date(2027, 5, 20))
SMALL = 6


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine hundred patients, six of them from Iceland."""
    folder = tmp_path_factory.mktemp("store")
    frame = make_patients(900)
    frame.loc[frame.index[frame.sex == "F"][:SMALL], "country"] = "IS"
    make_store(folder, frame=frame)
    return folder


def open_on(store: Path, folder: Path, **settings: Any) -> Deployment:
    opened = open_deployment(Settings(store, folder / "access.sqlite", None, access_key=ACCESS_KEY, **settings),
                             now=lambda: NOW)
    for actor in (ANNA, CLARA, STEFAN, SONJA, DORA):
        add_account(opened.access, actor.username, actor.role, now=NOW)
    return opened


@pytest.fixture
def deployment(store: Path, tmp_path: Path) -> Iterator[Deployment]:
    opened = open_on(store, tmp_path)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, **changes: Any) -> Grant:
    grant = propose_grant(deployment.access, replace(PROPOSAL, **changes), by=DORA, now=NOW)
    for approver in (STEFAN, SONJA):
        grant = approve_grant(deployment.access, grant.id, by=approver, now=NOW)
    return grant


def ask(*where: str, **changes: Any) -> Question:
    values: dict[str, Any] = {"disease": "ALL", "endpoint": "os", **changes}
    return Question(where=tuple(map(parse_filter, where)), **values)


def numbers(released: Released[SurvivalResult]) -> dict[str, Any]:
    """All that is told but for the notes and the grant."""
    told = survival_as_json(released)
    told["curves"] = [repr([part.tolist() for part in (one.days, one.estimate, one.lower, one.upper, one.at_risk)])
                      for group in released.value.groups
                      for one in (group.curve, *(incidence.curve for incidence in group.cumulative_incidence))]
    return {name: part for name, part in told.items() if name not in ("notes", "grant", "scope")}


@pytest.mark.parametrize("question", [
    ask(), ask(by="sex"), ask("sex=F"), ask("sex=F", "immunophenotype=B", by="cyto_group", endpoint="efs"),
    ask(by="country"), ask("sex=F,M", "cyto_group=?", endpoint="relapse")])
@pytest.mark.parametrize("countries", [("IS", "NL", "DE"), ("NL", "DE"), ("IS", "FR", "NL", "DE"), ("DE", "FR", "NL")])
def test_the_numbers_are_those_of_the_same_question_without_a_grant(deployment: Deployment, question: Question,
                                                                    countries: tuple[str, ...]) -> None:
    grant = activate(deployment, countries=countries)
    plain = replace(question, where=(*question.where, parse_filter(f"country={','.join(countries)}")))
    granted = ask_survival(deployment, ANNA, question, grant=grant.id)
    everybody = ask_survival(deployment, CLARA, plain)
    assert numbers(granted) == numbers(everybody)
    assert granted.scope.grant == grant.id
    # whoever may not ask about age groups is not told to
    assert {note for note in everybody.value.notes if "age group" not in note} <= set(granted.value.notes)


def test_two_grants_that_differ_by_a_small_country_give_the_same_curve(deployment: Deployment) -> None:
    with_it = ask_survival(deployment, ANNA, ask("sex=F"), grant=activate(deployment).id).value
    without = ask_survival(deployment, ANNA, ask("sex=F"), grant=activate(deployment, countries=("NL", "DE")).id).value
    assert with_it.n == without.n
    assert (with_it.groups[0].curve.estimate == without.groups[0].curve.estimate).all()
    assert any("left out" in note and "Iceland" in note for note in with_it.notes)
    assert any("only, as the grant" in note for note in with_it.notes)


def test_where_other_countries_are_counted_the_note_does_not_say_only(deployment: Deployment) -> None:
    """Without Iceland the condition changes six patients and is not applied."""
    grant = activate(deployment, countries=("DE", "FR", "NL"))
    result = ask_survival(deployment, ANNA, ask(), grant=grant.id).value
    assert any(one.kind == "not applied" for one in result.not_applied)
    assert grant.id in result.notes[0] and "counted with them" in result.notes[0]
    assert not any("only, as the grant" in note for note in result.notes)


def test_the_countries_of_a_grant_are_none_of_the_four_conditions(deployment: Deployment) -> None:
    grant = activate(deployment, countries=("NL", "DE"), variables=("sex", "immunophenotype", "cyto_group", "trial",
                                                                    "age_group"))
    four = ("sex=F", "immunophenotype=B", "cyto_group=good,intermediate", "trial=Trial A,Trial B")
    assert ask_survival(deployment, ANNA, ask(*four), grant=grant.id).value.question.where
    with pytest.raises(QuestionError, match="5 conditions"):
        ask_survival(deployment, ANNA, ask(*four, "age_group=1-9"), grant=grant.id)


def test_a_country_of_the_grant_that_is_asked_for_is_no_further_condition(deployment: Deployment) -> None:
    grant = activate(deployment)
    asked = ask("country=NL")
    assert numbers(ask_survival(deployment, ANNA, asked, grant=grant.id)) == numbers(
        ask_survival(deployment, CLARA, asked))


@pytest.mark.parametrize("question", [ask("trial=Trial A"), ask(by="age_group"), ask("country=FR")])
def test_what_lies_outside_stays_refused(deployment: Deployment, question: Question) -> None:
    grant = activate(deployment)
    with pytest.raises(AccessRefused, match="does not cover"):
        ask_survival(deployment, ANNA, question, grant=grant.id)


def test_of_a_grant_whose_countries_are_gone_nothing_is_left(deployment: Deployment) -> None:
    grant = activate(deployment, countries=("NL",))
    withdraw_country(deployment.access, "NL", "letter", by=DORA, now=NOW)
    with pytest.raises(StoreError, match="no patient is left"):
        ask_survival(deployment, ANNA, ask(), grant=grant.id)


@pytest.mark.parametrize(("protection", "level", "used"), [
    ("public", Level.PROTECTED, Level.PUBLIC), ("protected", Level.PROTECTED, Level.PROTECTED),
    ("off", Level.PROTECTED, Level.PROTECTED), ("public", Level.EXACT, Level.EXACT)])
def test_a_grant_shows_no_more_than_the_deployment_unless_it_is_exact(
        store: Path, tmp_path: Path, protection: str, level: Level, used: Level) -> None:
    deployment = open_on(store, tmp_path, protection=protection)
    grant = activate(deployment, level=level)
    assert ask_survival(deployment, ANNA, ask(), level=level, grant=grant.id).scope.level is used
    deployment.access.close()


@pytest.mark.parametrize("one", list(Level))
@pytest.mark.parametrize("other", list(Level))
def test_the_stricter_level_shows_less(one: Level, other: Level) -> None:
    order = [Level.OFF, Level.EXACT, Level.PROTECTED, Level.PUBLIC]
    assert order.index(stricter(one, other)) == max(order.index(one), order.index(other))
