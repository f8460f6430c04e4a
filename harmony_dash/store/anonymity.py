"""How many patients of a source share their quasi-identifiers: counted while a snapshot is written, kept with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import duckdb
import numpy as np

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.dictionary.quasi_identifiers import accepted_grains, generalised_form, kept_form
from harmony_dash.disclosure.anonymity import ClassSizes, Grain, Risk, SourceAnonymity, measure_grain
from harmony_dash.store.schema import quote

# What must not be learnt of a patient. Sources that follow nobody after an event know only who died. A missing outcome
# counts as one more.
_OUTCOME = "coalesce(\"first_event\", \"death\", '')"


def measure_anonymity(connection: duckdb.DuckDBPyConnection, table: str, dictionary: Dictionary) -> SourceAnonymity:
    """The risk of the patients in a table of staging rows, with their quasi-identifiers in every form.

    Parameters
    ----------
    table : name of a table or view of this connection with the rows of one source.
    """
    def measure(by: tuple[str, ...]) -> Grain:
        return measure_grain(by, fetch_class_sizes(connection, table, by))

    patients = int(connection.execute(f"SELECT count(*) FROM {quote(table)}").fetchall()[0][0])
    return SourceAnonymity(patients=patients, before=measure(kept_form(dictionary)),
                           generalised=measure(generalised_form(dictionary)),
                           accepted=tuple(measure(by) for by in accepted_grains(dictionary)))


def fetch_class_sizes(connection: duckdb.DuckDBPyConnection, table: str, by: Sequence[str]) -> ClassSizes:
    """How many classes of each size and number of outcomes there are; patients without a value are a class too.

    The values that make a class stay in the database, and the answer is short even where every patient is one.
    """
    # Counting twice takes half the time of one count(DISTINCT …).
    names = [*map(quote, by), "outcome"]
    columns = connection.execute(
        "SELECT patients, outcomes, count(*) AS classes FROM "
        "(SELECT CAST(sum(alike) AS BIGINT) AS patients, count(*) AS outcomes FROM "
        f"(SELECT *, count(*) AS alike FROM (SELECT {', '.join([*names[:-1], _OUTCOME])} AS outcome "
        f"FROM {quote(table)}) GROUP BY {', '.join(names)}) GROUP BY {', '.join(names[:-1]) or '()'}) "
        "WHERE patients > 0 GROUP BY ALL ORDER BY ALL").fetchnumpy()
    return ClassSizes(*(np.asarray(columns[name], dtype=np.int64) for name in ("patients", "outcomes", "classes")))


def fetch_small_classes(connection: duckdb.DuckDBPyConnection, source: str, by: Sequence[str],
                        few: int) -> list[tuple[str | None, ...]]:
    """The values of the classes of a staged source with fewer patients than `few`, by value and not by size."""
    columns = _columns(by)
    rows: list[tuple[str | None, ...]] = connection.execute(
        f'SELECT {columns} FROM staging WHERE "source" = $source GROUP BY {columns} HAVING count(*) < $few '
        f"ORDER BY {columns}", {"source": source, "few": few}).fetchall()
    return rows


def _columns(by: Sequence[str]) -> str:
    return ", ".join(map(quote, by)) or "()"


def describe_anonymity(sources: Mapping[str, SourceAnonymity]) -> dict[str, Any]:
    """Reports by source as JSON-able values, the form a snapshot carries; `restore_anonymity` is its inverse."""
    return {source: asdict(report) for source, report in sources.items()}


def restore_anonymity(description: Mapping[str, Any]) -> dict[str, SourceAnonymity]:
    """The reports a snapshot was written with; none for a snapshot from before there were any."""
    return {source: SourceAnonymity(
        report["patients"], _grain(report["before"]), _grain(report["generalised"]),
        tuple(map(_grain, report["accepted"]))) for source, report in description.items()}


def _grain(values: Mapping[str, Any]) -> Grain:
    return Grain(tuple(values["by"]), values["classes"], values["few_patients"], Risk(**values["risk"]))
