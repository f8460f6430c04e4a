from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store import level_tables
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.level_tables import NOT_RECORDED, Levels, Packing, fetch_level_tables, level_tables_sql
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

QUESTIONS = [Question("ALL", "efs"), Question("ALL", "relapse", (parse_filter("immunophenotype=B"),)),
             Question("ALL", "os", landmark_days=90)]
VARIABLES = ("sex", "cyto_group", "country", "age_group", "hsct_cr1")


def same(one: EventTable, other: EventTable) -> None:
    assert (one.groups, one.causes) == (other.groups, other.causes)
    for name in ("group", "stratum", "day", "censored", "events", "entries"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def late(frame: pd.DataFrame) -> pd.DataFrame:
    """Every third patient comes under observation ten days before the end, if the end is later than that."""
    entry = np.where((frame.index % 3 == 0) & (frame.last_contact_days > 60), 50, 0)
    return frame.assign(entry_days=pd.array(entry, dtype="Int32"))


@pytest.fixture(scope="module", params=["from the start", "late entry"])
def snapshot(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Snapshot:
    frame = make_patients(700, seed=5)
    frame.loc[frame.index < 40, "trial"] = None
    return make_store(tmp_path_factory.mktemp("levels"), frame=late(frame) if "late" in request.param else frame)


def levels_of(snapshot: Snapshot, name: str, **changes: object) -> Levels:
    return replace(Levels(name, name, tuple(snapshot.values_of(snapshot.dictionary[name]))), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.endpoint)
def test_the_table_of_a_variable_is_that_of_the_question_grouped_by_it(snapshot: Snapshot, question: Question) -> None:
    tables = fetch_level_tables(snapshot, question, [levels_of(snapshot, name) for name in VARIABLES], strata=None)
    assert list(tables) == list(VARIABLES)
    for name, table in tables.items():
        alone = fetch_event_table(snapshot, replace(question, by=name))
        same(table.select_groups(alone.groups).to_table(), alone)


def test_strata_are_those_of_the_question_the_last_one_of_patients_without_a_value(snapshot: Snapshot) -> None:
    question = QUESTIONS[0]
    table = fetch_level_tables(snapshot, question, [levels_of(snapshot, "sex")], strata="trial")["sex"].to_table()
    alone = fetch_event_table(snapshot, replace(question, by="sex", strata="trial"))
    assert table.strata == alone.strata
    assert table.strata[-1] == NOT_RECORDED
    same(table.select_groups(alone.groups), alone)
    unknown = table.stratum == len(table.strata) - 1
    assert int((table.censored[unknown] + table.events[unknown].sum(axis=1)).sum()) == pytest.approx(40, abs=3)


def test_patients_without_a_value_are_a_group_and_everybody_is_in_one(snapshot: Snapshot) -> None:
    question = QUESTIONS[0]
    tables = fetch_level_tables(snapshot, question, [levels_of(snapshot, name) for name in VARIABLES], strata="trial")
    everybody = int(fetch_event_table(snapshot, question).patients.sum())
    assert all(int(table.patients.sum()) == everybody for table in tables.values())
    assert tables["cyto_group"].patients[-1] > 0


def test_levels_within_one_value_of_another_variable_are_those_of_the_filtered_question(snapshot: Snapshot) -> None:
    question = QUESTIONS[1]
    levels = levels_of(snapshot, "sex", missing=False, within=("country", "DE"))
    table = fetch_level_tables(snapshot, question, [levels], strata="trial")["sex"]
    alone = fetch_event_table(snapshot, replace(question, by="sex", where=(*question.where,
                                                                          parse_filter("country=DE"))))
    same(table.pool_strata(), alone)
    same(table.to_table().pool_strata(), alone)


@pytest.mark.parametrize("bits", [7, 62])
def test_counts_are_the_same_however_they_are_packed(snapshot: Snapshot, bits: int) -> None:
    question, levels = QUESTIONS[1], [levels_of(snapshot, name) for name in VARIABLES]
    sql, parameters = level_tables_sql(question, snapshot, levels, strata="trial", packing=Packing(bits))
    usual = level_tables_sql(question, snapshot, levels, strata="trial", packing=Packing(10))
    columns, expected = snapshot.fetch_columns(sql, parameters), snapshot.fetch_columns(*usual)
    assert len(columns) > len(expected) or bits < 10
    leave = columns["cause"] >= 0
    total = sum(int(Packing(bits).unpack(columns[name].astype(np.int64)[leave], place).sum())
                for name in columns if name.startswith("c") and name != "cause" for place in range(62 // bits))
    assert total == len(VARIABLES) * int(fetch_event_table(snapshot, question).patients.sum())


def test_only_the_values_asked_for_are_counted(snapshot: Snapshot) -> None:
    levels = Levels("some", "country", ("NL", "FR"))
    table = fetch_level_tables(snapshot, QUESTIONS[0], [levels], strata=None)["some"].to_table()
    alone = fetch_event_table(snapshot, replace(QUESTIONS[0], by="country"))
    same(table.select_groups(["NL", "FR"]), alone.select_groups(["NL", "FR"]))


def test_many_variables_are_counted_in_several_scans_with_the_same_result(snapshot: Snapshot,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    levels = [levels_of(snapshot, name) for name in VARIABLES]
    at_once = fetch_level_tables(snapshot, QUESTIONS[0], levels, strata="trial")
    monkeypatch.setattr(level_tables, "_MOST_GROUPS", 5)
    for name, table in fetch_level_tables(snapshot, QUESTIONS[0], levels, strata="trial").items():
        same(table.to_table(), at_once[name].to_table())


def test_a_cohort_of_nobody_gives_empty_tables(snapshot: Snapshot) -> None:
    question = Question("ALL", "os", (parse_filter("wbc_band=<10"),))
    table = fetch_level_tables(snapshot, question, [levels_of(snapshot, "sex")], strata="trial")["sex"]
    assert len(table.day) == 0
    assert table.patients.sum() == 0
