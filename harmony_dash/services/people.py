"""Looking after the people of the project: their accounts, roles, passwords, second factors and sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from harmony_dash.access import accounts, attempts, sessions
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.passwords import ROUNDS
from harmony_dash.access.permissions import Permission
from harmony_dash.access.sessions import OpenSession
from harmony_dash.errors import AccessRefused
from harmony_dash.services.audited import check_and_record, record_refusal
from harmony_dash.services.deployment import Deployment


@dataclass(frozen=True)
class PersonRow:
    """A person as the list of accounts shows them.

    Attributes
    ----------
    demo : whether this is a demonstration account.
    second_factor : whether signing in needs a code after the password.
    outside_identity : whether the person signs in with an identity provider.
    last_sign_in : None for somebody who never did.
    open_sessions : how many sessions are open now.
    """

    username: str
    name: str
    role: Role
    disabled: bool
    demo: bool
    second_factor: bool
    outside_identity: bool
    last_sign_in: datetime | None
    open_sessions: int


def list_people(deployment: Deployment, actor: Actor) -> tuple[PersonRow, ...]:
    """Everybody who has an account, by account name.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.VIEW_ACCESS, "list people")
    last = sessions.last_sign_ins(deployment.access)
    open_now = Counter(session.username for session in _open_sessions(deployment))
    return tuple(PersonRow(account.username, account.name, account.role, account.disabled, account.demo,
                           account.second_factor, account.outside_identity, last.get(account.username),
                           open_now[account.username])
                 for account in accounts.list_accounts(deployment.access))


def add_person(deployment: Deployment, actor: Actor, *, username: str, name: str, role: Role, password: str,
               rounds: int = ROUNDS) -> None:
    """Make an account.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a name, role or password that cannot be.
    """
    with _managing(deployment, actor, "add account"):
        accounts.create_account(deployment.access, username=username, name=name, role=role, password=password,
                                by=actor, now=deployment.now(), rounds=rounds)


def change_person_role(deployment: Deployment, actor: Actor, username: str, role: Role) -> None:
    """Give somebody else another role, and end their sessions.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account, or a role that follows an identity provider.
    """
    with _managing(deployment, actor, "change role"):
        _check_not_demo(deployment, username)
        accounts.change_role(deployment.access, username, role, by=actor, now=deployment.now())


def disable_person(deployment: Deployment, actor: Actor, username: str) -> None:
    """Shut somebody else's account, and end their sessions.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account.
    """
    with _managing(deployment, actor, "disable account"):
        accounts.disable_account(deployment.access, username, by=actor, now=deployment.now())


def enable_person(deployment: Deployment, actor: Actor, username: str) -> None:
    """Open a disabled account again.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account.
    """
    with _managing(deployment, actor, "enable account"):
        _check_not_demo(deployment, username)
        accounts.enable_account(deployment.access, username, by=actor, now=deployment.now())


def set_person_password(deployment: Deployment, actor: Actor, username: str, password: str, *,
                        rounds: int = ROUNDS) -> None:
    """Give somebody else a new password, and end their sessions.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account or a password that breaks a rule.
    """
    with _managing(deployment, actor, "set password"):
        _check_not_demo(deployment, username)
        accounts.set_password(deployment.access, username, password, by=actor, now=deployment.now(), rounds=rounds)


def reset_person_second_factor(deployment: Deployment, actor: Actor, username: str) -> None:
    """Take the second factor off somebody else's account, whose device is lost, and end their sessions.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account or one without a second factor.
    """
    with _managing(deployment, actor, "reset second factor"):
        accounts.reset_second_factor(deployment.access, username, by=actor, now=deployment.now())


def clear_person_attempts(deployment: Deployment, actor: Actor, username: str) -> None:
    """End the pause after failed attempts at somebody else's name.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    with _managing(deployment, actor, "clear attempts"):
        attempts.clear_attempts(deployment.access, username, by=actor, now=deployment.now())


def list_person_sessions(deployment: Deployment, actor: Actor, username: str) -> tuple[OpenSession, ...]:
    """Somebody's open sessions, the last used first.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account.
    """
    with _managing(deployment, actor, "list sessions"):
        return _open_sessions(deployment, accounts.existing_account(deployment.access, username).username)


def end_person_sessions(deployment: Deployment, actor: Actor, username: str) -> int:
    """End all of somebody's sessions; how many.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for an unknown account.
    """
    with _managing(deployment, actor, "end sessions"):
        account = accounts.existing_account(deployment.access, username)
        return sessions.end_sessions(deployment.access, account.username, by=actor, now=deployment.now())


def _check_not_demo(deployment: Deployment, username: str) -> None:
    """Refuse to open a demonstration account: the server alone does that, while all patients are made up."""
    account = accounts.find_account(deployment.access, username.strip())
    if account is not None and account.demo:
        raise AccessRefused(f"{account.username} is a demonstration account, which the server alone opens and changes",
                            remedy="Make an account for the person.")


@contextmanager
def _managing(deployment: Deployment, actor: Actor, action: str) -> Iterator[None]:
    """Check, and record what is refused for whom it is; a mere slip of the pen is not recorded."""
    check_and_record(deployment, actor, Permission.MANAGE_ACCOUNTS, action)
    try:
        yield
    except AccessRefused as refused:
        record_refusal(deployment, actor, action, refused)
        raise


def _open_sessions(deployment: Deployment, username: str | None = None) -> tuple[OpenSession, ...]:
    settings = deployment.settings
    return sessions.list_sessions(deployment.access, username, idle=settings.session_idle,
                                  lifetime=settings.session_lifetime, now=deployment.now())
