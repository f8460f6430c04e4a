"""Which passwords are accepted, and how they are stored.

The rules follow NIST SP 800-63B-4: length and a list of what everybody tries, and no rules about the mix of
characters, which only make people choose `Password1!`.
"""

from __future__ import annotations

import threading
import unicodedata

import bcrypt

from harmony_dash.errors import UserError

MINIMUM_CHARACTERS = 15
# bcrypt reads no further, and its library refuses longer input.
MAXIMUM_BYTES = 72
ROUNDS = 12
# One check takes a core for about a third of a second: more than two at once would stall the pages.
_AT_ONCE = threading.BoundedSemaphore(2)

# What people reach for when a password must be long, and what anybody knows about this project. Compared with all
# spaces and punctuation taken out.
_COMMON = ("password", "passphrase", "passwort", "letmein", "welcome", "changeme", "qwerty", "qwertz", "azerty",
           "iloveyou", "administrator", "correcthorsebatterystaple", "secret", "123456", "abcdef", "111111", "000000")
_CONTEXT = ("harmony", "harmonydash", "dashboard", "leukaemia", "leukemia", "survival", "clinician", "steering",
            "analyst", "datamanager", "streamlit", "hospital")


def check_password_rules(password: str, *, username: str = "", name: str = "") -> None:
    """Raise `UserError` with the first rule the password breaks."""
    text = unicodedata.normalize("NFC", password)
    if len(text) < MINIMUM_CHARACTERS:
        raise _refused(f"the password has fewer than {MINIMUM_CHARACTERS} characters")
    if len(text.encode()) > MAXIMUM_BYTES:
        raise _refused(f"the password is longer than {MAXIMUM_BYTES} bytes")
    if text != text.strip() or "\0" in text:
        # the sign-in form takes such spaces away, so the password could never be entered
        raise _refused("the password begins or ends with a space, or holds a null character")
    if len(set(text.lower())) < 5:
        raise _refused("the password repeats a few characters")
    rest = "".join(character for character in text.lower() if character.isalnum())
    for word in (*_COMMON, *_CONTEXT, *_own_words(username, name)):
        rest = rest.replace(word, "")
    if len(rest) < MINIMUM_CHARACTERS // 2:
        raise _refused("the password is little more than words that are tried first")


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
    words = [word.lower() for word in (username, *name.split())]
    return [word for word in words if len(word) > 3]


def _refused(problem: str) -> UserError:
    return UserError(problem, where="password",
                     remedy="Choose four or five unrelated words; any characters are allowed.")
