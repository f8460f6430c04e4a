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
from harmony_dash.access.sessions import end_sessions_within
from harmony_dash.errors import AccessRefused, UserError

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
ACCOUNT_ROLES = tuple(role for role in Role if role is not Role.OPERATOR)


@dataclass(frozen=True)
class Account:
    """An account as lists show it; the password hash and the secret of the second factor stay in the database.

    Attributes
    ----------
    epoch : rises with every change that ends the account's sessions.
    second_factor : whether signing in needs a code after the password.
    outside_identity : whether the person signs in with an identity provider, and so has no password here.
    managed_by, managed : the last other person who made the account, set its password, took off its second factor or
        changed its role, and when. That person could have signed in as its owner.
    """

    username: str
    name: str
    role: Role
    disabled: bool
    demo: bool
    epoch: int
    created: datetime
    second_factor: bool = False
    outside_identity: bool = False
    managed_by: str = ""
    managed: datetime | None = None


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
    maker = find_account(database, by.username)
    # what a demonstration account makes must not outlive the demonstration
    demo = demo or (maker is not None and maker.demo)
    try:
        with database.write() as connection:
            connection.execute(
                "insert into account (username, name, role, password_hash, demo, created, managed_by, managed) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                (username, name.strip(), role.value, password_hash, int(demo), to_text(now), by.username,
                 to_text(now)))
            record(connection, AuditEvent.of(by, "account created", reason=f"{username} as {role.value}"), now=now)
    except sqlite3.IntegrityError:
        raise UserError(f"the account '{username}' exists already", where="username",
                        remedy="Choose another name, or enable the existing account.") from None
    return existing_account(database, username)


def disable_account(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """Shut the account and end its sessions; nobody may shut their own."""
    _check_not_own(by, username, "disable")
    _change(database, username, "account disabled", "disabled = 1", (), by=by, now=now, lets_in=False)


def enable_account(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """Open a disabled account again."""
    _change(database, username, "account enabled", "disabled = 0", (), by=by, now=now, lets_in=False)


def change_role(database: AccessDatabase, username: str, role: Role, *, by: Actor, now: datetime) -> None:
    """Give the account another role and end its sessions; nobody may change their own.

    Raises
    ------
    AccessRefused if `by` may not manage accounts, or means their own.
    UserError for the operator's role, or an account whose role an identity provider gives at every sign-in.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    _check_not_own(by, username, "change the role of")
    _check_role(role)
    if existing_account(database, username).outside_identity:
        raise UserError("the role of this account comes from the identity provider, anew at every sign-in",
                        where="role", remedy="Have it changed there, or disable the account.")
    _change(database, username, "role changed", "role = ?", (role.value,), by=by, now=now, note=f" to {role.value}")


def set_password(database: AccessDatabase, username: str, password: str, *, by: Actor, now: datetime,
                 rounds: int = ROUNDS) -> None:
    """Replace somebody's password, end the account's sessions and forget its failed attempts.

    Raises
    ------
    AccessRefused if `by` may not manage accounts, or means their own: that needs the present password.
    UserError for a password that breaks a rule, or an account that signs in with an identity provider.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    _check_not_own(by, username, "set the password of", remedy="Change it on the Account page.")
    account = existing_account(database, username)
    _check_has_password(account)
    check_password_rules(password, username=account.username, name=account.name)
    password_hash = hash_password(password, rounds=rounds)
    _change(database, username, "password set", "password_hash = ?", (password_hash,), by=by, now=now)


def set_own_password(database: AccessDatabase, password: str, *, by: Actor, epoch: int, now: datetime,
                     rounds: int = ROUNDS) -> None:
    """Replace one's own password and end all one's sessions. The caller has checked the present password.

    Parameters
    ----------
    epoch : of the account whose present password was checked; whatever changed it since wins.

    Raises
    ------
    AccessRefused if the account was changed meanwhile, or is for demonstration.
    UserError for a password that breaks a rule, or an account that signs in with an identity provider.
    """
    check_user_can(by, Permission.MANAGE_OWN_ACCOUNT)
    account = existing_account(database, by.username)
    _check_has_password(account)
    if account.demo:
        raise AccessRefused("this is a demonstration account: its password stands on the sign-in page and stays",
                            remedy="Have a data manager make you an account of your own.")
    check_password_rules(password, username=account.username, name=account.name)
    password_hash = hash_password(password, rounds=rounds)
    with database.write() as connection:
        _apply(connection, account.username, "password_hash = ?", (password_hash,), now=now, epoch=epoch)
        record(connection, AuditEvent.of(by, "own password changed", reason=account.username), now=now)


def reset_second_factor(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """Take the second factor off an account whose owner lost their device, and end its sessions.

    Nobody does so for themselves: whoever sat down at an open screen could.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    _check_not_own(by, username, "reset the second factor of", remedy="Turn it off on the Account page, or ask "
                                                                      "another data manager.")
    if not existing_account(database, username).second_factor:
        raise UserError(f"the account '{username.strip().lower()}' has no second factor", where="username",
                        remedy="There is nothing to reset.")
    _change(database, username, "second factor reset", "totp_secret = ''", (), by=by, now=now)


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


def existing_account(database: AccessDatabase, username: str) -> Account:
    """The account.

    Raises
    ------
    UserError if there is none of this name.
    """
    account = find_account(database, username.strip())
    if account is None:
        raise UserError(f"there is no account '{username.strip().lower()}'", where="username",
                        remedy="Look it up in the list of accounts.")
    return account


def _change(database: AccessDatabase, username: str, action: str, assignment: str, values: tuple[str, ...], *,
            by: Actor, now: datetime, note: str = "", lets_in: bool = True) -> None:
    """Apply one assignment and record it, in one transaction, if `by` may manage accounts.

    `lets_in` says whether it could help `by` to sign in as the account's owner.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    account = existing_account(database, username)
    with database.write() as connection:
        if lets_in:
            assignment, values = f"{assignment}, managed_by = ?, managed = ?", (*values, by.username, to_text(now))
        _apply(connection, account.username, assignment, values, now=now)
        record(connection, AuditEvent.of(by, action, reason=f"{account.username}{note}"), now=now)


def _apply(connection: sqlite3.Connection, username: str, assignment: str, values: tuple[str, ...], *, now: datetime,
           epoch: int | None = None) -> None:
    """Apply one assignment (a constant of this module), raise the epoch, and end what hung on the old one."""
    changed = connection.execute(
        f"update account set {assignment}, epoch = epoch + 1 where username = ? and epoch = coalesce(?, epoch)",
        (*values, username, epoch)).rowcount
    if not changed:
        raise AccessRefused("your account was changed meanwhile", remedy="Sign in again.")
    end_sessions_within(connection, username, now=now)
    forget_name(connection, username)


def _check_role(role: Role) -> None:
    if role not in ACCOUNT_ROLES:
        raise UserError("the operator is whoever runs the server and has no account", where="role",
                        remedy="Choose clinician, steering, analyst or data_manager.")


def _check_not_own(by: Actor, username: str, verb: str, *, remedy: str = "Ask another data manager.") -> None:
    if by.username == username.strip().lower():
        raise AccessRefused(f"nobody may {verb} their own account", remedy=remedy)


def _check_has_password(account: Account) -> None:
    if account.outside_identity:
        raise UserError(f"'{account.username}' signs in with an identity provider and has no password here",
                        where="username", remedy="Change the password there.")


def _account(row: sqlite3.Row) -> Account:
    return Account(row["username"], row["name"], Role(row["role"]), bool(row["disabled"]), bool(row["demo"]),
                   row["epoch"], from_text(row["created"]), bool(row["totp_secret"]), bool(row["identity"]),
                   row["managed_by"], from_text(row["managed"]) if row["managed"] else None)
