from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from harmony_dash.access.accounts import disable_account, find_account, reset_second_factor
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import list_sessions
from harmony_dash.access.totp import (
    OFFER_LIFETIME,
    STEP_SECONDS,
    find_counter,
    offer_second_factor,
    turn_off_second_factor,
    turn_on_second_factor,
    use_code,
)
from harmony_dash.errors import AccessRefused, UserError
from tests.factories import ACCESS_KEY
from tests.unit.access.conftest import NOW
from tests.unit.access.people import add_account, sign_in

# The secret of RFC 6238, appendix B, and the last six of its eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
STEP = timedelta(seconds=STEP_SECONDS)
VERA = Actor("vera", Role.CLINICIAN, session="s")


def code_at(secret: str, steps: float = 0) -> str:
    return pyotp.TOTP(secret).at(NOW + steps * STEP)


def turn_on(database: AccessDatabase, by: Actor = VERA) -> str:
    """Give the account a second factor, ten minutes ago; its secret."""
    before = NOW - timedelta(minutes=10)
    offer = offer_second_factor(database, by.username, now=before)
    turn_on_second_factor(database, offer.sealed, pyotp.TOTP(offer.secret).at(before), by=by, now=before)
    return offer.secret


def use(database: AccessDatabase, code: str, steps: float = 0, username: str = "vera") -> bool:
    with database.write() as connection:
        return use_code(database, connection, username, code, now=NOW + steps * STEP)


@pytest.mark.parametrize(("seconds", "code"), [
    (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
    (20000000000, "353130")])
def test_the_codes_of_the_standard_are_taken(seconds: int, code: str) -> None:
    now = NOW.fromtimestamp(seconds, tz=NOW.tzinfo)
    assert find_counter(RFC_SECRET, code, now=now, after=0) == seconds // STEP_SECONDS


@pytest.mark.parametrize(("steps", "taken"), [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_before_and_after(steps: int, taken: bool) -> None:
    assert (find_counter(RFC_SECRET, code_at(RFC_SECRET, steps), now=NOW, after=0) is not None) is taken


@pytest.mark.parametrize("code", [
    "", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "1e5   ", "\ud800", "x" * 10_000])
def test_what_is_no_code_never_fits(code: str) -> None:
    assert find_counter(RFC_SECRET, code, now=NOW, after=0) is None


def test_spaces_in_a_code_do_not_matter() -> None:
    code = code_at(RFC_SECRET)
    assert find_counter(RFC_SECRET, f" {code[:3]} {code[3:]}\n", now=NOW, after=0) is not None


def test_no_code_is_taken_twice_and_none_older_than_the_last(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    assert use(database, code_at(secret))
    assert not use(database, code_at(secret))
    assert not use(database, code_at(secret, -1))
    assert use(database, code_at(secret, 1))
    assert not use(database, code_at(secret, 1), steps=2)


def test_the_code_that_turned_it_on_is_used_up(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    offer = offer_second_factor(database, "vera", now=NOW)
    turn_on_second_factor(database, offer.sealed, code_at(offer.secret), by=VERA, now=NOW)
    assert not use(database, code_at(offer.secret))


def test_a_clock_moved_back_makes_no_old_code_good_again(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    assert use(database, code_at(secret))
    assert not use(database, code_at(secret, -120), steps=-120)


def test_of_many_at_once_one_gets_the_code(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    other = AccessDatabase(database.path, ACCESS_KEY)  # a second connection stands for a second process
    answers = [use(one, code_at(secret)) for one in (database, other, database, other)]
    other.close()
    assert answers == [True, False, False, False]


def test_the_secret_is_nowhere_in_the_file(database: AccessDatabase, tmp_path: Path) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    with database.read() as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert secret.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert "totp" not in str(find_account(database, "vera"))


def test_a_secret_that_was_tampered_with_fits_no_code(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    with database.write() as connection:
        row = connection.execute("select totp_secret from account").fetchone()
        connection.execute("update account set totp_secret = ?", (row[0][:-6] + "AAAAA=",))
    assert not use(database, code_at(secret))


def test_a_secret_that_is_moved_to_another_account_is_of_no_use(database: AccessDatabase) -> None:
    for name in ("vera", "mallory"):
        add_account(database, name, now=NOW)
    secret = turn_on(database, Actor("mallory", Role.CLINICIAN, session="s"))
    with database.write() as connection:
        connection.execute("update account set totp_secret = (select totp_secret from account where username = "
                           "'mallory') where username = 'vera'")
    assert not use(database, code_at(secret))
    assert use(database, code_at(secret), username="mallory")


def test_an_offer_is_good_for_its_own_account_for_ten_minutes_and_only_sealed_by_us(database: AccessDatabase) -> None:
    for name in ("vera", "mallory"):
        add_account(database, name, now=NOW)
    offer = offer_second_factor(database, "vera", now=NOW)
    late = NOW + OFFER_LIFETIME + STEP
    for by, sealed, moment in ((Actor("mallory", Role.CLINICIAN, session="s"), offer.sealed, NOW),
                               (VERA, offer.sealed, late), (VERA, "", NOW), (VERA, offer.secret, NOW)):
        with pytest.raises(AccessRefused, match="no longer good"):
            turn_on_second_factor(database, sealed, pyotp.TOTP(offer.secret).at(moment), by=by, now=moment)
    assert not any(account and account.second_factor
                   for account in (find_account(database, name) for name in ("vera", "mallory")))


def test_what_is_stored_is_no_offer(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    turn_on(database)
    with database.write() as connection:
        stored = connection.execute("select totp_secret from account").fetchone()[0]
    with pytest.raises(AccessRefused):
        turn_on_second_factor(database, stored, "123456", by=VERA, now=NOW)


def test_a_wrong_first_code_turns_nothing_on(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    offer = offer_second_factor(database, "vera", now=NOW)
    with pytest.raises(UserError, match="does not fit"):
        turn_on_second_factor(database, offer.sealed, code_at(offer.secret, 9), by=VERA, now=NOW)
    account = find_account(database, "vera")
    assert account is not None and not account.second_factor


def test_it_cannot_be_turned_on_over_a_second_factor_that_is_there(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    offer = offer_second_factor(database, "vera", now=NOW)
    with pytest.raises(AccessRefused, match="on already"):
        turn_on_second_factor(database, offer.sealed, code_at(offer.secret), by=VERA, now=NOW)
    assert use(database, code_at(secret))


def test_turning_it_on_and_off_ends_the_other_sessions(database: AccessDatabase) -> None:
    def listed() -> list[str]:
        return [one.id for one in list_sessions(database, "vera", idle=timedelta(hours=1), lifetime=timedelta(hours=1),
                                                now=NOW)]

    add_account(database, now=NOW)
    for _ in range(3):
        sign_in(database, "vera", now=NOW)
    kept = Actor("vera", Role.CLINICIAN, session=listed()[0])
    secret = turn_on(database, kept)
    assert listed() == [kept.session]
    sign_in(database, "vera", now=NOW)
    assert not turn_off_second_factor(database, "000000", address="a", by=kept, now=NOW)
    assert turn_off_second_factor(database, code_at(secret), address="a", by=kept, now=NOW)
    assert listed() == [kept.session]
    assert [row.event.action for row in list_events(database)[:1]] == ["second factor turned off"]


def test_a_data_manager_resets_it_and_all_sessions_end(database: AccessDatabase) -> None:
    before = add_account(database, now=NOW)
    secret = turn_on(database)
    reset_second_factor(database, "vera", by=OPERATOR, now=NOW)
    after = find_account(database, "vera")
    assert after is not None and not after.second_factor and after.epoch == before.epoch + 1
    assert not use(database, code_at(secret))
    assert list_events(database)[0].event.action == "second factor reset"
    with pytest.raises(UserError, match="no second factor"):
        reset_second_factor(database, "vera", by=OPERATOR, now=NOW)


def test_a_disabled_account_turns_nothing_on(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    offer = offer_second_factor(database, "vera", now=NOW)
    disable_account(database, "vera", by=OPERATOR, now=NOW)
    with pytest.raises(AccessRefused):
        turn_on_second_factor(database, offer.sealed, code_at(offer.secret), by=VERA, now=NOW)


def test_the_address_for_apps_names_the_account_and_the_product(database: AccessDatabase) -> None:
    offer = offer_second_factor(database, "vera", now=NOW)
    parsed = pyotp.parse_uri(offer.uri)
    assert (parsed.secret, parsed.name, parsed.issuer) == (offer.secret, "vera", "Harmony dashboard")
    assert offer.secret not in repr(offer)
