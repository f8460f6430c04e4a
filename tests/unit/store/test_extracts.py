"""Extracts: what is not in the file cannot come out of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.errors import StoreError
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.extracts import STRUCTURE, Cut, Extracts
from harmony_dash.store.reader import Snapshot, Store
from tests.factories import make_patients, make_store

CUT = Cut(("NL", "DE"), ("cyto_group", "hsct_cr1"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    make_store(tmp_path / "store", 600)
    return Store(tmp_path / "store")


@pytest.fixture
def extracts(store: Store) -> Extracts:
    return Extracts(store)


def _files(store: Store) -> list[Path]:
    return sorted((store.folder / "extracts").glob("*"))


def test_the_file_holds_the_columns_and_rows_of_the_cut_and_no_other(store: Store, extracts: Extracts) -> None:
    snapshot = store.current()
    extract = extracts.open(snapshot, CUT)
    wanted = snapshot.fetch_rows("SELECT count(*) FROM patient WHERE country IN ('NL', 'DE')")[0][0]
    assert (extract.patients, extract.snapshot) == (wanted, snapshot.snapshot)
    columns = {row[0] for row in extract.fetch_rows("SELECT column_name FROM information_schema.columns "
                                                    "WHERE table_name = 'patient'")}
    endpoints = {f"{name}_{part}" for name in ENDPOINTS for part in ("days", "cause", "excluded")}
    known = {"cyto_group", "hsct_cr1", "hsct_days", *STRUCTURE}
    assert columns - endpoints - {"patient", "record_key"} == known
    assert set(extract.dictionary.variables) <= known
    assert {row[0] for row in extract.fetch_rows("SELECT DISTINCT country::VARCHAR FROM patient")} == {"NL", "DE"}


def test_questions_give_what_the_snapshot_gives_for_those_countries(store: Store, extracts: Extracts) -> None:
    snapshot = store.current()
    extract = extracts.open(snapshot, CUT)
    for question in (Question("ALL", "efs", by="cyto_group"),
                     Question("ALL", "relapse", landmark_days=90, by="hsct_cr1")):
        here = fetch_event_table(extract, question)
        there = fetch_event_table(snapshot, Question(question.disease, question.endpoint,
                                                     (parse_filter("country=DE,NL"),), question.by,
                                                     landmark_days=question.landmark_days))
        assert here.groups == there.groups
        assert here.day.tolist() == there.day.tolist()
        assert here.events.tolist() == there.events.tolist()
        assert here.censored.tolist() == there.censored.tolist()


def test_an_unapproved_variable_is_not_even_in_the_file(store: Store, extracts: Extracts) -> None:
    extract = extracts.open(store.current(), CUT)
    with pytest.raises(duckdb.Error):
        extract.fetch_rows("SELECT sex FROM patient")
    raw = _files(store)[0].read_bytes()
    assert b"immunophenotype" not in raw
    with pytest.raises(duckdb.Error):  # locked down like a snapshot
        extract.fetch_rows("SELECT * FROM read_text('/etc/hostname')")


def test_each_cut_has_one_file_for_its_owner_alone(store: Store, extracts: Extracts) -> None:
    snapshot = store.current()
    first = extracts.open(snapshot, CUT)
    assert extracts.open(snapshot, Cut(("DE", "NL"), ("hsct_cr1", "cyto_group"))) is first
    whole = extracts.open(snapshot, Cut(("FR",)))
    assert set(whole.dictionary.variables) == set(snapshot.dictionary.variables)
    assert [path.stat().st_mode & 0o777 for path in _files(store)] == [0o600, 0o600]
    assert (store.folder / "extracts").stat().st_mode & 0o777 == 0o700


def test_what_is_over_is_removed_and_cannot_be_read_any_more(store: Store, extracts: Extracts) -> None:
    snapshot = store.current()
    extract = extracts.open(snapshot, CUT)
    kept = extracts.open(snapshot, Cut(("FR",)))
    extracts.keep_only(snapshot.snapshot, [Cut(("FR",))])
    assert len(_files(store)) == 1
    with pytest.raises(StoreError, match="taken away"):
        extract.fetch_rows("SELECT 1")
    assert kept.fetch_rows("SELECT 1") == [(1,)]


def test_a_file_left_by_an_earlier_process_is_not_trusted(store: Store, extracts: Extracts) -> None:
    snapshot = store.current()
    path = store.folder / "extracts" / f"{snapshot.snapshot}.{CUT.digest}.{os.getpid()}.duckdb"
    path.parent.mkdir()
    path.write_bytes(b"not a database")
    assert extracts.open(snapshot, CUT).patients > 0
    (path.parent / f"{snapshot.snapshot}.{CUT.digest}.{_dead_process()}.tmp").write_bytes(b"half")
    (path.parent / f"{snapshot.snapshot}.{CUT.digest}.{os.getppid()}.duckdb").write_bytes(b"another's")
    extracts.keep_only(snapshot.snapshot, [CUT])
    left = {file.name.split(".")[2] for file in _files(store)}
    assert left == {str(os.getpid()), str(os.getppid())}  # a process that runs looks after its own files


def _dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_other_diseases_codes_and_identities_are_not_in_it(tmp_path: Path) -> None:
    frame = make_patients(400)
    frame.loc[frame.index % 4 == 0, "disease"] = "AML"
    frame.loc[frame.country == "FR", "trial"] = "Secret trial"
    snapshot = make_store(tmp_path / "store", frame=frame)
    extract = Extracts(Store(tmp_path / "store")).open(snapshot, Cut(("NL",), ("sex", "trial"), ("ALL",)))
    assert extract.patients == int(((frame.country == "NL") & (frame.disease == "ALL")).sum())
    assert "Secret trial" not in extract.code_values["trial"]
    assert extract.code_values["disease"] == ("ALL",)
    raw = next((tmp_path / "store" / "extracts").glob("*.duckdb")).read_bytes()
    assert b"Secret trial" not in raw
    assert frame.patient[0][:14].encode() not in raw
    assert extract.fetch_rows("SELECT read_count, accepted_count, quarantined_count FROM source") == [
        (None, extract.patients, 0)]


def test_a_cut_that_leaves_nobody_is_a_clear_error(store: Store, extracts: Extracts) -> None:
    with pytest.raises(StoreError, match="no patient is left"):
        extracts.open(store.current(), Cut(("IS",)))
    assert _files(store) == []


def test_only_sources_with_a_patient_left_are_named(store: Store, extracts: Extracts) -> None:
    extract: Snapshot = extracts.open(store.current(), CUT)
    assert extract.fetch_rows("SELECT source FROM source") == [("example",)]
