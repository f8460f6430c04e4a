"""A small installation whose work is done in processes of its own, so that it may be killed or starved there."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.settings import Settings
from harmony_dash.store import layout
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot, Store
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW
from tests.unit.ingest.sources import write_source

SMALLEST = 12
_PATIENT_KEY = b"a made-up patient key, for tests only"
_LONGEST_RUN = 120.0

# A fresh process takes seconds to import the application; this server imports it once and forks.
_apart = multiprocessing.get_context("forkserver")
_apart.set_forkserver_preload(["tests.faults.installation"])

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a piece of work in a process of its own ended.

    Attributes
    ----------
    ending : done, refused (a `UserError`), bug (anything else that was raised) or killed.
    words : of the refusal, or the traceback of the bug.
    told : what the work told on its way.
    seconds : how long it took.
    """

    ending: str
    words: str
    told: tuple[str, ...]
    seconds: float


def run_apart(work: Callable[..., None], *arguments: Any, kill_after: float | None = None) -> Outcome:
    """Call `work(tell, *arguments)` in another process; with `kill_after` it is killed (-9) after so many seconds."""
    ours, theirs = _apart.Pipe(duplex=False)
    process = _apart.Process(target=_work, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    begun = time.monotonic()
    if kill_after is not None:
        process.join(kill_after)
        process.kill()
    told: list[str] = []
    ending, words = "killed", ""
    try:
        while ours.poll(_LONGEST_RUN):
            kind, text = ours.recv()
            if kind == "told":
                told.append(text)
            else:
                ending, words = kind, text
    except EOFError:
        pass  # the pipe is drained: the process has ended, whichever way
    seconds = time.monotonic() - begun
    process.join(_LONGEST_RUN)
    process.close()
    ours.close()
    return Outcome(ending, words, tuple(told), seconds)


def _work(pipe: Any, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    def tell(text: str) -> None:
        pipe.send(("told", text))

    try:
        work(tell, *arguments)
        pipe.send(("done", ""))
    except UserError as problem:
        pipe.send(("refused", problem.message))
    except BaseException:
        pipe.send(("bug", traceback.format_exc()))


@dataclass(frozen=True)
class Installation:
    """A store, an access database and sources of different sizes, all in one folder."""

    folder: Path

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.folder / "store"

    @property
    def access(self) -> Path:
        """The access database."""
        return self.folder / "access" / "access.sqlite"

    @property
    def head(self) -> Path:
        """The head of the audit trail."""
        return self.folder / "access" / "audit.head"

    def source(self, patients: int) -> Path:
        """A source of so many patients."""
        folder = self.folder / f"source_{patients}"
        return folder if folder.exists() else write_source(folder, count=patients)

    def open(self, minutes: int = 0) -> Deployment:
        """The deployment, so many minutes after the first."""
        moment = NOW + timedelta(minutes=minutes)
        settings = Settings(self.store, self.access, None, patient_key=_PATIENT_KEY, disclosure_key=DISCLOSURE_KEY,
                            access_key=ACCESS_KEY, audit_head=self.head)
        return open_deployment(settings, now=lambda: moment)

    def ingest(self, patients: int = SMALLEST, minutes: int = 0, stage: Tell | None = None) -> str:
        """Publish a snapshot of one source; its id."""
        deployment = self.open(minutes)
        try:
            return ingest_sources(deployment, OPERATOR, [self.source(patients)], stage=stage).snapshot
        finally:
            deployment.access.close()

    def current(self) -> Snapshot:
        """What a new reader is served."""
        return Store(self.store).current()

    def copy(self, target: Path) -> Installation:
        """The same installation at another place, to be damaged."""
        shutil.copytree(self.folder, target)
        return Installation(target)

    @property
    def leftovers(self) -> list[str]:
        """Files in the store that belong to no published snapshot."""
        kept = {layout.POINTER, layout.LOCK}
        for snapshot in layout.published_snapshots(self.store):
            kept |= {layout.snapshot_file(self.store, snapshot).name, layout.record_file(self.store, snapshot).name}
        return sorted(path.name for path in self.store.iterdir() if path.name not in kept)


def is_whole(snapshot: Snapshot) -> bool:
    """Whether every patient the snapshot says it holds is in it."""
    return all(fetch_event_table(snapshot, Question("ALL", "os", by=by)).patients.sum() == snapshot.patients
               for by in (None, "sex"))


def data_digest(snapshot: Snapshot) -> str:
    """SHA-256 of every value of every patient, whatever the file looks like."""
    rows = snapshot.fetch_rows("SELECT * FROM patient ORDER BY patient")
    return hashlib.sha256(repr(rows).encode()).hexdigest()
