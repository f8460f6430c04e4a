from __future__ import annotations

import pytest

from harmony_dash.access.accounts import (
    change_role,
    create_account,
    disable_account,
    enable_account,
    find_account,
    list_accounts,
    reset_second_factor,
    set_own_password,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.errors import AccessRefused, UserError
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, actor_of, add_account


def test_an_account_is_kept_in_lower_case_without_its_password(database: AccessDatabase) -> None:
    account = add_account(database, " Vera.Weiss ", now=NOW)
    assert (account.username, account.role, account.disabled, account.epoch) == ("vera.weiss", Role.CLINICIAN, False, 1)
    assert find_account(database, "VERA.weiss") == account
    database.close()
    assert PASSWORD.encode() not in database.path.read_bytes()


@pytest.mark.parametrize("username", ["", "  ", "a b", "vera'--", "é", "x" * 65, "operator", "-vera"])
def test_a_malformed_or_reserved_name_is_refused(database: AccessDatabase, username: str) -> None:
    with pytest.raises(UserError):
        add_account(database, username, now=NOW)
    assert list_accounts(database) == ()


def test_a_name_can_be_taken_once(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    with pytest.raises(UserError, match="exists already"):
        add_account(database, "VERA", now=NOW)


def test_nobody_gets_the_operators_role(database: AccessDatabase) -> None:
    with pytest.raises(UserError, match="operator"):
        add_account(database, role=Role.OPERATOR, now=NOW)
    add_account(database, now=NOW)
    with pytest.raises(UserError, match="operator"):
        change_role(database, "vera", Role.OPERATOR, by=OPERATOR, now=NOW)


@pytest.mark.parametrize("role", [role for role in Role if not user_can(actor_of(role), Permission.MANAGE_ACCOUNTS)])
def test_who_may_not_manage_accounts_changes_none(database: AccessDatabase, role: Role) -> None:
    before = add_account(database, now=NOW)
    by = actor_of(role)
    for change in (
            lambda: create_account(database, username="x1", name="X", role=Role.ANALYST, password=PASSWORD, by=by,
                                   now=NOW),
            lambda: disable_account(database, "vera", by=by, now=NOW),
            lambda: enable_account(database, "vera", by=by, now=NOW),
            lambda: change_role(database, "vera", Role.ANALYST, by=by, now=NOW),
            lambda: set_password(database, "vera", PASSWORD, by=by, now=NOW),
            lambda: reset_second_factor(database, "vera", by=by, now=NOW)):
        with pytest.raises(AccessRefused):
            change()
    assert list_accounts(database) == (before,)


def test_nobody_disables_or_promotes_themselves(database: AccessDatabase) -> None:
    add_account(database, "max", Role.DATA_MANAGER, now=NOW)
    himself = Actor("max", Role.DATA_MANAGER, session="s")
    with pytest.raises(AccessRefused, match="own account"):
        change_role(database, "MAX", Role.ANALYST, by=himself, now=NOW)
    with pytest.raises(AccessRefused, match="own account"):
        disable_account(database, "max", by=himself, now=NOW)


def test_a_data_manager_needs_their_present_password_and_their_device_like_everybody(
        database: AccessDatabase) -> None:
    before = add_account(database, "max", Role.DATA_MANAGER, now=NOW)
    himself = Actor("max", Role.DATA_MANAGER, session="s")
    with pytest.raises(AccessRefused, match="own account"):
        set_password(database, " MAX", "another kettle on seven stairs", by=himself, now=NOW)
    with pytest.raises(AccessRefused, match="own account"):
        reset_second_factor(database, "max", by=himself, now=NOW)
    assert find_account(database, "max") == before


def test_a_change_of_ones_own_password_loses_against_a_change_made_meanwhile(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    herself = Actor("vera", Role.CLINICIAN, session="s")
    disable_account(database, "vera", by=OPERATOR, now=NOW)
    with pytest.raises(AccessRefused, match="meanwhile"):
        set_own_password(database, "another kettle on seven stairs", by=herself, epoch=account.epoch, now=NOW,
                         rounds=CHEAP)


def test_an_account_of_an_identity_provider_gets_no_password_and_no_role_here(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    with database.write() as connection:
        connection.execute("""update account set identity = '["https://id.example","7"]'""")
    before = find_account(database, "vera")
    assert before is not None and before.outside_identity
    for change in (lambda: set_password(database, "vera", PASSWORD, by=OPERATOR, now=NOW),
                   lambda: change_role(database, "vera", Role.ANALYST, by=OPERATOR, now=NOW),
                   lambda: set_own_password(database, PASSWORD, by=Actor("vera", Role.CLINICIAN, session="s"),
                                            epoch=before.epoch, now=NOW)):
        with pytest.raises(UserError, match="identity provider"):
            change()
    assert find_account(database, "vera") == before
    disable_account(database, "vera", by=OPERATOR, now=NOW)


def test_every_change_raises_the_epoch_and_is_recorded(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    disable_account(database, "vera", by=OPERATOR, now=NOW)
    enable_account(database, "vera", by=OPERATOR, now=NOW)
    change_role(database, "vera", Role.ANALYST, by=OPERATOR, now=NOW)
    set_password(database, "vera", "another kettle on seven stairs", by=OPERATOR, now=NOW, rounds=CHEAP)
    account = find_account(database, "vera")
    assert account is not None
    assert (account.epoch, account.role) == (5, Role.ANALYST)
    assert [row.event.action for row in reversed(list_events(database))] == [
        "account created", "account disabled", "account enabled", "role changed", "password set"]
    assert all(row.event.username == "operator" for row in list_events(database))


def test_a_change_of_an_unknown_account_says_so(database: AccessDatabase) -> None:
    with pytest.raises(UserError, match="no account 'nobody'"):
        disable_account(database, "nobody", by=OPERATOR, now=NOW)
