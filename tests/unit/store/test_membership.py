"""Sets of patients as bitmaps, against sets of patients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.membership import KeptSets, PatientSet, count_patients, fetch_bitmaps, find_close_pairs
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

# Not a multiple of 64, so that the last word is not full.
FRAME = make_patients(701, seed=8).sort_values("patient", ignore_index=True)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    # rows that arrive in another order than they are stored in
    return make_store(tmp_path_factory.mktemp("store"), frame=FRAME.sample(frac=1, random_state=4))


def bits(row: np.ndarray) -> list[bool]:
    return np.unpackbits(row.view(np.uint8))[: len(FRAME)].astype(bool).tolist()


Mask = Callable[[pd.DataFrame], "pd.Series[bool]"]
SETS: list[tuple[PatientSet, Mask]] = [
    (PatientSet(Question("ALL", "os")), lambda f: f.disease == "ALL"),
    (PatientSet(Question("ALL", "os", (parse_filter("sex=F"), parse_filter("cyto_group!=good")))),
     lambda f: (f.sex == "F") & f.cyto_group.notna() & (f.cyto_group != "good")),
    (PatientSet(Question("ALL", "os", (parse_filter("cyto_group=?"), parse_filter("age_dx_years=2..<10")))),
     lambda f: f.cyto_group.isna() & (f.age_dx_years >= 2) & (f.age_dx_years < 10)),
    (PatientSet(Question("ALL", "relapse", (parse_filter("sex=F"),)), figure=True),
     lambda f: (f.sex == "F") & f.relapse_days.notna()),
    (PatientSet(Question("ALL", "os", by="cyto_group", strata="mrd_group", landmark_days=400), figure=True),
     lambda f: f.cyto_group.notna() & (f.os_days > 400)),
    (PatientSet(Question("ALL", "os", by="cyto_group", landmark_days=400), figure=True, group="high"),
     lambda f: (f.cyto_group == "high") & (f.os_days > 400)),
    (PatientSet(Question("ALL", "os", by="hsct_cr1", landmark_days=200), figure=True, group="yes"),
     lambda f: (f.hsct_cr1 == "yes") & (f.hsct_days <= 200) & (f.os_days > 200)
     & ~(f.first_event_days <= 200).fillna(False)),
]


def test_each_set_has_the_patients_its_words_say(snapshot: Snapshot) -> None:
    bitmaps = fetch_bitmaps(snapshot, [one for one, _ in SETS])
    assert bitmaps.shape == (len(SETS), 11)
    for row, (one, mask) in zip(bitmaps, SETS, strict=True):
        assert bits(row) == mask(FRAME).fillna(False).astype(bool).tolist(), one
    assert count_patients(bitmaps).tolist() == [sum(bits(row)) for row in bitmaps]


def test_figures_have_the_patients_of_the_event_table(snapshot: Snapshot) -> None:
    for question in (Question("ALL", "relapse", (parse_filter("sex=F"),), by="cyto_group"),
                     Question("ALL", "efs", (parse_filter("country=DE,FR"),), by="mrd_group", landmark_days=42),
                     Question("ALL", "trm", by="hsct_cr1", strata="sex", landmark_days=183)):
        table = fetch_event_table(snapshot, question)
        sets = [PatientSet(question, figure=True, group=group) for group in table.groups]
        assert count_patients(fetch_bitmaps(snapshot, sets)).tolist() == table.patients.tolist()


def test_many_conditions_are_read_in_batches(snapshot: Snapshot) -> None:
    sets = [PatientSet(Question("ALL", "os", (parse_filter(f"age_dx_years={lower / 10:g}..{lower / 10 + 1:g}"),)))
            for lower in range(250)]
    found = count_patients(fetch_bitmaps(snapshot, sets))
    assert found.tolist() == [int(FRAME.age_dx_years.between(lower / 10, lower / 10 + 1).sum())
                              for lower in range(250)]


def test_no_set_is_no_row(snapshot: Snapshot) -> None:
    bitmaps = fetch_bitmaps(snapshot, [])
    assert bitmaps.shape == (0, 11)
    assert find_close_pairs(bitmaps, np.zeros(0, dtype=np.int64)) == []


@pytest.mark.parametrize("seed", range(20))
def test_close_pairs_are_those_of_a_comparison_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    patients = int(rng.integers(1, 5_000))
    # families of sets around a few centres, from nearly equal to far apart, and some that are equal
    centres = rng.random((4, patients)) < rng.random((4, 1))
    members = [centre ^ (rng.random(patients) < share / patients)
               for centre in centres for share in (0, 1, 3, 8, 10, 12, 40) for _ in range(3)]
    sets = [frozenset(np.flatnonzero(member).tolist()) for member in members]
    limits = rng.choice([10, 20], len(sets))
    bitmaps = np.zeros((len(sets), -(-patients // 64)), dtype=np.uint64)
    for row, member in zip(bitmaps, members, strict=True):
        packed = np.packbits(member)
        row.view(np.uint8)[: len(packed)] = packed
    expected = [(one, other) for one in range(len(sets)) for other in range(one + 1, len(sets))
                if 0 < len(sets[one] ^ sets[other]) < max(limits[one], limits[other])]
    assert find_close_pairs(bitmaps, limits) == expected
    assert find_close_pairs(bitmaps, limits, memory=int(rng.integers(1, 5_000))) == expected
    assert expected or patients < 10


def test_sets_below_their_minimum_are_not_kept_and_equal_ones_once(snapshot: Snapshot) -> None:
    sets = [one for one, _ in SETS]
    same = PatientSet(Question("ALL", "efs"))
    sizes = count_patients(fetch_bitmaps(snapshot, sets)).tolist()
    least = sorted(sizes)[3]
    kept = KeptSets(snapshot, [*sets, same], lambda _: least, memory=2**20)
    assert set(kept.places) == {same, *(one for one, n in zip(sets, sizes, strict=True) if n >= least)}
    assert kept.places[same] == kept.places[sets[0]]
    assert count_patients(kept.bitmaps).tolist() == [n for n in sizes if n >= least]
    assert kept.left_out == set()


def test_what_does_not_fit_into_memory_is_left_out_by_name(snapshot: Snapshot) -> None:
    sets = [one for one, _ in SETS]
    kept = KeptSets(snapshot, sets, lambda _: 1, memory=2 * 8 * 11)
    assert kept.bitmaps.shape == (2, 11)
    assert kept.left_out == set(sets[2:])
    assert kept.pool([0, 1]) == 0  # everybody, who are kept already
    assert KeptSets(snapshot, sets[1:3], lambda _: 1, memory=2 * 8 * 11).pool([0, 1]) is None
