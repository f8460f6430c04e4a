"""The columns a manifest names, found in the files; none is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FieldSpec, Manifest
from harmony_dash.ingest.readers.table import RawTable
from harmony_dash.ingest.suggestions import near_matches


@dataclass(frozen=True)
class Place:
    """A column of a file."""

    file: int
    column: str


def find_columns(tables: Sequence[RawTable], manifest: Manifest) -> tuple[dict[str, FieldSpec], dict[str, Place]]:
    """Fields with their columns as they are called after joining, and where each of those comes from."""
    _check_id_columns(tables, manifest)
    places: dict[str, Place] = {}
    lost: list[tuple[str, FieldSpec]] = []
    fields: dict[str, FieldSpec] = {}
    for name, spec in manifest.fields.items():
        found = {column: locate(column, tables, spec.where) for column in spec.columns}
        lost += [(column, spec) for column, place in found.items() if place is None]
        places.update({_label(place, tables): place for place in found.values() if place is not None})
        fields[name] = _rename(spec, {column: _label(place, tables) for column, place in found.items() if place},
                               tables, found)
    if lost:
        raise _lost_columns(lost, tables, manifest, any_found=bool(places))
    return fields, places


def _check_id_columns(tables: Sequence[RawTable], manifest: Manifest) -> None:
    mentioned = {column for spec in manifest.fields.values() for column in spec.columns} | set(manifest.ignore)
    for table in tables:
        if table.spec.id not in table.columns:
            known = bool(mentioned & set(table.columns))
            raise SourceError(f"the column of the identifier, '{table.spec.id}', is not in the file",
                              where=table.spec.label, remedy=_what_is_there([table.spec.id], [table], known))


def locate(column: str, tables: Sequence[RawTable], where: str) -> Place | None:
    """The file that holds a column, by its plain name or as `file.column`; None if none does."""
    holders = [number for number, table in enumerate(tables) if column in table.columns]
    if len(holders) > 1 and all(tables[number].spec.id == column for number in holders):
        holders = holders[:1]
    if len(holders) > 1:
        choices = " or ".join(f"`{tables[number].spec.name}.{column}`" for number in holders)
        raise SourceError(f"the column '{column}' is in several files", where=where, remedy=f"Write {choices}.")
    if holders:
        return Place(holders[0], column)
    for number, table in enumerate(tables):
        rest = column.removeprefix(f"{table.spec.name}.")
        if rest != column and rest in table.columns:
            return Place(number, rest)
    return None


def _label(place: Place, tables: Sequence[RawTable]) -> str:
    shared = sum(place.column in table.columns for table in tables) > 1
    return f"{tables[place.file].spec.name}.{place.column}" if shared else place.column


def _rename(spec: FieldSpec, labels: Mapping[str, str], tables: Sequence[RawTable],
            places: Mapping[str, Place | None]) -> FieldSpec:
    def label(column: str | None) -> str | None:
        return None if column is None else labels.get(column)

    main = places.get(spec.column) if spec.column is not None else None
    file = tables[main.file if main is not None else 0].spec
    return replace(spec, column=label(spec.column), from_column=label(spec.from_column),
                   at_column=label(spec.at_column), lod_column=label(spec.lod_column),
                   loq_column=label(spec.loq_column), day_column=label(spec.day_column),
                   method_column=label(spec.method_column),
                   decimal=file.decimal if spec.decimal is None else spec.decimal,
                   thousands=file.thousands if spec.thousands is None else spec.thousands)


def _lost_columns(lost: Sequence[tuple[str, FieldSpec]], tables: Sequence[RawTable], manifest: Manifest, *,
                  any_found: bool) -> SourceError:
    names = list(dict.fromkeys(column for column, _ in lost))
    shown = ", ".join(f"'{name}'" for name in names)
    files = ", ".join(table.spec.label for table in tables)
    one = len(names) == 1
    return SourceError(f"the column{'' if one else 's'} {shown} {'is' if one else 'are'} not in {files}",
                       where=lost[0][1].where, remedy=_what_is_there(names, tables, any_found))


def _what_is_there(names: Sequence[str], tables: Sequence[RawTable], any_found: bool) -> str:
    """Near matches and the header names; not if nothing matches, for then the header may be a patient's row."""
    if not any_found:
        return "No declared column is in the header: is the header line missing, or `skip_rows` wrong?"
    there = [column for table in tables for column in table.columns]
    hints = [f"'{name}' may be {' or '.join(f'`{match}`' for match in close)}"
             for name in names if (close := near_matches(name, there))]
    listed = f"The columns are: {', '.join(there[:60])}{', …' if len(there) > 60 else ''}."
    return f"{'; '.join(hints)}. {listed}" if hints else listed


def check_all_used(tables: Sequence[RawTable], manifest: Manifest, places: Mapping[str, Place]) -> None:
    """Raise `SourceError` for columns that are neither mapped nor ignored."""
    used = {(place.file, place.column) for place in places.values()}
    for number, table in enumerate(tables):
        ignored = {column for column in table.columns
                   if column in manifest.ignore or f"{table.spec.name}.{column}" in manifest.ignore}
        stray = [column for column in table.columns
                 if (number, column) not in used and column not in ignored and column != table.spec.id]
        if stray:
            shown = ", ".join(f"'{column}'" for column in stray[:20]) + (", …" if len(stray) > 20 else "")
            one = len(stray) == 1
            raise SourceError(f"the column{'' if one else 's'} {shown} {'is' if one else 'are'} neither mapped nor "
                              "ignored", where=table.spec.label,
                              remedy="Map them under `variables`, or list them under `ignore`.")


def column_of(variable: str, fields: Mapping[str, FieldSpec]) -> str:
    """The column of a variable, or of the part of a composite that it is; empty for a constant or what is built."""
    stem, _, part = variable.rpartition("_")
    spec = fields.get(variable) or fields.get(stem)
    if spec is None:
        return ""
    own = {"lod": spec.lod_column, "loq": spec.loq_column, "day": spec.day_column, "method": spec.method_column}
    return (own.get(part) if variable not in fields else None) or spec.column or ""
