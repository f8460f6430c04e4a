"""From a name and a password to a session, in two steps.

The form is drawn over a websocket, which cannot set a cookie. So a right password buys a *ticket*: good once, for
twenty seconds, and only in the browser that asked for it. The browser takes it to `/auth/establish`, which answers
with the cookie.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from harmony_dash.access.accounts import Account, find_account
from harmony_dash.access.attempts import begin_attempt, forgive_attempt
from harmony_dash.access.audit import AuditEvent, Decision, record, record_event
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.passwords import ROUNDS, verify_password
from harmony_dash.access.sessions import hash_token, new_token, open_session
from harmony_dash.errors import AccessRefused

TICKET_LIFETIME = timedelta(seconds=20)

# Hash of a random value that nobody kept, so that an unknown name costs the same time as a known one.
_NOBODY = "$2b${rounds:02d}$OAsoG3Yuk5suKeNsmJK8AOh4rERHLf0GEAaEFmqglH5oQHohHHoKu"


def check_password(database: AccessDatabase, username: str, password: str, *, address: str, now: datetime,
                   rounds: int = ROUNDS) -> Account | None:
    """The account, if the name and the password are right and no pause is on; None for every other reason alike.

    Parameters
    ----------
    address : where the attempt comes from, for the counter.
    rounds : cost of the check that an unknown name goes through; the cost at which passwords are stored.
    """
    username = username.strip().lower()
    known = find_account(database, username)
    # an unknown name may be a password typed into the wrong field: it is not written down
    shown = known.username if known else ""
    if not begin_attempt(database, username, address, now=now):
        record_event(database, AuditEvent("sign-in", shown, decision=Decision.REFUSED, reason="pause"), now=now)
        return None
    right = verify_password(password, _password_hash(database, username) or _NOBODY.format(rounds=rounds))
    if known is None or not right or known.disabled:
        reason = "disabled" if known and right else "wrong name or password"
        record_event(database, AuditEvent("sign-in", shown, decision=Decision.REFUSED, reason=reason), now=now)
        return None
    with database.write() as connection:
        forgive_attempt(connection, username, address)
    return known


def issue_ticket(database: AccessDatabase, account: Account, *, browser: str, now: datetime) -> str:
    """A ticket for the account, bound to the random value in the browser's own cookie."""
    ticket = new_token()
    with database.write() as connection:
        connection.execute("delete from ticket where expires < ?", (to_text(now),))
        connection.execute("insert into ticket (ticket_hash, username, epoch, browser_hash, expires) "
                           "values (?, ?, ?, ?, ?)", (hash_token(ticket), account.username, account.epoch,
                                                      hash_token(browser), to_text(now + TICKET_LIFETIME)))
    return ticket


def establish_session(database: AccessDatabase, ticket: str, *, browser: str, now: datetime) -> str:
    """Use up the ticket and return the token of a new session.

    Raises
    ------
    AccessRefused for a ticket that is unknown, used, too old, from another browser, or older than a change of the
    account. The ticket is used up in every case.
    """
    with database.write() as connection:
        row = connection.execute("delete from ticket where ticket_hash = ? returning *",
                                 (hash_token(ticket),)).fetchone()
    with database.write() as connection:
        if row is not None and _is_good(row["expires"], row["browser_hash"], browser, now):
            account = connection.execute("select epoch from account where username = ?",
                                         (row["username"],)).fetchone()
            if account is not None and account["epoch"] == row["epoch"]:
                return open_session(connection, row["username"], now=now)
        record(connection, AuditEvent("sign-in", row["username"] if row else "", decision=Decision.REFUSED,
                                      reason="ticket"), now=now)
    raise AccessRefused("signing in did not work", remedy="Sign in again.")


def _is_good(expires: str, browser_hash: str, browser: str, now: datetime) -> bool:
    return bool(browser) and hash_token(browser) == browser_hash and now < from_text(expires)


def _password_hash(database: AccessDatabase, username: str) -> str | None:
    with database.read() as connection:
        row = connection.execute("select password_hash from account where username = ?", (username,)).fetchone()
    return row["password_hash"] if row else None
