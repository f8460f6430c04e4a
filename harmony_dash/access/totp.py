"""The second factor: a six-digit code that a person's own device makes from a shared secret and the time (RFC 6238).

The secret is encrypted at rest together with the name of its account, so that neither reading the file nor moving a
secret to another account is of use. A code is good for half a minute, with as much grace before and after for clocks
that differ, and it is never taken twice: the counter of the last one is kept, and only a later one counts.
"""

from __future__ import annotations

import json
import re
import sqlite3
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import Fernet, InvalidToken

from harmony_dash.access.actor import Actor
from harmony_dash.access.attempts import take_back_attempt
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.access.sessions import end_sessions_within
from harmony_dash.errors import AccessRefused, UserError

ISSUER = "Harmony dashboard"
DIGITS = 6
STEP_SECONDS = 30
# How many steps before and after the present one are taken.
WINDOW = 1
OFFER_LIFETIME = timedelta(minutes=10)
_CODE = re.compile(r"[0-9]{6}")
_STORED, _OFFERED = "totp", "totp offer"


@dataclass(frozen=True)
class SecondFactorOffer:
    """A secret that a person may put on their device; nothing is stored until they prove that they did.

    Attributes
    ----------
    secret : in Base32, for typing.
    uri : the same as an address that authenticator apps read, for a QR code.
    sealed : what to hand back together with the first code; it is bound to the account and to ten minutes.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    sealed: str = field(repr=False)


def offer_second_factor(database: AccessDatabase, username: str, *, now: datetime) -> SecondFactorOffer:
    """A new random secret of 160 bits for the account."""
    secret = pyotp.random_base32()
    uri = _totp(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    return SecondFactorOffer(secret, uri, _seal(database, _OFFERED, username, secret, now))


def turn_on_second_factor(database: AccessDatabase, sealed: str, code: str, *, by: Actor, now: datetime) -> None:
    """Keep an offered secret, once a code proves that the person's device has it, and end their other sessions.

    Raises
    ------
    AccessRefused for an offer of somebody else, one that is too old, or an account that has a second factor already.
    UserError for a code that does not fit.
    """
    check_user_can(by, Permission.MANAGE_OWN_ACCOUNT)
    secret = _open(database, _OFFERED, by.username, sealed, now, lifetime=OFFER_LIFETIME)
    if secret is None:
        raise AccessRefused("this secret is no longer good", remedy="Begin again, and finish within ten minutes.")
    counter = find_counter(secret, code, now=now, after=0)
    if counter is None:
        raise wrong_code()
    with database.write() as connection:
        changed = connection.execute(
            "update account set totp_secret = ?, totp_counter = ? where username = ? and totp_secret = '' and "
            "identity = '' and disabled = 0",
            (_seal(database, _STORED, by.username, secret, now), counter, by.username)).rowcount
        if not changed:
            raise AccessRefused("two-step sign-in is on already, or this account cannot use it",
                                remedy="Load the page anew.")
        # they were opened on the password alone
        end_sessions_within(connection, by.username, now=now, keep=by.session)
        record(connection, AuditEvent.of(by, "second factor turned on", reason=by.username), now=now)


def turn_off_second_factor(database: AccessDatabase, code: str, *, address: str, by: Actor, now: datetime) -> bool:
    """Forget the secret if the code is right, and end the person's other sessions; False, and nothing done, if not.

    The caller has begun the attempt, at this very moment; a right code takes it back.
    """
    check_user_can(by, Permission.MANAGE_OWN_ACCOUNT)
    with database.write() as connection:
        if not use_code(database, connection, by.username, code, now=now):
            return False
        take_back_attempt(connection, by.username, address, begun=now)
        # the counter stays: the code just used must not be good for a secret that is put back from a backup
        connection.execute("update account set totp_secret = '' where username = ?", (by.username,))
        end_sessions_within(connection, by.username, now=now, keep=by.session)
        record(connection, AuditEvent.of(by, "second factor turned off", reason=by.username), now=now)
    return True


def use_code(database: AccessDatabase, connection: sqlite3.Connection, username: str, code: str, *, now: datetime
             ) -> bool:
    """Whether the code is right and was not used before; if so it is used up, inside the caller's transaction."""
    row = connection.execute("select totp_secret, totp_counter from account where username = ?",
                             (username,)).fetchone()
    if row is None or not row["totp_secret"]:
        return False
    secret = _open(database, _STORED, username, row["totp_secret"], now)
    counter = find_counter(secret, code, now=now, after=row["totp_counter"]) if secret else None
    if counter is None:
        return False
    return connection.execute(
        "update account set totp_counter = ?1 where username = ?2 and totp_counter < ?1 and totp_secret = ?3",
        (counter, username, row["totp_secret"])).rowcount == 1


def find_counter(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The number of the half minute that the code belongs to, if that is near `now` and later than `after`."""
    entered = "".join(code.split())
    if not _CODE.fullmatch(entered):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    totp = _totp(secret)
    # every comparison is made, and each takes the same time whatever the code
    fitting = [counter for counter in range(present - WINDOW, present + WINDOW + 1)
               if pyotp.utils.strings_equal(totp.generate_otp(counter), entered)]
    return next((counter for counter in fitting if counter > after), None)


def wrong_code() -> UserError:
    """What to say about a code that does not fit."""
    return UserError("this code does not fit", where="code",
                     remedy="Wait for the next code of your app, and check that the clock of your device is right.")


def _totp(secret: str) -> pyotp.TOTP:
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)


def _seal(database: AccessDatabase, purpose: str, username: str, secret: str, now: datetime) -> str:
    text = json.dumps([username, secret]).encode()
    return _cipher(database, purpose).encrypt_at_time(text, int(now.timestamp())).decode()


def _open(database: AccessDatabase, purpose: str, username: str, sealed: str, now: datetime, *,
          lifetime: timedelta | None = None) -> str | None:
    """The secret; None if it was sealed for somebody else, with another key, or too long ago."""
    cipher = _cipher(database, purpose)
    try:
        if lifetime is None:
            text = cipher.decrypt(sealed.encode())
        else:
            text = cipher.decrypt_at_time(sealed.encode(), int(lifetime.total_seconds()), int(now.timestamp()))
    except InvalidToken:
        return None
    owner, secret = json.loads(text)
    return str(secret) if owner == username else None


def _cipher(database: AccessDatabase, purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(database.derive_key(purpose)))
