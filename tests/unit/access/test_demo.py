from __future__ import annotations

import pytest

from harmony_dash.access.accounts import ACCOUNT_ROLES, create_account, disable_account, list_accounts
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.demo import DemoAccount, demo_file, ensure_demo_accounts, has_open_demo_accounts
from harmony_dash.access.grant import GrantProposal, GrantStatus
from harmony_dash.access.grants import approve_grant, find_grant, propose_grant
from harmony_dash.access.passwords import check_password_rules
from harmony_dash.access.sign_in import check_password
from harmony_dash.disclosure import Level
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account


def ensure(database: AccessDatabase, address: str = "127.0.0.1", *, synthetic: bool = True, hosts: tuple[str, ...] = (),
           ) -> tuple[DemoAccount, ...]:
    return ensure_demo_accounts(database, address=address, all_synthetic=synthetic, hosts=hosts, now=NOW,
                                rounds=CHEAP)


def test_the_first_start_makes_one_account_a_role_that_can_sign_in(database: AccessDatabase) -> None:
    made = ensure(database)
    assert [demo.role for demo in made] == list(ACCOUNT_ROLES)
    for demo in made:
        check_password_rules(demo.passphrase, username=demo.username, name=demo.name)
        assert check_password(database, demo.username, demo.passphrase, address="a", now=NOW, rounds=CHEAP)
    assert demo_file(database).stat().st_mode & 0o777 == 0o600


def test_later_starts_show_the_same_passphrases(database: AccessDatabase) -> None:
    assert ensure(database) == ensure(database)


@pytest.mark.parametrize(("address", "synthetic"), [
    ("0.0.0.0", True), ("", True), ("192.168.1.5", True), ("::", True), ("127.0.0.1", False),
    ("dash.example.org", True)])
def test_there_are_none_off_loopback_or_with_real_data(database: AccessDatabase, address: str, synthetic: bool) -> None:
    assert ensure(database, address, synthetic=synthetic) == ()
    assert list_accounts(database) == ()


@pytest.mark.parametrize("host", ["dash.example.org", "*", "*.example.org", "localhost.example.org", "10.0.0.5", ""])
def test_a_name_of_another_machine_means_a_proxy_so_there_are_none(database: AccessDatabase, host: str) -> None:
    made = ensure(database)
    assert ensure(database, hosts=("localhost", host)) == ()
    for demo in made:
        assert check_password(database, demo.username, demo.passphrase, address="a", now=NOW, rounds=CHEAP) is None


def test_names_of_the_machine_itself_mean_no_proxy(database: AccessDatabase) -> None:
    assert len(ensure(database, hosts=("localhost", "127.0.0.1", "[::1]", " LOCALHOST "))) == 4


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_loopback_has_several_names(database: AccessDatabase, address: str) -> None:
    assert len(ensure(database, address)) == 4


@pytest.mark.parametrize(("address", "synthetic"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_known_passphrases_stop_working_as_soon_as_others_or_real_patients_arrive(
        database: AccessDatabase, address: str, synthetic: bool) -> None:
    made = ensure(database)
    assert ensure(database, address, synthetic=synthetic) == ()
    assert not demo_file(database).exists()
    for demo in made:
        assert check_password(database, demo.username, demo.passphrase, address="a", now=NOW, rounds=CHEAP) is None


def test_when_it_is_safe_again_there_are_new_passphrases(database: AccessDatabase) -> None:
    first = ensure(database)
    ensure(database, "0.0.0.0")
    again = ensure(database)
    assert {demo.username for demo in again} == {demo.username for demo in first}
    assert not {demo.passphrase for demo in again} & {demo.passphrase for demo in first}
    assert check_password(database, again[0].username, again[0].passphrase, address="a", now=NOW, rounds=CHEAP)


def test_a_project_that_made_its_own_accounts_gets_none(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    assert ensure(database) == ()
    assert [account.username for account in list_accounts(database)] == ["vera"]


def test_one_that_was_disabled_stays_disabled_and_is_not_shown(database: AccessDatabase) -> None:
    ensure(database)
    disable_account(database, "analyst", by=OPERATOR, now=NOW)
    assert "analyst" not in {demo.username for demo in ensure(database)}


def test_nothing_that_a_demonstration_made_outlives_it(database: AccessDatabase) -> None:
    actors = {demo.role: Actor(demo.username, demo.role, "s") for demo in ensure(database)}
    manager = actors[Role.DATA_MANAGER]
    for name, role in (("ghost", Role.STEERING), ("anna", Role.ANALYST)):
        create_account(database, username=name, name=name, role=role, password=PASSWORD, by=manager, now=NOW,
                       rounds=CHEAP)
    grant = propose_grant(database, GrantProposal(
        "Study", "To see.", ("ALL",), ("NL",), ("sex",), Level.EXACT, ("anna",), NOW.date(), NOW.date()),
        by=OPERATOR, now=NOW)
    for role in (Role.STEERING, Role.DATA_MANAGER):
        approve_grant(database, grant.id, by=actors[role], now=NOW)
    assert find_grant(database, grant.id).status(NOW) is GrantStatus.ACTIVE
    assert ensure(database, synthetic=False) == ()
    assert find_grant(database, grant.id).status(NOW) is GrantStatus.ENDED
    assert all(account.disabled for account in list_accounts(database))
    assert not has_open_demo_accounts(database)
