"""Ingest: time for 100,000 patients, and whether memory grows with the number of sources."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.synthetic import synthesise


@dataclass(frozen=True)
class IngestTiming:
    """Seconds for all sources, and peak memory in MB of the largest source alone and of all of them."""

    patients: int
    seconds: float
    largest_mb: float
    all_mb: float


def measure(patients: int) -> IngestTiming:
    """Write synthetic sources of that size and ingest them in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        sources = synthesise(patients, 1, Path(folder) / "sources")
        largest = max(sources, key=lambda path: sum(file.stat().st_size for file in path.iterdir()))
        largest_mb, _ = _ingest([largest], Path(folder) / "one")
        all_mb, seconds = _ingest(sources, Path(folder) / "all")
    return IngestTiming(patients, seconds, largest_mb, all_mb)


def _ingest(sources: list[Path], store: Path) -> tuple[float, float]:
    code = ("import sys; from harmony_dash.cli import main; from tests.benchmarks.question import peak_mb; "
            "code = main(sys.argv[1:]); print(peak_mb()); sys.exit(code)")
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, "ingest", *map(str, sources), "--store", str(store)],
                          capture_output=True, text=True, check=True)
    return float(done.stdout), time.perf_counter() - start
