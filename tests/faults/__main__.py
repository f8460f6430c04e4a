"""`python -m tests.faults`: the whole numbers of the faults that the test run meets in small, about half an hour.

    python -m tests.faults            everything
    python -m tests.faults kills      one part: kills, damage, starving, readers, returning, recovery, fuzz
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import damage, starving
from tests.faults.installation import SMALLEST, Installation
from tests.faults.kills import kill_ingests
from tests.faults.readers import go_back_and_again, read_during_ingests
from tests.faults.recovery import lose_and_recover

_FUZZ_EXAMPLES = "2000"
_MANY = 100_000
_LONGEST_RESTORE = 600.0


def kills(folder: Path) -> bool:
    """200 ingests killed with -9."""
    found = kill_ingests(folder / "kills", 200)
    print(f"R1  {found.runs} ingests, {found.killed} killed: {found.partial} partial, {found.lost} lost, "
          f"{len(found.leftovers)} files left over, audit trail {'intact' if found.trail_intact else 'BROKEN'}")
    return not (found.partial or found.lost or found.leftovers) and found.trail_intact


def damages(folder: Path) -> bool:
    """Snapshots, pointer, records, access database and head, damaged."""
    blocks = (damage.cut_off, damage.zero_a_block, damage.overwrite_a_block)
    bits = (damage.flip_a_bit,)
    good = True
    for name, found, must in (
            ("snapshot", damage.damage_snapshots(folder / "a", 120), True),
            ("snapshot, while it is open", damage.damage_open_snapshots(folder / "b", 120), True),
            ("CURRENT, every bit and every length", damage.damage_records(folder / "c", "CURRENT"), True),
            ("record, every bit and every length", damage.damage_records(folder / "d", ""), True),
            ("access database, blocks and cuts", damage.damage_access(folder / "e", 120, kinds=blocks), True),
            ("access database, single bits", damage.damage_access(folder / "f", 600, kinds=bits), False),
            ("head of the audit trail", damage.damage_heads(folder / "g"), True)):
        print(f"R2  {name}: {found.refused} refused, {found.harmless} harmless, {found.silent} unseen, "
              f"{len(found.crashed)} without words")
        good &= not found.crashed and not (must and found.silent)
    print("    (SQLite keeps no checks of its pages: a single bit in a cell that is neither of the trail nor of an "
          "index goes unseen)")
    return good


def starved(folder: Path) -> bool:
    """No disk, no open files, no permission."""
    good = True
    with starving.small_disk() as mounted:
        how = "file limit" if mounted is None else "tmpfs"
    for stage in starving.FULL_FROM:
        if how == "tmpfs":
            with starving.small_disk() as disk:
                found = starving.fill_disk(disk or folder, stage)
        else:
            found = starving.limit_files(folder / f"full_{stage}", stage)
        good &= found.is_right and not found.leftovers
        print(f"R3  disk full ({how}) from stage '{stage}': {found.outcome.ending}; {found.outcome.words}")
    Installation(folder / "files").ingest()
    for name, work in (("ingest", _limited), ("ask", starving.ask_with_few_files),
                       ("start", starving.start_with_few_files)):
        endings = [work(folder / "files", spare).ending for spare in range(12)]
        good &= set(endings) <= {"done", "refused"}
        print(f"R3  {name} with 0 to 11 files to open: {', '.join(endings)}")
    for part, does in (("store", "ingest"), ("store", "ask"), ("access", "ingest"), ("access", "ask")):
        found = starving.forbid(part, does)
        good &= found.is_right
        print(f"R3  {does} with read-only {part}: {found.outcome.ending}; {found.outcome.words}")
    return good


def _limited(folder: Path, spare: int) -> starving.Outcome:
    found = starving.limit_open_files(folder, spare)
    if not found.is_right:
        raise AssertionError(found)
    return found.outcome


def readers(folder: Path) -> bool:
    """20 readers during 20 ingests."""
    found = read_during_ingests(folder / "readers", readers=20, ingests=20, pause=1.0)
    print(f"R5  20 readers, 20 ingests: {found.answers} visits to {len(found.snapshots)} snapshots, "
          f"{len(found.errors)} errors, {found.mixed} mixed; 95th percentile {found.slowdown:.1f} times that before")
    return not found.errors and not found.mixed


def returning(folder: Path) -> bool:
    """Going back and the same file again."""
    found = go_back_and_again(folder / "returning")
    same = found.first == found.rolled_back == found.ingested_again
    print(f"R6  back to a snapshot and its file of {SMALLEST} patients again: {'same' if same else 'OTHER'} data, "
          f"{found.seconds:.1f} s")
    return same


def recovery(folder: Path) -> bool:
    """100,000 patients lost, and back from the backup."""
    found = lose_and_recover(folder / "recovery", _MANY)
    print(f"R10 {found.patients:,} patients lost, backup of {found.bytes / 1e6:,.0f} MB made in "
          f"{found.backing_up:.1f} s; {found.restoring:.1f} s to restore, ask and prove the trail: "
          f"{'same' if found.same else 'OTHER'} answers")
    return found.same and found.restoring <= _LONGEST_RESTORE


def fuzz(folder: Path) -> bool:
    """Every named and generated source, and every hostile text at every place."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "tests/fuzz"],
                          env={**os.environ, "HARMONY_FUZZ_EXAMPLES": _FUZZ_EXAMPLES}, capture_output=True, text=True,
                          check=False)
    *_, last = lines = done.stdout.strip().splitlines()
    print("\n".join([*(line for line in lines if line.startswith("FAILED")), f"R4, S19  {last}"]))
    return done.returncode == 0


PARTS: dict[str, Callable[[Path], bool]] = {"kills": kills, "damage": damages, "starving": starved, "readers": readers,
                                            "returning": returning, "recovery": recovery, "fuzz": fuzz}


def main() -> int:
    """Run the parts that are named, or all; exit code 1 if one of them fell short."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    good = True
    for name in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            good &= PARTS[name](Path(folder))
        print(f"    {name}: {time.monotonic() - begun:.0f} s", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
