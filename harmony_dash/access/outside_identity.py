"""From an identity provider's word to an account of ours.

The provider proves who somebody is, once; it opens no session. Its proof is used up here, in the transaction that
finds or makes the person's account, and what follows is the same ticket as after a password.

A person is the pair of issuer and subject. A name or an address that equals that of another account links nothing.
The role is the provider's to say: it is set anew at every sign-in, and whoever has lost theirs loses their sessions.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from harmony_dash.access.accounts import Account, find_account
from harmony_dash.access.actor import Role
from harmony_dash.access.audit import AuditEvent, Decision, record, record_event
from harmony_dash.access.database import AccessDatabase, to_text
from harmony_dash.access.outside_claims import (
    CLOCK_SKEW,
    LONGEST_AGE,
    IdentityRefused,
    OutsideIdentity,
    OutsideRules,
    Reason,
    bind_login,
    check_login_binding,
    find_role,
    read_identity,
)
from harmony_dash.access.passwords import ROUNDS, hash_password
from harmony_dash.access.sessions import end_sessions_within
from harmony_dash.errors import AccessRefused

_LOGIN_PURPOSE = "outside login"


def begin_login(database: AccessDatabase, *, nonce: str, browser: str) -> str:
    """What a browser must show when its person comes back with a proof for this nonce."""
    return bind_login(database.derive_key(_LOGIN_PURPOSE), nonce=nonce, browser=browser)


def admit_identity(database: AccessDatabase, claims: Mapping[str, object], *, rules: OutsideRules, browser: str,
                   binding: str, now: datetime, rounds: int = ROUNDS) -> Account:
    """The account of the person whom the claims are about; made on their first sign-in.

    Parameters
    ----------
    claims : of a verified ID token.
    rules : whom the deployment believes, and which group has which role.
    browser, binding : the browser's own random value, and what `begin_login` gave it when it set out.
    rounds : cost of the hash that stands where other accounts have a password's.

    Raises
    ------
    IdentityRefused, and the refusal is recorded. A proof that was fresh and asked for by this browser is used up
    either way.
    """
    try:
        identity = read_identity(claims, client=rules.client, now=now)
        check_login_binding(database.derive_key(_LOGIN_PURPOSE), nonce=identity.nonce, browser=browser,
                            binding=binding)
    except IdentityRefused as refused:
        record_event(database, _refusal("", refused.reason), now=now)
        raise
    # Outside the transaction, because it takes a quarter of a second.
    unusable = "" if _has_account(database, identity) else _unusable_hash(rounds)
    with database.write() as connection:
        # A refusal must not undo that the proof is used up, so it is raised after the transaction.
        admitted = _admit(connection, identity, claims, rules, unusable, now)
    if isinstance(admitted, IdentityRefused):
        raise admitted
    account = find_account(database, admitted)
    if account is None or account.disabled:
        raise AccessRefused("signing in did not work", remedy="Sign in again.")
    return account


def _admit(connection: sqlite3.Connection, identity: OutsideIdentity, claims: Mapping[str, object],
           rules: OutsideRules, unusable: str, now: datetime) -> str | IdentityRefused:
    """Name of the account that may sign in, or why not; both recorded."""
    row = connection.execute("select username, role, disabled from account where identity = ?",
                             (identity.link,)).fetchone()
    username = row["username"] if row else ""
    try:
        _use_up(connection, identity, now)
        if row is not None and row["disabled"]:
            raise IdentityRefused(Reason.DISABLED)
        try:
            role = find_role(claims, rules)
        except IdentityRefused:
            if row is not None:
                _raise_epoch(connection, username, now)
            raise
    except IdentityRefused as refused:
        record(connection, _refusal(username, refused.reason, identity.issuer), now=now)
        return refused
    if row is None:
        return _create(connection, identity, role, unusable, now)
    if row["role"] != role.value:
        _raise_epoch(connection, username, now)
        connection.execute("update account set role = ? where username = ?", (role.value, username))
        record(connection, AuditEvent("role changed", username, role.value,
                                      reason=f"{username} to {role.value} by {identity.issuer}"), now=now)
    return str(username)


def _use_up(connection: sqlite3.Connection, identity: OutsideIdentity, now: datetime) -> None:
    """Note the proof; refuse one that is noted already."""
    connection.execute("delete from used_proof where expires < ?", (to_text(now),))
    expires = now + LONGEST_AGE + CLOCK_SKEW  # nothing that is fresh now is fresh after that
    noted = connection.execute("insert into used_proof (proof_hash, expires) values (?, ?) on conflict do nothing",
                               (identity.proof, to_text(expires)))
    if noted.rowcount != 1:
        raise IdentityRefused(Reason.USED)


def _create(connection: sqlite3.Connection, identity: OutsideIdentity, role: Role, unusable: str, now: datetime) -> str:
    """Make the account under a name that nobody has, and record it."""
    username = _free_username(connection, identity.username)
    connection.execute(
        "insert into account (username, name, role, password_hash, created, identity) values (?, ?, ?, ?, ?, ?)",
        (username, identity.name, role.value, unusable, to_text(now), identity.link))
    record(connection, AuditEvent("account created", username, role.value,
                                  reason=f"{username} as {role.value} by {identity.issuer}"), now=now)
    return username


def _free_username(connection: sqlite3.Connection, wished: str) -> str:
    """The wished name, or the first with a number behind it that no account has."""
    number, username = 1, wished
    while (username == Role.OPERATOR
           or connection.execute("select 1 from account where username = ?", (username,)).fetchone()):
        number += 1
        username = f"{wished}-{number}"
    return username


def _raise_epoch(connection: sqlite3.Connection, username: str, now: datetime) -> None:
    """End the account's sessions and tickets, here and in every browser."""
    connection.execute("update account set epoch = epoch + 1 where username = ?", (username,))
    end_sessions_within(connection, username, now=now)


def _has_account(database: AccessDatabase, identity: OutsideIdentity) -> bool:
    with database.read() as connection:
        return connection.execute("select 1 from account where identity = ?", (identity.link,)).fetchone() is not None


def _unusable_hash(rounds: int) -> str:
    """Hash of a random value that nobody keeps: it looks and takes as long as any other, and no password fits."""
    return hash_password(secrets.token_urlsafe(32), rounds=rounds)


def _refusal(username: str, reason: Reason, issuer: str = "") -> AuditEvent:
    """The line of the trail; of the claims it holds the issuer alone, and that only once they were believed."""
    words = f"identity provider{f' {issuer}' if issuer else ''}: {reason.value}"
    return AuditEvent("sign-in", username, decision=Decision.REFUSED, reason=words)
