"""Keys of one purpose each, derived from the access key."""

from __future__ import annotations

import hmac


def derive_key(access_key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: HKDF-SHA-256 (RFC 5869) of the access key, with the purpose as context.

    Keys of two purposes say nothing about each other or about the access key.

    Parameters
    ----------
    purpose : a constant of the code; another one gives another key, so renaming one makes old data unreadable.
    """
    extracted = hmac.digest(b"harmony_dash access key", access_key, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
