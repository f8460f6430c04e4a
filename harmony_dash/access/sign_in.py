"""From a name, a password and perhaps a code to a session.

The form is drawn over a websocket, which cannot set a cookie. So the right password, or for an account with a second
factor the right code after it, buys a *ticket*: good once, for twenty seconds, and only in the browser that asked for
it. The browser takes it to `/auth/establish`, which answers with the cookie.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from harmony_dash.access.accounts import Account, find_account
from harmony_dash.access.attempts import begin_attempt, forgive_attempt, take_back_attempt
from harmony_dash.access.audit import AuditEvent, Decision, record, record_event
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.passwords import ROUNDS, verify_password
from harmony_dash.access.rare_line import RareLine
from harmony_dash.access.sessions import SignInMethod, hash_token, new_token, open_session
from harmony_dash.access.totp import use_code
from harmony_dash.errors import AccessRefused

_log = logging.getLogger("harmony_dash.sign_in")

TICKET_LIFETIME = timedelta(seconds=20)
# How long a ticket that is over is still known for one: whoever comes with it is recorded, and not a mere stranger.
_TICKET_MEMORY = timedelta(hours=1)
# In place of the browser's hash in a ticket that was shown once; no browser has it.
_USED = ""
CODE_LIFETIME = timedelta(minutes=2)
# Each kind of ticket is marked, so that the session can say how it was opened. The mark is part of what is hashed:
# a browser that changes it has no ticket.
_MARKS = {SignInMethod.PASSWORD: "p", SignInMethod.PASSWORD_AND_CODE: "c", SignInMethod.IDENTITY_PROVIDER: "i"}

# Hash of a random value that nobody kept, so that an unknown name costs the same time as a known one.
_NOBODY = "$2b${rounds:02d}$OAsoG3Yuk5suKeNsmJK8AOh4rERHLf0GEAaEFmqglH5oQHohHHoKu"
_unknown_ticket = RareLine(_log, "somebody came with a ticket that was never given out, or is long over")


def confirm_password(database: AccessDatabase, username: str, password: str, *, address: str, begun: datetime,
                     rounds: int = ROUNDS) -> bool:
    """Whether a signed-in person's password is right; the caller has begun the attempt, which a right one takes back.

    Only the attempt itself is taken back: a password that was found at an open screen washes away no wrong code.

    Parameters
    ----------
    begun : the moment at which the caller began the attempt.
    """
    right = verify_password(password, _password_hash(database, username) or _NOBODY.format(rounds=rounds))
    if right:
        with database.write() as connection:
            take_back_attempt(connection, username, address, begun=begun)
    return right


@dataclass(frozen=True)
class CodeStep:
    """A right password that is waiting for its code; nothing in it is secret, and by itself it opens nothing.

    Attributes
    ----------
    username, epoch : the account as it was when the password was right; any change since voids the step.
    expires : when the password has to be given again.
    """

    username: str
    epoch: int
    expires: datetime

    @classmethod
    def after(cls, account: Account, *, now: datetime) -> CodeStep:
        """The step of an account whose password was right just now."""
        return cls(account.username, account.epoch, now + CODE_LIFETIME)

    def is_over(self, now: datetime) -> bool:
        """Whether it is too late for the code; also when the clock was moved back."""
        return not self.expires - CODE_LIFETIME <= now < self.expires


def check_password(database: AccessDatabase, username: str, password: str, *, address: str, now: datetime,
                   rounds: int = ROUNDS) -> Account | None:
    """The account, if the name and the password are right and no pause is on; None for every other reason alike.

    An account with a second factor is not signed in yet: `issue_ticket` refuses it until `check_code` was passed.

    Parameters
    ----------
    address : where the attempt comes from, for the counter.
    rounds : cost of the check that an unknown name goes through; the cost at which passwords are stored.
    """
    username = username.strip().lower()
    known = find_account(database, username)
    # an unknown name may be a password typed into the wrong field: it is not written down
    shown = known.username if known else ""
    if not begin_attempt(database, username, address, now=now, refusal=_refusal(shown, "pause")):
        return None
    right = verify_password(password, _password_hash(database, username) or _NOBODY.format(rounds=rounds))
    if known is None or not right or known.disabled:
        reason = "disabled" if known and right else "wrong name or password"
        record_event(database, _refusal(shown, reason), now=now)
        return None
    with database.write() as connection:
        (take_back_attempt if known.second_factor else forgive_attempt)(connection, username, address, begun=now)
    return known


def check_code(database: AccessDatabase, step: CodeStep, code: str, *, address: str, now: datetime) -> Account | None:
    """The account, if the code is right, was not used before, and no pause is on; None for every other reason alike.

    A wrong code counts as a failed attempt for the name and the address, as a wrong password does.
    """
    if step.is_over(now):
        account, reason = None, "code too late"
    elif not begin_attempt(database, step.username, address, now=now, refusal=_refusal(step.username, "pause")):
        return None
    else:
        account, reason = _take_code(database, step, code, address, now)
    if account is None:
        record_event(database, _refusal(step.username, reason), now=now)
    return account


def _take_code(database: AccessDatabase, step: CodeStep, code: str, address: str, now: datetime
               ) -> tuple[Account | None, str]:
    """The account, or why not; a right code is used up, and the failures before it are forgiven."""
    with database.write() as connection:
        if not use_code(database, connection, step.username, code, now=now):
            return None, "wrong code"
        forgive_attempt(connection, step.username, address, begun=now)
    account = find_account(database, step.username)
    if account is None or account.disabled or account.epoch != step.epoch:
        return None, "account changed"
    return account, ""


def issue_ticket(database: AccessDatabase, account: Account, *, browser: str, now: datetime,
                 method: SignInMethod = SignInMethod.PASSWORD) -> str:
    """A ticket for the account, bound to the random value in the browser's own cookie.

    Parameters
    ----------
    method : what the person has proved; the session will say so.

    Raises
    ------
    AccessRefused for a password alone where the account has a second factor.
    """
    ticket = f"{_MARKS[method]}.{new_token()}"
    with database.write() as connection:
        if method is SignInMethod.PASSWORD and connection.execute(
                "select 1 from account where username = ? and totp_secret <> ''", (account.username,)).fetchone():
            raise AccessRefused("signing in did not work", remedy="Sign in again.")
        connection.execute("delete from ticket where expires < ?", (to_text(now - _TICKET_MEMORY),))
        connection.execute("insert into ticket (ticket_hash, username, epoch, browser_hash, expires) "
                           "values (?, ?, ?, ?, ?)", (hash_token(ticket), account.username, account.epoch,
                                                      hash_token(browser), to_text(now + TICKET_LIFETIME)))
    return ticket


def establish_session(database: AccessDatabase, ticket: str, *, browser: str, now: datetime) -> str:
    """Use up the ticket and return the token of a new session.

    What is refused is recorded, as often as a ticket is worth: when it is first shown, and once more after that. A
    ticket that nobody was given leaves a line in the log instead, or any stranger could fill the trail.

    Raises
    ------
    AccessRefused for a ticket that is unknown, used, too old, from another browser, or older than a change of the
    account. The ticket is used up in every case.
    """
    ticket_hash = hash_token(ticket)
    with database.read() as connection:
        known = connection.execute("select 1 from ticket where ticket_hash = ?", (ticket_hash,)).fetchone()
    if known is None:
        _unknown_ticket.write(now=now)
        raise _ticket_refused()
    with database.write() as connection:
        row = connection.execute("select * from ticket where ticket_hash = ?", (ticket_hash,)).fetchone()
        connection.execute("delete from ticket where ticket_hash = ? and browser_hash = ?", (ticket_hash, _USED))
        connection.execute("update ticket set browser_hash = ? where ticket_hash = ?", (_USED, ticket_hash))
    if row is None:  # swept, or shown for the last time, a moment ago
        raise _ticket_refused()
    with database.write() as connection:
        if _is_good(row["expires"], row["browser_hash"], browser, now):
            account = connection.execute("select epoch from account where username = ?",
                                         (row["username"],)).fetchone()
            if account is not None and account["epoch"] == row["epoch"]:
                return open_session(connection, row["username"], now=now, method=_method_of(ticket))
        record(connection, _refusal(row["username"], "ticket"), now=now)
    raise _ticket_refused()


def _ticket_refused() -> AccessRefused:
    return AccessRefused("signing in did not work", remedy="Sign in again.")


def _refusal(username: str, reason: str) -> AuditEvent:
    return AuditEvent("sign-in", username, decision=Decision.REFUSED, reason=reason)


def _method_of(ticket: str) -> SignInMethod:
    return next(method for method, mark in _MARKS.items() if ticket.startswith(f"{mark}."))


def _is_good(expires: str, browser_hash: str, browser: str, now: datetime) -> bool:
    return bool(browser) and hash_token(browser) == browser_hash and now < from_text(expires)


def _password_hash(database: AccessDatabase, username: str) -> str | None:
    with database.read() as connection:
        row = connection.execute("select password_hash from account where username = ?", (username,)).fetchone()
    return row["password_hash"] if row else None
