"""Folders that take long to make and are only read: made once a run, by whichever worker comes first."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name for the whole run, filled by `make(folder)` unless it is there."""
    own = factory.getbasetemp()
    # each worker has a folder of its own in that of the run
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, made = shared / f"once-{name}", shared / f"once-{name}.made"
    with (shared / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make(folder)
            made.touch()
    return folder
