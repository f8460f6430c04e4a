"""All attacks in a row, at the size of a test or at full size."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store
from tests.disclosure.altered import count_altered, patients_of
from tests.disclosure.attacks import curves, differencing, lattice, side_doors
from tests.disclosure.attacks.population import World, make_world, unique_targets
from tests.disclosure.attacks.verdict import Verdict, judge_claims
from tests.disclosure.house import ingest_samples, synthesise_house
from tests.disclosure.questions import EVERYDAY

PATIENTS = 100_000
AUC_CEILING = 0.75
# Attacks on what no rule watches. They succeed; the table says how far.
_RESIDUAL = {
    "E: two filters that mean nearly the same": side_doors.through_substitutes,
    "E: landmark, the target gone by then": side_doors.through_an_early_end,
    "E: endpoint, the target without remission": side_doors.through_endpoints,
}


@dataclass(frozen=True)
class Size:
    """How many targets each attack has."""

    differencing: int
    around_lattice: tuple[int, ...]
    curves: int
    panel: int
    landmarks: int
    doors: int
    questions: int
    altered: int
    realistic: bool


FULL = Size(differencing=300, around_lattice=(80, 236), curves=400, panel=300, landmarks=30, doors=100,
            questions=500, altered=100, realistic=True)
QUICK = Size(differencing=16, around_lattice=(80,), curves=100, panel=30, landmarks=3, doors=18, questions=60,
             altered=40, realistic=False)


def attack_all(folder: Path, size: Size) -> Iterator[Verdict]:
    """Every attack on one store of 100,000 patients."""
    world = make_world(folder, PATIENTS)
    pool = unique_targets(world, PATIENTS)
    yield _told(judge_claims("A: differencing", differencing.attack(world, pool[:size.differencing])))
    for targets in size.around_lattice:
        yield _told(attack_lattice(world, targets))
    for n in curves.SIZES:
        yield _told(attack_curves(n, size.curves))
    yield _told(judge_claims("E: counts of the panel", side_doors.through_panel(world, pool[:size.panel])))
    yield _told(judge_claims("E: landmark, horizon, strata, endpoint",
                             side_doors.through_landmarks(world, pool[:size.landmarks])))
    yield _told(judge_claims("E: which of two is not applied", side_doors.through_order(world, size.doors)))
    yield _told(judge_claims("E: strata, the target's not recorded", side_doors.through_strata(world, size.doors)))
    yield _told(judge_claims("E: groups, the target in none", side_doors.through_groups(world, size.doors)))
    for name, attack in _RESIDUAL.items():
        yield _told(judge_claims(name, attack(world, size.doors), promised=False))
    told, small = side_doors.through_coverage(world)
    yield _told(Verdict("E: coverage", small, measure=f"{told} of {small} cells of 1–9 told from empty ones",
                        threshold="0", passed=told == 0))


def attack_lattice(world: World, targets: int) -> Verdict:
    """Attack B on as many targets with the secret as without."""
    pool = [int(row) for row in unique_targets(world, PATIENTS)]
    half = targets // 2
    chosen = [row for row in pool if world.is_positive(row)][:half] + [
        row for row in pool if not world.is_positive(row)][:half]
    found = lattice.attack(world, chosen)
    words = ", ".join(f"AUC {share:.2f} as {reading}" for reading, share in found.items())
    return Verdict("B: lattice", len(chosen), measure=words, threshold=f"AUC ≤ {AUC_CEILING}",
                   passed=max(found.values()) <= AUC_CEILING)


def attack_curves(n: int, targets: int) -> Verdict:
    """Attack C on groups of one size."""
    shares = curves.attack(n, targets)
    words = ", ".join(f"{name.replace('_', ' ')} {100 * share:.0f} %" for name, share in shares.items())
    ceiling = curves.CEILINGS[curves.first_difference]
    return Verdict(f"C: curves of {n:,}", targets, measure=words, threshold=f"first difference ≤ {100 * ceiling:.0f} %",
                   passed=shares["first_difference"] <= ceiling)


def question_at_random(folder: Path, questions: int) -> tuple[Counter[str], Counter[str]]:
    """D5 on the project's samples."""
    from tests.disclosure.test_random_questions import ask_and_scan

    return ask_and_scan(ingest_samples(folder), questions)


def tabulate_altered(folder: Path, size: Size) -> str:
    """D9 at 100,000 patients, as a table by the number of conditions.

    The benchmarks' patients have characteristics that are independent of each other; those of the project's generator
    come from twelve trials, each of a few countries, ages and lineages, so that conditions often say the same.
    """
    stores = [("independent", _open_benchmark(folder / "benchmark"))]
    if size.realistic:
        stores.append(("of twelve trials", synthesise_house(folder / "synthetic", PATIENTS).store.current()))
    lines = [f"D9: per cent of {size.altered} realistic questions at {PATIENTS:,} patients, by conditions:",
             "not answered as asked (a note, or no answer) / not answered for the patients asked for", "",
             "| patients | filters | 1 | 2 | 3 | 4 |", "|---|---|---:|---:|---:|---:|"]
    for words, snapshot in stores:
        for names, without in ((EVERYDAY, ""), (tuple(name for name in EVERYDAY if name != "trial"), ", no trial")):
            patients = patients_of(snapshot, names)
            for several, values in ((False, "one value each"), (True, "lists of values")):
                cells = " | ".join(str(count_altered(snapshot, patients, conditions, several=several,
                                                     questions=size.altered, seed=conditions))
                                   for conditions in (1, 2, 3, 4))
                lines.append(f"| {words} | {values}{without} | {cells} |")
    return "\n".join(lines)


def _open_benchmark(folder: Path) -> Snapshot:
    make_benchmark_store(folder, PATIENTS)
    return Store(folder).current()


_start = time.monotonic()


def _told(verdict: Verdict) -> Verdict:
    """Say on standard error that one attack is done, because all of them take a while."""
    print(f"{time.monotonic() - _start:6.0f} s  {verdict.attack}", file=sys.stderr, flush=True)
    return verdict
