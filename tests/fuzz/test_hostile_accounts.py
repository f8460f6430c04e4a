"""S19: hostile texts in the forms of signing in, of one's own account, and of people and grants."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.access.accounts import create_account, find_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.passwords import check_password_rules
from harmony_dash.access.sign_in import CodeStep, check_code, check_password, establish_session
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services.audit_trail import TrailFilters, read_trail, trail_as_csv, verify_trail
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import end_grant, propose_grant, withdraw_country
from harmony_dash.services.own_account import change_own_password, end_own_session, stop_second_factor
from harmony_dash.services.people import add_person, change_person_role, clear_person_attempts
from harmony_dash.settings import Settings
from harmony_dash.ui.components.text import escape_markdown
from tests.factories import ACCESS_KEY, NOW, make_store
from tests.fuzz.hostile import hostile_texts, is_escaped, some_of

# What a browser sends is UTF-8.
TEXTS = [text.encode("utf-8", "replace").decode() for text in hostile_texts()]
_PASSWORD = "violet kettle under seven stairs"
_CHEAP_ROUNDS = 4
DORA = Actor("dora", Role.DATA_MANAGER, "session", "Dora Data")


def refusal_of(act: Callable[[], object]) -> None:
    """Let it be done, or refused in words that can be shown; anything else is a bug and gets through."""
    message = ""
    try:
        act()
    except UserError as problem:
        message = problem.message
    assert is_escaped(escape_markdown(message))


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    make_store(tmp_path / "store", 50)
    opened = open_deployment(Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                                      audit_head=tmp_path / "audit.head"), now=lambda: NOW)
    for name, role in ((DORA.username, DORA.role), ("anna", Role.ANALYST)):
        create_account(opened.access, username=name, name=name, role=role, password=_PASSWORD, by=OPERATOR, now=NOW,
                       rounds=_CHEAP_ROUNDS)
    yield opened
    opened.access.close()


def test_nobody_gets_in_by_a_strange_name_or_password(deployment: Deployment) -> None:
    access = deployment.access
    for number, text in enumerate(some_of(TEXTS, 16)):
        for username, password in ((text, _PASSWORD), ("dora", text)):
            # an address of its own, or the pause would answer
            assert check_password(access, username, password, address=f"10.0.{number // 250}.{number % 250}",
                                  now=NOW + timedelta(hours=number), rounds=_CHEAP_ROUNDS) is None
        assert check_password(access, text, text, address=text, now=NOW, rounds=_CHEAP_ROUNDS) is None
        refusal_of(lambda text=text: establish_session(access, text, browser=text, now=NOW))
        step = CodeStep("dora", 0, NOW + timedelta(minutes=1))
        assert check_code(access, step, text, address=text, now=NOW) is None
    assert find_account(access, "dora") is not None
    assert verify_trail(deployment, OPERATOR).intact


def test_no_text_as_a_password_breaks_the_rules_for_one() -> None:
    for text in (*some_of(TEXTS, 4), "2004\n violet kettle stairs", "violet kettle 12.03.2004\n1999 stairs"):
        refusal_of(lambda text=text: check_password_rules(text, username=text, name=text))


def test_no_text_in_the_forms_of_people_and_grants_breaks_them(deployment: Deployment) -> None:
    today = NOW.date()
    for text in some_of(TEXTS, 16):
        proposal = GrantProposal(text, "To see.", ("ALL",), ("NL",), ("sex",), Level.EXACT, ("anna",), today,
                                 today + timedelta(days=30))
        for act in (
                lambda text=text: add_person(deployment, DORA, username=text, name="Some One", role=Role.CLINICIAN,
                                             password=_PASSWORD, rounds=_CHEAP_ROUNDS),
                lambda text=text: add_person(deployment, DORA, username=f"u{abs(hash(text))}", name=text,
                                             role=Role.CLINICIAN, password=_PASSWORD, rounds=_CHEAP_ROUNDS),
                lambda text=text: add_person(deployment, DORA, username="paul", name="Paul", role=Role.CLINICIAN,
                                             password=text, rounds=_CHEAP_ROUNDS),
                lambda text=text: change_person_role(deployment, DORA, text, Role.CLINICIAN),
                lambda text=text: clear_person_attempts(deployment, DORA, text),
                lambda text=text: change_own_password(deployment, DORA, text, text, text, rounds=_CHEAP_ROUNDS),
                lambda text=text: end_own_session(deployment, DORA, text),
                lambda text=text: stop_second_factor(deployment, DORA, text, text),
                lambda proposal=proposal: propose_grant(deployment, DORA, proposal),
                lambda text=text: end_grant(deployment, DORA, text, text),
                lambda text=text: withdraw_country(deployment, OPERATOR, text, text)):
            refusal_of(act)
        filters = TrailFilters(username=text, action=text, grant=text, snapshot=text, contains=text)
        refusal_of(lambda filters=filters: read_trail(deployment, OPERATOR, filters))
    # what was written down can be read, and taken along without becoming a formula
    taken = io.StringIO(trail_as_csv(deployment, OPERATOR).decode("utf-8-sig"), newline="")
    cells = [cell for line in csv.reader(taken) for cell in line]
    assert len(cells) > 1000
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []
    assert verify_trail(deployment, OPERATOR).intact
