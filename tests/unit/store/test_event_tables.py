from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.counts import fetch_choices, fetch_cohort_flow
from harmony_dash.store.event_tables import event_table_sql, fetch_event_table
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

FRAME = make_patients(1500, seed=7)
FRAME.loc[FRAME.index % 3 == 0, "entry_days"] = 20


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("store"), frame=FRAME)


@pytest.fixture(scope="module")
def without_entry(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("store"), frame=FRAME.drop(columns="entry_days"))


def expected(frame: pd.DataFrame, question: Question, snapshot: Snapshot) -> EventTable:
    days, cause = f"{question.endpoint}_days", f"{question.endpoint}_cause"
    rows = frame[frame[days].notna()]
    if question.by:
        rows = rows[rows[question.by].notna()]
    if question.landmark_days:
        rows = rows[rows[days] > question.landmark_days]
    dictionary = snapshot.dictionary
    return EventTable.from_patients(
        rows[days].astype(int) - question.landmark_days, rows[cause].astype(int),
        group=rows[question.by] if question.by else np.full(len(rows), "all"),
        stratum=rows[question.strata].astype(object).fillna("") if question.strata else np.full(len(rows), "all"),
        groups=snapshot.values_of(dictionary[question.by]) if question.by else ("all",),
        strata=(*snapshot.values_of(dictionary[question.strata]), "") if question.strata else ("all",),
        causes=ENDPOINTS[question.endpoint].causes)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("by", "strata", "landmark"), [
    (None, None, 0), ("cyto_group", None, 0), ("sex", "trial", 42), ("mrd_group", "country", 100),
    ("sex", "mrd_group", 42)])
def test_the_table_counts_what_a_reading_of_the_rows_counts(
        without_entry: Snapshot, endpoint: str, by: str | None, strata: str | None, landmark: int) -> None:
    question = Question("ALL", endpoint, (), by, strata, landmark)
    table, plain = fetch_event_table(without_entry, question), expected(FRAME, question, without_entry)
    assert (table.groups, table.strata, table.causes) == (plain.groups, plain.strata, plain.causes)
    for name in ("group", "stratum", "day", "censored", "events", "entries"):
        assert np.array_equal(getattr(table, name), getattr(plain, name)), name


def test_late_entry_is_counted_on_the_day_it_happens(snapshot: Snapshot) -> None:
    table = fetch_event_table(snapshot, Question("ALL", "os"))
    late = FRAME[(FRAME.entry_days == 20) & (FRAME.os_days > 20)]
    assert table.entries.sum() == len(late)
    assert table.entries[table.day == 20].sum() == len(late)


def test_who_leaves_before_coming_under_observation_is_excluded_and_counted(snapshot: Snapshot) -> None:
    never = int(((FRAME.entry_days == 20) & (FRAME.os_days <= 20)).sum())
    assert never > 0
    flow = fetch_cohort_flow(snapshot, Question("ALL", "os"))
    assert flow.excluded["before_entry"] == never
    assert flow.analysed == fetch_event_table(snapshot, Question("ALL", "os")).patients.sum()


def test_entry_before_a_landmark_is_no_late_entry(snapshot: Snapshot) -> None:
    assert fetch_event_table(snapshot, Question("ALL", "os", landmark_days=30)).entries.sum() == 0


def test_a_transplant_after_the_landmark_is_not_yet_known_on_it(without_entry: Snapshot) -> None:
    question = Question("ALL", "os", by="hsct_cr1", landmark_days=180)
    table = fetch_event_table(without_entry, question)
    # A transplant in first remission can only come before the first event: whoever had one is in neither group.
    had_event = (FRAME.first_event_days <= 180).fillna(False)
    followed = FRAME[(FRAME.os_days > 180) & FRAME.hsct_cr1.notna() & ~had_event]
    by_then = (followed.hsct_cr1 == "yes") & (followed.hsct_days <= 180)
    assert dict(zip(table.groups, table.patients.tolist(), strict=True)) == {
        "no": int((~by_then).sum()), "yes": int(by_then.sum())}
    flow = fetch_cohort_flow(without_entry, question)
    assert flow.excluded["first_event_by_landmark"] == int(((FRAME.os_days > 180) & had_event).sum())
    assert flow.analysed == table.patients.sum()


def test_the_flow_accounts_for_every_patient(without_entry: Snapshot) -> None:
    question = Question("ALL", "relapse", (parse_filter("sex=F"), parse_filter("age_dx_years=1..<10")), "cyto_group",
                        "trial", 30)
    flow = fetch_cohort_flow(without_entry, question)
    females = FRAME[FRAME.sex == "F"]
    assert flow.disease == len(FRAME)
    # Filters stand in canonical order: the range comes first.
    assert flow.after_filter == (int(((FRAME.age_dx_years >= 1) & (FRAME.age_dx_years < 10)).sum()),
                                 int(((females.age_dx_years >= 1) & (females.age_dx_years < 10)).sum()))
    assert flow.analysed == fetch_event_table(without_entry, question).patients.sum()
    assert flow.excluded["no_remission"] > 0
    assert flow.excluded["group_missing"] > 0


def test_choices_ignore_the_filter_on_their_own_variable(without_entry: Snapshot) -> None:
    question = Question("ALL", "os", (parse_filter("sex=F"), parse_filter("country=DE")))
    dictionary = without_entry.dictionary
    counts = fetch_choices(without_entry, question, [dictionary[name] for name in ("sex", "country", "cyto_group")])
    german, female = FRAME[FRAME.country == "DE"], FRAME[FRAME.sex == "F"]
    assert counts["sex"] == german.sex.value_counts().to_dict()
    assert counts["country"] == female.country.value_counts().to_dict()
    both = german[german.sex == "F"]
    assert counts["cyto_group"][None] == both.cyto_group.isna().sum()


def test_every_value_in_the_statement_is_bound(without_entry: Snapshot) -> None:
    question = Question("ALL", "os", (parse_filter("trial=x'; DROP TABLE patient; --"), parse_filter("wbc_dx=3..4")))
    sql, parameters = event_table_sql(question, without_entry.dictionary)
    assert "DROP" not in sql
    assert set(parameters.values()) == {"ALL", "x'; DROP TABLE patient; --", 3.0, 4.0}


def test_tables_of_two_halves_add_up_to_the_whole(tmp_path: Path, without_entry: Snapshot) -> None:
    question = Question("ALL", "relapse", by="cyto_group", strata="trial", landmark_days=20)
    plain = FRAME.drop(columns="entry_days")
    halves = [make_store(tmp_path / str(part), frame=plain[plain.index % 2 == part]) for part in (0, 1)]
    total = fetch_event_table(halves[0], question) + fetch_event_table(halves[1], question)
    whole = fetch_event_table(without_entry, question)
    for name in ("group", "stratum", "day", "censored", "events", "entries"):
        assert np.array_equal(getattr(total, name), getattr(whole, name)), name
