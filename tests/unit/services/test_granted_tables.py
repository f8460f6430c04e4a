"""Protected tables under a grant: the numbers that everybody gets who filters on its countries, and recorded alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.grants import approve_grant, propose_grant
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.descriptions_json import outcome_map_as_json, table_one_as_json
from harmony_dash.services.outcome_map import ask_outcome_map
from harmony_dash.services.recorded_questions import (
    find_answered_sets,
    open_view,
    read_recorded_questions,
    rebuild_question,
)
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.subgroups_json import subgroups_as_json
from harmony_dash.services.table_one import ask_table_one
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store
from tests.unit.access.people import add_account

ANNA, CLARA = Actor("anna", Role.ANALYST, "s1"), Actor("clara", Role.CLINICIAN, "s2")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
DORA = Actor("dora", Role.DATA_MANAGER, "s5")
COVERED = ("sex", "immunophenotype", "cyto_group", "trial", "intensity_assigned", "age_group")
COHORT = Question("ALL", "efs", (parse_filter("immunophenotype=B"),))
SMALL = 6
# Some hold a country of a few patients, or leave one out.
COUNTRIES = [("IS", "NL", "DE"), ("NL", "DE"), ("DE", "FR", "NL")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen hundred patients, six of them from Iceland."""
    folder: Path = tmp_path_factory.mktemp("store")
    frame = make_patients(1600, seed=2)
    frame["intensity_assigned"] = frame.index.map(lambda place: ("reduced", "standard")[place % 2])
    frame.loc[frame.index[frame.sex == "F"][:SMALL], "country"] = "IS"
    make_store(folder, frame=frame)
    return folder


@pytest.fixture
def deployment(store: Path, tmp_path: Path) -> Iterator[Deployment]:
    opened = open_deployment(Settings(store, tmp_path / "access.sqlite", None, access_key=ACCESS_KEY), now=lambda: NOW)
    for actor in (ANNA, CLARA, STEFAN, SONJA, DORA):
        add_account(opened.access, actor.username, actor.role, now=NOW)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, countries: tuple[str, ...], variables: tuple[str, ...] = COVERED) -> str:
    proposal = GrantProposal("Study", "To see.", ("ALL",), countries, variables, Level.PROTECTED, ("anna",),
                             date(2026, 11, 21), date(2027, 5, 20))
    grant = propose_grant(deployment.access, proposal, by=DORA, now=NOW)
    for approver in (STEFAN, SONJA):
        grant = approve_grant(deployment.access, grant.id, by=approver, now=NOW)
    return grant.id


def with_countries(cohort: Question, countries: tuple[str, ...]) -> Question:
    return replace(cohort, where=(*cohort.where, parse_filter(f"country={','.join(countries)}")))


def numbers(told: dict[str, Any]) -> dict[str, Any]:
    """All that is told but for the notes."""
    return {name: part for name, part in told.items() if name != "notes"}


@pytest.mark.parametrize("countries", COUNTRIES)
@pytest.mark.parametrize("question", [
    SubgroupsQuestion(COHORT, ("sex", "cyto_group", "trial")),
    SubgroupsQuestion(replace(COHORT, endpoint="relapse"), ("sex", "cyto_group"), strata=None),
    SubgroupsQuestion(COHORT, ("sex", "cyto_group"), treatment="intensity_assigned")])
def test_a_table_of_subgroups(deployment: Deployment, question: SubgroupsQuestion, countries: tuple[str, ...]) -> None:
    granted = ask_subgroups(deployment, ANNA, question, grant=activate(deployment, countries))
    everybody = ask_subgroups(deployment, CLARA, replace(question, cohort=with_countries(question.cohort, countries)))
    assert numbers(subgroups_as_json(granted)) == numbers(subgroups_as_json(everybody))
    assert any(row.hazard_ratio for variable in granted.value.variables for row in variable.rows)
    assert "as the grant" in granted.value.notes[0]


@pytest.mark.parametrize("countries", COUNTRIES)
def test_a_map_of_outcomes(deployment: Deployment, countries: tuple[str, ...]) -> None:
    question = replace(COHORT, by="cyto_group")
    granted = ask_outcome_map(deployment, ANNA, question, columns="sex", grant=activate(deployment, countries))
    everybody = ask_outcome_map(deployment, CLARA, with_countries(question, countries), columns="sex")
    assert numbers(outcome_map_as_json(granted)) == numbers(outcome_map_as_json(everybody))
    assert any(cell.at is not None for cell in granted.value.cells)


@pytest.mark.parametrize("countries", COUNTRIES)
@pytest.mark.parametrize("by", [None, "sex"])
def test_a_table_one(deployment: Deployment, countries: tuple[str, ...], by: str | None) -> None:
    question, variables = replace(COHORT, by=by), ("cyto_group", "trial")
    granted = ask_table_one(deployment, ANNA, question, variables, grant=activate(deployment, countries))
    everybody = ask_table_one(deployment, CLARA, with_countries(question, countries), variables)
    assert numbers(table_one_as_json(granted)) == numbers(table_one_as_json(everybody))
    assert all(group.n is not None for group in granted.value.groups)


def test_every_part_is_recorded_under_the_grant_and_stands_for_the_patients_it_was_answered_from(
        deployment: Deployment) -> None:
    grant = activate(deployment, ("NL", "DE"))
    ask_subgroups(deployment, ANNA, SubgroupsQuestion(COHORT, ("sex", "cyto_group")), grant=grant)
    ask_outcome_map(deployment, ANNA, replace(COHORT, by="cyto_group"), columns="sex", grant=grant)
    ask_table_one(deployment, ANNA, replace(COHORT, by="sex"), ("cyto_group",), grant=grant)
    snapshot = deployment.store.current()
    recorded = read_recorded_questions(deployment, NOW.replace(hour=0))
    assert {one.grant for one in recorded} == {grant}
    asked = {rebuild_question(one, snapshot) for one in recorded}
    women = (*COHORT.where, parse_filter("sex=F"))
    assert {COHORT, replace(COHORT, by="sex"), replace(COHORT, by="cyto_group"),
            replace(COHORT, by="cyto_group", where=women), replace(COHORT, where=women)} <= asked
    view = open_view(deployment, snapshot, grant)
    # nobody is without a value: that is not answered
    answered = [one for one in recorded if '"missing"' not in rebuild_question(one, snapshot).canonical_json]
    assert len(answered) == len(recorded) - 2
    for one in answered:
        for found in find_answered_sets(one, rebuild_question(one, view.snapshot), view):
            assert parse_filter("country=DE,NL") in found.question.where


@pytest.mark.parametrize("ask", ["subgroups", "map", "table one"])
def test_a_variable_outside_the_grant_is_refused(deployment: Deployment, ask: str) -> None:
    grant = activate(deployment, ("NL", "DE"), ("sex", "immunophenotype", "trial"))
    by_sex = replace(COHORT, by="sex")
    doors = {"subgroups": lambda: ask_subgroups(deployment, ANNA, SubgroupsQuestion(COHORT, ("sex", "cyto_group")),
                                                grant=grant),
             "map": lambda: ask_outcome_map(deployment, ANNA, by_sex, columns="cyto_group", grant=grant),
             "table one": lambda: ask_table_one(deployment, ANNA, by_sex, ("cyto_group",), grant=grant)}
    with pytest.raises(AccessRefused, match="does not cover"):
        doors[ask]()
