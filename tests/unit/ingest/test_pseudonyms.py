"""Identifiers become keyed hashes."""

from __future__ import annotations

import hashlib
import hmac

import pandas as pd
import pytest

from harmony_dash.errors import SettingsError
from harmony_dash.ingest.pseudonyms import hash_identifiers

KEY = b"k" * 32


def test_the_hash_is_hmac_sha256_of_source_and_identifier() -> None:
    expected = hmac.new(KEY, b"de\x1fp1", hashlib.sha256).hexdigest()[:32]
    assert hash_identifiers(pd.Series(["p1"]), "de", KEY).tolist() == [expected]


def test_hashes_depend_on_source_key_and_identifier() -> None:
    one = hash_identifiers(pd.Series(["p1", "p2", "p1"], index=[5, 6, 7]), "de", KEY)
    assert one.index.tolist() == [5, 6, 7]
    assert one.iloc[0] == one.iloc[2] != one.iloc[1]
    assert set(one) & set(hash_identifiers(pd.Series(["p1", "p2"]), "fr", KEY)) == set()
    assert set(one) & set(hash_identifiers(pd.Series(["p1", "p2"]), "de", b"l" * 32)) == set()
    # The separator keeps ("de", "1p") apart from ("de1", "p").
    assert hash_identifiers(pd.Series(["1p"]), "de", KEY)[0] != hash_identifiers(pd.Series(["p"]), "de1", KEY)[0]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="16 bytes"):
        hash_identifiers(pd.Series(["p1"]), "de", b"k" * 15)
