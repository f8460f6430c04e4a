"""Rows that ingest reported, by check, and of how many rows they are: of those that it can report.

The number of rows asked does not depend on what was found in them: that would tell of a few where they are hidden.
Nor may the number of rows of a file tell how many patients died: checks of a file that gives an outcome, and of several
files together, are told by their verdict alone, which is judged among the rows of the file that lists the patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.quality.model import Reported, Rule

# Makes the key of a number of rows: source, what they are, number.
MakeKey = Callable[[str, str, int], int]
_REFERENCE = "reference"
# About patients, whatever files their values come from: who has no row in a further file is among them.
_OF_PATIENTS = frozenset({"required", "event_time", "duplicate"})


@dataclass(frozen=True)
class FurtherFile:
    """A file of a source besides the one that lists the patients.

    Attributes
    ----------
    file, rows : its name, and how many rows it has.
    variables : those that it gives.
    of_outcomes : whether one of them is an outcome, so that its rows may be those of the patients who died.
    """

    file: str
    rows: int
    variables: frozenset[str]
    of_outcomes: bool


@dataclass(frozen=True)
class Read:
    """What was read of a source: patients accepted and refused, and its further files."""

    accepted: int
    refused: int
    further: tuple[FurtherFile, ...] = ()

    def tells_outcomes(self, file: str, variable: str) -> bool:
        """Whether rows of a file, or rows without a value of a variable, may be those of the patients who died."""
        return any(one.of_outcomes and (file == one.file or variable in one.variables) for one in self.further)


@dataclass(frozen=True)
class Rows:
    """Rows of the file that lists the patients, and of each further one."""

    first: KeyedCount
    further: tuple[tuple[FurtherFile, KeyedCount], ...]

    def asked_by(self, rule: Rule) -> tuple[KeyedCount, bool]:
        """The rows that a check can find something in, whatever it found, and whether it is told by its verdict alone.

        Of what every patient must have and of duplicates, those of the file that lists the patients; of cells, those of
        the file that gives the variable; of no single variable, and of identifiers, those of all files; of references
        those of the further ones.
        """
        given = next(((n, file.of_outcomes) for file, n in self.further if rule.check.variable in file.variables),
                     (self.first, False))
        if rule.check.type in _OF_PATIENTS and (rule.needs or not rule.check.variable):
            return self.first, given[1]
        if rule.needs:
            return given
        others = [n for _, n in self.further]
        rows = others if rule.check.type == _REFERENCE and others else [self.first, *others]
        return union(rows), bool(others)


def count_rows(source: str, read: Read, first: KeyedCount, make_key: MakeKey) -> Rows:
    """The rows of each file of a source, with keys.

    Parameters
    ----------
    first : rows of the file that lists the patients.
    """
    return Rows(first, tuple((file, KeyedCount(file.rows, make_key(source, f"rows of {file.file}", file.rows)))
                             for file in read.further))


def count_reports(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], rows: Mapping[str, Rows],
                  make_key: MakeKey) -> dict[tuple[str, str], tuple[KeyedCount, KeyedCount, bool, bool]]:
    """By source and check, rows reported, rows asked, whether some were refused, and whether the verdict alone is told.

    One statement counts them by source, reason and variable; a finding about a whole file counts as one row.
    """
    check_of = {(reason, rule.evidence.variable): rule.check.id for rule in rules
                if isinstance(rule.evidence, Reported) for reason in rule.evidence.reasons}
    found: dict[tuple[str, str], tuple[int, bool]] = {}
    for source, reason, variable, n, refused in connection.execute(
            "SELECT source, reason, variable, count(DISTINCT (file, row_number)) FILTER (row_number IS NOT NULL) "
            "+ count(*) FILTER (row_number IS NULL), bool_or(severity = 'error') FROM issue GROUP BY ALL").fetchall():
        identifier = check_of.get((reason, variable)) or check_of.get((reason, ""))
        if identifier is not None:
            before, was_refused = found.get((source, identifier), (0, False))
            found[source, identifier] = before + n, was_refused or refused
    answers = {}
    for source, read in rows.items():
        for rule in rules:
            if isinstance(rule.evidence, Reported):
                n, refused = found.get((source, rule.check.id), (0, False))
                failing, (asked, judged_only) = KeyedCount(n, make_key(source, rule.check.id, n)), read.asked_by(rule)
                answers[source, rule.check.id] = failing, asked, refused, judged_only
    return answers
