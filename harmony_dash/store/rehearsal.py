"""A snapshot that is never published: in memory, for a provider who wants to see what would be found."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import duckdb

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.store.reader import Snapshot, make_snapshot
from harmony_dash.store.writer import SnapshotWriter


@contextmanager
def rehearse_snapshot(dictionary: Dictionary, now: datetime) -> Iterator[tuple[SnapshotWriter, Callable[[], Snapshot]]]:
    """Write a snapshot into memory; nothing touches the disk, and its keys are forgotten at the end.

    Yields
    ------
    The writer, and a function that completes the snapshot and returns it to be read inside the block.
    """
    with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "2GB"}) as connection:
        writer = SnapshotWriter(connection, dictionary, secrets.token_bytes(32), new_disclosure_key=False)

        def complete() -> Snapshot:
            writer.finish("", now, may_be_empty=True)
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            return make_snapshot(connection, {key: json.loads(value) for key, value in meta.items()}, "")

        yield writer, complete
