"""Who has an account, and what they are to the project.

Every change raises the account's epoch, which ends all its sessions, and is saved together with its audit event.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.attempts import forget_name
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.passwords import ROUNDS, check_password_rules, hash_password
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused, UserError

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
ACCOUNT_ROLES = tuple(role for role in Role if role is not Role.OPERATOR)


@dataclass(frozen=True)
class Account:
    """An account as lists show it; the password hash stays in the database."""

    username: str
    name: str
    role: Role
    disabled: bool
    demo: bool
    epoch: int
    created: datetime


def create_account(database: AccessDatabase, *, username: str, name: str, role: Role, password: str, by: Actor,
                   now: datetime, rounds: int = ROUNDS, demo: bool = False) -> Account:
    """Add an account.

    Raises
    ------
    AccessRefused if `by` may not manage accounts.
    UserError for a name that is taken or malformed, the operator's role, or a password that breaks a rule.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    username = username.strip().lower()
    if not _USERNAME.fullmatch(username) or username == Role.OPERATOR:
        raise UserError("an account name is 1 to 64 lower-case letters, digits, dots, hyphens, underscores or @",
                        where="username", remedy="Choose another name.")
    if not name.strip():
        raise UserError("the person's name is empty", where="name", remedy="Give the name that colleagues know.")
    _check_role(role)
    check_password_rules(password, username=username, name=name)
    password_hash = hash_password(password, rounds=rounds)
    try:
        with database.write() as connection:
            connection.execute(
                "insert into account (username, name, role, password_hash, demo, created) values (?, ?, ?, ?, ?, ?)",
                (username, name.strip(), role.value, password_hash, int(demo), to_text(now)))
            record(connection, AuditEvent.of(by, "account created", reason=f"{username} as {role.value}"), now=now)
    except sqlite3.IntegrityError:
        raise UserError(f"the account '{username}' exists already", where="username",
                        remedy="Choose another name, or enable the existing account.") from None
    return _existing(database, username)


def disable_account(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """Shut the account and end its sessions; nobody may shut their own."""
    _check_not_own(by, username, "disable")
    _change(database, username, "account disabled", "disabled = 1", (), by=by, now=now)


def enable_account(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """Open a disabled account again."""
    _change(database, username, "account enabled", "disabled = 0", (), by=by, now=now)


def change_role(database: AccessDatabase, username: str, role: Role, *, by: Actor, now: datetime) -> None:
    """Give the account another role and end its sessions; nobody may change their own."""
    _check_not_own(by, username, "change the role of")
    _check_role(role)
    _change(database, username, "role changed", "role = ?", (role.value,), by=by, now=now, note=f" to {role.value}")


def set_password(database: AccessDatabase, username: str, password: str, *, by: Actor, now: datetime,
                 rounds: int = ROUNDS) -> None:
    """Replace the password, end the account's sessions and forget its failed attempts."""
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    account = _existing(database, username)
    check_password_rules(password, username=account.username, name=account.name)
    password_hash = hash_password(password, rounds=rounds)
    _change(database, username, "password set", "password_hash = ?", (password_hash,), by=by, now=now)


def list_accounts(database: AccessDatabase) -> tuple[Account, ...]:
    """All accounts by name."""
    with database.read() as connection:
        rows = connection.execute("select * from account order by username").fetchall()
    return tuple(_account(row) for row in rows)


def find_account(database: AccessDatabase, username: str) -> Account | None:
    """The account, or None."""
    with database.read() as connection:
        row = connection.execute("select * from account where username = ?", (username.lower(),)).fetchone()
    return _account(row) if row else None


def _change(database: AccessDatabase, username: str, action: str, assignment: str, values: tuple[str, ...], *,
            by: Actor, now: datetime, note: str = "") -> None:
    """Apply one assignment (a constant of this module), raise the epoch and record it, in one transaction."""
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    account = _existing(database, username)
    with database.write() as connection:
        connection.execute(f"update account set {assignment}, epoch = epoch + 1 where username = ?",
                           (*values, account.username))
        connection.execute("update session set ended = ? where username = ? and ended is null",
                           (to_text(now), account.username))
        connection.execute("delete from ticket where username = ?", (account.username,))
        forget_name(connection, account.username)
        record(connection, AuditEvent.of(by, action, reason=f"{account.username}{note}"), now=now)


def _existing(database: AccessDatabase, username: str) -> Account:
    account = find_account(database, username.strip())
    if account is None:
        raise UserError(f"there is no account '{username.strip().lower()}'", where="username",
                        remedy="Look it up in the list of accounts.")
    return account


def _check_role(role: Role) -> None:
    if role not in ACCOUNT_ROLES:
        raise UserError("the operator is whoever runs the server and has no account", where="role",
                        remedy="Choose clinician, steering, analyst or data_manager.")


def _check_not_own(by: Actor, username: str, verb: str) -> None:
    if by.username == username.strip().lower():
        raise AccessRefused(f"nobody may {verb} their own account", remedy="Ask another data manager.")


def _account(row: sqlite3.Row) -> Account:
    return Account(row["username"], row["name"], Role(row["role"]), bool(row["disabled"]), bool(row["demo"]),
                   row["epoch"], from_text(row["created"]))
