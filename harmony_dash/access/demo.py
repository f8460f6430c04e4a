"""Demonstration accounts, so that a first start on one's own machine can be looked at without any preparation.

They exist only while the application listens to its own machine alone *and* every source in the store is synthetic.
As soon as either is no longer so, they are shut and their passphrases are deleted.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from harmony_dash.access.accounts import (
    ACCOUNT_ROLES,
    Account,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grant import GrantStatus
from harmony_dash.access.grants import end_grant, list_grants
from harmony_dash.access.passwords import ROUNDS

_NAMES = {Role.CLINICIAN: "Demo clinician", Role.STEERING: "Demo steering member", Role.ANALYST: "Demo analyst",
          Role.DATA_MANAGER: "Demo data manager"}


@dataclass(frozen=True)
class DemoAccount:
    """A demonstration account and its passphrase, as the sign-in page shows them."""

    username: str
    name: str
    role: Role
    passphrase: str


def demo_file(database: AccessDatabase) -> Path:
    """The file, readable by its owner only, that keeps the passphrases."""
    return database.path.with_name("demo-accounts.json")


def is_loopback(address: str) -> bool:
    """Whether a server bound to this address can be reached from its own machine only."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def is_reachable_from_elsewhere(address: str, hosts: Iterable[str]) -> bool:
    """Whether other machines may reach the server: directly, or through a proxy whose name it answers to.

    Parameters
    ----------
    address : what the server is bound to.
    hosts : the host names it answers to besides its own machine's.
    """
    return not is_loopback(address) or not all(is_loopback(host.strip().lower()) for host in hosts)


def ensure_demo_accounts(database: AccessDatabase, *, address: str, all_synthetic: bool, now: datetime,
                         hosts: Iterable[str] = (), rounds: int = ROUNDS) -> tuple[DemoAccount, ...]:
    """The demonstration accounts that may be used now; made on the first start that allows them.

    Parameters
    ----------
    address : what the server is bound to.
    all_synthetic : whether every source in the store, or every one about to fill it, is marked synthetic.
    hosts : the host names the server answers to; any but its own machine's means a proxy stands in front.

    Returns
    -------
    Nothing, and shuts what demonstration accounts there are, unless only this machine reaches the server and all is
    synthetic.
    Nothing either once somebody made a real account before there were any.
    """
    accounts = list_accounts(database)
    if is_reachable_from_elsewhere(address, hosts) or not all_synthetic:
        _shut(database, accounts, now)
        return ()
    if any(not account.demo for account in accounts) and not any(account.demo for account in accounts):
        return ()
    kept = _read(demo_file(database))
    if not kept:
        kept = _make(database, accounts, now, rounds)
    usable = {account.username for account in list_accounts(database) if account.demo and not account.disabled}
    return tuple(demo for demo in kept if demo.username in usable)


def new_passphrase() -> str:
    """Nine random syllables, about 55 bits: easy to read aloud and to type."""
    syllables = [secrets.choice("bdfghklmnprstv") + secrets.choice("aeiou") for _ in range(9)]
    return "-".join("".join(syllables[at: at + 3]) for at in (0, 3, 6))


def _make(database: AccessDatabase, accounts: tuple[Account, ...], now: datetime, rounds: int
          ) -> tuple[DemoAccount, ...]:
    """Make the accounts, or give those of an earlier start new passphrases."""
    existing = {account.username: account.demo for account in accounts}
    names = {role: role.value.replace("_", "-") for role in ACCOUNT_ROLES}
    made = tuple(DemoAccount(name, _NAMES[role], role, new_passphrase()) for role, name in names.items()
                 if existing.get(name, True))  # never touch a real account of that name
    for demo in made:
        if demo.username in existing:
            set_password(database, demo.username, demo.passphrase, by=OPERATOR, now=now, rounds=rounds)
            enable_account(database, demo.username, by=OPERATOR, now=now)
        else:
            create_account(database, username=demo.username, name=demo.name, role=demo.role, demo=True,
                           password=demo.passphrase, by=OPERATOR, now=now, rounds=rounds)
    _write(demo_file(database), made)
    return made


def has_open_demo_accounts(database: AccessDatabase) -> bool:
    """Whether anybody could sign in for demonstration."""
    return any(account.demo and not account.disabled for account in list_accounts(database))


def _shut(database: AccessDatabase, accounts: tuple[Account, ...], now: datetime) -> None:
    names = {account.username for account in accounts if account.demo}
    for grant in list_grants(database):
        asked = grant.proposal
        over = grant.status(now) in (GrantStatus.ENDED, GrantStatus.EXPIRED)
        if not over and names & {grant.proposed_by, *grant.approvers, *asked.members}:
            end_grant(database, grant.id, "the demonstration is over", by=OPERATOR, now=now)
    for account in accounts:
        if account.demo and not account.disabled:
            disable_account(database, account.username, by=OPERATOR, now=now)
    demo_file(database).unlink(missing_ok=True)


def _write(file: Path, accounts: tuple[DemoAccount, ...]) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump([asdict(account) for account in accounts], handle, indent=2)


def _read(file: Path) -> tuple[DemoAccount, ...]:
    """The accounts of the file; nothing if it is missing or unreadable, which leads to new passphrases."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(DemoAccount(row["username"], row["name"], Role(row["role"]), row["passphrase"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError):
        return ()
