from __future__ import annotations

import pytest

from harmony_dash.access.passwords import check_password_rules, hash_password, verify_password
from harmony_dash.errors import UserError

CHEAP = 4


@pytest.mark.parametrize("password", [
    "violet kettle under seven stairs", "muteti-dakuga-sibamo", "çalışkan öğrenci kütüphane", "aZ3$kL9#pQ7!mN2",
    "gingerharmonyteapot"])
def test_a_long_unusual_password_is_accepted_whatever_its_characters(password: str) -> None:
    check_password_rules(password, username="vera", name="Vera Weiss")


@pytest.mark.parametrize(("password", "reason"), [
    ("Aa1!aaaa", "fewer than 15"),
    ("fourteen-chars", "fewer than 15"),
    ("x" * 20, "repeats"),
    ("abababababababab", "repeats"),
    ("password password 1", "tried first"),
    ("Harmony-Leukaemia-2026", "tried first"),
    ("correct horse battery staple", "tried first"),
    ("vera.vera.weiss.weiss", "tried first"),
    (" violet kettle stairs", "space"),
    ("ä" * 10 + "kettle under seven stairs and then some more", "longer than 72 bytes"),
    ("violet kettle under\0", "null"),
])
def test_a_weak_or_unusable_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    if "72 bytes" in reason:
        password = password + "ä" * 20
    with pytest.raises(UserError, match=reason):
        check_password_rules(password, username="vera", name="Vera Weiss")


def test_the_hash_accepts_its_password_and_no_other() -> None:
    stored = hash_password("violet kettle under seven stairs", rounds=CHEAP)
    assert stored.startswith("$2b$04$")
    assert verify_password("violet kettle under seven stairs", stored)
    assert not verify_password("violet kettle under seven stair", stored)


def test_the_same_letters_in_another_encoding_are_the_same_password() -> None:
    composed, decomposed = "stra\u00dfe und caf\u00e9 am fluss", "stra\u00dfe und cafe\u0301 am fluss"
    assert verify_password(decomposed, hash_password(composed, rounds=CHEAP))


def test_an_overlong_password_is_wrong_even_if_its_beginning_is_right() -> None:
    right = "k" * 36 + "violet" * 6
    stored = hash_password(right, rounds=CHEAP)
    assert verify_password(right, stored)
    assert not verify_password(right + "x", stored)


@pytest.mark.parametrize("password", ["", "\0", "\ud800 lone surrogate", "x" * 100_000])
def test_odd_input_is_wrong_and_no_error(password: str) -> None:
    assert not verify_password(password, hash_password("violet kettle under seven stairs", rounds=CHEAP))
