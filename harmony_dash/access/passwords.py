"""Which passwords are accepted, and how they are stored.

The rules follow NIST SP 800-63B-4: length and how soon a guesser would come to it, and no rules about the mix of
characters, which only make people choose `Password1!`. How soon is judged by zxcvbn, which knows the passwords that
leaked most often, English words, names, keyboard rows, dates and repeats (Wheeler, USENIX Security 2016).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from math import prod

import bcrypt
from zxcvbn import matching, zxcvbn

from harmony_dash.errors import UserError

MINIMUM_CHARACTERS = 15
# bcrypt reads no further, and its library refuses longer input.
MAXIMUM_BYTES = 72
ROUNDS = 12
# One check takes a core for about a third of a second: more than two at once would stall the pages.
_AT_ONCE = threading.BoundedSemaphore(2)

# What anybody knows about this project, and what people reach for when a password must be long.
_PROJECT_WORDS = ("harmony", "harmonydash", "dashboard", "leukaemia", "leukemia", "survival", "clinician", "steering",
                  "analyst", "datamanager", "streamlit", "hospital", "passphrase", "correcthorsebatterystaple")
# On zxcvbn's scale of 0 to 4: more than a hundred million guesses, far beyond what the pauses let anybody try.
_LOWEST_SCORE = 3
# zxcvbn keeps the words of whom it judges for in a table of the whole process.
_ONE_AT_A_TIME = threading.Lock()
# It tries every way to read signs as letters, and there can be hundreds: from here on it would take seconds.
_MOST_READINGS = 32
# Signs that stand for the same letter, as one sign.
_SAME_LETTER = str.maketrans("@{[<!|$+", "4(((1157")


def check_password_rules(password: str, *, username: str = "", name: str = "") -> None:
    """Raise `UserError` with the first rule the password breaks; the password itself is never repeated.

    Parameters
    ----------
    username, name : of the person it is for; their words make no password stronger.
    """
    text = unicodedata.normalize("NFC", password)
    if len(text) < MINIMUM_CHARACTERS:
        raise _refused(f"the password has fewer than {MINIMUM_CHARACTERS} characters")
    if len(text.encode("utf-8", "replace")) > MAXIMUM_BYTES:
        raise _refused(f"the password is longer than {MAXIMUM_BYTES} bytes")
    if text != text.strip() or "\0" in text:
        # the sign-in form takes such spaces away, so the password could never be entered
        raise _refused("the password begins or ends with a space, or holds a null character")
    words = [*_PROJECT_WORDS, *_own_words(username, name)]
    if _score(text, words) < _LOWEST_SCORE:
        raise _refused("the password is easy to guess: it is made of repeats, rows of keys, dates, or words and "
                       "passwords that are tried first")
    if _score(_without(text, words), words) < _LOWEST_SCORE:
        raise _refused("the password is easy to guess: without the words of this project, your own name, and the "
                       "signs between words, too little is left")


def hash_password(password: str, *, rounds: int = ROUNDS) -> str:
    """The bcrypt hash to store."""
    with _AT_ONCE:
        return bcrypt.hashpw(_encode(password), bcrypt.gensalt(rounds)).decode()


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the password made the hash; one that is too long is checked like any other wrong one."""
    encoded = _encode(password)
    with _AT_ONCE:
        matches = bcrypt.checkpw(encoded[:MAXIMUM_BYTES], password_hash.encode())
    return matches and len(encoded) <= MAXIMUM_BYTES


def _encode(password: str) -> bytes:
    # the same letters must give the same bytes on every keyboard
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").replace(b"\0", b"?")


def _own_words(username: str, name: str) -> list[str]:
    """The account name and its parts, and the parts of the name, as far as they are long enough to be words."""
    parts = [username, *re.split(r"[\W_\d]+", username), *re.split(r"[\W_\d]+", name)]
    return [word for word in dict.fromkeys(part.casefold() for part in parts) if len(word) > 2]


def _without(text: str, words: list[str]) -> str:
    """The password without the signs between its words, and without the words that anybody would try on this person.

    A guesser puts words together in every usual way; zxcvbn takes each sign between them for a random one. A password
    that is signs for the most part keeps them.
    """
    letters = _letters(text)
    rest = letters if 2 * len(letters) >= len(text) else text.casefold()
    for word in sorted(map(_letters, words), key=len, reverse=True):
        rest = rest.replace(word, "") if word else rest
    return rest


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _score(text: str, words: list[str]) -> int:
    """How hard the text is to guess, from 0 to 4."""
    if not text:
        return 0
    text = text.replace("\n", " ")  # zxcvbn fails on digits before the end of a line
    readings = prod(max(1, sum(sign in text for sign in signs)) for signs in matching.L33T_TABLE.values())
    if readings > _MOST_READINGS:
        text = text.translate(_SAME_LETTER)
    with _ONE_AT_A_TIME:
        try:
            return int(zxcvbn(text, user_inputs=words, max_length=MAXIMUM_BYTES)["score"])
        finally:
            matching.RANKED_DICTIONARIES.pop("user_inputs", None)


def _refused(problem: str) -> UserError:
    return UserError(problem, where="password",
                     remedy="Choose four or five unrelated words; any characters are allowed.")
