"""What everybody may do for themselves: see and end their sessions, change their password, use a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from harmony_dash.access import sessions, totp
from harmony_dash.access.accounts import Account, find_account, set_own_password
from harmony_dash.access.actor import Actor
from harmony_dash.access.attempts import begin_attempt
from harmony_dash.access.passwords import ROUNDS, check_password_rules
from harmony_dash.access.permissions import Permission
from harmony_dash.access.sign_in import confirm_password
from harmony_dash.access.totp import SecondFactorOffer
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services.audited import check_and_record, record_refusal
from harmony_dash.services.deployment import Deployment


@dataclass(frozen=True)
class OwnSession:
    """One of the person's open sessions.

    Attributes
    ----------
    id : its short public identifier.
    opened, last_seen : when it began, and when it was last used, to the minute.
    method : how the person proved who they are: password, password and code, or identity provider.
    is_this : whether it is the session that asks.
    """

    id: str
    opened: datetime
    last_seen: datetime
    method: str
    is_this: bool


def describe_own_account(deployment: Deployment, actor: Actor) -> Account:
    """The actor's account.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.MANAGE_OWN_ACCOUNT, "see own account")
    return _account_of(deployment, actor)


def list_own_sessions(deployment: Deployment, actor: Actor) -> tuple[OwnSession, ...]:
    """The actor's open sessions: this one first, then the last used.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.MANAGE_OWN_ACCOUNT, "list own sessions")
    settings = deployment.settings
    found = sessions.list_sessions(deployment.access, actor.username, idle=settings.session_idle,
                                   lifetime=settings.session_lifetime, now=deployment.now())
    own = [OwnSession(one.id, one.opened, one.last_seen, one.method, one.id == actor.session) for one in found]
    return tuple(sorted(own, key=lambda session: not session.is_this))


def end_own_session(deployment: Deployment, actor: Actor, identifier: str) -> None:
    """End one of the actor's sessions.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a session that is not open, or not theirs.
    """
    with _own(deployment, actor, "end own session"):
        sessions.end_one_session(deployment.access, actor.username, identifier, by=actor, now=deployment.now())


def end_other_own_sessions(deployment: Deployment, actor: Actor) -> int:
    """End all of the actor's sessions but the one that asks; how many.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    with _own(deployment, actor, "end own sessions"):
        return sessions.end_sessions(deployment.access, actor.username, by=actor, now=deployment.now(),
                                     keep=actor.session)


def change_own_password(deployment: Deployment, actor: Actor, current: str, new: str, address: str, *,
                        rounds: int = ROUNDS) -> None:
    """Give the actor's account a new password, and end all its sessions, the one that asks included.

    Parameters
    ----------
    current : the present password; a wrong one counts as a failed attempt, as at signing in.
    address : where the person is, for the counter.
    rounds : cost at which the new password is stored.

    Raises
    ------
    AccessRefused for a wrong present password, a pause, or a demonstration account; AuditUnavailable.
    UserError for a new password that breaks a rule or is the present one.
    """
    with _own(deployment, actor, "change own password"):
        account = _account_of(deployment, actor)
        # first what costs nothing, so that a slip of the new password is no attempt at the present one
        check_password_rules(new, username=account.username, name=account.name)
        if new == current:
            raise UserError("the new password is the present one", where="password", remedy="Choose another one.")
        _confirm(deployment, actor, current, address, rounds)
        set_own_password(deployment.access, new, by=actor, epoch=account.epoch, now=deployment.now(), rounds=rounds)


def start_second_factor(deployment: Deployment, actor: Actor, current: str, address: str, *,
                        rounds: int = ROUNDS) -> SecondFactorOffer:
    """A secret for the actor's device; nothing changes until `confirm_second_factor`.

    Raises
    ------
    AccessRefused for a wrong password or a pause, if two-step sign-in is on already, or is the identity provider's
    affair; AuditUnavailable.
    """
    with _own(deployment, actor, "start second factor"):
        account = _account_of(deployment, actor)
        if account.second_factor or account.outside_identity:
            raise AccessRefused("two-step sign-in is on already, or this account cannot use it",
                                remedy="Load the page anew.")
        _confirm(deployment, actor, current, address, rounds)
        return totp.offer_second_factor(deployment.access, actor.username, now=deployment.now())


def confirm_second_factor(deployment: Deployment, actor: Actor, offer: SecondFactorOffer, code: str) -> None:
    """Turn two-step sign-in on, once a code shows that the device has the secret, and end the other sessions.

    Raises
    ------
    AccessRefused for an offer older than ten minutes or of somebody else; AuditUnavailable.
    UserError for a code that does not fit.
    """
    with _own(deployment, actor, "turn on second factor"):
        totp.turn_on_second_factor(deployment.access, offer.sealed, code, by=actor, now=deployment.now())


def stop_second_factor(deployment: Deployment, actor: Actor, code: str, address: str) -> None:
    """Turn two-step sign-in off, and end the other sessions; a wrong code counts as a failed attempt.

    Raises
    ------
    AccessRefused for a pause; AuditUnavailable.
    UserError for a code that does not fit or was used before.
    """
    with _own(deployment, actor, "turn off second factor"):
        now = deployment.now()
        if not begin_attempt(deployment.access, actor.username, address, now=now):
            raise _pause()
        if not totp.turn_off_second_factor(deployment.access, code, address=address, by=actor, now=now):
            raise totp.wrong_code()


@contextmanager
def _own(deployment: Deployment, actor: Actor, action: str) -> Iterator[None]:
    """Check, and record whatever is refused."""
    check_and_record(deployment, actor, Permission.MANAGE_OWN_ACCOUNT, action)
    try:
        yield
    except UserError as refused:
        record_refusal(deployment, actor, action, refused)
        raise


def _confirm(deployment: Deployment, actor: Actor, current: str, address: str, rounds: int) -> None:
    """Raise `AccessRefused` unless this is the actor's password and no pause is on."""
    now = deployment.now()
    if not begin_attempt(deployment.access, actor.username, address, now=now):
        raise _pause()
    if not confirm_password(deployment.access, actor.username, current, address=address, begun=now, rounds=rounds):
        raise AccessRefused("the present password is not right", remedy="Enter the password you sign in with.")


def _account_of(deployment: Deployment, actor: Actor) -> Account:
    account = find_account(deployment.access, actor.username)
    if account is None:
        raise AccessRefused("your account is gone", remedy="Ask a data manager.")
    return account


def _pause() -> AccessRefused:
    return AccessRefused("there were too many failed attempts", remedy="Wait a quarter of an hour; if that does not "
                                                                       "help, ask a data manager.")
