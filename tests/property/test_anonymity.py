"""Risk figures counted in SQL agree with pandas on any rows, missing values included."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.anonymity import Grain, measure_grain
from harmony_dash.store.anonymity import fetch_class_sizes, fetch_small_classes

BY = ("country", "age_dx_years", "sex")
ROWS = st.lists(st.tuples(
    st.sampled_from(["a", "b"]), st.sampled_from(["DE", "FR", None]), st.sampled_from([3.0, 3.5, None]),
    st.sampled_from(["F", "M", None]), st.sampled_from(["none", "relapse", None]), st.sampled_from(["no", "yes", None]),
), min_size=1, max_size=150)
COLUMNS = ["source", *BY, "first_event", "death"]


def stage(rows: list[tuple[Any, ...]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("rows", pa.table(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), schema=pa.schema(
        [(name, pa.float64() if name == "age_dx_years" else pa.string()) for name in COLUMNS])))
    connection.execute("CREATE TABLE staging AS SELECT * FROM rows")
    return connection


def plain_reference(frame: pd.DataFrame, by: tuple[str, ...]) -> dict[str, Any]:
    """One patient at a time: who else shares the values, and what happened to them."""
    frame = frame.astype(object).where(frame.notna(), "missing")
    outcome = frame.first_event.where(frame.first_event != "missing", frame.death)
    alike = [(frame[list(by)] == values).all(axis=1) for values in frame[list(by)].to_numpy().tolist()]
    size = [int(mask.sum()) for mask in alike]
    diverse = [outcome[mask].nunique() for mask in alike]
    n = len(frame)
    return {
        "k": min(size), "l": min(diverse), "max_risk": max(1 / s for s in size),
        "mean_risk": sum(1 / s for s in size) / n,
        "l_of_many": min((d for s, d in zip(size, diverse, strict=True) if s >= 10), default=None),
        "share_over": sum(1 / s > 0.09 for s in size) / n, "few_patients": sum(s < 10 for s in size),
        "share_few": sum(s < 10 for s in size) / n, "share_unique": size.count(1) / n}


def figures(grain: Grain) -> dict[str, Any]:
    return {name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in vars(grain.risk).items()}


@given(ROWS, st.permutations(BY), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_sql_and_pandas_agree(rows: list[tuple[Any, ...]], order: list[str], columns: int) -> None:
    by = tuple(order[:columns])
    with stage(rows) as connection:
        found = fetch_class_sizes(connection, by)
        frame = pd.DataFrame(rows, columns=COLUMNS)
        assert set(found) == set(frame.source)
        for source, own in frame.groupby("source"):
            assert plain_reference(own, by) == figures(measure_grain(by, found[source]))


@given(ROWS, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_the_classes_named_are_those_with_few_patients(rows: list[tuple[Any, ...]], few: int) -> None:
    by = ("country", "sex")
    frame = pd.DataFrame(rows, columns=COLUMNS)
    own = frame[frame.source == "a"]
    counts = own.groupby(list(by), dropna=False).size()
    expected = {tuple(None if pd.isna(value) else value for value in values)
                for values, count in counts.items() if count < few}
    with stage(rows) as connection:
        named = fetch_small_classes(connection, "a", by, few)
    assert len(named) == len(expected)
    assert set(named) == expected


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_generalising_never_raises_the_risk(rows: list[tuple[Any, ...]]) -> None:
    with stage(rows) as connection:
        fine, coarse = (fetch_class_sizes(connection, by) for by in (BY, BY[:2]))
    for source in fine:
        before, after = measure_grain(BY, fine[source]).risk, measure_grain(BY[:2], coarse[source]).risk
        assert before.k <= after.k and before.l <= after.l
        assert before.mean_risk >= after.mean_risk and before.max_risk >= after.max_risk
        assert before.share_over >= after.share_over and before.share_unique >= after.share_unique
