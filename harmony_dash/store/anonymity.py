"""How many patients of a source share their quasi-identifiers: counted while a snapshot is written, kept with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import duckdb
import numpy as np

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.dictionary.quasi_identifiers import accepted_grains, generalised_form, kept_form
from harmony_dash.disclosure.anonymity import NO_CLASSES, ClassSizes, Grain, Risk, SourceAnonymity, measure_grain
from harmony_dash.store.schema import quote

# What must not be learnt of a patient. Sources that follow nobody after an event know only who died. A missing outcome
# counts as one more.
_OUTCOME = "coalesce(\"first_event\", \"death\", '')"


def measure_anonymity(connection: duckdb.DuckDBPyConnection, sources: Iterable[str],
                      dictionary: Dictionary) -> dict[str, SourceAnonymity]:
    """The risk of the staged patients of each source, with their quasi-identifiers in every form.

    All sources together take one statement a form: apart, the statements would cost small sources more than counting.
    """
    forms = (kept_form(dictionary), generalised_form(dictionary), *accepted_grains(dictionary))
    sizes = [fetch_class_sizes(connection, by) for by in forms]

    def measure(source: str) -> SourceAnonymity:
        before, generalised, *accepted = (measure_grain(by, found.get(source, NO_CLASSES))
                                          for by, found in zip(forms, sizes, strict=True))
        return SourceAnonymity(before, generalised, tuple(accepted))

    return {source: measure(source) for source in sources}


def fetch_class_sizes(connection: duckdb.DuckDBPyConnection, by: Sequence[str]) -> dict[str, ClassSizes]:
    """How many classes of each size and number of outcomes each source has; a missing value is a value too.

    The values that make a class stay in the database, and the answer is short even where every patient is a class.
    """
    # Counting twice takes half the time of one count(DISTINCT …). No variable's name starts with an underscore.
    classes = ", ".join(['"source"', *map(quote, by)])
    columns = connection.execute(
        'SELECT "source", _patients, _outcomes, count(*) AS _classes FROM '
        '(SELECT "source", CAST(sum(_alike) AS BIGINT) AS _patients, count(*) AS _outcomes FROM '
        f"(SELECT {classes}, {_OUTCOME} AS _outcome, count(*) AS _alike FROM staging GROUP BY {classes}, _outcome) "
        f"GROUP BY {classes}) GROUP BY ALL ORDER BY ALL").fetchnumpy()
    names = np.asarray(columns["source"], dtype=object)
    counts = [np.asarray(columns[name], dtype=np.int64) for name in ("_patients", "_outcomes", "_classes")]
    return {str(name): ClassSizes(*(column[names == name] for column in counts)) for name in dict.fromkeys(names)}


def fetch_small_classes(connection: duckdb.DuckDBPyConnection, source: str, by: Sequence[str],
                        few: int) -> list[tuple[str | None, ...]]:
    """The values of the classes of a staged source with fewer patients than `few`, by value and not by size."""
    columns = ", ".join(map(quote, by))
    rows: list[tuple[str | None, ...]] = connection.execute(
        f'SELECT {columns} FROM staging WHERE "source" = $source GROUP BY {columns} HAVING count(*) < $few '
        f"ORDER BY {columns}", {"source": source, "few": few}).fetchall()
    return rows


def describe_anonymity(sources: Mapping[str, SourceAnonymity]) -> dict[str, Any]:
    """Reports by source as JSON-able values, the form a snapshot carries; `restore_anonymity` is its inverse."""
    return {source: asdict(report) for source, report in sources.items()}


def restore_anonymity(description: Mapping[str, Any]) -> dict[str, SourceAnonymity]:
    """The reports a snapshot was written with; none for a snapshot from before there were any."""
    return {source: SourceAnonymity(
        _grain(report["before"]), _grain(report["generalised"]),
        tuple(map(_grain, report["accepted"]))) for source, report in description.items()}


def _grain(values: Mapping[str, Any]) -> Grain:
    return Grain(tuple(values["by"]), values["patients"], values["classes"], Risk(**values["risk"]))
