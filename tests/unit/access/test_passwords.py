from __future__ import annotations

import threading
from time import thread_time

import pytest

from harmony_dash.access.demo import new_passphrase
from harmony_dash.access.passwords import check_password_rules, hash_password, verify_password
from harmony_dash.errors import UserError

CHEAP = 4


def refusal_of(password: str, username: str = "vera.weiss", name: str = "Vera Weiss") -> str:
    """Why the password is refused; empty if it is accepted."""
    try:
        check_password_rules(password, username=username, name=name)
    except UserError as refused:
        return refused.message.replace(password, "THE PASSWORD ITSELF")
    return ""


@pytest.mark.parametrize("password", [
    "violet kettle under seven stairs", "muteti-dakuga-sibamo", "çalışkan öğrenci kütüphane", "aZ3$kL9#pQ7!mN2",
    "harmony violet kettle stairs", "ärzte und möwen im flur", "!#%&/()=?^_-+.,:;<>", "密码强度测试海鸥茶壶楼梯紫罗兰"])
def test_a_long_unusual_password_is_accepted_whatever_its_characters(password: str) -> None:
    assert refusal_of(password) == ""


@pytest.mark.parametrize(("password", "reason"), [
    ("Aa1!aaaa", "fewer than 15"),
    ("fourteen-chars", "fewer than 15"),
    (" violet kettle stairs", "space"),
    ("violet kettle under\0", "null"),
    ("ä" * 20 + "kettle under seven stairs and then some more", "longer than 72 bytes"),
    ("x" * 20, "repeats"),
    ("abababababababab", "repeats"),
    ("Aa1!aaaaAa1!aaaa", "repeats"),
    ("password password 1", "tried first"),
    ("P@ssw0rdP@ssw0rd!", "tried first"),
    ("qwertyuiopasdfghjkl", "rows of keys"),
    ("1234567890!@#$%^&*()", "rows of keys"),
    ("2111202621112026", "dates"),
    ("iloveyouiloveyou", "tried first"),
    ("Harmony-Leukaemia-2026", "words of this project"),
    ("leukaemiadashboard1", "words of this project"),
    ("correct horse battery staple", "words of this project"),
    ("vera.vera.weiss.weiss", "your own name"),
    ("Weiss-Vera-Weiss-1987", "your own name"),
])
def test_a_weak_or_unusable_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    refusal = refusal_of(password)
    assert reason in refusal
    assert "Choose four or five unrelated words" in refusal
    assert "THE PASSWORD ITSELF" not in refusal


def test_words_of_one_person_do_not_count_against_another() -> None:
    password = "Brunhilde-Xantippe-Oyelaran"
    assert "your own name" in refusal_of(password, "brunhilde.x", "Brunhilde Xantippe Oyelaran")
    assert refusal_of(password) == ""


def test_many_at_once_are_each_judged_with_their_own_words() -> None:
    wrong: list[str] = []

    def judge(name: str, password: str, accepted: bool) -> None:
        for _ in range(40):
            if (refusal_of(password, "someone", name) == "") is not accepted:
                wrong.append(name)

    password = "brunhilde-xantippe-oyelaran"
    threads = [threading.Thread(target=judge, args=args) for args in (
        ("Brunhilde Xantippe Oyelaran", password, False), ("Nobody Else", password, True)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_passphrases_of_demonstration_accounts_are_accepted() -> None:
    assert [phrase for phrase in (new_passphrase() for _ in range(100))
            if refusal_of(phrase, "data-manager", "Demo data manager")] == []


@pytest.mark.parametrize("password", [
    "4@8({[<369#&!1i|$5+7%2z" * 3, "4a@8b({[<c369g6&#!1i|l7$5s+t%2z0o" * 2, "1!2@3#4$5%6^7&8*9(0)" * 4, "a" * 72,
    "p@$$w0rd" * 9, "x" * 1_000_000], ids=range(6))
def test_no_password_takes_long_to_judge(password: str) -> None:
    start = thread_time()
    refusal_of(password if len(password) > 1000 else password[:72])
    assert thread_time() - start < 1.0


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
