"""Why the machine did not read or write a file, in words that a person can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from harmony_dash.errors import StoreError

_DISK_FAILS = "the disk fails"


@contextmanager
def readable_os_errors(what: str) -> Iterator[None]:
    """Turn disk trouble into a `StoreError` that names the cause and no path."""
    try:
        yield
    except OSError as problem:
        raise StoreError(f"{what} ({describe_os_error(problem)})", remedy=remedy_for(problem)) from problem


def describe_os_error(problem: OSError) -> str:
    """The cause in words."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if problem.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open"
    if problem.errno == errno.EIO:
        return _DISK_FAILS
    return (problem.strerror or "unknown cause").lower()


def remedy_for(problem: OSError) -> str:
    """What to do about it."""
    if problem.errno == errno.EIO:
        return "Have the disk, or the connection to it, checked before anything else is written; have a backup at hand."
    if problem.errno in (errno.EMFILE, errno.ENFILE):
        return "Raise the limit of open files (`ulimit -n`, or LimitNOFILE of the service), then try again."
    return "Free space or correct the permissions, then run the command again."


def describe_database_error(problem: Exception) -> str:
    """The cause in words, empty if it is none of those a person can mend; what DuckDB says holds paths."""
    said = str(problem).lower()
    causes = {"no space left": "the disk is full", "too many open files": "too many files are open",
              "permission denied": "permission denied", "read-only": "it may only be read",
              "file too large": "file too large", "out of memory": "memory is short",
              "input/output error": _DISK_FAILS, "corrupt": "its file is damaged"}
    return next((words for part, words in causes.items() if part in said), "")
