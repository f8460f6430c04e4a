"""Extracts: a snapshot cut down to some countries and some variables, as a file of its own.

What is not in the file cannot come out of it, whatever a bug or a clever filter may do. An extract is made on first
use, read exactly like a snapshot, and removed as soon as nobody is entitled to it any more.

    extracts/<snapshot-id>.<digest of countries and variables>.duckdb
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import duckdb
import pyarrow as pa

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import StoreError
from harmony_dash.store import layout, schema
from harmony_dash.store.reader import Snapshot, Store, connect_locked_down

FOLDER = "extracts"
# What the clocks and the coverage of any question stand on.
STRUCTURE = ("disease", "country", "source", "cr_days", "first_event_days", "entry_days")


@dataclass(frozen=True)
class Cut:
    """What an extract keeps.

    Attributes
    ----------
    countries : codes of the countries whose patients are in it.
    variables : names of the variables that are in it besides those of `STRUCTURE`; None for all.
    """

    countries: tuple[str, ...]
    variables: tuple[str, ...] | None = None

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that equal cuts share."""
        parts = [sorted(self.countries), None if self.variables is None else sorted(self.variables)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Extracts:
    """The extracts of one store, each made once and kept open while somebody is entitled to it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Snapshot] = {}
        self._lock = threading.Lock()

    def open(self, snapshot: Snapshot, cut: Cut) -> Snapshot:
        """The snapshot cut down, with a dictionary that knows no other variable.

        Raises
        ------
        StoreError if no patient is left, or the file cannot be written.
        """
        name = f"{snapshot.snapshot}.{cut.digest}"
        with self._lock:
            if name not in self._open:
                path = self._store.folder / FOLDER / f"{name}.duckdb"
                dictionary = cut_dictionary(snapshot.dictionary, cut.variables)
                with layout.readable_os_errors("the extract could not be written"):
                    # made anew in every process: a file somebody may have changed meanwhile is not trusted
                    path.unlink(missing_ok=True)
                    _write(path, snapshot, dictionary, cut.countries)
                self._open[name] = _reopen(path, snapshot, dictionary, self._store.config)
            return self._open[name]

    def keep_only(self, snapshot: str, cuts: Collection[Cut]) -> None:
        """Close and remove every extract but those of the given cuts of the given snapshot."""
        wanted = {f"{snapshot}.{cut.digest}" for cut in cuts}
        with self._lock:
            for name in [name for name in self._open if name not in wanted]:
                self._open.pop(name).close()
            folder = self._store.folder / FOLDER
            if folder.is_dir():
                for path in folder.iterdir():
                    if path.stem not in wanted:
                        path.unlink(missing_ok=True)


def cut_dictionary(dictionary: Dictionary, variables: Sequence[str] | None) -> Dictionary:
    """The dictionary with the given variables, the days they were measured on, and what questions stand on."""
    if variables is None:
        return dictionary
    days = (dictionary[name].day_variable for name in variables if name in dictionary)
    wanted = {*variables, *days, *STRUCTURE}
    kept = {name: variable for name, variable in dictionary.variables.items() if name in wanted}
    return replace(dictionary, variables=MappingProxyType(kept))


def _write(path: Path, snapshot: Snapshot, dictionary: Dictionary, countries: Sequence[str]) -> None:
    """Write the file complete under another name, then rename it."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    columns = schema.staging_schema(dictionary).names
    rows = snapshot.fetch_arrow(
        f"SELECT {', '.join(map(schema.quote, columns))} FROM patient WHERE country::VARCHAR IN "
        f"(SELECT unnest($countries))", {"countries": list(countries)})
    if not rows.num_rows:
        raise StoreError("no patient is left of what may be seen", remedy="Ask a data manager about the grant.")
    sources = snapshot.fetch_arrow("SELECT * FROM source")
    temporary = path.with_name(f"{layout.TEMPORARY}{secrets.token_hex(8)}.duckdb")
    try:
        connection = duckdb.connect(str(temporary))
        os.chmod(temporary, 0o600)
        connection.register("staging", rows.cast(_plain(rows.schema)))
        connection.register("every_source", sources)
        for statement in (*schema.enum_statements(dictionary, snapshot.code_values),
                          schema.patient_statement(dictionary)):
            connection.execute(statement)
        connection.execute("CREATE TABLE source AS SELECT * FROM every_source WHERE source IN "
                           "(SELECT source::VARCHAR FROM patient)")
        connection.close()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}.wal").unlink(missing_ok=True)


def _plain(rows: pa.Schema) -> pa.Schema:
    """The same columns with texts where the snapshot has enumerations, which the new file defines by itself."""
    return pa.schema([pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
                      for field in rows])


def _reopen(path: Path, snapshot: Snapshot, dictionary: Dictionary, config: dict[str, str]) -> Snapshot:
    connection = connect_locked_down(path, config)
    patients, late = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE entry_days > 0) FROM patient").fetchall()[0]
    codes = {name: values for name, values in snapshot.code_values.items() if name in dictionary}
    return replace(snapshot, dictionary=dictionary, patients=int(patients), late_entry=late > 0,
                   code_values=MappingProxyType(codes), _connection=connection)
