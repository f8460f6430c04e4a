"""Extracts: a snapshot cut down to some diseases, countries and variables, as a file of its own.

What is not in the file cannot come out of it, whatever a bug or a clever filter may do. An extract is made on first
use, read exactly like a snapshot, and removed as soon as nobody is entitled to it any more.

    extracts/<snapshot-id>.<digest of the cut>.<process>.duckdb

Besides the variables asked for it holds what every question stands on: the endpoints and the days their clocks start,
disease, country and source. Patients are numbered anew in it, and codes that none of them has are unknown to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import duckdb
import pyarrow as pa

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import StoreError
from harmony_dash.store import schema
from harmony_dash.store.causes import readable_os_errors
from harmony_dash.store.quality_tables import SUPPLIED, fetch_supplied
from harmony_dash.store.reader import Snapshot, Store, connect_locked_down

FOLDER = "extracts"
_PATIENT = "patient"
_UNFINISHED = ".tmp"
# What the clocks and the coverage of any question stand on.
STRUCTURE = ("disease", "country", "source", "cr_days", "first_event_days", "entry_days")


@dataclass(frozen=True)
class Cut:
    """What an extract keeps.

    Attributes
    ----------
    countries : codes of the countries whose patients are in it.
    variables : names of the variables that are in it besides those of `STRUCTURE`; None for all.
    diseases : codes of the diseases whose patients are in it; None for all.
    """

    countries: tuple[str, ...]
    variables: tuple[str, ...] | None = None
    diseases: tuple[str, ...] | None = None

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that equal cuts share."""
        parts = [sorted(self.countries), *(None if names is None else sorted(names)
                                           for names in (self.variables, self.diseases))]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Extracts:
    """The extracts of one store, each made once and kept open while somebody is entitled to it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Snapshot] = {}
        self._lock = threading.Lock()
        self._being_made: dict[str, threading.Lock] = {}

    def open(self, snapshot: Snapshot, cut: Cut) -> Snapshot:
        """The snapshot cut down, with a dictionary that knows no other variable.

        Raises
        ------
        StoreError if no patient is left, or the file cannot be written.
        """
        name = _name_of(snapshot.snapshot, cut)
        with self._lock:
            if name in self._open:
                return self._open[name]
            making = self._being_made.setdefault(name, threading.Lock())
        with making:  # others are answered while one extract is being made
            with self._lock:
                if name in self._open:
                    return self._open[name]
            path = self._store.folder / FOLDER / f"{name}.duckdb"
            dictionary = cut_dictionary(snapshot.dictionary, cut.variables)
            with readable_os_errors("the extract could not be written"):
                # made anew by every process: a file somebody may have changed meanwhile is not trusted
                path.unlink(missing_ok=True)
                codes = _write(path, snapshot, dictionary, cut)
            extract = _reopen(path, snapshot, dictionary, codes, self._store.config)
            with self._lock:
                self._open[name] = extract
            return extract

    def keep_only(self, snapshot: str, cuts: Collection[Cut]) -> None:
        """Close and remove every extract but those of the given cuts of the given snapshot."""
        wanted = {_name_of(snapshot, cut) for cut in cuts}
        with self._lock:
            for name in [name for name in self._open if name not in wanted]:
                self._open.pop(name).close()
            folder = self._store.folder / FOLDER
            wanted |= {name for name, lock in self._being_made.items() if lock.locked()}
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.stem not in wanted and not _belongs_to_another(path):
                    path.unlink(missing_ok=True)


def _name_of(snapshot: str, cut: Cut) -> str:
    return f"{snapshot}.{cut.digest}.{os.getpid()}"


def _belongs_to_another(path: Path) -> bool:
    """Whether another process that is still running made the file; it removes it by itself."""
    owner = path.stem.rpartition(".")[2]
    if not owner.isdigit() or int(owner) == os.getpid():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def cut_dictionary(dictionary: Dictionary, variables: Sequence[str] | None) -> Dictionary:
    """The dictionary with the given variables, the days they were measured on, and what questions stand on."""
    if variables is None:
        return dictionary
    days = (dictionary[name].day_variable for name in variables if name in dictionary)
    wanted = {*variables, *days, *STRUCTURE}
    kept = {name: variable for name, variable in dictionary.variables.items() if name in wanted}
    return replace(dictionary, variables=MappingProxyType(kept))


def narrow(snapshot: Snapshot, variables: Sequence[str]) -> Snapshot:
    """The same patients, with a dictionary that knows no variables but these and those of `STRUCTURE`."""
    return replace(snapshot, dictionary=cut_dictionary(snapshot.dictionary, variables))


def _write(path: Path, snapshot: Snapshot, dictionary: Dictionary, cut: Cut) -> dict[str, tuple[str, ...]]:
    """Write the file complete under another name, then rename it; the open codes that its patients have."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    names = [name for name in schema.staging_schema(dictionary).names if name != _PATIENT]
    where = "country::VARCHAR IN (SELECT unnest($countries))"
    values: dict[str, object] = {"countries": list(cut.countries)}
    if cut.diseases is not None:
        where += " AND disease::VARCHAR IN (SELECT unnest($diseases))"
        values["diseases"] = list(cut.diseases)
    rows = snapshot.fetch_arrow(
        f"SELECT row_number() OVER ()::VARCHAR AS {_PATIENT}, {', '.join(map(schema.quote, names))} FROM patient "
        f"WHERE {where}", values)
    if not rows.num_rows:
        raise StoreError("no patient is left of what may be seen", remedy="Ask a data manager about the grant.")
    plain = rows.cast(_plain(rows.schema))
    codes = {name: tuple(sorted(set(plain[name].drop_null().to_pylist())))
             for name in snapshot.code_values if name in dictionary}
    temporary = path.with_name(f"{path.stem}{_UNFINISHED}")
    try:
        connection = duckdb.connect(str(temporary))
        os.chmod(temporary, 0o600)
        connection.register("staging", plain)
        connection.register("every_source", snapshot.fetch_arrow("SELECT * FROM source"))
        for statement in (*schema.enum_statements(dictionary, codes), schema.patient_statement(dictionary)):
            connection.execute(statement)
        # what a source counted as a whole would tell of countries that are not in here
        connection.execute(
            "CREATE TABLE source AS SELECT * REPLACE (NULL::VARCHAR AS files, NULL::BIGINT AS read_count, "
            "(SELECT count(*) FROM patient p WHERE p.source::VARCHAR = every_source.source) AS accepted_count, "
            "0::BIGINT AS quarantined_count) FROM every_source WHERE source IN (SELECT source::VARCHAR FROM patient)")
        # Of what is in here: whether a source supplies a variable is no number of patients.
        sources = plain["source"].unique().to_pylist()
        supplied = {source: sorted(names & dictionary.variables.keys())
                    for source, names in fetch_supplied(snapshot).items() if source in sources}
        connection.execute("CREATE TABLE meta AS SELECT $key AS key, $value AS value",
                           {"key": SUPPLIED, "value": json.dumps(supplied)})
        connection.close()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}.wal").unlink(missing_ok=True)
    return codes


def _plain(rows: pa.Schema) -> pa.Schema:
    """The same columns with texts where the snapshot has enumerations, which the new file defines by itself."""
    return pa.schema([pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
                      for field in rows])


def _reopen(path: Path, snapshot: Snapshot, dictionary: Dictionary, codes: dict[str, tuple[str, ...]],
            config: dict[str, str]) -> Snapshot:
    try:
        connection = connect_locked_down(path, config)
        patients, late = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE entry_days > 0) FROM patient").fetchall()[0]
    except duckdb.Error:
        raise StoreError("the extract could not be read", remedy="Ask again.") from None
    return replace(snapshot, dictionary=dictionary, patients=int(patients), late_entry=late > 0,
                   code_values=MappingProxyType(codes), _connection=connection)
