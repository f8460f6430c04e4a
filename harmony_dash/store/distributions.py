"""Numbers of a cohort in a few numbers: median, quartiles, and a mean that no single patient moves far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.store.conditions import Statement
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import count_sql, read_counts


@dataclass(frozen=True)
class Distribution:
    """One variable in one cohort.

    Attributes
    ----------
    n : patients with a value.
    median, lower, upper : with the first and third quartile, interpolated (R's type 7); None without patients.
    mean, deviation : of the values drawn in to the first and ninety-ninth percentile; the standard deviation has n - 1.
    """

    n: KeyedCount
    median: float | None
    lower: float | None
    upper: float | None
    mean: float | None
    deviation: float | None


def fetch_distributions(snapshot: Snapshot, question: Question, variables: Sequence[Variable],
                        ) -> dict[str, Distribution]:
    """The distribution of each numeric variable among the patients who meet every filter of the question."""
    found = {}
    for variable in variables:
        statement = Statement(question, snapshot.dictionary)
        column = statement.column(variable.name)
        known = f"patient WHERE {statement.cohort()} AND {column} IS NOT NULL"
        ends = f"(SELECT quantile_cont({column}, 0.01) AS low, quantile_cont({column}, 0.99) AS high FROM {known})"
        drawn_in = f"least(greatest({column}, low), high)"
        row = snapshot.fetch_rows(
            f"SELECT {count_sql()}, quantile_cont({column}, [0.25, 0.5, 0.75]), avg({drawn_in}), "
            f"stddev_samp({drawn_in}) FROM {ends}, {known}", statement.parameters)[0]
        lower, median, upper = row[2] or (None, None, None)
        found[variable.name] = Distribution(read_counts(row[:2])[0], median, lower, upper, row[3], row[4])
    return found
