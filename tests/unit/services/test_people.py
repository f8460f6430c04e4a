"""Looking after people: who may, what is refused, what lists show; and the same from the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.access.accounts import find_account, list_accounts
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.attempts import NAME_LIMIT, begin_attempt
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.access.sessions import SessionState
from harmony_dash.cli import main
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services import people
from tests.factories import ACCESS_KEY, NOW
from tests.unit.services.test_own_account import CHEAP, NEW, PASSWORD, STEP, House, make_house, turn_on

MANAGER = Actor("dora", Role.DATA_MANAGER, session="s")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = make_house(tmp_path)
    house.add("vera")
    house.add("dora", Role.DATA_MANAGER)
    yield house
    house.access.close()


def changes(house: House, username: str = "vera") -> dict[str, Callable[[Actor], object]]:
    one = house.deployment
    return {
        "add account": lambda by: people.add_person(one, by, username="new", name="N", role=Role.ANALYST,
                                                    password=PASSWORD, rounds=CHEAP),
        "change role": lambda by: people.change_person_role(one, by, username, Role.ANALYST),
        "disable account": lambda by: people.disable_person(one, by, username),
        "enable account": lambda by: people.enable_person(one, by, username),
        "set password": lambda by: people.set_person_password(one, by, username, NEW, rounds=CHEAP),
        "reset second factor": lambda by: people.reset_person_second_factor(one, by, username),
        "clear attempts": lambda by: people.clear_person_attempts(one, by, username),
        "list sessions": lambda by: people.list_person_sessions(one, by, username),
        "end sessions": lambda by: people.end_person_sessions(one, by, username),
    }


@pytest.mark.parametrize("role", [role for role in Role if not user_can(Actor("x", role, "s"),
                                                                       Permission.MANAGE_ACCOUNTS)])
def test_who_may_not_manage_accounts_changes_nothing_and_each_try_is_recorded(house: House, role: Role) -> None:
    before, by = list_accounts(house.access), Actor("mallory", role, session="s")
    for action, change in changes(house).items():
        with pytest.raises(AccessRefused):
            change(by)
        event = list_events(house.access, limit=1)[0].event
        assert (event.action, event.username, event.decision) == (action, "mallory", Decision.REFUSED)
    assert list_accounts(house.access) == before


@pytest.mark.parametrize("role", Role)
def test_the_list_of_people_is_for_who_may_see_it(house: House, role: Role) -> None:
    by = Actor("somebody", role, session="s")
    if user_can(by, Permission.VIEW_ACCESS):
        assert [row.username for row in people.list_people(house.deployment, by)] == ["dora", "vera"]
    else:
        with pytest.raises(AccessRefused):
            people.list_people(house.deployment, by)
        assert list_events(house.access, limit=1)[0].event.decision is Decision.REFUSED


@pytest.mark.parametrize("action", ["change role", "disable account", "set password", "reset second factor",
                                    "clear attempts"])
def test_nobody_does_to_their_own_account_what_another_should_see(house: House, action: str) -> None:
    before = find_account(house.access, "dora")
    with pytest.raises(AccessRefused):
        changes(house, "dora")[action](MANAGER)
    assert find_account(house.access, "dora") == before
    assert list_events(house.access, limit=1)[0].event.decision is Decision.REFUSED


def test_a_row_tells_what_a_data_manager_needs_to_know(house: House) -> None:
    token = house.token("vera")
    turn_on(house, house.actor(token))
    house.wait(timedelta(minutes=5))
    house.token("vera")
    dora, vera = people.list_people(house.deployment, MANAGER)
    assert (vera.second_factor, vera.open_sessions, vera.last_sign_in) == (True, 2, NOW + timedelta(minutes=5))
    assert (dora.second_factor, dora.open_sessions, dora.last_sign_in) == (False, 0, None)
    assert (vera.role, vera.disabled, vera.demo, vera.outside_identity) == (Role.CLINICIAN, False, False, False)
    house.wait(timedelta(minutes=31))
    assert people.list_people(house.deployment, MANAGER)[1].open_sessions == 0


def test_each_change_does_what_it_says(house: House) -> None:
    token = house.token("vera")
    turn_on(house, house.actor(token))
    for _ in range(NAME_LIMIT):
        begin_attempt(house.access, "vera", "b", now=house.clock[0])
    people.clear_person_attempts(house.deployment, MANAGER, "vera")
    assert begin_attempt(house.access, "vera", "c", now=house.clock[0])
    assert [one.id for one in people.list_person_sessions(house.deployment, MANAGER, " Vera ")] == [
        house.actor(token).session]
    assert people.end_person_sessions(house.deployment, MANAGER, "VERA") == 1
    assert house.look(token) is SessionState.ENDED
    people.reset_person_second_factor(house.deployment, MANAGER, "vera")
    people.change_person_role(house.deployment, MANAGER, "vera", Role.STEERING)
    people.disable_person(house.deployment, MANAGER, "vera")
    vera = people.list_people(house.deployment, MANAGER)[1]
    assert (vera.second_factor, vera.role, vera.disabled) == (False, Role.STEERING, True)
    people.enable_person(house.deployment, MANAGER, "vera")
    assert not people.list_people(house.deployment, MANAGER)[1].disabled
    house.wait(STEP)
    people.set_person_password(house.deployment, MANAGER, "vera", NEW, rounds=CHEAP)


@pytest.mark.parametrize("action", ["change role", "disable account", "enable account", "set password",
                                    "reset second factor", "list sessions", "end sessions"])
def test_an_unknown_account_is_named_to_the_person_and_not_to_the_trail(house: House, action: str) -> None:
    with pytest.raises(UserError, match="no account 'my secret'"):
        changes(house, "My Secret")[action](OPERATOR)
    with house.access.read() as connection:
        assert "secret" not in str([tuple(row) for row in connection.execute("select * from audit")]).lower()


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
        ) -> Callable[..., dict[str, object]]:
    """Run `accounts … --json` on a store of its own and return the document."""
    monkeypatch.setenv("HARMONY_ACCESS_KEY", ACCESS_KEY.decode())
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "line" / "access.sqlite"))
    monkeypatch.setenv("HARMONY_AUDIT_HEAD", str(tmp_path / "line" / "audit.head"))

    def run(*words: str, answer: int = 0, password: str = "") -> dict[str, object]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        assert main(["accounts", "--store", str(tmp_path / "line"), *words]) == answer
        out = capsys.readouterr().out
        found: dict[str, object] = json.loads(out) if out else {}
        return found

    return run


def test_every_action_prints_one_json_document(run: Callable[..., dict[str, object]]) -> None:
    added = run("add", "clara", "--name", "Clara C.", "--role", "clinician", "--json", password=PASSWORD)
    assert added["action"] == "created"
    assert added["account"] == {
        "username": "clara", "name": "Clara C.", "role": "clinician", "disabled": False, "demo": False,
        "second_factor": False, "outside_identity": False, "last_sign_in": None, "open_sessions": 0}
    for words, action in ((["role", "clara", "analyst"], "role changed"), (["disable", "clara"], "disabled"),
                          (["enable", "CLARA"], "enabled"), (["clear-attempts", "clara"], "attempts cleared")):
        done = run(*words, "--json")
        assert (done["action"], done["username"]) == (action, "clara")
    assert run("password", "clara", "--json", password=NEW)["action"] == "password set"
    assert run("sessions", "clara", "--json") == {"username": "clara", "sessions": []}
    assert run("sessions", "clara", "--end", "--json") == {"username": "clara", "ended": 0}
    assert run("--json")["accounts"] == [{**added["account"], "role": "analyst"}]  # type: ignore[dict-item]


def test_the_word_json_may_stand_before_the_action_too(run: Callable[..., dict[str, object]]) -> None:
    assert run("--json", "add", "clara", "--name", "C", "--role", "analyst", password=PASSWORD)["action"] == "created"


def test_a_mistake_is_exit_code_2(run: Callable[..., dict[str, object]]) -> None:
    assert run("reset-second-factor", "nobody", "--json", answer=2) == {}
    assert run("sessions", "nobody", "--json", answer=2) == {}
    assert run("add", "clara", "--name", "C", "--role", "analyst", "--json", password="short", answer=2) == {}
