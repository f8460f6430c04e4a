"""Damaged files: what is served afterwards is the truth, or a refusal that says what to do; never something else."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harmony_dash.access.accounts import ACCOUNT_ROLES, create_account
from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import AuditEvent, record_event
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.verification import verify
from harmony_dash.cohort import Question
from harmony_dash.errors import StoreError, UserError
from harmony_dash.services.snapshots import review_snapshots, roll_back_to
from harmony_dash.store import layout
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Store
from tests.factories import ACCESS_KEY, NOW
from tests.faults.installation import Installation, data_digest

_BLOCK = 4096
_EVENTS = 300
_CHEAP_ROUNDS = 4

Damage = Callable[[bytearray, random.Random], None]


def flip_a_bit(content: bytearray, rng: random.Random) -> None:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def cut_off(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)):]


def zero_a_block(content: bytearray, rng: random.Random) -> None:
    place = rng.randrange(max(1, len(content) // _BLOCK)) * _BLOCK
    content[place:place + _BLOCK] = bytes(len(content[place:place + _BLOCK]))


def overwrite_a_block(content: bytearray, rng: random.Random) -> None:
    place = rng.randrange(max(1, len(content) // _BLOCK)) * _BLOCK
    content[place:place + _BLOCK] = rng.randbytes(len(content[place:place + _BLOCK]))


# Two flipped bits for one of each other kind, as disks do it.
KINDS: tuple[Damage, ...] = (flip_a_bit, cut_off, flip_a_bit, zero_a_block, flip_a_bit, overwrite_a_block)


@dataclass
class Damages:
    """What became of damaged files; only `silent` and `crashed` are faults.

    Attributes
    ----------
    refused : with a cause and a remedy.
    harmless : nothing that is read was changed.
    silent : something else was served as if it were the truth.
    crashed : something else than a refusal was raised, or it named no remedy.
    """

    refused: int = 0
    harmless: int = 0
    silent: int = 0
    crashed: tuple[str, ...] = ()

    def count(self, look: Callable[[], bool]) -> None:
        """Add one damage; `look` says whether what is served is what was written, or refuses."""
        try:
            same = look()
        except UserError as problem:
            if problem.remedy and problem.where:
                self.refused += 1
            else:
                self.crashed += (problem.message,)
        except Exception as problem:
            self.crashed += (f"{type(problem).__name__}: {problem}",)
        else:
            self.harmless += same
            self.silent += not same


def _damaged(content: bytes, runs: int, seed: int, kinds: Sequence[Damage] = KINDS) -> Iterator[bytes]:
    """So many damaged copies, none equal to the original."""
    rng = random.Random(seed)
    made = 0
    while made < runs:
        copy = bytearray(content)
        kinds[made % len(kinds)](copy, rng)
        if copy != content:
            made += 1
            yield bytes(copy)


def damage_snapshots(folder: Path, runs: int, seed: int = 1) -> Damages:
    """Damage the file of the snapshot that is served, then open it."""
    house = Installation(folder)
    file = layout.snapshot_file(house.store, house.ingest())
    content, digest = file.read_bytes(), data_digest(house.current())
    found = Damages()
    for damaged in _damaged(content, runs, seed):
        file.write_bytes(damaged)
        found.count(lambda: data_digest(house.current()) == digest)
    return found


def damage_open_snapshots(folder: Path, runs: int, seed: int = 1) -> Damages:
    """Damage the file while a reader that found it whole holds it open, then ask."""
    house = Installation(folder)
    file = layout.snapshot_file(house.store, house.ingest())
    content, digest = file.read_bytes(), data_digest(house.current())
    found = Damages()
    for damaged in _damaged(content, runs, seed):
        file.write_bytes(content)
        snapshot = Store(house.store).current()
        with file.open("r+b") as handle:
            handle.write(damaged)
            handle.truncate(len(damaged))
        found.count(lambda snapshot=snapshot: data_digest(snapshot) == digest)  # type: ignore[misc]
        snapshot.close()
    return found


def damage_records(folder: Path, name: str) -> Damages:
    """Flip each bit of a record in turn, and cut it off at each place; `name` is CURRENT or a snapshot's record."""
    house = Installation(folder)
    snapshot = house.ingest()
    file = house.store / (name or layout.record_file(house.store, snapshot).name)
    content, record = file.read_bytes(), layout.read_record(file, "")
    found = Damages()

    def look() -> bool:
        return layout.read_record(file, "Point it back.") == record

    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            file.write_bytes(damaged)
            found.count(look)
    for length in range(len(content)):
        file.write_bytes(content[:length])
        found.count(look)
    return found


def damage_access(folder: Path, runs: int, seed: int = 1, kinds: Sequence[Damage] = KINDS) -> Damages:
    """Damage the access database, then start, verify the trail and look at everything in it.

    SQLite keeps no checks of its pages: a single flipped bit in a cell that is neither of the trail nor of an index
    goes unseen.
    """
    folder.mkdir(parents=True)
    path, head = folder / "access.sqlite", folder / "audit.head"
    _fill(path, head)
    content, rows = path.read_bytes(), _rows(path)
    sealed = head.read_bytes()
    found = Damages()

    def look() -> bool:
        database = AccessDatabase(path, ACCESS_KEY, head=head, now=lambda: NOW + timedelta(days=1))
        try:
            state = verify(database)
        finally:
            database.close()
        if not state.intact:
            raise StoreError("the trail is broken", where=path.name, remedy="See `audit verify`.")
        return _rows(path) == rows

    for damaged in _damaged(content, runs, seed, kinds):
        for leftover in folder.glob("access.sqlite-*"):
            leftover.unlink()
        path.write_bytes(damaged)
        head.write_bytes(sealed)
        found.count(look)
    return found


def damage_heads(folder: Path, step: int = 1) -> Damages:
    """Flip a bit of each byte of the head of the trail in turn, and cut it off at each place, then start.

    Parameters
    ----------
    step : take every so manieth place only.
    """
    folder.mkdir(parents=True)
    path, head = folder / "access.sqlite", folder / "audit.head"
    _fill(path, head, events=5)
    whole, sealed = folder / "whole", head.read_bytes()
    shutil.copy(path, whole)
    found = Damages()

    def look() -> bool:
        AccessDatabase(path, ACCESS_KEY, head=head, now=lambda: NOW + timedelta(days=1)).close()
        return head.read_bytes() == sealed

    flipped = [sealed[:place] + bytes([byte ^ 1 << place % 8]) + sealed[place + 1:]
               for place, byte in enumerate(sealed)]
    for damaged in [*flipped, *(sealed[:length] for length in range(1, len(sealed)))][::step]:
        shutil.copy(whole, path)
        head.write_bytes(damaged)
        found.count(look)
    return found


def _fill(path: Path, head: Path, events: int = _EVENTS) -> None:
    """Accounts of every role and a trail."""
    database = AccessDatabase(path, ACCESS_KEY, head=head, now=lambda: NOW)
    for role in ACCOUNT_ROLES:
        create_account(database, username=f"{role.value}.test", name=f"Test {role.value}", role=role,
                       password="violet kettle under seven stairs", by=OPERATOR, now=NOW, rounds=_CHEAP_ROUNDS)
    for number in range(events):
        record_event(database, AuditEvent.of(OPERATOR, "survival", n=number, question=f"question {number}"), now=NOW)
    database.close()


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the trail, which has its own proof, and grows by being opened."""
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        rows = {table: sorted(map(tuple, connection.execute(f"select * from {table}")), key=repr)
                for table in tables if table != "audit" and not table.startswith("sqlite_")}
    connection.close()
    return rows


def mend_by_the_remedy(folder: Path, damaged: bytes) -> str:
    """Damage the pointer, do what the message says, and return what is served then."""
    house = Installation(folder)
    first = house.ingest()
    house.ingest(minutes=1)
    (house.store / layout.POINTER).write_bytes(damaged)
    deployment = house.open(2)
    listed = [record.snapshot for record in review_snapshots(deployment, OPERATOR)[1]]
    if first not in listed:
        raise AssertionError(f"{first} is not among {listed}")
    roll_back_to(deployment, OPERATOR, first)
    served = house.current()
    if fetch_event_table(served, Question("ALL", "os")).patients.sum() != served.patients:
        raise AssertionError("the snapshot is not whole")
    return "" if served.snapshot == first else served.snapshot
