"""Provider identifiers as keyed hashes: without the site's key nobody can test whether a known one is in here."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

import pandas as pd

from harmony_dash.errors import SettingsError

HASH_CHARACTERS = 32
MINIMUM_KEY_BYTES = 16


def hash_identifiers(identifiers: pd.Series[Any], source: str, key: bytes) -> pd.Series[Any]:
    """HMAC-SHA256 of source, 0x1f and identifier, as the first 32 hexadecimal digits.

    The source is part of it, so that equal identifiers of two providers stay two patients.

    Raises
    ------
    SettingsError if the key is too short to keep anyone from trying all identifiers.
    """
    if len(key) < MINIMUM_KEY_BYTES:
        raise SettingsError(f"the patient key has fewer than {MINIMUM_KEY_BYTES} bytes",
                            remedy="Set HARMONY_PATIENT_KEY to a long random value.")
    prefix = source.encode() + b"\x1f"
    hashes = [hmac.digest(key, prefix + identifier.encode(), "sha256").hex()[:HASH_CHARACTERS]
              for identifier in _texts(identifiers)]
    return pd.Series(hashes, index=identifiers.index, dtype=object)


def _texts(identifiers: pd.Series[Any]) -> Iterable[str]:
    return (str(identifier) for identifier in identifiers.to_numpy())
