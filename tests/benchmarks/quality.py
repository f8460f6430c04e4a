"""What the checks of quality cost an ingest of 100,000 patients."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from harmony_dash.dictionary import load_dictionary
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.services.ingest import Takings
from harmony_dash.store.writer import new_snapshot
from harmony_dash.synthetic import synthesise


@dataclass(frozen=True)
class QualityCost:
    """Seconds for the checks, and for everything else of the ingest."""

    patients: int
    checks: int
    seconds: float
    rest: float

    @property
    def share(self) -> float:
        """What the checks add to an ingest without them."""
        return self.seconds / self.rest


def measure(patients: int) -> QualityCost:
    """Ingest synthetic sources of that size in this process."""
    dictionary = load_dictionary()
    with tempfile.TemporaryDirectory() as folder:
        sources = synthesise(patients, 1, Path(folder) / "sources")
        start = time.perf_counter()
        with new_snapshot(Path(folder) / "store", dictionary, datetime(2026, 1, 1, tzinfo=UTC),
                          b"a made-up disclosure key for benchmarks") as (writer, _):
            takings = Takings(dictionary, b"k" * 32)
            for source in sources:
                takings.add_source(writer, source, lambda _words, _share: None)
            before = time.perf_counter()
            rules = build_rules(dictionary)
            writer.assess_quality(rules, takings.supplied, date(2026, 1, 1))
            seconds = time.perf_counter() - before
        rest = time.perf_counter() - start - seconds
    return QualityCost(patients, len(rules), seconds, rest)
