"""What the engine counts for a check, against the same condition evaluated row by row in Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.quality.conditions import (
    AfterToday,
    AtLeast,
    Below,
    Condition,
    Either,
    Every,
    Is,
    Known,
    MultipleOf,
    Otherwise,
)
from harmony_dash.quality.model import (
    Category,
    Check,
    Constant,
    Counted,
    Evidence,
    Judgement,
    Median,
    Pile,
    Rule,
    Survival,
)
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.store.quality import Measured, measure_quality
from harmony_dash.store.quality_rows import Read
from harmony_dash.store.record_keys import make_record_keys
from harmony_dash.store.rehearsal import rehearse_snapshot
from tests.factories import NOW, make_patients, make_record, no_issues

TODAY = date(2026, 11, 21)


def holds(condition: Condition, row: Mapping[str, Any]) -> bool | None:
    """True, False, or None where it is not known, as SQL has it."""
    match condition:
        case Known(name):
            return row[name] is not None
        case Every(parts):
            values = [holds(part, row) for part in parts]
            return False if False in values else None if None in values else True
        case Either(parts):
            values = [holds(part, row) for part in parts]
            return True if True in values else None if None in values else False
        case Otherwise(part):
            value = holds(part, row)
            return None if value is None else not value
        case AfterToday(name, period):
            if row[name] is None or row[period] is None or not row[period][:4].isdigit():
                return None
            return (TODAY - date(int(row[period][:4]), 1, 1)).days < row[name]
    value = row[condition.variable]
    if value is None:
        return None
    match condition:
        case Is(_, values):
            return value in values
        case Below(_, number):
            return value < number
        case AtLeast(_, number):
            return value >= number
        case MultipleOf(_, step):
            return abs(value / step - round(value / step)) < 1e-6
    raise AssertionError(condition)


LEAVES = st.one_of(
    st.sampled_from([Known("cyto_group"), Known("hsct_days"), Is("sex", ("F",)), Is("cyto_group", ("high", "good")),
                     Is("hsct_cr1", ("yes",)), AfterToday("last_contact_days", "dx_period")]),
    st.builds(Below, st.sampled_from(["age_dx_years", "last_contact_days"]), st.floats(0, 20)),
    st.builds(AtLeast, st.sampled_from(["age_dx_years", "hsct_days"]), st.floats(0, 300)),
    st.builds(MultipleOf, st.sampled_from(["age_dx_years", "last_contact_days"]), st.sampled_from([0.5, 1, 10, 30])))
CONDITIONS = st.recursive(LEAVES, lambda part: st.one_of(
    st.builds(Otherwise, part), st.builds(lambda parts: Every(tuple(parts)), st.lists(part, max_size=3)),
    st.builds(lambda parts: Either(tuple(parts)), st.lists(part, min_size=1, max_size=3))), max_leaves=6)

FRAME = pd.concat([make_patients(300, 3, source="one"), make_patients(80, 4, source="two")], ignore_index=True)
FRAME["dx_period"] = ["2010-2014" if place % 3 else "before-1990" if place % 2 else None for place in range(len(FRAME))]
FRAME.loc[::50, "last_contact_days"] = 9000
ROWS = [{name: None if pd.isna(value) else value for name, value in row.items()} for row in FRAME.to_dict("records")]
KEYS = make_record_keys(FRAME["patient"].tolist(), b"k" * 32).tolist()


def rule(evidence: Evidence) -> Rule:
    check = Check("the.check", "completeness", Category.COMPLETENESS, "", "", "words", "patients", Judgement.SHARE, 0.0)
    return Rule(check, evidence)


@pytest.fixture(scope="module")
def writer() -> Any:
    dictionary = load_dictionary()
    with rehearse_snapshot(dictionary, NOW) as (made, _):
        made._disclosure_key = b"k" * 32
        for source in ("one", "two"):
            part = FRAME[FRAME["source"] == source]
            made.add_source(make_record(part, source), part, no_issues())
        yield made


def measure(writer: Any, evidence: Evidence) -> dict[str, Measured]:
    answers = measure_quality(writer._connection, [rule(evidence)], {"one": Read(300, 0), "two": Read(80, 0)}, TODAY,
                              lambda source, what, n: n)
    return {source: answers[source, "the.check"] for source in ("one", "two")}


def expect(condition: Condition, source: str) -> KeyedCount:
    key, n = 0, 0
    for row, record in zip(ROWS, KEYS, strict=True):
        if row["source"] == source and holds(condition, row) is True:
            n, key = n + 1, key ^ record
    return KeyedCount(n, key)


@settings(max_examples=60, deadline=None)
@given(failing=CONDITIONS, among=CONDITIONS)
def test_a_share_counts_exactly_the_patients_for_whom_the_condition_is_known_to_hold(
        writer: Any, failing: Condition, among: Condition) -> None:
    found = measure(writer, Counted(failing, among))
    for source in ("one", "two"):
        for measured, wanted in ((found[source].failing, expect(Every((among, failing)), source)),
                                 (found[source].asked, expect(among, source))):
            assert measured is not None
            assert (int(measured), measured.key) == (int(wanted), wanted.key)


@settings(max_examples=20, deadline=None)
@given(among=CONDITIONS, name=st.sampled_from(["age_dx_years", "hsct_days", "last_contact_days"]))
def test_medians_and_piles_are_those_of_pandas(writer: Any, among: Condition, name: str) -> None:
    medians, piles = measure(writer, Median(name, among)), measure(writer, Pile(name, among))
    for source in ("one", "two"):
        values = pd.Series([row[name] for row in ROWS if row["source"] == source and holds(among, row) is True
                            and row[name] is not None], dtype=float)
        assert medians[source].asked == piles[source].asked == len(values)
        if len(values):
            assert math.isclose(medians[source].value or 0, values.median())
            assert piles[source].failing == values.value_counts().max()
        else:
            assert medians[source].value is None


def test_a_constant_is_found_only_where_all_have_the_same_value(writer: Any) -> None:
    assert measure(writer, Constant("disease"))["one"].failing == 300
    assert measure(writer, Constant("sex"))["one"].failing == 0
    girls = measure(writer, Constant("sex", Is("sex", ("F",))))["one"]
    assert girls.failing == girls.asked == (FRAME[FRAME["source"] == "one"]["sex"] == "F").sum()
    nobody = measure(writer, Constant("subtype"))["one"]
    assert (nobody.failing, nobody.asked) == (0, 0)


@pytest.mark.parametrize(("published", "end"), [(99.0, "upper"), (0.5, "lower")])
def test_survival_is_the_end_of_the_interval_that_is_nearest_to_the_published_figure(
        writer: Any, published: float, end: str) -> None:
    found = measure(writer, Survival("efs", 1826, published, Is("sex", ("F",))))["one"]
    chosen = FRAME[(FRAME["source"] == "one") & (FRAME["sex"] == "F")]
    table = EventTable.from_patients(chosen["efs_days"].to_numpy(int), (chosen["efs_cause"] > 0).to_numpy(int))
    at = read_survival(estimate_survival(table), [1826])
    assert found.value == pytest.approx(100 * float(getattr(at, end)[0]))
    assert found.asked == len(chosen) and found.events == int((chosen["efs_cause"] > 0).sum())
    within = measure(writer, Survival("efs", 1826, 100 * float(at.survival[0]), Is("sex", ("F",))))["one"]
    assert within.value == pytest.approx(100 * float(at.survival[0]))
