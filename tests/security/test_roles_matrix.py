"""Figure G1: roles x pages x actions. Who may what is written here a second time, by hand, and must be what happens.

Pages are asked for over the websocket of a real server, by their address. Actions are the functions of
`harmony_dash.services` that take an actor, found by looking: one without a row in the table fails.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest

import harmony_dash.services
from harmony_dash.access import accounts, sessions, totp
from harmony_dash.access.accounts import ACCOUNT_ROLES, create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.permissions import ROLE_PERMISSIONS, Permission
from harmony_dash.cohort import Question
from harmony_dash.cohort.need import Need
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, SourceError, StoreError
from harmony_dash.export.files import Format
from harmony_dash.services import (
    audit_trail,
    backup,
    choices,
    coverage,
    differencing,
    exports,
    feasibility,
    grants,
    ingest,
    outcome_map,
    own_account,
    people,
    planning_exports,
    quality,
    quality_report,
    receipts,
    release_info,
    snapshots,
    subgroups,
    survival,
    table_one,
    what_if,
)
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from harmony_dash.ui.registry import PAGES
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_store
from tests.security.server import (
    PASSWORD,
    PROJECT_ROOT,
    Server,
    copy_project,
    is_guard,
    marker_of,
    start_server,
    username_of,
)
from tests.security.stream import Stream, text_of
from tests.security.test_pages_guard_themselves import without_docstring

CLINICIAN, STEERING, ANALYST, MANAGER = Role.CLINICIAN, Role.STEERING, Role.ANALYST, Role.DATA_MANAGER
EVERYBODY = frozenset(Role)
SIGNED_IN = frozenset(ACCOUNT_ROLES)
ASKS = frozenset({CLINICIAN, ANALYST, Role.OPERATOR})
OVERSEES = frozenset({STEERING, MANAGER, Role.OPERATOR})
EXPORTS = frozenset({STEERING, ANALYST, Role.OPERATOR})
APPROVES = frozenset({STEERING, MANAGER})
MANAGES = frozenset({MANAGER, Role.OPERATOR})
OPERATES = frozenset({Role.OPERATOR})
REVIEWS = frozenset({STEERING, ANALYST, MANAGER, Role.OPERATOR})

# ---------------------------------------------------------------------------------------------------------- pages

PAGES_OPEN_TO = {
    "home": SIGNED_IN, "coverage": SIGNED_IN, "survival": frozenset({CLINICIAN, ANALYST}),
    "subgroups": frozenset({CLINICIAN, ANALYST}), "what_if": frozenset({CLINICIAN, ANALYST}),
    "data_quality": frozenset({STEERING, ANALYST, MANAGER}),
    "export": frozenset({STEERING, ANALYST}), "access": APPROVES, "account": SIGNED_IN}
# Words of a page that stand nowhere else, whatever the store holds.
WORDS_OF = {"home": "Harmonised leukaemia cohorts", "access": "Waiting for approval",
            "export": "Protected summaries as files"}
WHO = (None, *ACCOUNT_ROLES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    with start_server(folder / "data", root=copy_project(folder / "project")) as running:
        yield running


def test_every_page_has_a_row() -> None:
    assert {page.url_path for page in PAGES} == PAGES_OPEN_TO.keys()


@pytest.mark.parametrize("who", WHO, ids=lambda who: who.value if who else "anonymous")
@pytest.mark.parametrize("page", PAGES_OPEN_TO)
def test_a_page_shows_its_content_to_exactly_those_who_may_see_it(server: Server, page: str, who: Role | None) -> None:
    token = server.open_session(who) if who else ""
    with Stream(server.stream, token) as stream:
        said = text_of(stream.ask(page_name="" if page == PAGES[0].url_path else page))
    others = [marker_of(other) for other in PAGES_OPEN_TO if other != page]
    assert not any(marker in said for marker in others)
    if who in PAGES_OPEN_TO[page]:
        assert marker_of(page) in said
        assert WORDS_OF.get(page, "") in said
        return
    assert marker_of(page) not in said
    assert not any(words in said for words in WORDS_OF.values())
    if who is None:
        assert "Sign in" in said
        return
    assert "not open to your role" in said
    refused = list_events(server.access, username=username_of(who), decision=Decision.REFUSED)
    (permission,) = [entry.permission for entry in PAGES if entry.url_path == page]
    assert any(row.event.action == f"page: {permission.value}" for row in refused)


@pytest.mark.parametrize("who", ACCOUNT_ROLES)
def test_the_navigation_names_exactly_the_pages_of_the_role(server: Server, who: Role) -> None:
    with Stream(server.stream, server.open_session(who)) as stream:
        messages = stream.ask()
    (navigation,) = [message.navigation for message in messages if message.WhichOneof("type") == "navigation"]
    named = {page.url_pathname or PAGES[0].url_path for page in navigation.app_pages if not page.is_hidden}
    assert named == {page for page, roles in PAGES_OPEN_TO.items() if who in roles}


# -------------------------------------------------------------------------------------------------------- actions


@dataclass
class House:
    """A deployment with two people of each role, and what the rows below need made beforehand."""

    deployment: Deployment
    actors: dict[Role, Actor] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def colleague(self) -> str:
        """The account of somebody new."""
        username = f"colleague.{next(self.numbers)}"
        self.add(username, CLINICIAN)
        return username

    def add(self, username: str, role: Role) -> None:
        create_account(self.deployment.access, username=username, name=f"Test {username}", role=role, by=OPERATOR,
                       password=PASSWORD, now=self.deployment.now(), rounds=4)

    def sign_in(self, username: str) -> Actor:
        """The person as they come from their session."""
        now = self.deployment.now()
        with self.deployment.access.write() as connection:
            token = sessions.open_session(connection, username, now=now)
        settings = self.deployment.settings
        check = sessions.look_up_session(self.deployment.access, token, idle=settings.session_idle,
                                         lifetime=settings.session_lifetime, now=now)
        assert check.actor is not None
        return check.actor

    def propose(self) -> str:
        """A proposal that none of the actors made or is a member of."""
        return grants.propose_grant(self.deployment, OPERATOR, proposal("member.analyst")).id

    def grant_for(self, actor: Actor) -> str:
        """A grant for exact results in force, of which the actor is a member if an analyst may be."""
        member = actor.username if actor.role is ANALYST else "member.analyst"
        identifier = grants.propose_grant(self.deployment, OPERATOR, proposal(member)).id
        for name in ("approver.one", "approver.two"):
            grants.approve_grant(self.deployment, Actor(name, STEERING, "s"), identifier)
        return identifier

    def withdraw(self, country: str) -> None:
        grants.withdraw_country(self.deployment, OPERATOR, country, "made ready")

    def second_factor(self, username: str) -> str:
        """Turn two-step sign-in on for an account; its secret."""
        then = self.deployment.now() - timedelta(minutes=5)
        offer = totp.offer_second_factor(self.deployment.access, username, now=then)
        totp.turn_on_second_factor(self.deployment.access, offer.sealed, pyotp.TOTP(offer.secret).at(then),
                                   by=Actor(username, CLINICIAN, "s"), now=then)
        return offer.secret

    def fresh(self, actor: Actor) -> Actor:
        """An actor of the same role with an account and a session of their own; the operator has neither."""
        if actor.role is Role.OPERATOR:
            return actor
        username = f"{actor.role.value}.{next(self.numbers)}"
        self.add(username, actor.role)
        return self.sign_in(username)


def proposal(member: str) -> GrantProposal:
    today = NOW.date()
    return GrantProposal("Study", "To see.", ("ALL",), ("NL", "DE"), ("sex",), Level.EXACT, (member,), today,
                         today + timedelta(days=30))


class Clock:
    moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("actions")
    make_store(folder / "store", 600)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY)
    opened = House(open_deployment(settings, now=Clock()))
    for role in ACCOUNT_ROLES:
        opened.add(f"{role.value}.test", role)
        opened.actors[role] = opened.sign_in(f"{role.value}.test")
    opened.actors[Role.OPERATOR] = OPERATOR
    opened.add("member.analyst", ANALYST)
    for approver in ("approver.one", "approver.two"):
        opened.add(approver, STEERING)
    yield opened
    opened.deployment.access.close()


# Makes ready what the action needs, without the actor, and returns the action with its actor.
Prepare = Callable[[House, Actor], Callable[[], object]]
QUESTION = Question("ALL", "os", by="sex")
WHAT_IF_QUESTION = WhatIfQuestion(Question("ALL", "os"))
TABLE_QUESTION = SubgroupsQuestion(Question("ALL", "os"), ("sex", "cyto_group"))
NEED = Need("ALL", "os", known=("cyto_group",))


@dataclass(frozen=True)
class Row:
    """One action: who may do it, and how to try.

    Attributes
    ----------
    allowed : roles; everybody else is refused, and the refusal stands in the trail.
    stops_at : what stops even those who may, because nothing real stands behind the try.
    """

    allowed: frozenset[Role]
    prepare: Prepare
    stops_at: type[Exception] | None = None


def row(allowed: frozenset[Role], call: Callable[[House, Actor], object], *, stops_at: type[Exception] | None = None,
        ) -> Row:
    """A row that needs nothing made ready."""
    return Row(allowed, lambda house, actor: lambda: call(house, actor), stops_at)


def on_grant(call: Callable[[Deployment, Actor, str], object], *, approved: bool = True) -> Prepare:
    def prepare(house: House, actor: Actor) -> Callable[[], object]:
        identifier = house.grant_for(actor) if approved else house.propose()
        return lambda: call(house.deployment, actor, identifier)
    return prepare


def on_colleague(call: Callable[[Deployment, Actor, str], object], *, disabled: bool = False,
                 second_factor: bool = False) -> Prepare:
    def prepare(house: House, actor: Actor) -> Callable[[], object]:
        username = house.colleague()
        if second_factor:
            house.second_factor(username)
        if disabled:
            accounts.disable_account(house.deployment.access, username, by=OPERATOR, now=NOW)
        return lambda: call(house.deployment, actor, username)
    return prepare


def on_oneself(call: Callable[[Deployment, Actor], object]) -> Prepare:
    def prepare(house: House, actor: Actor) -> Callable[[], object]:
        person = house.fresh(actor)
        return lambda: call(house.deployment, person)
    return prepare


def end_own_session(house: House, actor: Actor) -> Callable[[], object]:
    person = house.fresh(actor)
    other = "none" if actor.role is Role.OPERATOR else house.sign_in(person.username).session
    return lambda: own_account.end_own_session(house.deployment, person, other)


def confirm_second_factor(house: House, actor: Actor) -> Callable[[], object]:
    person = house.fresh(actor)
    offer = totp.offer_second_factor(house.deployment.access, person.username, now=NOW)
    return lambda: own_account.confirm_second_factor(house.deployment, person, offer, pyotp.TOTP(offer.secret).at(NOW))


def stop_second_factor(house: House, actor: Actor) -> Callable[[], object]:
    person = house.fresh(actor)
    code = "000000"
    if actor.role is not Role.OPERATOR:
        code = pyotp.TOTP(house.second_factor(person.username)).at(NOW)
    return lambda: own_account.stop_second_factor(house.deployment, person, code, f"10.0.0.{next(house.numbers)}")


def ask_exactly_under_a_grant(house: House, actor: Actor) -> Callable[[], object]:
    identifier = house.grant_for(actor)
    return lambda: survival.ask_survival(house.deployment, actor, QUESTION, level=Level.EXACT, grant=identifier)


def export_under_a_grant(house: House, actor: Actor) -> Callable[[], object]:
    identifier = house.grant_for(actor)
    return lambda: exports.make_export(house.deployment, actor, QUESTION, formats=[Format.CSV], grant=identifier)


def ask_a_table_exactly_under_a_grant(house: House, actor: Actor) -> Callable[[], object]:
    identifier = house.grant_for(actor)
    question = SubgroupsQuestion(Question("ALL", "os"), ("sex",), strata=None)
    return lambda: subgroups.ask_subgroups(house.deployment, actor, question, level=Level.EXACT, grant=identifier)


def restore_country(house: House, actor: Actor) -> Callable[[], object]:
    house.withdraw("FR")
    return lambda: grants.restore_country(house.deployment, actor, "FR", "second letter")


def withdraw_country(house: House, actor: Actor) -> Callable[[], object]:
    return lambda: grants.withdraw_country(house.deployment, actor, "IS", "letter")


TABLE: dict[str, Row] = {
    # what the release holds, and who is in it
    "release_info.describe_release": row(EVERYBODY, lambda h, a: release_info.describe_release(h.deployment, a)),
    "coverage.answer_coverage": row(EVERYBODY, lambda h, a: coverage.answer_coverage(
        h.deployment, a, "ALL", "review coverage", Level.PROTECTED)),
    "coverage.review_coverage": row(EVERYBODY, lambda h, a: coverage.review_coverage(h.deployment, a, "ALL")),
    "coverage.review_coverage exactly": row(
        OPERATES, lambda h, a: coverage.review_coverage(h.deployment, a, "ALL", level=Level.EXACT)),
    "coverage.review_changes": row(EVERYBODY, lambda h, a: coverage.review_changes(h.deployment, a, "ALL")),
    "coverage.review_changes exactly": row(
        OPERATES, lambda h, a: coverage.review_changes(h.deployment, a, "ALL", level=Level.EXACT)),
    "feasibility.answer_need": row(EVERYBODY, lambda h, a: feasibility.answer_need(h.deployment, a, NEED)),
    "feasibility.ask_feasibility": row(EVERYBODY, lambda h, a: feasibility.ask_feasibility(h.deployment, a, NEED)),
    "feasibility.ask_feasibility of an outcome's endpoint": row(
        ASKS, lambda h, a: feasibility.ask_feasibility(h.deployment, a, replace(NEED, endpoint="efs"))),
    "snapshots.review_snapshots": row(EVERYBODY, lambda h, a: snapshots.review_snapshots(h.deployment, a)),
    "snapshots.roll_back_to": row(OPERATES, lambda h, a: snapshots.roll_back_to(h.deployment, a, "gone"),
                                  stops_at=StoreError),
    "ingest.ingest_sources": row(
        OPERATES, lambda h, a: ingest.ingest_sources(h.deployment, a, [h.deployment.settings.store / "gone"]),
        stops_at=SourceError),
    "backup.make_backup": row(OPERATES, lambda h, a: backup.make_backup(
        h.deployment, a, h.deployment.settings.store.parent / f"{next(h.numbers)}.backup")),
    # outcomes
    "survival.ask_survival": row(ASKS, lambda h, a: survival.ask_survival(h.deployment, a, QUESTION)),
    "survival.ask_survival exactly": row(
        OPERATES, lambda h, a: survival.ask_survival(h.deployment, a, QUESTION, level=Level.EXACT)),
    "survival.ask_survival exactly under a grant": Row(frozenset({ANALYST}), ask_exactly_under_a_grant),
    "exports.preview_export": row(EXPORTS, lambda h, a: exports.preview_export(h.deployment, a, QUESTION)),
    "exports.make_export": row(EXPORTS, lambda h, a: exports.make_export(
        h.deployment, a, QUESTION, formats=[Format.CSV])),
    "exports.make_export of a table": row(EXPORTS, lambda h, a: exports.make_export(
        h.deployment, a, TABLE_QUESTION, formats=[Format.CSV])),
    "exports.make_export under a grant": Row(frozenset({ANALYST}), export_under_a_grant),
    "receipts.review_receipts": row(EXPORTS, lambda h, a: receipts.review_receipts(h.deployment, a)),
    "receipts.verify_export": row(EXPORTS, lambda h, a: receipts.verify_export(h.deployment, a, b"")),
    "what_if.ask_what_if": row(
        ASKS, lambda h, a: what_if.ask_what_if(h.deployment, a, WHAT_IF_QUESTION, replicates=20)),
    "what_if.ask_what_if exactly": row(OPERATES, lambda h, a: what_if.ask_what_if(
        h.deployment, a, WHAT_IF_QUESTION, level=Level.EXACT, replicates=20)),
    "subgroups.ask_subgroups": row(ASKS, lambda h, a: subgroups.ask_subgroups(h.deployment, a, TABLE_QUESTION)),
    "subgroups.ask_subgroups exactly": row(
        OPERATES, lambda h, a: subgroups.ask_subgroups(h.deployment, a, TABLE_QUESTION, level=Level.EXACT)),
    "subgroups.ask_subgroups exactly under a grant": Row(frozenset({ANALYST}), ask_a_table_exactly_under_a_grant),
    "table_one.ask_table_one": row(ASKS, lambda h, a: table_one.ask_table_one(h.deployment, a, QUESTION, ("country",))),
    "table_one.ask_table_one exactly": row(
        OPERATES, lambda h, a: table_one.ask_table_one(h.deployment, a, QUESTION, ("country",), level=Level.EXACT)),
    "outcome_map.ask_outcome_map": row(
        ASKS, lambda h, a: outcome_map.ask_outcome_map(h.deployment, a, QUESTION, columns="mrd_group")),
    "outcome_map.ask_outcome_map exactly": row(OPERATES, lambda h, a: outcome_map.ask_outcome_map(
        h.deployment, a, QUESTION, columns="mrd_group", level=Level.EXACT)),
    "choices.count_choices": row(ASKS, lambda h, a: choices.count_choices(h.deployment, a, QUESTION, ("sex",))),
    # data quality
    "quality.ask_quality": row(REVIEWS, lambda h, a: quality.ask_quality(h.deployment, a)),
    "quality.ask_quality of one source": row(REVIEWS, lambda h, a: quality.ask_quality(h.deployment, a, "example")),
    "quality.ask_quality exactly": row(
        OPERATES, lambda h, a: quality.ask_quality(h.deployment, a, level=Level.EXACT)),
    "quality.sign_off": row(frozenset({MANAGER}), lambda h, a: quality.sign_off(
        h.deployment, a, "example", h.deployment.store.current().snapshot, "Looked at.")),
    "planning_exports.export_coverage": row(
        EXPORTS, lambda h, a: planning_exports.export_coverage(h.deployment, a, "ALL", formats=[Format.CSV])),
    "planning_exports.export_feasibility": row(
        EXPORTS, lambda h, a: planning_exports.export_feasibility(h.deployment, a, NEED, formats=[Format.CSV])),
    "quality_report.write_quality_report": row(
        REVIEWS, lambda h, a: quality_report.write_quality_report(h.deployment, a, "example")),
    # grants
    "grants.list_all_grants": row(OVERSEES, lambda h, a: grants.list_all_grants(h.deployment, a)),
    "grants.my_grants": row(SIGNED_IN, lambda h, a: grants.my_grants(h.deployment, a)),
    "grants.list_withdrawn_countries": row(OVERSEES, lambda h, a: grants.list_withdrawn_countries(h.deployment, a)),
    "grants.propose_grant": row(
        MANAGES, lambda h, a: grants.propose_grant(h.deployment, a, proposal("member.analyst"))),
    "grants.approve_grant": Row(APPROVES, on_grant(grants.approve_grant, approved=False)),
    "grants.end_grant": Row(OVERSEES, on_grant(lambda d, a, name: grants.end_grant(d, a, name, "over"))),
    "grants.remove_member": Row(MANAGES, on_grant(
        lambda d, a, name: grants.remove_member(d, a, name, a.username if a.role is ANALYST else "member.analyst"))),
    "grants.withdraw_country": Row(MANAGES, withdraw_country),
    "grants.restore_country": Row(MANAGES, restore_country),
    # people
    "people.list_people": row(OVERSEES, lambda h, a: people.list_people(h.deployment, a)),
    "people.add_person": row(MANAGES, lambda h, a: people.add_person(
        h.deployment, a, username=f"new.{next(h.numbers)}", name="New", role=CLINICIAN, password=PASSWORD, rounds=4)),
    "people.change_person_role": Row(MANAGES, on_colleague(
        lambda d, a, name: people.change_person_role(d, a, name, STEERING))),
    "people.disable_person": Row(MANAGES, on_colleague(people.disable_person)),
    "people.enable_person": Row(MANAGES, on_colleague(people.enable_person, disabled=True)),
    "people.set_person_password": Row(MANAGES, on_colleague(
        lambda d, a, name: people.set_person_password(d, a, name, PASSWORD, rounds=4))),
    "people.reset_person_second_factor": Row(MANAGES, on_colleague(people.reset_person_second_factor,
                                                                  second_factor=True)),
    "people.clear_person_attempts": Row(MANAGES, on_colleague(people.clear_person_attempts)),
    "people.list_person_sessions": Row(MANAGES, on_colleague(people.list_person_sessions)),
    "people.end_person_sessions": Row(MANAGES, on_colleague(people.end_person_sessions)),
    # oneself
    "own_account.describe_own_account": Row(SIGNED_IN, on_oneself(own_account.describe_own_account)),
    "own_account.list_own_sessions": Row(SIGNED_IN, on_oneself(own_account.list_own_sessions)),
    "own_account.end_own_session": Row(SIGNED_IN, end_own_session),
    "own_account.end_other_own_sessions": Row(SIGNED_IN, on_oneself(own_account.end_other_own_sessions)),
    "own_account.change_own_password": Row(SIGNED_IN, on_oneself(lambda d, a: own_account.change_own_password(
        d, a, PASSWORD, "marmalade tugboat zephyr quilt", "10.0.1.1", rounds=4))),
    "own_account.start_second_factor": Row(SIGNED_IN, on_oneself(lambda d, a: own_account.start_second_factor(
        d, a, PASSWORD, "10.0.1.2", rounds=4))),
    "own_account.confirm_second_factor": Row(SIGNED_IN, confirm_second_factor),
    "own_account.stop_second_factor": Row(SIGNED_IN, stop_second_factor),
    # the trail
    "audit_trail.read_trail": row(OVERSEES, lambda h, a: audit_trail.read_trail(h.deployment, a)),
    "audit_trail.trail_as_csv": row(OVERSEES, lambda h, a: audit_trail.trail_as_csv(h.deployment, a)),
    "audit_trail.verify_trail": row(OVERSEES, lambda h, a: audit_trail.verify_trail(h.deployment, a)),
    "audit_trail.export_head": row(OVERSEES, lambda h, a: audit_trail.export_head(h.deployment, a)),
    "differencing.review_differencing": row(OVERSEES, lambda h, a: differencing.review_differencing(h.deployment, a)),
    "audit_trail.accept_clock": row(OPERATES, lambda h, a: audit_trail.accept_clock(h.deployment, a)),
}
# Functions that take an actor and are no action of theirs, each with the reason.
NO_ACTIONS = {
    "admission.check_still_admitted": "a part of each question, before its answer is given",
    "admission.admit": "a part of each question, after its check; the two rows of exact survival go through it",
    "feasibility.endpoints_of": "what the two rows of feasibility go by, as a value",
    "budget.check_budget": "a part of each question, after its check; it can only refuse",
    "budget.check_budget_for_all": "the same for a table that answers several questions",
    "budget.count_today": "a person's own number of today's questions, on their account page",
    "budget.record_within_budget": "writes the trail of an answer, or refuses it",
    "audited.answer_event": "a line of the trail, as a value",
    "export_answers.answer_for_export": "a part of both exports, after their check",
    "audited.check_and_record": "the check itself", "audited.refusals_recorded": "writes the trail",
    "audited.record_refusal": "writes the trail", "audited.record_answer": "writes the trail",
    "budget.record_all_within_budget": "the same for a table that answers several questions",
    "restore.restore_backup": "there is no deployment yet whose trail could tell of it; tested with the backup",
    "grants.usable_grants": "the actor's own grants, empty for whoever has none; tested below",
}


def functions_with_an_actor() -> set[str]:
    """Every public function below `services` that takes an actor."""
    found = set()
    for module_info in pkgutil.walk_packages(harmony_dash.services.__path__, "harmony_dash.services."):
        module = importlib.import_module(module_info.name)
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                parameters = inspect.signature(value).parameters.values()
                actors = [parameter for parameter in parameters if "Actor" in str(parameter.annotation)]
                # whoever calls without an actor is nobody, and nobody may do anything
                assert all(parameter.default is inspect.Parameter.empty for parameter in actors), name
                if actors:
                    found.add(f"{module.__name__.removeprefix('harmony_dash.services.')}.{name}")
    return found


def test_every_function_that_takes_an_actor_has_a_row() -> None:
    written = {name.split(" ")[0] for name in TABLE}
    assert functions_with_an_actor() == written | NO_ACTIONS.keys()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", TABLE)
def test_an_action_is_open_to_exactly_those_who_may_do_it(house: House, name: str, role: Role) -> None:
    line, actor = TABLE[name], house.actors[role]
    act = line.prepare(house, actor)
    newest = list_events(house.deployment.access, limit=1)[0].id
    if role in line.allowed:
        if line.stops_at is None:
            act()
        else:
            with pytest.raises(line.stops_at):
                act()
        return
    with pytest.raises(AccessRefused):
        act()
    after = [row.event for row in list_events(house.deployment.access) if row.id > newest]
    assert [(event.role, event.decision) for event in after] == [(role.value, Decision.REFUSED)]


@pytest.mark.parametrize("role", Role)
def test_only_members_of_a_grant_can_use_one(house: House, role: Role) -> None:
    actor = house.fresh(house.actors[role])
    house.grant_for(house.actors[ANALYST])
    assert grants.usable_grants(house.deployment, actor) == ()


# ----------------------------------------------------------------------------------- what each permission is for

PERMISSIONS_OF = {
    Permission.VIEW_HOME: EVERYBODY, Permission.VIEW_COVERAGE: EVERYBODY, Permission.VIEW_SURVIVAL: ASKS,
    Permission.EXPORT: EXPORTS, Permission.VIEW_EXACT: OPERATES, Permission.MANAGE_OWN_ACCOUNT: SIGNED_IN,
    Permission.INGEST: OPERATES, Permission.BACK_UP: OPERATES,
    Permission.MANAGE_ACCOUNTS: MANAGES, Permission.PROPOSE_GRANTS: MANAGES, Permission.APPROVE_GRANTS: APPROVES,
    Permission.VIEW_ACCESS: OVERSEES, Permission.READ_AUDIT: OVERSEES, Permission.VIEW_QUALITY: REVIEWS,
    Permission.SIGN_OFF_QUALITY: frozenset({MANAGER})}


def test_each_permission_is_given_to_the_roles_that_are_written_here() -> None:
    given = {permission: frozenset(role for role in Role if permission in ROLE_PERMISSIONS[role])
             for permission in Permission}
    assert given == PERMISSIONS_OF


def test_a_dialog_guards_itself_as_a_page_does() -> None:
    """A dialog runs by itself at each of its clicks; the guard of its page is not asked then."""
    files = [*(PROJECT_ROOT / "pages").glob("*.py"), *(PROJECT_ROOT / "harmony_dash" / "ui").rglob("*.py")]
    dialogs = [(file.name, node) for file in files
               for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
               and any("dialog" in ast.unparse(decorator) for decorator in node.decorator_list)]
    assert dialogs
    unguarded = [f"{file}: {node.name}" for file, node in dialogs if not is_guard(without_docstring(node.body)[0])]
    assert unguarded == []
