"""Changing the audit trail behind the application's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRIGGERS = ("audit_refuses_update", "audit_refuses_delete", "audit_refuses_replace")


def tamper(path: Path, *statements: str) -> None:
    """Run statements that the triggers would refuse."""
    with without_triggers(path) as raw:
        for statement in statements:
            raw.execute(statement)


@contextmanager
def without_triggers(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as somebody has it who can write it and knows to take the triggers away, and to put them back."""
    raw = sqlite3.connect(path)
    triggers = [raw.execute("select sql from sqlite_master where name = ?", (name,)).fetchone()[0] for name in TRIGGERS]
    for name in TRIGGERS:
        raw.execute(f"drop trigger {name}")
    yield raw
    for statement in triggers:
        raw.execute(statement)
    raw.commit()
    raw.close()
