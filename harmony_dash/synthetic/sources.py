"""Write every provider's files and `source.yaml` from simulated patients, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.errors import UserError
from harmony_dash.synthetic.cohort import simulate, to_frame
from harmony_dash.synthetic.gaps import apply_gaps
from harmony_dash.synthetic.layouts import LAYOUTS
from harmony_dash.synthetic.layouts.layout import Layout, write_manifest
from harmony_dash.synthetic.mistakes import Mistake, Planted, plan_mistakes, spoil_cells, spoil_rows
from harmony_dash.synthetic.native import DX_ORDINAL, Cells
from harmony_dash.synthetic.population import Ints, Words, allocate
from harmony_dash.synthetic.protocols import PROTOCOLS
from harmony_dash.synthetic.writers import TableWriter, open_writer

Progress = Callable[[str, int, int], None]
"""Called with the source, the patients written so far and the patients in all."""

CHUNK = 40_000
"""Patients held in memory at a time."""


@dataclass(frozen=True)
class Delivery:
    """What was written for one source."""

    folder: Path
    layout: Layout
    patients: int
    planted: tuple[Planted, ...]


def synthesise(patients: int, seed: int, out: Path, progress: Progress | None = None) -> list[Path]:
    """Write the twelve synthetic source folders.

    Parameters
    ----------
    patients : patients in all, shared between the sources as in the pool; about one in a hundred bad rows come on top.
    seed : equal seeds give equal bytes.
    out : folder that receives one folder a source; files of the same name are replaced.
    progress : called after each chunk.

    Returns
    -------
    The source folders, in the order of the layouts.

    Raises
    ------
    UserError if `patients` or `seed` is out of range, or `out` is a file.
    """
    return [delivery.folder for delivery in write_sources(patients, seed, out, progress)]


def write_sources(patients: int, seed: int, out: Path, progress: Progress | None = None) -> list[Delivery]:
    """As `synthesise`, telling also which rows are wrong on purpose."""
    if patients < 1:
        raise UserError("there must be at least one patient", where="patients", remedy="Give a number from 1.")
    if seed < 0:
        raise UserError("the seed is negative", where="seed", remedy="Give a whole number from 0.")
    if out.exists() and not out.is_dir():
        raise UserError("the place to write to is a file", where=out.name, remedy="Name a folder.")
    protocol, country = allocate(patients)
    source = np.array([entry.source for entry in PROTOCOLS], dtype=object)[protocol]
    seeds = np.random.SeedSequence(seed).spawn(len(LAYOUTS))
    deliveries = []
    done = 0
    for number, layout in enumerate(LAYOUTS):
        rows = np.flatnonzero(source == layout.source)
        rng = np.random.Generator(np.random.PCG64(seeds[number]))
        # Every source starts elsewhere in the list of mistakes, so that small ones do not all make the same.
        kinds = layout.mistakes[(5 * number) % len(layout.mistakes):] + layout.mistakes
        start = done

        def report(count: int, name: str = layout.source, before: int = start) -> None:
            if progress is not None:
                progress(name, before + count, patients)

        deliveries.append(_write_source(layout, protocol[rows], country[rows], kinds, out, rng, report))
        done += len(rows)
    return deliveries


def _write_source(layout: Layout, protocol: Ints, country: Words, kinds: tuple[Mistake, ...], out: Path,
                  rng: np.random.Generator, report: Callable[[int], None]) -> Delivery:
    folder = out / layout.source
    folder.mkdir(parents=True, exist_ok=True)
    order = rng.permutation(len(protocol))
    planted: list[Planted] = []
    width = max(5, len(str(2 * len(protocol))))
    written = rows = 0
    with ExitStack() as stack:
        writers = [stack.enter_context(open_writer(folder / file.path, file)) for file in layout.files]
        for chunk in _chunks(order):
            plan = plan_mistakes(len(chunk), kinds)
            extra = rng.integers(0, len(protocol), len(plan)) if len(protocol) else np.zeros(0, dtype=np.int64)
            picked = np.concatenate([chunk, extra])
            wrong = np.array([None] * len(chunk) + plan[:len(extra)], dtype=object)
            shuffle = rng.permutation(len(picked))
            numbers = np.arange(rows, rows + len(picked)) + 1
            ids = np.array([f"{layout.prefix}{number:0{width}d}" for number in numbers.tolist()], dtype=object)
            planted += _write_chunk(layout, writers, protocol[picked[shuffle]], country[picked[shuffle]], ids,
                                    wrong[shuffle], rng)
            rows += len(picked)
            written += len(chunk)
            report(written)
    (folder / "source.yaml").write_text(write_manifest(layout), encoding="utf-8", newline="\n")
    return Delivery(folder, layout, len(protocol), tuple(planted))


def _chunks(order: Ints) -> Iterator[Ints]:
    for start in range(0, max(len(order), 1), CHUNK):
        yield order[start:start + CHUNK]


def observe_patients(layout: Layout, protocol: Ints, country: Words, rng: np.random.Generator,
                     wrong: Cells | None = None) -> pd.DataFrame:
    """Simulate patients and return what the provider knows of them, canonical values ready to be written.

    `wrong` holds a `Mistake` or None a row.
    """
    cohort = simulate(protocol, country, rng)
    truth = to_frame(cohort)
    truth[DX_ORDINAL] = cohort.people.dx_ordinal.astype(np.float64)
    seen = apply_gaps(truth, layout.gaps, rng)
    return split_events(seen if wrong is None else spoil_rows(seen, wrong))


def write_rows(layout: Layout, writers: Sequence[TableWriter], frame: pd.DataFrame, ids: Cells,
               rng: np.random.Generator, wrong: Cells | None = None) -> None:
    """Append observed patients to every file of the layout, in the provider's words."""
    targets = layout.targets()
    for number, (file, writer) in enumerate(zip(layout.files, writers, strict=True)):
        cells: dict[str, Cells] = {file.id: ids}
        for column in file.columns:
            cells[column.heading] = column.write(frame, rng)
        if wrong is not None:
            spoil_cells(cells, wrong, targets)
        # Follow-up files come from another system and in another order.
        order = np.arange(len(ids)) if number == 0 else rng.permutation(len(ids))
        writer.write([cells[heading][order] for heading in file.headings])


def _write_chunk(layout: Layout, writers: list[TableWriter], protocol: Ints, country: Words, ids: Cells, wrong: Cells,
                 rng: np.random.Generator) -> list[Planted]:
    frame = observe_patients(layout, protocol, country, rng, wrong)
    twins = np.flatnonzero(wrong == Mistake.DUPLICATE_ID)
    ids[twins[1::2]] = ids[twins[:2 * (len(twins) // 2):2]]
    write_rows(layout, writers, frame, ids, rng, wrong)
    return [Planted(layout.source, str(ids[row]), wrong[row]) for row in np.flatnonzero(wrong != np.array(None))]


def split_events(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the parts of the event record (relapse, treatment failure, second malignancy, each with its day)."""
    for part in ("relapse", "treatment_failure", "smn"):
        happened = (frame["first_event"] == part).to_numpy()
        frame[part] = np.where(happened, "yes", "no").astype(object)
        frame[f"{part}_days"] = np.where(happened, frame["first_event_days"], np.nan)
    return frame
