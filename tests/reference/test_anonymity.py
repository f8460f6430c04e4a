"""k, l and risk of twenty random tables equal those of pycanon; see make_anonymity.py."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.anonymity import Grain, SourceAnonymity
from harmony_dash.store.anonymity import fetch_class_sizes, measure_anonymity
from tests.reference.anonymity_tables import FORMS, SEEDS, digest_of, make_table

REFERENCE = json.loads((Path(__file__).parent / "anonymity.json").read_text())
TABLES = {table["seed"]: table for table in REFERENCE["tables"]}


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """All tables as the rows of twenty sources in one staging table."""
    rows = pd.concat([pd.DataFrame(make_table(seed)).assign(source=f"table_{seed}") for seed in SEEDS])
    connection = duckdb.connect()
    connection.register("rows", rows.astype({"age_dx_years": "Float64"}))
    connection.execute("CREATE TABLE staging AS SELECT * FROM rows")
    return connection


@pytest.fixture(scope="module")
def measured(connection: duckdb.DuckDBPyConnection) -> dict[str, SourceAnonymity]:
    return measure_anonymity(connection, [f"table_{seed}" for seed in SEEDS], load_dictionary())


def grains_of(report: SourceAnonymity) -> dict[str, Grain]:
    return dict(zip(FORMS, (report.before, report.generalised, *report.accepted), strict=True))


def test_there_are_twenty_tables_and_not_all_are_trivial() -> None:
    assert REFERENCE["versions"].startswith("pycanon 1.3.6")
    assert list(TABLES) == list(SEEDS) and len(TABLES) == 20
    values = [value for table in TABLES.values() for value in table["values"].values()]
    assert sum(value["k"] > 1 for value in values) >= 20
    assert sum(value["l"] > 1 for value in values) >= 10


@pytest.mark.parametrize("seed", SEEDS)
def test_the_table_is_the_one_pycanon_saw(seed: int) -> None:
    assert digest_of(make_table(seed)) == TABLES[seed]["digest"]


@pytest.mark.parametrize("seed", SEEDS)
def test_k_l_and_risk_equal_those_of_pycanon(
        seed: int, measured: dict[str, SourceAnonymity], connection: duckdb.DuckDBPyConnection) -> None:
    for form, grain in grains_of(measured[f"table_{seed}"]).items():
        expected = TABLES[seed]["values"][form]
        assert (grain.by, grain.patients, grain.classes) == (FORMS[form], TABLES[seed]["patients"], expected["classes"])
        assert (grain.risk.k, grain.risk.l) == (expected["k"], expected["l"]), form
        assert grain.risk.max_risk == expected["max_rir"]
        assert grain.risk.mean_risk == pytest.approx(1 / expected["mean_class_size"], rel=1e-12)
        # pycanon's own mean gives every class the same weight, whatever its size.
        sizes = fetch_class_sizes(connection, grain.by)[f"table_{seed}"]
        over_classes = float(np.average(1 / sizes.patients, weights=sizes.classes))
        assert over_classes == pytest.approx(expected["average_rir"], rel=1e-12)
