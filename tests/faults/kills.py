"""Ingests killed at random moments: what is served afterwards is the old snapshot or the new one, and never a part."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.access.actor import OPERATOR
from harmony_dash.services.audit_trail import verify_trail
from harmony_dash.store import layout
from tests.faults.installation import SMALLEST, Installation, Outcome, Tell, is_whole, run_apart

_SIZES = 5
# The gap between rename and pointer first: a short series must meet it too.
_DEATHS = ("renamed", "recorded", "written", "opened", "published")


@dataclass(frozen=True)
class Kills:
    """What was left behind.

    Attributes
    ----------
    runs, killed : ingests begun, and how many of them died.
    partial : after which what was served could not be read, or did not hold what it says.
    lost : after which a snapshot that was published, or served before, was not served.
    leftovers : files of the dead that the next ingest did not clean away.
    trail_intact : whether the audit trail verifies in the end, with every published snapshot in it.
    """

    runs: int
    killed: int
    partial: int
    lost: int
    leftovers: tuple[str, ...]
    trail_intact: bool


def kill_ingests(folder: Path, kills: int, seed: int = 1) -> Kills:
    """Begin ingests one after another in one installation until so many of them were killed.

    Every third kills itself on reaching one of the stages, in turn, so that the gap between rename and pointer is met;
    the others are killed from outside at a moment drawn from the time that an ingest takes.
    """
    rng = random.Random(seed)
    house = Installation(folder)
    served = house.ingest()
    longest = run_apart(ingest_and_die, house, SMALLEST, 1, "").seconds
    served = house.current().snapshot
    run = killed = partial = lost = 0
    while killed < kills:
        patients, minutes = SMALLEST + run % _SIZES, run + 2
        stage = _DEATHS[run // 3 % len(_DEATHS)] if run % 3 == 0 else ""
        outcome = run_apart(ingest_and_die, house, patients, minutes, stage,
                            kill_after=None if stage else rng.uniform(0, 1.1 * longest))
        if outcome.ending not in ("killed", "done"):
            raise AssertionError(outcome.words)
        killed += outcome.ending == "killed"
        now_served = layout.read_pointer(house.store)
        whole = now_served is not None and is_whole(house.current())
        partial += not whole
        lost += now_served is None or not _is_right(outcome, served, now_served, patients)
        served = now_served.snapshot if now_served else served
        run += 1
    served = house.ingest(minutes=run + 2)
    deployment = house.open(run + 3)
    intact = verify_trail(deployment, OPERATOR).intact and house.current().snapshot == served
    deployment.access.close()
    return Kills(run, killed, partial, lost, tuple(house.leftovers), intact)


def ingest_and_die(tell: Tell, house: Installation, patients: int, minutes: int, die_at: str) -> None:
    """Ingest, telling of each stage; at `die_at`, if it is named, the process kills itself."""
    def stage(name: str) -> None:
        tell(name)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    house.ingest(patients, minutes, stage)


def _is_right(outcome: Outcome, before: str, record: layout.SnapshotRecord, patients: int) -> bool:
    """Whether the pointer is where the last stage that was told leaves it."""
    is_new = record.snapshot != before and record.patients == patients
    if outcome.ending == "done" or "published" in outcome.told:
        return is_new
    return record.snapshot == before or ("renamed" in outcome.told and is_new)
