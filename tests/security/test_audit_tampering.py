"""Figure G3: of 300 random tamperings with the audit trail, 300 are found.

Whoever tampers here can write the database file and knows the triggers, which they take away and put back; they do not
hold the access key, and do not reach the head file. Each change is made under a running application, which must find
it by `verify`, and must refuse to start again.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import AuditEvent, Decision, record_event
from harmony_dash.access.chain import COLUMNS
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.inspection import Fault
from harmony_dash.errors import StoreError
from harmony_dash.services.audit_trail import verify_trail
from harmony_dash.services.deployment import Deployment
from harmony_dash.settings import Settings
from harmony_dash.store.reader import Store
from tests.factories import ACCESS_KEY, NOW
from tests.unit.access.tampering import without_triggers

TAMPERINGS = 300
OLD_ROWS, OLDER_COPY, ROWS = 6, 25, 40
TEXT_COLUMNS = tuple(column for column in (*COLUMNS, "mac") if column not in ("id", "n"))
ALL = ", ".join((*COLUMNS, "mac"))
CONTENT = ", ".join(column for column in COLUMNS if column != "id")

Tampering = Callable[[sqlite3.Connection, random.Random], None]


def open_database(folder: Path) -> AccessDatabase:
    return AccessDatabase(folder / "access.sqlite", ACCESS_KEY, head=folder / "audit.head", now=lambda: NOW)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail of 40 rows, six of them older than the chain, its head, and a copy from when it had 25."""
    folder = tmp_path_factory.mktemp("template")
    open_database(folder).close()
    raw = sqlite3.connect(folder / "access.sqlite")
    for number in range(OLD_ROWS):
        raw.execute("insert into audit (at, username, role, session, action, question, snapshot, level, n, decision, "
                    "reason) values (?, 'old', 'analyst', 's', 'survival', ?, 's0', 'protected', 40, 'allowed', '')",
                    (f"2026-01-0{number + 1}T00:00:00.000000+00:00", f"q{number}"))
    raw.commit()
    raw.close()
    database = open_database(folder)
    for number in range(OLD_ROWS + 2, ROWS + 1):
        refused = number % 5 == 0
        record_event(database, AuditEvent(
            "survival", f"user{number % 3}", "analyst", "abcdef", f"f{number} mrd_group", "s1", "exact",
            None if refused else 30 + number, Decision.REFUSED if refused else Decision.ALLOWED,
            "no grant" if refused else "", "G-2026-001"), now=NOW + timedelta(minutes=number))
        if number == OLDER_COPY:
            with database.snapshot() as now_, sqlite3.connect(folder / "older.sqlite") as copy:
                now_.backup(copy)
            copy.close()
    database.close()
    (folder / "older.sqlite").chmod(0o600)
    return folder


def edit(raw: sqlite3.Connection, rng: random.Random) -> None:
    """Another value in any column of any row."""
    row, column = rng.randint(1, ROWS), rng.choice((*COLUMNS, "mac"))
    if column == "id":
        new: object = rng.choice([-row, 0, ROWS + rng.randint(1, 9)])
    elif column == "n":
        new = rng.choice([None, rng.randint(-5, 10**6)])
    else:
        new = rng.choice(["", "x", "=1+1", "0" * 64, f"user{rng.randint(0, 2)}", "allowed", "survival"])
    before = raw.execute(f"select {column} from audit where id = ?", (row,)).fetchone()[0]
    if new == before:
        new = 7_777_777 if column == "n" else f"{before}x"
    raw.execute(f"update audit set {column} = ? where id = ?", (new, row))


def edit_old_row(raw: sqlite3.Connection, rng: random.Random) -> None:
    """A row from before the chain."""
    column = rng.choice(TEXT_COLUMNS)
    raw.execute(f"update audit set {column} = {column} || 'x' where id = ?", (rng.randint(1, OLD_ROWS),))


def delete(raw: sqlite3.Connection, rng: random.Random) -> None:
    """A row, or a few."""
    first = rng.randint(1, ROWS)
    raw.execute("delete from audit where id between ? and ?", (first, first + rng.choice([0, 0, 1, 4])))


def delete_and_renumber(raw: sqlite3.Connection, rng: random.Random) -> None:
    """A row, with the later ones moved up and the counter set back."""
    row = rng.randint(1, ROWS)
    raw.execute("delete from audit where id = ?", (row,))
    for number in range(row + 1, ROWS + 1):
        raw.execute("update audit set id = ? where id = ?", (number - 1, number))
    raw.execute("update sqlite_sequence set seq = ? where name = 'audit'", (ROWS - 1,))


def swap(raw: sqlite3.Connection, rng: random.Random) -> None:
    """The contents of two rows, with or without their links."""
    columns = rng.choice([CONTENT, f"{CONTENT}, mac"])
    first, second = rng.sample(range(1, ROWS + 1), 2)
    raw.execute("create temp table kept as select * from audit where id in (?, ?)", (first, second))
    for source, target in ((first, second), (second, first)):
        raw.execute(f"update audit set ({columns}) = (select {columns} from kept where id = ?) where id = ?",
                    (source, target))


def insert(raw: sqlite3.Connection, rng: random.Random) -> None:
    """A row before, behind or in the midst of the others, with the link of another row or none."""
    place, mac = rng.choice([-3, 0, ROWS + 1, rng.randint(1, ROWS)]), rng.choice(["mac", "''"])
    if 1 <= place <= ROWS:
        for number in range(ROWS, place - 1, -1):
            raw.execute("update audit set id = ? where id = ?", (number + 1, number))
    raw.execute(f"insert into audit ({ALL}) select ?, {CONTENT}, {mac} from audit where id = ?",
                (place, rng.choice([number for number in range(2, ROWS) if number != place])))


def truncate(raw: sqlite3.Connection, rng: random.Random) -> None:
    """The newest rows, or all, with or without the counter set back."""
    last = rng.randint(0, ROWS - 1)
    raw.execute("delete from audit where id > ?", (last,))
    if rng.random() < 0.7:
        raw.execute("update sqlite_sequence set seq = ? where name = 'audit'", (last,))


def forge(raw: sqlite3.Connection, rng: random.Random) -> None:
    """An edit with a made-up link: random, of another row, or with all links from there on wiped."""
    row = rng.randint(OLD_ROWS + 1, ROWS)
    raw.execute("update audit set reason = 'forged' where id = ?", (row,))
    kind = rng.choice(["random", "other", "wiped", "all wiped"])
    if kind == "random":
        raw.execute("update audit set mac = ? where id = ?", (rng.randbytes(32).hex(), row))
    elif kind == "other":
        other = rng.choice([number for number in range(OLD_ROWS + 1, ROWS + 1) if number != row])
        raw.execute("update audit set mac = (select mac from audit where id = ?) where id = ?", (other, row))
    else:
        raw.execute(f"update audit set mac = '' where id {'>=' if kind == 'wiped' else '>'} ?",
                    (row if kind == "wiped" else 0,))


def replay(raw: sqlite3.Connection, rng: random.Random) -> None:
    """An older copy of the whole file; made by `tamper`."""


KINDS: tuple[Tampering, ...] = (edit, edit, edit, edit_old_row, delete, delete_and_renumber, swap, insert, truncate,
                                forge, forge, replay)


def tamper(folder: Path, kind: Tampering, rng: random.Random) -> None:
    path = folder / "access.sqlite"
    if kind is replay:
        shutil.copy(folder / "older.sqlite", folder / "replay.sqlite")
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        (folder / "replay.sqlite").replace(path)
        return
    with without_triggers(path) as raw:
        kind(raw, rng)


def deploy(template: Path, folder: Path) -> Deployment:
    shutil.copytree(template, folder)
    database = open_database(folder)
    return Deployment(Settings(folder / "store", database.path, None), Store(folder / "store"), database, lambda: NOW)


def test_three_hundred_of_three_hundred_tamperings_are_found(template: Path, tmp_path: Path) -> None:
    found, refused, kinds = 0, 0, Counter[str]()
    missed = []
    for number in range(TAMPERINGS):
        rng = random.Random(number)
        kind = KINDS[number % len(KINDS)]
        folder = tmp_path / str(number)
        deployment = deploy(template, folder)
        tamper(folder, kind, rng)
        broken = verify_trail(deployment, OPERATOR).broken
        deployment.access.close()
        found += broken is not None
        kinds[broken.fault if broken else "none"] += 1
        try:
            open_database(folder).close()
        except StoreError:
            refused += 1
        if broken is None:
            missed.append((number, kind.__name__))
        shutil.rmtree(folder)
    print(f"G3: {found} of {TAMPERINGS} found by verify, {refused} refused at opening; {dict(kinds)}")
    assert (found, refused, missed) == (TAMPERINGS, TAMPERINGS, [])
    assert set(kinds) == set(Fault) - {Fault.HEAD}


def test_taking_the_triggers_away_and_putting_them_back_is_no_false_alarm(template: Path, tmp_path: Path) -> None:
    deployment = deploy(template, tmp_path / "copy")
    tamper(tmp_path / "copy", lambda raw, rng: None, random.Random(0))
    found = verify_trail(deployment, OPERATOR)
    assert (found.intact, found.rows, found.old_rows) == (True, ROWS, OLD_ROWS)
    deployment.access.close()
    open_database(tmp_path / "copy").close()
