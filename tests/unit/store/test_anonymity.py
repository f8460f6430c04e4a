"""The anonymity figures a snapshot is written with and carries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.dictionary import load_dictionary
from harmony_dash.store.anonymity import describe_anonymity, restore_anonymity
from harmony_dash.store.reader import Store
from harmony_dash.store.writer import SnapshotWriter, new_snapshot
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, make_store, no_issues


def add(writer: SnapshotWriter, frame: pd.DataFrame, source: str, quarantined: int = 0) -> None:
    writer.add_source(make_record(frame, source, read_count=len(frame) + quarantined, quarantined_count=quarantined),
                      frame, no_issues())


def test_a_snapshot_carries_what_was_measured(tmp_path: Path) -> None:
    with new_snapshot(tmp_path, load_dictionary(), NOW, DISCLOSURE_KEY) as (writer, _):
        for seed, source in enumerate(("one", "two"), 1):
            add(writer, make_patients(100 * seed, seed, source=source), source)
        measured = writer.measure_anonymity()
    assert {source: found.before.patients for source, found in measured.items()} == {"one": 100, "two": 200}
    assert Store(tmp_path).current().anonymity == measured


def test_figures_of_a_small_source_by_hand(tmp_path: Path) -> None:
    frame = make_patients(40)
    frame["country"] = np.repeat(["DE", "FR"], 20)
    frame["sex"] = np.array(["F", "M"])[np.r_[np.zeros(20, int), np.zeros(19, int), 1]]
    frame["age_group"], frame["dx_period"] = "1-9", None
    frame["age_dx_years"] = np.r_[np.full(20, 3.0), np.full(10, 4.0), np.full(10, 4.5)]
    frame["first_event"] = np.r_[np.full(20, "none"), np.full(20, "relapse")]
    found = make_store(tmp_path, frame=frame).anonymity["example"]
    # Before: 20 German girls, 10 and 9 French girls of two ages and a French boy. By country the French girls are 19.
    assert (found.before.classes, found.before.risk.k, found.before.risk.mean_risk) == (4, 1, 0.1)
    assert found.before.risk.few_patients == 10
    by_country, by_period = found.accepted
    assert (by_country.classes, by_country.risk.k, by_country.risk.mean_risk) == (3, 1, 3 / 40)
    assert (by_period.classes, by_period.risk.k, by_period.risk.l, by_period.risk.l_of_many) == (2, 1, 1, 2)
    assert found.generalised.classes == 3


def test_later_sources_are_measured_too(tmp_path: Path) -> None:
    with new_snapshot(tmp_path, load_dictionary(), NOW, DISCLOSURE_KEY) as (writer, _):
        add(writer, make_patients(50, source="one"), "one")
        assert set(writer.measure_anonymity()) == {"one"}
        add(writer, make_patients(60, source="two"), "two")
        assert set(writer.measure_anonymity()) == {"one", "two"}


def test_a_source_without_accepted_patients_has_nobody_at_risk(tmp_path: Path) -> None:
    with new_snapshot(tmp_path, load_dictionary(), NOW, DISCLOSURE_KEY) as (writer, _):
        add(writer, make_patients(50, source="one"), "one")
        add(writer, make_patients(0, source="none"), "none", quarantined=7)
    found = Store(tmp_path).current().anonymity["none"]
    assert (found.before.patients, found.after.k, found.after.mean_risk, found.after.l_of_many) == (0, 0, 0.0, None)


def test_reports_survive_the_trip_through_json(tmp_path: Path) -> None:
    measured = make_store(tmp_path, 90).anonymity
    assert restore_anonymity(json.loads(json.dumps(describe_anonymity(measured)))) == measured
    assert restore_anonymity({}) == {}
