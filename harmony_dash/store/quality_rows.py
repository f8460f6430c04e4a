"""Rows that ingest reported, by check, and of how many rows they are: of the file that each check is about.

The number of rows asked does not depend on what was found in them: that would tell of a few where they are hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import RULES
from harmony_dash.quality.model import Reported, Rule

# Makes the key of a number of rows: source, what they are, number.
MakeKey = Callable[[str, str, int], int]
_REFERENCE = "reference"
# Fewer rows than this are not told of at every level of protection.
_FEWEST_ROWS = max(rules.minimum_cell for rules in RULES.values())


@dataclass(frozen=True)
class FurtherFile:
    """A file of a source besides the one that lists the patients: its rows, and the variables that it gives."""

    file: str
    rows: int
    variables: frozenset[str]


@dataclass(frozen=True)
class Read:
    """What was read of a source: patients accepted and refused, and its further files."""

    accepted: int
    refused: int
    further: tuple[FurtherFile, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows of the file that lists the patients, and of each further one."""

    first: KeyedCount
    further: tuple[tuple[FurtherFile, KeyedCount], ...]

    def asked_by(self, rule: Rule) -> KeyedCount:
        """The rows that a check can find something in, whatever it found.

        Those of the file that gives the variable; of no single variable, and of identifiers, those of all files; of
        references those of the further ones.
        """
        if rule.needs:
            return next((n for file, n in self.further if rule.check.variable in file.variables), self.first)
        # A sum with a file of which too little is told would tell of it.
        others = [n for _, n in self.further if n >= _FEWEST_ROWS]
        return union(others if rule.check.type == _REFERENCE and others else [self.first, *others])


def count_rows(source: str, read: Read, first: KeyedCount, make_key: MakeKey) -> Rows:
    """The rows of each file of a source, with keys.

    Parameters
    ----------
    first : rows of the file that lists the patients.
    """
    return Rows(first, tuple((file, KeyedCount(file.rows, make_key(source, f"rows of {file.file}", file.rows)))
                             for file in read.further))


def count_reports(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], rows: Mapping[str, Rows],
                  make_key: MakeKey) -> dict[tuple[str, str], tuple[KeyedCount, KeyedCount, bool]]:
    """By source and check, rows reported, rows asked, and whether some of those reported were refused.

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
                failing, asked = KeyedCount(n, make_key(source, rule.check.id, n)), read.asked_by(rule)
                # A patient without a row in a further file is reported where the patient is listed.
                answers[source, rule.check.id] = failing, asked if n <= asked else KeyedCount(n, failing.key), refused
    return answers
