"""Whatever is in the files: no row is lost, no row is told to be accepted and refused, and no traceback."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.harmonised import HarmonisedSource
from harmony_dash.ingest.issues import Severity
from tests.unit.ingest.sources import FOLLOW_HEADER, MANIFEST, PATIENTS_HEADER, follow_up, patients, write_source

DICTIONARY = load_dictionary()
KEY = b"k" * 32

IDENTIFIERS = st.sampled_from([f"p{n}" for n in range(1, 13)] + ["", "NA", "p1 ", "P1", "=1"])
CELLS = st.one_of(
    st.sampled_from(["", "NA", "m", "w", "x", "0", "1", "2", "ja", "nein", "neg", "PNQ", "<0.01", "1e-4", "0,1", "33",
                     "400", "2000", "-1", "1e999", "nan", "inf", "99999999999999999999", "3.5", "=1+1", "@x", "+", "-",
                     "1_000", "٣", "\ufeff", "a\nb", '"', "'", "NULL", "true", "½"]),
    st.integers(-10, 5000).map(str), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6))


def rows(good: list[str]) -> st.SearchStrategy[list[list[str]]]:
    """Good rows, each at most once unless chance repeats it, among rows of garbage."""
    width = len(good[0].split(","))
    garbage = st.tuples(IDENTIFIERS, st.lists(CELLS, min_size=width - 1, max_size=width - 1)).map(
        lambda row: [row[0], *row[1]])
    kept = st.lists(st.sampled_from(good), unique=True, min_size=4).map(lambda rows: [row.split(",") for row in rows])
    return st.tuples(kept, st.lists(garbage, max_size=6)).flatmap(lambda parts: st.permutations([*parts[0], *parts[1]]))


def as_csv(records: list[list[str]]) -> list[str]:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(records)
    return [text.getvalue().removesuffix("\n")]


def harmonise(folder: str) -> HarmonisedSource | None:
    """The source, or None where it is refused with a place and a remedy."""
    try:
        return harmonise_source(Path(folder), DICTIONARY, KEY, max_bad_share=1.0)
    except SourceError as problem:
        refusal = problem
    assert refusal.where
    assert refusal.remedy
    return None


def check_sums(source: HarmonisedSource) -> None:
    assert source.accepted == len(source.frame)
    assert source.frame["patient"].is_unique
    for count in source.counts:
        assert count.read == count.accepted + count.quarantined
        refused = {issue.row for issue in source.issues
                   if issue.file == count.file and issue.severity is Severity.ERROR}
        assert len(refused) == count.quarantined


@settings(max_examples=40, deadline=None)
@given(rows(patients(12)), rows(follow_up(12)))
def test_no_row_of_garbage_is_lost(first: list[list[str]], second: list[list[str]]) -> None:
    with TemporaryDirectory() as folder:
        write_source(Path(folder), first=as_csv(first), second=as_csv(second))
        source = harmonise(folder)
    if source is None:
        return  # random text may look like an identifier; then nothing is taken
    assert [count.read for count in source.counts] == [len(first), len(second)]
    check_sums(source)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 5), CELLS), max_size=4), st.booleans())
def test_bad_cells_never_touch_other_patients(changes: list[tuple[int, int, str]], shorten: bool) -> None:
    second = [row.split(",") for row in follow_up(12)]
    for row, column, cell in changes:
        second[row][column] = cell
    if shorten:
        second = second[:-1]
    touched = {row for row, _, _ in changes} | ({11} if shorten else set())
    with TemporaryDirectory() as folder:
        clean = harmonise_source(write_source(Path(folder)), DICTIONARY, KEY)
    with TemporaryDirectory() as folder:
        write_source(Path(folder), second=as_csv(second))
        source = harmonise(folder)
    if source is None:
        return
    check_sums(source)
    others = clean.frame.drop(index=sorted(touched))
    kept = source.frame.set_index("patient").reindex(others["patient"]).reset_index()
    assert kept.astype(str).equals(others.reset_index(drop=True)[kept.columns].astype(str))


JUNK = st.one_of(st.binary(max_size=300), st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
                 st.sampled_from([b"", b"\n", b"\r", b",", b'"', b"\n\n", b"p1,m,5,9,neg,33,a\n", b"\x00",
                                  b"\xef\xbb\xbf"]))


@settings(max_examples=60, deadline=None)
@given(JUNK, st.integers(0, 400), st.integers(0, 60))
def test_damaged_files_are_refused_or_add_up(junk: bytes, place: int, cut: int) -> None:
    with TemporaryDirectory() as folder:
        write_source(Path(folder))
        path = Path(folder) / "patients.csv"
        raw = path.read_bytes()
        path.write_bytes(raw[:place] + junk + raw[place + cut:])
        source = harmonise(folder)
    if source is not None:
        check_sums(source)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(MANIFEST)), st.text(max_size=8), st.integers(0, 12))
def test_damaged_manifests_are_refused_or_work(place: int, junk: str, cut: int) -> None:
    with TemporaryDirectory() as folder:
        write_source(Path(folder))
        text = MANIFEST[:place] + junk + MANIFEST[place + cut:]
        (Path(folder) / "source.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        source = harmonise(folder)
    if source is not None:
        check_sums(source)


def test_the_headers_of_the_tests_fit_the_rows() -> None:
    assert len(PATIENTS_HEADER.split(",")) == len(patients(1)[0].split(",")) == 7
    assert len(FOLLOW_HEADER.split(",")) == len(follow_up(1)[0].split(",")) == 6
