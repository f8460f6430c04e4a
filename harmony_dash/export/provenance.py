"""Where the numbers of a file come from: what was asked of which data, by whom, when, and how they were protected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from harmony_dash.disclosure.wording import describe_protection
from harmony_dash.export.delimited import write_csv
from harmony_dash.export.summary import Summary, Table

FORMAT: Final = "harmony_dash export 1"
EMPTY: Final = ("An empty field is a number that is hidden (fewer than {k}, or it would give a small one away) or that "
                "does not exist.")
_DEEPEST: Final = 2


@dataclass(frozen=True)
class SourceNote:
    """A source of the snapshot that holds patients of the disease."""

    source: str
    title: str
    provider: str
    licence: str
    synthetic: bool


@dataclass(frozen=True)
class Occasion:
    """What the result itself does not know.

    Attributes
    ----------
    receipt : number of the receipt, under which the audit trail has the export.
    made : when (UTC).
    username, name, role : who.
    version : of the software.
    sources : see `SourceNote`.
    """

    receipt: str
    made: datetime
    username: str
    name: str
    role: str
    version: str
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True)
class Provenance:
    """The provenance of one export as a JSON-able document, with its checksum of the data."""

    document: Mapping[str, Any]
    data_sha256: str

    @property
    def json(self) -> str:
        """The document as text."""
        return json.dumps(self.document, indent=2, ensure_ascii=False)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The document as name and value, flat, for people; without what each column means."""
        return tuple(_flatten({name: part for name, part in self.document.items() if name != "columns"}))


def describe_provenance(summary: Summary, occasion: Occasion) -> Provenance:
    """The provenance of a summary that is written on an occasion."""
    scope = summary.scope
    sums = {table.name: hashlib.sha256(write_csv(table)).hexdigest() for table in summary.tables}
    data = checksum_of(summary.tables)
    document = {
        "format": FORMAT,
        "receipt": occasion.receipt,
        "question": {"words": summary.title, "canonical": summary.question_json, "fingerprint": summary.fingerprint},
        "snapshot": summary.snapshot,
        "synthetic": summary.synthetic,
        "sources": [asdict(source) for source in occasion.sources],
        "protection": {
            "level": scope.level.value, "words": describe_protection(scope), "parameters": asdict(scope.rules),
            "conditions not applied": list(summary.not_applied), "groups compared": list(summary.compared),
            "grant": scope.grant},
        "made": {"by": occasion.username, "name": occasion.name, "role": occasion.role,
                 "at": occasion.made.astimezone(UTC).isoformat(timespec="seconds")},
        "software": {"name": "harmony_dash", "version": occasion.version},
        "checksum": {"of": "the CSV form of all tables, one after another", "sha256": data, "tables": sums},
        "summary": summary.text,
        "methods": summary.methods,
        "notes": list(summary.notes),
        "empty": EMPTY.format(k=scope.rules.minimum_cell),
        "columns": {table.name: {column.name: column.meaning for column in table.columns}
                    for table in summary.tables},
    }
    return Provenance(document, data)


def checksum_of(tables: Sequence[Table]) -> str:
    """SHA-256 over the CSV form of the tables, one after another."""
    digest = hashlib.sha256()
    for table in tables:
        digest.update(write_csv(table))
    return digest.hexdigest()


def footer_lines(summary: Summary, occasion: Occasion, provenance: Provenance) -> tuple[str, ...]:
    """What stands under a figure: the methods line, and where it comes from."""
    made = f"{occasion.made.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return (summary.methods,
            f"harmony_dash {occasion.version}; receipt {occasion.receipt}, made {made} by {occasion.username} "
            f"({occasion.role}); data SHA-256 {provenance.data_sha256[:16]}…")


def _flatten(value: object, name: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """One line for each value of the first two levels; what lies deeper stands in one line."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return [line for key, part in value.items()
                for line in _flatten(part, f"{name}: {key}" if name else str(key), depth + 1)]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [(f"{name} {place}" if len(value) > 1 else name, _in_words(part)) for place, part in enumerate(value, 1)]
    return [(name, _in_words(value))]


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')}: {_in_words(part)}" for name, part in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value or value == 0 else "none"
