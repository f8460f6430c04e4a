"""One SQLite file for accounts, sessions and the audit trail.

It never starts open: a file that is empty, damaged, foreign, newer than this version, whose audit trail has lost its
triggers, or whose newest audit rows are not as they were written, is refused with a remedy.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harmony_dash.access import chain
from harmony_dash.access import head as heads
from harmony_dash.access.database_file import (
    check_content,
    check_file,
    connect,
    create,
    damaged,
    describe_refusal,
    migrate,
    unusable,
)
from harmony_dash.access.derived_keys import derive_key
from harmony_dash.access.head import Head
from harmony_dash.access.moments import from_text as from_text
from harmony_dash.access.moments import to_text as to_text
from harmony_dash.access.noted_pauses import NotedPauses
from harmony_dash.access.trail import Trail, TrailBroken, read_sealed_head
from harmony_dash.errors import AccessRefused, SettingsError
from harmony_dash.settings import MINIMUM_SECRET_BYTES

_log = logging.getLogger("harmony_dash.audit")


class AuditUnavailable(AccessRefused):
    """The trail, and with it this database, cannot be written, so nothing that must be recorded may happen."""

    def __init__(self, cause: str = "") -> None:
        super().__init__("this cannot be done because the audit trail cannot be written"
                         + (f" ({cause})" if cause else ""),
                         remedy="Tell whoever runs the server; nothing was changed or shown.")


class AccessDatabase:
    """The access database of one deployment, safe to share between threads and processes.

    Parameters
    ----------
    path : the SQLite file; made with mode 0600, together with its folder, when it does not exist.
    key : the deployment's access key, at least 32 bytes; every other secret of this database is derived from it.
    head : file that keeps the newest link of the audit trail; None keeps none.
    now : the clock, for what is recorded about the database itself.

    Attributes
    ----------
    noted_pauses : the pauses after failed attempts that this process has recorded.

    Raises
    ------
    StoreError for a file that is damaged, empty, or not ours, or an audit trail that was cut short or changed.
    SettingsError for a missing or short key, for a file that other users of the machine may read or that cannot be
    created, and for a head that cannot be read or written.
    """

    def __init__(self, path: Path, key: bytes, *, head: Path | None = None,
                 now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if len(key) < MINIMUM_SECRET_BYTES:
            raise SettingsError("the key of the access database is missing or too short", where="HARMONY_ACCESS_KEY",
                                remedy="Set it to 64 hexadecimal digits, e.g. from `openssl rand -hex 32`.")
        self.path = path
        self.noted_pauses = NotedPauses()
        self._key = key
        self._head = head
        self._head_id: int | None = None  # row that the head file names; None: not known
        self._head_fails = False
        # One connection and one lock: the statements take microseconds, and a connection per thread would grow with
        # the threads that Streamlit starts for every run.
        self._lock = threading.RLock()
        chain_key = self.derive_key(chain.KEY_PURPOSE)
        self._trail = Trail(chain_key)
        if not path.exists():
            create(path, now())
        check_file(path)
        try:
            self._connection = connect(path)
        except sqlite3.DatabaseError as error:
            raise unusable(path, error) from error
        try:
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            check_content(self._connection, path)
            migrate(self._connection, path, now())
            self._connection.create_function("audit_link", 2, chain.link_maker(chain_key), deterministic=True)
            self._file = _identity(path)
            self._open_trail(now())
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise unusable(path, error) from error
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that change nothing."""
        with self._lock:
            yield self._connection

    def answers(self, within: float) -> bool:
        """Whether a statement is answered within so many seconds; a writer waiting for another process holds up all."""
        if not self._lock.acquire(timeout=within):
            return False
        try:
            self._connection.execute("select 1 from account limit 1").fetchone()
        except sqlite3.Error:
            return False
        finally:
            self._lock.release()
        return True

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one transaction: all of the block is saved, or none of it.

        Raises
        ------
        AuditUnavailable if the file cannot be written: disk full, read-only, locked by another process; and if
        somebody changed the newest rows of the audit trail, or put another file in the place of this one: what would
        be recorded then proves nothing.
        """
        with self._lock:
            try:
                self._connection.execute("begin immediate")
                self._check_trail()
                yield self._connection
                self._connection.execute("commit")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                if isinstance(error, sqlite3.OperationalError):
                    raise AuditUnavailable(describe_refusal(error)) from error
                raise
            self._keep_head()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own that reads the file as it is now, for a long look that shall hold up nobody.

        It opens the file by its name and so sees what a restart would see.

        Raises
        ------
        StoreError if the file cannot be read.
        """
        connection = connect(self.path, read_only=True)
        try:
            connection.execute("begin")
            yield connection
        except sqlite3.DatabaseError as error:
            raise damaged(self.path) from error
        finally:
            connection.close()

    def clock_is_behind(self, now: datetime) -> bool:
        """Whether `now` lies more than five minutes before the newest moment in the audit trail.

        Somebody may have moved the clock back to make an expired grant valid again. What counts is the trail since
        the operator last accepted the clock. The answer comes from memory, after a look for rows of other processes.

        Raises
        ------
        AuditUnavailable if the newest rows of the trail were changed.
        """
        with self._lock:
            # rows of a transaction that is still open may be taken back
            if not self._connection.in_transaction:
                self._check_trail()
            return self._trail.clock_is_behind(now)

    def derive_key(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose; see `derived_keys.derive_key`."""
        return derive_key(self._key, purpose)

    def newest_head(self) -> Head:
        """The head of the trail as it stands, sealed, to be kept where nobody can change both."""
        with self._lock:
            if not self._connection.in_transaction:
                self._check_trail()
            return self._sealed_head()

    def read_head(self) -> Head | None:
        """The head in the head file; None if there is no such file, or none is kept.

        Raises
        ------
        StoreError if it is not a head or not sealed with this key; SettingsError if it cannot be read.
        """
        return None if self._head is None else read_sealed_head(self._head, self.derive_key(heads.KEY_PURPOSE))

    @property
    def keeps_head(self) -> bool:
        """Whether a head file is kept."""
        return self._head is not None

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock:
            self._connection.close()

    def _open_trail(self, now: datetime) -> None:
        """Check the trail against its head, then bring the head up to date; all under the lock of the database.

        Here, unlike later, a head that cannot be written is refused: nothing has been answered yet, and a wrong folder
        shows at once instead of in an audit.
        """
        try:
            self._connection.execute("begin immediate")
            kept = self.read_head()
            self._trail.open(self._connection, kept)
            self._trail.begin(self._connection, has_head=kept is not None or self._head is None, now=now)
            self._connection.execute("commit")
            self._trail.catch_up(self._connection)
            self._write_head()
        except TrailBroken as error:
            raise TrailBroken(error.broken, where=self.path.name) from None
        except OSError as problem:
            raise heads.unusable(problem) from None
        finally:
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def _check_trail(self) -> None:
        try:
            if _identity(self.path) != self._file:
                _log.error("another file was put in the place of the access database")
                raise AuditUnavailable
            self._trail.catch_up(self._connection)
        except TrailBroken as error:
            _log.error("the audit trail was cut short or changed: %s", error.broken.words)
            raise AuditUnavailable from error
        except OSError as error:
            raise AuditUnavailable from error

    def _keep_head(self) -> None:
        """Bring the head up to date after a commit, if rows were appended.

        When that fails, the action is done and recorded already: refusing it now would tell a lie. So it is logged,
        tried again after every further append, and shown by `audit verify` as a head that is behind. What the chain
        proves is as good as before; only a cut of the rows newer than the head would go unseen.
        """
        try:
            self._trail.catch_up(self._connection)
            if self._trail.id != self._head_id:
                self._write_head()
            self._head_fails = False
        except (OSError, sqlite3.Error, TrailBroken) as error:
            if not self._head_fails:
                reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
                _log.warning("the head of the audit trail is not kept up to date: %s", reason)
            self._head_fails = True

    def _write_head(self) -> None:
        """Write the head of what is committed.

        The lock of the database, taken again after the commit, keeps another process from putting an older head in
        the place of this one. Two files cannot be changed at once, and a head must never run ahead of the database: it
        would make an honest crash look like a cut.
        """
        if self._head is None:
            return
        self._connection.execute("begin immediate")
        try:
            self._trail.catch_up(self._connection)
            heads.write_head_file(self._head, self._sealed_head())
            self._head_id = self._trail.id
        finally:
            self._connection.execute("rollback")

    def _sealed_head(self) -> Head:
        return heads.seal_head(self.derive_key(heads.KEY_PURPOSE), self._trail.id, self._trail.at, self._trail.mac)


def _identity(path: Path) -> tuple[int, int]:
    """What tells this file from another one of the same name."""
    status = os.stat(path)
    return status.st_dev, status.st_ino
