"""R4: whatever is done to a good source, nothing breaks and nothing is taken that does not stand in its files."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.harmonised import HarmonisedSource
from harmony_dash.ingest.pseudonyms import hash_identifiers
from tests.fuzz.mutations import (
    COUNT,
    Draft,
    Mutation,
    expected_values,
    good_draft,
    mutations,
    read_plainly,
    write_draft,
)
from tests.unit.ingest.sources import MANIFEST

DICTIONARY = load_dictionary()
KEY = b"k" * 32
EXAMPLES = int(os.environ.get("HARMONY_FUZZ_EXAMPLES", "150"))


def take(draft: Draft, folder: Path) -> HarmonisedSource | None:
    """The source, or None where it is refused with a place and a remedy."""
    write_draft(draft, folder, MANIFEST)
    try:
        return harmonise_source(folder, DICTIONARY, KEY, max_bad_share=1.0)
    except SourceError as problem:
        refusal = problem
    assert refusal.where
    assert refusal.remedy
    assert str(folder) not in refusal.message
    return None


def check_taken(source: HarmonisedSource, draft: Draft, folder: Path) -> None:
    """Every accepted row is somebody's who stands once in each file, with the values that stand there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = read_plainly(draft, folder)
    names = list(first)
    by_hash = dict(zip(hash_identifiers(pd.Series(names, dtype=object), "de_example", KEY), names, strict=True))
    assert source.frame["patient"].is_unique
    for record in source.frame.to_dict("records"):
        name = by_hash[record["patient"]]
        expected = expected_values(first[name], second[name])
        for column, value in expected.items():
            assert is_same(record[column], value), (column, record[column], value, first[name], second[name])


def is_same(found: object, expected: object) -> bool:
    if expected is None or isinstance(expected, str):
        return (None if pd.isna(found) else found) == expected
    return not pd.isna(found) and math.isclose(float(found), float(expected), rel_tol=1e-9)  # type: ignore[arg-type]


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(mutations, min_size=1, max_size=3))
def test_a_mutated_source_is_refused_or_taken_as_it_stands(chosen: list[Mutation]) -> None:
    draft = good_draft()
    for mutate in chosen:
        mutate(draft)
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = take(draft, folder)
        if source is not None:
            check_taken(source, draft, folder)


def test_the_second_reading_agrees_on_the_good_source() -> None:
    for workbook in (False, True):
        draft = good_draft()
        draft.workbook = workbook
        with TemporaryDirectory() as name:
            source = take(draft, Path(name))
            assert source is not None
            assert source.accepted == COUNT
            check_taken(source, draft, Path(name))


def test_the_second_reading_finds_a_wrong_value() -> None:
    draft = good_draft()
    with TemporaryDirectory() as name:
        source = take(draft, Path(name))
        assert source is not None
        draft.tables[0][3][2] = "9.5"
        write_draft(draft, Path(name), MANIFEST)
        with pytest.raises(AssertionError, match="age_dx_years"):
            check_taken(source, draft, Path(name))
