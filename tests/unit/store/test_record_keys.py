"""Every count of the store comes with the key of the patients counted, and no record key comes out alone."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import harmony_dash
from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.coverage_results import Status
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients, read_keyed_counts
from harmony_dash.store import layout
from harmony_dash.store.counts import (
    fetch_choices,
    fetch_cohort_count,
    fetch_cohort_flow,
    fetch_cross_counts,
    fetch_diseases,
    fetch_sources,
)
from harmony_dash.store.coverage import fetch_completeness
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot, Store
from harmony_dash.store.record_keys import fingerprint_key, make_quarantine_key, make_record_keys
from harmony_dash.store.writer import new_snapshot
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, make_store, no_issues

OTHER_KEY = b"another made-up disclosure key"
FRAME = make_patients(1200, seed=5)
FRAME.loc[FRAME.index % 3 == 0, "entry_days"] = 40
FRAME.loc[FRAME.index % 7 == 0, "disease"] = "AML"
ALL = FRAME[FRAME.disease == "ALL"]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("store"), frame=FRAME)


def record_key(patient: str) -> int:
    return int.from_bytes(hmac.new(DISCLOSURE_KEY, patient.encode(), hashlib.sha256).digest()[:8], "big")


def expected(rows: pd.DataFrame) -> tuple[int, int]:
    return len(rows), reduce(xor, map(record_key, rows.patient), 0)


def found(count: object) -> tuple[int, int]:
    assert isinstance(count, KeyedCount)
    return int(count), count.key


def publish(folder: Path, frame: pd.DataFrame, key: bytes = DISCLOSURE_KEY, *, minutes: int = 0,
            new_disclosure_key: bool = False, quarantined: int = 0) -> Snapshot:
    with new_snapshot(folder, load_dictionary(), NOW + timedelta(minutes=minutes), key,
                      new_disclosure_key=new_disclosure_key) as (writer, _):
        writer.add_source(make_record(frame, read_count=len(frame) + quarantined, quarantined_count=quarantined),
                          frame, no_issues())
    return Store(folder).current()


def test_a_record_key_is_the_keyed_hash_of_the_pseudonym() -> None:
    patients = FRAME.patient.tolist()
    assert make_record_keys(patients, DISCLOSURE_KEY).tolist() == [record_key(patient) for patient in patients]
    assert make_record_keys([], DISCLOSURE_KEY).tolist() == []


def test_the_flow_has_the_key_of_every_step(snapshot: Snapshot) -> None:
    question = Question("ALL", "relapse", (OneOf("sex", ("F",)), OneOf("country", ("DE", "FR"))), "cyto_group",
                        landmark_days=60)
    flow = fetch_cohort_flow(snapshot, question)
    german = ALL[ALL.country.isin(["DE", "FR"])]
    female = german[german.sex == "F"]
    assert found(flow.disease) == expected(ALL)
    assert [found(n) for n in flow.after_filter] == [expected(german), expected(female)]
    assert [found(n) for n in flow.removed] == [
        expected(ALL[~ALL.country.isin(["DE", "FR"])]), expected(german[german.sex != "F"])]
    assert found(flow.excluded["no_remission"]) == expected(female[female.relapse_days.isna()])
    table = fetch_event_table(snapshot, question)
    assert found(flow.analysed) == (int(table.patients.sum()),
                                    int(np.bitwise_xor.reduce(count_keyed_patients(table).keys)))


def test_coverage_counts_have_keys(snapshot: Snapshot) -> None:
    assert {code: found(n) for code, n, _, _ in fetch_diseases(snapshot)} == {
        code: expected(rows) for code, rows in FRAME.groupby("disease")}
    assert {values: found(n) for values, n in fetch_cross_counts(snapshot, "ALL", ("country", "trial"))} == {
        values: expected(rows) for values, rows in ALL.groupby(["country", "trial"])}
    variables = [snapshot.dictionary[name] for name in ("cyto_group", "hsct_cr1", "hb")]
    n, known = fetch_completeness(snapshot, "ALL", variables)["example"]
    assert found(n) == expected(ALL)
    assert {name: found(parts[Status.VALUE]) for name, parts in known.items()} == {
        "cyto_group": expected(ALL[ALL.cyto_group.notna()]), "hsct_cr1": expected(ALL[ALL.hsct_cr1.notna()]),
        "hb": (0, 0)}
    assert found(known["cyto_group"][Status.UNKNOWN]) == expected(ALL[ALL.cyto_group.isna()])


def test_choices_and_the_cohort_have_keys(snapshot: Snapshot) -> None:
    question = Question("ALL", "os", (OneOf("sex", ("F",)),))
    counts = fetch_choices(snapshot, question, [snapshot.dictionary[name] for name in ("sex", "cyto_group")])
    female = ALL[ALL.sex == "F"]
    assert found(fetch_cohort_count(snapshot, question)) == expected(female)
    assert {value: found(n) for value, n in counts["sex"].items()} == {
        value: expected(rows) for value, rows in ALL.groupby("sex")}
    assert found(counts["cyto_group"][None]) == expected(female[female.cyto_group.isna()])


@pytest.mark.parametrize("endpoint", ["os", "relapse"])
@pytest.mark.parametrize("landmark", [0, 30, 100])
def test_the_event_table_has_the_keys_of_a_reading_of_the_rows(
        snapshot: Snapshot, endpoint: str, landmark: int) -> None:
    table = fetch_event_table(snapshot, Question("ALL", endpoint, by="sex", landmark_days=landmark))
    clock = ALL.cr_days if endpoint == "relapse" else 0
    entry = (ALL.entry_days.fillna(0) - clock - landmark).clip(lower=0)
    day = (ALL[f"{endpoint}_days"] - landmark).astype("Float64")
    cause = ALL[f"{endpoint}_cause"]
    followed = ((day > (0 if landmark else -1)) & ((day > entry) | ALL.entry_days.isna())).fillna(False)
    events = count_keyed_events(table)
    for place, sex in enumerate(table.groups):
        group = followed & (ALL.sex == sex)
        for number in range(len(table.causes)):
            assert (events.n[place, number], events.keys[place, number]) == expected(
                ALL[(group & (cause == number + 1)).fillna(False)])
        days = [0, 10, 50, 200, 1500]
        counts = read_keyed_counts(table, sex, days)
        for at, n, key in zip(days, counts.at_risk.n, counts.at_risk.keys, strict=True):
            assert (n, key) == expected(ALL[group & (day >= at) & ((entry < at) | (entry == 0))]), at
        for at, n, key in zip(days, counts.censored.n, counts.censored.keys, strict=True):
            assert (n, key) == expected(ALL[group & (day <= at) & (cause == 0)]), at


SAME: list[list[tuple[Filter, ...]]] = [
    [(OneOf("sex", ("F",)),), (Not(OneOf("sex", ("M",))),), (AnyOf((OneOf("sex", ("F",)), OneOf("sex", ("F",)))),)],
    [(Between("age_dx_years", 1, 18, False),),
     (Between("age_dx_years", 1, None), Between("age_dx_years", None, 18, False)),
     (AnyOf((Between("age_dx_years", 1, 10, False), Between("age_dx_years", 10, 18, False))),),
     (Not(AnyOf((Between("age_dx_years", None, 1, False), Between("age_dx_years", 18, None)))),)],
    [(OneOf("cyto_group", ("good", "high")), OneOf("sex", ("F",))),
     (OneOf("sex", ("F",)), Not(OneOf("cyto_group", ("intermediate",))))],
    [(Not(Missing("cyto_group")),), (OneOf("cyto_group", ("good", "intermediate", "high")),)],
    [(), (AnyOf((Missing("sex"), Not(Missing("sex")))),)],
]


@pytest.mark.parametrize("phrasings", SAME)
def test_the_same_patients_have_the_same_key_however_they_are_asked_for(
        snapshot: Snapshot, phrasings: list[tuple[Filter, ...]]) -> None:
    counts = [found(fetch_cohort_count(snapshot, Question("ALL", "os", where))) for where in phrasings]
    assert len(set(counts)) == 1
    tables = [count_keyed_patients(fetch_event_table(snapshot, Question("ALL", "os", where, by="country")))
              for where in phrasings]
    assert len({tuple(table.keys.tolist()) for table in tables}) == 1


def test_an_unchanged_patient_keeps_the_key_in_the_next_snapshot(tmp_path: Path) -> None:
    first = publish(tmp_path, FRAME[:500])
    count = fetch_cohort_count(first, Question("ALL", "os", (OneOf("country", ("DE",)),)))
    changed = FRAME[:600].copy()
    changed.loc[changed.country != "DE", "sex"] = "M"
    changed.loc[changed.index >= 500, "country"] = "FR"
    second = publish(tmp_path, changed.iloc[::-1], minutes=1)
    assert found(fetch_cohort_count(second, Question("ALL", "os", (OneOf("country", ("DE",)),)))) == found(count)


def test_sources_have_keys_and_a_stand_in_for_who_was_refused(tmp_path: Path) -> None:
    frame = FRAME[:50]
    row = fetch_sources(publish(tmp_path, frame, quarantined=3))[0]
    stand_in = make_quarantine_key("example", 3, DISCLOSURE_KEY)
    assert found(row["accepted_count"]) == expected(frame)
    assert found(row["quarantined_count"]) == (3, stand_in)
    assert found(row["read_count"]) == (53, expected(frame)[1] ^ stand_in)
    assert stand_in not in {make_quarantine_key("example", 4, DISCLOSURE_KEY),
                            make_quarantine_key("example", 3, OTHER_KEY),
                            make_quarantine_key("other", 3, DISCLOSURE_KEY)}


def test_another_disclosure_key_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    first = publish(tmp_path, FRAME[:50])
    with pytest.raises(SettingsError, match="--new-disclosure-key") as refused:
        publish(tmp_path, FRAME[:60], OTHER_KEY, minutes=1)
    assert refused.value.where == "HARMONY_DISCLOSURE_KEY"
    assert Store(tmp_path).current().snapshot == first.snapshot
    assert publish(tmp_path, FRAME[:60], minutes=1).patients == 60


def test_another_disclosure_key_is_taken_on_purpose(tmp_path: Path) -> None:
    first = publish(tmp_path, FRAME[:50])
    second = publish(tmp_path, FRAME[:50], OTHER_KEY, minutes=1, new_disclosure_key=True)
    whole = Question("ALL", "os")
    assert fetch_cohort_count(first, whole).key != fetch_cohort_count(second, whole).key
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        publish(tmp_path, FRAME[:50], minutes=2)


@pytest.mark.parametrize("damage", ["{", ""])
def test_a_damaged_pointer_does_not_let_another_key_in(tmp_path: Path, damage: str) -> None:
    publish(tmp_path, FRAME[:50])
    (tmp_path / layout.POINTER).write_text(damage)
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        publish(tmp_path, FRAME[:50], OTHER_KEY, minutes=1)


@pytest.mark.parametrize("key", [b"", b"short"])
def test_a_short_disclosure_key_is_refused(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(SettingsError, match="HARMONY_DISCLOSURE_KEY"):
        publish(tmp_path / "store", FRAME[:50], key)
    assert not (tmp_path / "store").exists()


def test_the_snapshot_names_its_key_without_telling_it(tmp_path: Path) -> None:
    snapshot = publish(tmp_path, FRAME[:50])
    record = layout.read_pointer(tmp_path)
    assert record is not None
    assert record.key_fingerprint == fingerprint_key(DISCLOSURE_KEY)
    assert fingerprint_key(DISCLOSURE_KEY) != fingerprint_key(OTHER_KEY)
    [[text]] = snapshot.fetch_rows("SELECT value FROM meta WHERE key = 'disclosure_key'")
    assert text == f'"{record.key_fingerprint}"'
    for secret in (DISCLOSURE_KEY, DISCLOSURE_KEY.hex().encode()):
        assert all(secret not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_snapshot_of_the_first_format_is_refused_and_replaced_by_an_ingest(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harmony_dash.store import schema

    with monkeypatch.context() as patched:
        patched.setattr(schema, "SCHEMA_VERSION", 1)
        publish(tmp_path, FRAME[:50])
    text = (tmp_path / layout.POINTER).read_text()
    (tmp_path / layout.POINTER).write_text(re.sub(r', "(?:key_fingerprint|check)": "\w+"', "", text))
    with pytest.raises(StoreError, match=f"format 1, this version reads {schema.SCHEMA_VERSION}"):
        Store(tmp_path).current()
    assert publish(tmp_path, FRAME[:60], OTHER_KEY, minutes=1).patients == 60


def test_no_query_reads_record_keys_but_to_combine_them() -> None:
    """Only these pieces of text may name the column; `COLUMN` in SQL is carried to an outer query that combines it."""
    root = Path(next(iter(harmony_dash.__path__)))
    named = {str(path.relative_to(root)) for path in root.rglob("*.py")
             if re.search(r"\brecord_key\b", path.read_text(encoding="utf-8"))}
    assert named == {"store/record_keys.py"}
    carried = {str(path.relative_to(root)): re.findall(r"\{(?:record_keys\.)?COLUMN\}[^\"]*", path.read_text())
               for path in root.rglob("*.py")}
    assert {name: texts for name, texts in carried.items() if texts} == {
        "store/record_keys.py": ["{COLUMN}){kept}"], "store/counts.py": ["{COLUMN} FROM patient ", "{COLUMN} FROM "
         "patient WHERE {where}) GROUP BY GROUPING SETS ({sets})"], "store/effects.py": ["{COLUMN} FROM patient ",
                                                                                                 "{COLUMN} "],
        "store/coverage.py": ["{COLUMN}, {columns} FROM patient WHERE disease::VARCHAR = $disease) "],
        "store/quality.py": ["{COLUMN}, unnest([{names}]) AS name, unnest([{values}]) AS value FROM staging) ",
                             "{COLUMN}, {unrolled} FROM staging) "]}


def test_keys_of_disjoint_sets_combine(snapshot: Snapshot) -> None:
    def ask(values: Iterable[str]) -> tuple[int, int]:
        return found(fetch_cohort_count(snapshot, Question("ALL", "os", (OneOf("country", tuple(values)),))))

    (one, one_key), (two, two_key), whole = ask(["DE"]), ask(["FR", "NL"]), ask(["DE", "FR", "NL"])
    assert whole == (one + two, one_key ^ two_key)
