"""Ingests that run out of disk, of open files or of permission: the old snapshot is served and the cause is named.

A full disk is a small tmpfs where this process may mount one, and else a limit on the size of files, which the kernel
enforces on the same system calls.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.survival import ask_survival
from tests.faults.installation import SMALLEST, Installation, Outcome, Tell, is_whole, run_apart

Work = Callable[[Path, int], Outcome]
FULL_FROM = ("start", "opened", "written", "recorded", "renamed")
_NOBODY = 65534
# Room for the first snapshot of a few patients and hardly more.
_TMPFS_BYTES = 7_000_000


@dataclass(frozen=True)
class Starved:
    """What became of the work, and whether the snapshot from before is still served, whole, and nothing lies about.

    `published` says that the new snapshot is served instead, which is right only if the work was done.
    """

    outcome: Outcome
    served: bool
    published: bool
    leftovers: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the work was done, or refused with a cause while the old snapshot is served."""
        if self.outcome.ending == "done":
            return self.published or self.served
        return self.outcome.ending == "refused" and self.served and not self.published


def _judge(house: Installation, before: str, outcome: Outcome) -> Starved:
    served = house.current()
    old = served.snapshot == before
    return Starved(outcome, old and is_whole(served), not old and is_whole(served), tuple(house.leftovers))


# -- full disks -----------------------------------------------------------------------------------------------------

def limit_files(folder: Path, stage: str) -> Starved:
    """Ingest while no file may grow any more from this stage on."""
    house = Installation(folder)
    before = house.ingest()
    house.source(SMALLEST + 1)
    return _judge(house, before, run_apart(_ingest_with_limit, house, stage))


def _ingest_with_limit(tell: Tell, house: Installation, full_from: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def stage(name: str) -> None:
        if name == full_from:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    stage("start")
    house.ingest(SMALLEST + 1, 1, stage)


def fill_disk(folder: Path, stage: str) -> Starved:
    """Ingest on a disk of its own that is filled to the last byte at this stage; `folder` is its mount point."""
    house = Installation(folder)
    before = house.ingest()
    house.source(SMALLEST + 1)
    outcome = run_apart(_ingest_and_fill, house, stage)
    (folder / "ballast").unlink(missing_ok=True)
    return _judge(house, before, outcome)


def _ingest_and_fill(tell: Tell, house: Installation, full_from: str) -> None:
    def stage(name: str) -> None:
        if name == full_from:
            _fill(house.folder / "ballast")

    stage("start")
    house.ingest(SMALLEST + 1, 1, stage)


def _fill(ballast: Path) -> None:
    """Write until nothing fits any more."""
    with ballast.open("ab", buffering=0) as handle:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while handle.write(bytes(size)):
                    continue
            except OSError:
                continue


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A mounted tmpfs, or None where this process may not mount one."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_BYTES}", "tmpfs", folder],
                              capture_output=True, check=False)
        if done.returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


# -- open files -----------------------------------------------------------------------------------------------------

def limit_open_files(folder: Path, spare: int) -> Starved:
    """Ingest with room for so many more open files than the process has."""
    house = Installation(folder)
    before = house.ingest() if not house.store.exists() else house.current().snapshot
    house.source(SMALLEST + 1)
    return _judge(house, before, run_apart(_ingest_with_few_files, house, spare))


def _ingest_with_few_files(tell: Tell, house: Installation, spare: int) -> None:
    deployment = house.open(spare + 1)
    _limit_descriptors(spare)
    ingest_sources(deployment, OPERATOR, [house.source(SMALLEST + 1)])


def ask_with_few_files(folder: Path, spare: int) -> Outcome:
    """Open the store and ask a question with room for so many more open files."""
    return run_apart(_ask_with_few_files, Installation(folder), spare)


def _ask_with_few_files(tell: Tell, house: Installation, spare: int) -> None:
    deployment = house.open(1)
    _limit_descriptors(spare)
    ask_survival(deployment, OPERATOR, Question("ALL", "os"))


def start_with_few_files(folder: Path, spare: int) -> Outcome:
    """Open the deployment itself, as a server does, with room for so many more open files."""
    return run_apart(_start_with_few_files, Installation(folder), spare)


def _start_with_few_files(tell: Tell, house: Installation, spare: int) -> None:
    _limit_descriptors(spare)
    ask_survival(house.open(1), OPERATOR, Question("ALL", "os"))


def _limit_descriptors(spare: int) -> None:
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + spare, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    taken = set(map(int, os.listdir("/proc/self/fd")))
    for free in range(highest + 1):
        if free not in taken:
            os.dup2(0, free)


# -- permissions ----------------------------------------------------------------------------------------------------

def forbid(part: str, work: str) -> Starved:
    """Do `work` ("ingest" or "ask") as somebody who may read the folder `part` ("store" or "access") only.

    Root may write everywhere, so the work is done as nobody; whoever is not root does it as themselves.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        house = Installation(folder)
        before = house.ingest()
        house.source(SMALLEST + 1)
        for path in folder.rglob("*"):
            if os.geteuid() == 0:
                os.chown(path, _NOBODY, _NOBODY)
        shut = folder / part
        shut.chmod(0o555)
        outcome = run_apart(_work_as_nobody, house, work)
        shut.chmod(0o755)
        return _judge(house, before, outcome)


def _work_as_nobody(tell: Tell, house: Installation, work: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # what Python imports on first use may lie where nobody may read
        _do(Installation(Path(folder)), "ingest")
        _do(Installation(Path(folder)), "ask")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    _do(house, work)


def _do(house: Installation, work: str) -> None:
    if work == "ingest":
        house.ingest(SMALLEST + 1, 1)
    else:
        ask_survival(house.open(1), OPERATOR, Question("ALL", "os"))
