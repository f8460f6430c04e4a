"""Grants: what may be proposed, who may approve, what a grant is on which day, and what lies inside it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from harmony_dash.access.accounts import (
    Account,
    change_role,
    create_account,
    disable_account,
    existing_account,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grant import Grant, GrantProposal, GrantStatus
from harmony_dash.access.grant_rules import (
    check_account_unchanged,
    check_grant_covers,
    check_user_can_approve,
    check_user_can_use,
    user_can_approve,
    user_can_use,
)
from harmony_dash.access.grants import (
    active_grant_ids,
    approve_grant,
    end_grant,
    find_grant,
    list_grants,
    propose_grant,
    remove_member,
    restore_country,
    withdraw_country,
    withdrawn_countries,
)
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, UserError
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account

# Anna works on the project; Stefan and Sonja sit on the committee; Dora and Dirk look after the data.
ANNA = Actor("anna", Role.ANALYST, "s1")
ALBERT = Actor("albert", Role.ANALYST, "s2")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
DORA, DIRK = Actor("dora", Role.DATA_MANAGER, "s5"), Actor("dirk", Role.DATA_MANAGER, "s6")
CLARA = Actor("clara", Role.CLINICIAN, "s7")
PROPOSAL = GrantProposal("IKZF1 in adults", "Does IKZF1plus say who relapses?", ("ALL",), ("NL", "DE"),
                         ("ikzf1plus", "age_group"), Level.EXACT, ("anna",), date(2026, 11, 21), date(2027, 5, 20))


@pytest.fixture
def house(database: AccessDatabase) -> AccessDatabase:
    for actor in (ANNA, ALBERT, STEFAN, SONJA, DORA, DIRK, CLARA):
        add_account(database, actor.username, actor.role, now=NOW)
    return database


def propose(house: AccessDatabase, by: Actor = DORA, **changes: Any) -> Grant:
    return propose_grant(house, replace(PROPOSAL, **changes), by=by, now=NOW)


def activate(house: AccessDatabase, **changes: Any) -> Grant:
    grant = propose(house, **changes)
    approve_grant(house, grant.id, by=STEFAN, now=NOW)
    return approve_grant(house, grant.id, by=SONJA, now=NOW)


def ids_of(house: AccessDatabase, username: str, now: datetime = NOW) -> tuple[str, ...]:
    with house.read() as connection:
        return active_grant_ids(connection, username, now)


def test_a_proposal_opens_nothing_until_two_people_have_approved_it(house: AccessDatabase) -> None:
    grant = propose(house)
    assert (grant.id, grant.status(NOW), ids_of(house, "anna")) == ("G-2026-001", GrantStatus.PROPOSED, ())
    grant = approve_grant(house, grant.id, by=STEFAN, now=NOW)
    assert (grant.status(NOW), ids_of(house, "anna")) == (GrantStatus.PROPOSED, ())
    grant = approve_grant(house, grant.id, by=SONJA, now=NOW)
    assert (grant.status(NOW), ids_of(house, "anna")) == (GrantStatus.ACTIVE, (grant.id,))
    assert (grant.approvers, ids_of(house, "albert")) == (("stefan", "sonja"), ())
    assert [event.event.action for event in list_events(house, limit=3)] == [
        "grant approved", "grant approved", "grant proposed"]
    assert {event.event.grant for event in list_events(house, limit=3)} == {grant.id}


@pytest.mark.parametrize(("moment", "status", "days_left"), [
    (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), GrantStatus.SCHEDULED, 182),
    (datetime(2026, 11, 21, 0, 0, tzinfo=UTC), GrantStatus.ACTIVE, 181),
    (datetime(2027, 5, 20, 23, 59, 59, tzinfo=UTC), GrantStatus.ACTIVE, 1),
    (datetime(2027, 5, 21, 0, 0, tzinfo=UTC), GrantStatus.EXPIRED, 0),
])
def test_a_grant_runs_from_its_first_to_its_last_day_in_utc(house: AccessDatabase, moment: datetime,
                                                            status: GrantStatus, days_left: int) -> None:
    grant = activate(house)
    assert (grant.status(moment), grant.days_left(moment)) == (status, days_left)
    assert bool(ids_of(house, "anna", moment)) is (status is GrantStatus.ACTIVE)


@pytest.mark.parametrize(("changes", "where"), [
    ({"project": "  "}, "project"), ({"purpose": ""}, "purpose"), ({"purpose": "x" * 1001}, "purpose"),
    ({"diseases": ()}, "disease"), ({"countries": ()}, "country"), ({"variables": ()}, "variable"),
    ({"members": ()}, "member"), ({"countries": ("Holland",)}, "country"),
    ({"valid_to": date(2026, 11, 20)}, "valid_to"),
    ({"valid_from": date(2025, 1, 1), "valid_to": date(2025, 6, 1)}, "valid_to"),
    ({"valid_to": date(2027, 11, 21)}, "valid_to"),
    ({"members": ("nobody",)}, "member"), ({"members": ("clara",)}, "member"),
])
def test_a_proposal_that_cannot_stand_is_refused_at_its_field(house: AccessDatabase, changes: dict[str, Any],
                                                              where: str) -> None:
    with pytest.raises(UserError) as refused:
        propose(house, **changes)
    assert (refused.value.where, bool(refused.value.remedy)) == (where, True)
    assert list_grants(house) == ()


def test_twelve_months_are_the_longest(house: AccessDatabase) -> None:
    assert propose(house, valid_to=date(2027, 11, 20)).proposal.valid_to == date(2027, 11, 20)
    leap = {"valid_from": date(2028, 2, 29), "valid_to": date(2029, 2, 27)}
    assert propose(house, **leap).days_left(NOW) > 0


def test_a_shut_account_cannot_become_a_member(house: AccessDatabase) -> None:
    disable_account(house, "anna", by=DORA, now=NOW)
    with pytest.raises(UserError, match="no open account"):
        propose(house)


@pytest.mark.parametrize("actor", [ANNA, CLARA, STEFAN])
def test_only_data_managers_and_the_operator_propose(house: AccessDatabase, actor: Actor) -> None:
    with pytest.raises(AccessRefused):
        propose(house, by=actor)


def test_the_rule_of_two_from_outside(house: AccessDatabase) -> None:
    change_role(house, "albert", Role.ANALYST, by=DORA, now=NOW)
    grant = propose(house, by=DORA)
    member_on_the_committee = Actor("anna", Role.STEERING, "s")  # a role that changed after the proposal
    truth = {STEFAN: True, SONJA: True, DIRK: True, DORA: False, ANNA: False, CLARA: False, OPERATOR: False,
             member_on_the_committee: False}
    assert {actor: user_can_approve(actor, grant, NOW) for actor in truth} == truth
    approve_grant(house, grant.id, by=STEFAN, now=NOW)
    with pytest.raises(AccessRefused, match="you have approved"):
        approve_grant(house, grant.id, by=STEFAN, now=NOW)
    grant = approve_grant(house, grant.id, by=DIRK, now=NOW)
    with pytest.raises(AccessRefused, match="is active"):
        check_user_can_approve(SONJA, grant, NOW)


def test_one_person_approving_many_times_at_once_counts_once(house: AccessDatabase) -> None:
    grant = propose(house)

    def approve(_: int) -> bool:
        try:
            approve_grant(house, grant.id, by=STEFAN, now=NOW)
        except AccessRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(approve, range(16))) == 1
    assert find_grant(house, grant.id).status(NOW) is GrantStatus.PROPOSED


def test_ending_is_at_once_and_for_good(house: AccessDatabase) -> None:
    grant = activate(house)
    ended = end_grant(house, grant.id, "the study is finished", by=STEFAN, now=NOW)
    assert (ended.status(NOW), ended.end_reason, ids_of(house, "anna")) == (
        GrantStatus.ENDED, "the study is finished", ())
    with pytest.raises(UserError, match="over already"):
        end_grant(house, grant.id, "again", by=DORA, now=NOW)
    with pytest.raises(AccessRefused):
        approve_grant(house, grant.id, by=DIRK, now=NOW)
    with pytest.raises(AccessRefused):
        end_grant(house, propose(house).id, "mine", by=ANNA, now=NOW)
    with pytest.raises(UserError):
        end_grant(house, propose(house).id, " ", by=DORA, now=NOW)


def test_a_member_who_leaves_has_left(house: AccessDatabase) -> None:
    grant = activate(house, members=("anna", "albert"))
    remove_member(house, grant.id, "anna", by=DORA, now=NOW)
    assert (ids_of(house, "anna"), ids_of(house, "albert")) == ((), (grant.id,))
    assert not user_can_use(ANNA, find_grant(house, grant.id), NOW)
    with pytest.raises(UserError):
        remove_member(house, grant.id, "anna", by=DORA, now=NOW)


def test_use_needs_membership_the_role_and_the_day(house: AccessDatabase) -> None:
    grant = activate(house)
    assert user_can_use(ANNA, grant, NOW)
    for actor, moment, words in ((ALBERT, NOW, "not a member"), (replace(ANNA, role=Role.CLINICIAN), NOW, "analysts"),
                                 (ANNA, NOW + timedelta(days=400), "expired since 2027-05-21"),
                                 (ANNA, NOW - timedelta(days=2), "until 2026-11-21")):
        with pytest.raises(AccessRefused, match=words):
            check_user_can_use(actor, grant, moment)


def test_what_lies_outside_a_grant_is_named(house: AccessDatabase) -> None:
    grant = activate(house)
    check_grant_covers(grant, disease="ALL", variables=["ikzf1plus", "country"], countries=["NL"])
    for changes, words in (({"disease": "AML"}, "AML"), ({"variables": ["sex"]}, "'sex'"),
                           ({"countries": ["FR"]}, "country FR")):
        asked: dict[str, Any] = {"disease": "ALL", "variables": ["ikzf1plus"], "countries": [], **changes}
        with pytest.raises(AccessRefused, match=words):
            check_grant_covers(grant, **asked)


def test_a_withdrawn_country_is_out_of_every_grant_and_can_come_back(house: AccessDatabase) -> None:
    grant = activate(house)
    withdraw_country(house, "nl", "letter of the provider", by=DORA, now=NOW)
    withdraw_country(house, "NL", "said twice", by=DORA, now=NOW)
    assert withdrawn_countries(house) == {"NL": "letter of the provider"}
    grant = find_grant(house, grant.id)
    assert (grant.open_countries, grant.withdrawn) == (("DE",), ("NL",))
    with pytest.raises(AccessRefused, match="withdrawn by their provider"):
        check_grant_covers(grant, disease="ALL", variables=[], countries=["NL"])
    restore_country(house, "NL", "a mistake", by=DORA, now=NOW)
    assert find_grant(house, grant.id).open_countries == ("DE", "NL")
    for call in (withdraw_country, restore_country):
        with pytest.raises(AccessRefused):
            call(house, "NL", "no right", by=STEFAN, now=NOW)
    with pytest.raises(UserError, match="not withdrawn"):
        restore_country(house, "NL", "again", by=DORA, now=NOW)
    with pytest.raises(UserError, match="code of a country"):
        withdraw_country(house, "'; drop table", "x", by=DORA, now=NOW)


def test_an_unknown_grant_is_a_clear_error(house: AccessDatabase) -> None:
    with pytest.raises(UserError, match="no such grant"):
        find_grant(house, "G-1999-001")


def test_ids_count_within_the_year(house: AccessDatabase) -> None:
    assert [propose(house).id, propose(house).id] == ["G-2026-001", "G-2026-002"]
    later = replace(PROPOSAL, valid_from=date(2027, 1, 2), valid_to=date(2027, 2, 1))
    assert propose_grant(house, later, by=DORA, now=NOW + timedelta(days=50)).id == "G-2027-001"


def test_nobody_approves_through_accounts_they_made_or_changed(house: AccessDatabase) -> None:
    puppets = [create_account(house, username=name, name=name, role=Role.STEERING, password=PASSWORD, by=DORA, now=NOW,
                              rounds=CHEAP) for name in ("puppet.one", "puppet.two")]
    grant = propose(house, by=DORA)
    for puppet in puppets:
        with pytest.raises(AccessRefused, match="made or changed by somebody"):
            approve_grant(house, grant.id, by=Actor(puppet.username, Role.STEERING, "s"), now=NOW)
    set_password(house, "sonja", "other kettle over nine stairs", by=DIRK, now=NOW, rounds=CHEAP)
    approve_grant(house, grant.id, by=DIRK, now=NOW)
    with pytest.raises(AccessRefused, match="made or changed by somebody"):
        approve_grant(house, grant.id, by=SONJA, now=NOW)
    assert approve_grant(house, grant.id, by=STEFAN, now=NOW).status(NOW) is GrantStatus.ACTIVE


def test_an_approval_lapses_with_the_account_or_role_behind_it(house: AccessDatabase) -> None:
    first, second = propose(house), propose(house)
    for grant in (first, second):
        approve_grant(house, grant.id, by=STEFAN, now=NOW)
    disable_account(house, "stefan", by=DIRK, now=NOW)
    assert approve_grant(house, first.id, by=SONJA, now=NOW).approvers == ("sonja",)
    change_role(house, "sonja", Role.CLINICIAN, by=DIRK, now=NOW)
    assert approve_grant(house, first.id, by=DIRK, now=NOW).status(NOW) is GrantStatus.PROPOSED
    assert "approval lapsed" in {event.event.action for event in list_events(house)}


def test_a_password_set_by_somebody_else_suspends_a_grant_until_the_operator_sets_one(house: AccessDatabase) -> None:
    grant = activate(house)
    account = set_password_and_find(house, by=DORA)
    with pytest.raises(AccessRefused, match="changed by dora"):
        check_account_unchanged(account, grant)
    check_account_unchanged(set_password_and_find(house, by=OPERATOR), grant)


def set_password_and_find(house: AccessDatabase, by: Actor) -> Account:
    set_password(house, "anna", "other kettle over nine stairs", by=by, now=NOW + timedelta(hours=1), rounds=CHEAP)
    return existing_account(house, "anna")


def test_the_trail_holds_the_whole_proposal(house: AccessDatabase) -> None:
    propose(house)
    written = json.loads(list_events(house, action="grant proposed")[0].event.question)
    assert written == {
        "project": "IKZF1 in adults", "purpose": "Does IKZF1plus say who relapses?", "diseases": ["ALL"],
        "countries": ["DE", "NL"], "variables": ["age_group", "ikzf1plus"], "level": "exact", "members": ["anna"],
        "valid_from": "2026-11-21", "valid_to": "2027-05-20"}


def test_invisible_characters_are_refused(house: AccessDatabase) -> None:
    for text in ("fine\x1b[2K", "right\u202eleft"):
        with pytest.raises(UserError, match="cannot be seen"):
            propose(house, project=text)
