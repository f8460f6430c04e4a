"""Accounts for the tests: cheap hashes, one password."""

from __future__ import annotations

from datetime import datetime

from harmony_dash.access.accounts import Account, create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import open_session

PASSWORD = "violet kettle under seven stairs"
CHEAP = 4


def add_account(database: AccessDatabase, username: str = "vera", role: Role = Role.CLINICIAN, *, now: datetime,
                password: str = PASSWORD) -> Account:
    return create_account(database, username=username, name=f"Dr {username.title()}", role=role, password=password,
                          by=OPERATOR, now=now, rounds=CHEAP)


def sign_in(database: AccessDatabase, username: str, *, now: datetime) -> str:
    with database.write() as connection:
        return open_session(connection, username, now=now)


def actor_of(role: Role) -> Actor:
    return Actor("somebody", role, session="test")
