"""A secret number for every patient, and the one piece of SQL that may read it.

The numbers of a set of patients, combined by XOR, are the key of that set: it decides how a count of them is rounded.
A single number never leaves the store, only the XOR over whole aggregates does, and only the server sees that.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.errors import SettingsError

MINIMUM_KEY_BYTES: Final = 16
COLUMN: Final = "record_key"

_KEY_BYTES: Final = 8
# Pseudonyms are hexadecimal digits; a message that starts with this byte is none of them.
_OTHER: Final = b"\x1f"


def check_disclosure_key(key: bytes) -> None:
    """Refuse a key so short that someone could try all of them.

    Raises
    ------
    SettingsError.
    """
    if len(key) < MINIMUM_KEY_BYTES:
        raise SettingsError(f"the disclosure key has fewer than {MINIMUM_KEY_BYTES} bytes",
                            remedy="Set HARMONY_DISCLOSURE_KEY to a long random value.")


def make_record_keys(pseudonyms: Iterable[str], key: bytes) -> NDArray[np.uint64]:
    """The first 8 bytes of the HMAC-SHA256 of each pseudonym.

    They depend on nothing else, so an unchanged patient has the same one in every snapshot made with this key.
    """
    digest = hmac.digest
    joined = b"".join([digest(key, pseudonym.encode(), "sha256")[:_KEY_BYTES] for pseudonym in pseudonyms])
    return np.frombuffer(joined, dtype=">u8").astype(np.uint64)


def make_quarantine_key(source: str, quarantined: int, key: bytes) -> int:
    """A stand-in for the key of the patients that were refused, who are not in the store."""
    return make_rows_key(source, "quarantined", quarantined, key)


def make_rows_key(source: str, what: str, n: int, key: bytes) -> int:
    """A stand-in for the key of rows of a file that no patient of the store stands behind.

    It stays the same as long as the source has as many of them. Without the disclosure key nobody can compute it, and
    so nobody can compute how their number is rounded.
    """
    message = _OTHER.join([b"", what.encode(), source.encode(), str(n).encode()])
    return int.from_bytes(hmac.digest(key, message, "sha256")[:_KEY_BYTES], "big")


def fingerprint_key(key: bytes) -> str:
    """16 hexadecimal digits by which two snapshots can be seen to be made with the same key."""
    return hmac.digest(key, _OTHER + b"harmony_dash disclosure key", "sha256")[:_KEY_BYTES].hex()


def key_sql(condition: str = "") -> str:
    """SQL of the key of the rows a query aggregates, or of those for which a condition is true; null over none."""
    kept = f" FILTER (WHERE {condition})" if condition else ""
    return f"bit_xor({COLUMN}){kept}"


def count_sql(condition: str = "") -> str:
    """SQL of two columns, a number of patients and their key, for `read_counts`."""
    kept = f" FILTER (WHERE {condition})" if condition else ""
    return f"count(*){kept}, {key_sql(condition)}"


def read_counts(columns: Sequence[int | None]) -> list[KeyedCount]:
    """The counts in columns of a row that `count_sql` made; the key of nobody is null in SQL and 0 here."""
    return [KeyedCount(n or 0, key or 0) for n, key in zip(columns[::2], columns[1::2], strict=True)]
