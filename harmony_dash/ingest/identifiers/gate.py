"""The identifier gate: a source that seems to hold direct identifiers is refused before anything is taken from it.

Every column is scanned, ignored ones too. A finding names file, first row, column and count, never the value. The gate
is a net under the provider's own pseudonymisation, not a replacement for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.dictionary import Dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.identifiers.headers import suspicious_name
from harmony_dash.ingest.identifiers.model import Finding, Role
from harmony_dash.ingest.identifiers.scan import scan_column
from harmony_dash.ingest.manifest.model import FieldSpec, FileSpec, Manifest
from harmony_dash.ingest.readers.table import RawTable


def check_identifiers(tables: Sequence[RawTable], manifest: Manifest, dictionary: Dictionary) -> None:
    """Refuse the source if anything in its files looks like a direct identifier.

    Raises
    ------
    SourceError listing every finding.
    """
    findings = find_identifiers(tables, manifest, dictionary)
    if findings:
        raise SourceError("the files seem to hold direct identifiers: " + "; ".join(f.describe() for f in findings),
                          where=manifest.source,
                          remedy="Remove these columns or cells at the provider and export again.")


def find_identifiers(tables: Sequence[RawTable], manifest: Manifest, dictionary: Dictionary) -> list[Finding]:
    """Everything in the files that looks like a direct identifier, in the order of files and columns."""
    findings: list[Finding] = []
    for table in tables:
        roles = _roles(table, manifest, dictionary)
        for column in table.columns:
            role, declared = roles[column]
            kind = suspicious_name(column)
            if kind and role is not Role.ID:
                findings.append(Finding(table.spec.label, None, column, len(table), kind))
            findings += scan_column(table, column, role, declared)
    return findings


def _roles(table: RawTable, manifest: Manifest, dictionary: Dictionary) -> dict[str, tuple[Role, frozenset[str]]]:
    """Role of each column and the cells declared for it: words of value maps and missing tokens are no identifiers."""
    roles: dict[str, tuple[Role, frozenset[str]]] = {}
    for column in table.columns:
        names = {column, f"{table.spec.name}.{column}"}
        readers = [spec for spec in manifest.fields.values() if names & set(spec.columns)]
        declared = frozenset(manifest.missing).union(*(spec.words for spec in readers))
        roles[column] = _role(column, names, readers, table.spec, dictionary), declared
    return roles


def _role(column: str, names: set[str], readers: Sequence[FieldSpec], file: FileSpec, dictionary: Dictionary) -> Role:
    if column == file.id:
        return Role.ID
    if any(names & set(spec.date_columns) for spec in readers):
        return Role.DATE
    if not readers:
        return Role.IGNORED
    for spec in readers:
        if spec.variable not in dictionary or not names & {spec.column}:
            continue  # a part of a composite, or a column another one is compared with
        variable = dictionary[spec.variable]
        if variable.is_numeric:
            return Role.NUMBER
        if not variable.values and spec.values is None and spec.variable != "disease":
            return Role.CODE
    return Role.LIST
