"""Stores of any size for benchmarks, made in chunks so that memory stays flat.

`make_benchmark_store` fills the columns that a survival question reads; `real_store` goes the whole way, from the
generator's files through the ingest.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import StoreError
from harmony_dash.store.reader import Store
from harmony_dash.store.writer import new_snapshot
from harmony_dash.synthetic import synthesise
from tests.factories import DISCLOSURE_KEY, NOW, make_record, no_issues

PROJECT_ROOT = Path(__file__).resolve().parents[2]

CHUNK = 500_000


def make_chunk(n: int, rng: np.random.Generator, number: int) -> pd.DataFrame:
    """Patients with the mix of columns a survival question reads; hazards differ by cytogenetic group."""
    def category(values: list[str | None], shares: list[float]) -> pd.Categorical:
        codes = rng.choice(len(values), n, p=shares)
        known = [value for value in values if value is not None]
        return pd.Categorical.from_codes(np.where(codes < len(known), codes, -1), known)

    group = category(["good", "intermediate", "high", None], [0.45, 0.35, 0.12, 0.08])
    age = np.round(rng.gamma(2.2, 3.2, n) + 1, 1)
    hazard = np.array([0.08, 0.16, 0.35, 0.16])[group.codes]
    event = rng.exponential(1 / hazard) * 365.25
    end = rng.uniform(0.5, 11, n) * 365.25
    days = np.minimum(event, end).astype(np.int32)
    cause = np.where(event < end, rng.choice([1, 2, 3], n, p=[0.7, 0.2, 0.1]), 0).astype(np.int8)
    columns: dict[str, object] = {
        "patient": np.char.add(f"{number:04d}-", np.arange(n).astype(str)), "disease": "ALL",
        "source": f"bench_{number % 12}", "trial": category([f"Trial {i}" for i in range(12)], [1 / 12] * 12),
        "country": category(["DE", "FR", "IT", "NL", "SE", "ES"], [0.25, 0.2, 0.2, 0.15, 0.1, 0.1]),
        "sex": category(["F", "M"], [0.46, 0.54]), "age_dx_years": age,
        "age_group": pd.cut(age, [0, 1, 10, 18, 40, 60, 200], right=False,
                            labels=["<1", "1-9", "10-17", "18-39", "40-59", "60+"]),
        "immunophenotype": category(["B", "T"], [0.86, 0.14]), "cyto_group": group,
        "mrd_group": category(["mrd_cr", "mrd_intermediate", "mrd_failure", None], [0.45, 0.2, 0.23, 0.12]),
        "cr_days": np.int32(33), "last_contact_days": end.astype(np.int32), "death": "no",
    }
    for name, endpoint in ENDPOINTS.items():
        columns[f"{name}_days"] = days
        columns[f"{name}_cause"] = np.minimum(cause, len(endpoint.causes)).astype(np.int8)
    return pd.DataFrame(columns)


def make_benchmark_store(folder: Path, patients: int, seed: int = 1) -> None:
    """Publish a store of that many made-up patients."""
    rng = np.random.default_rng(seed)
    with new_snapshot(folder, load_dictionary(), NOW, DISCLOSURE_KEY) as (writer, _):
        for number, start in enumerate(range(0, patients, CHUNK)):
            frame = make_chunk(min(CHUNK, patients - start), rng, number)
            frame["source"] = f"bench_{number}"
            writer.add_source(make_record(frame, f"bench_{number}"), frame, no_issues())


@dataclass(frozen=True)
class RealStore:
    """A store that real ingests filled, and the sources they read.

    Attributes
    ----------
    folder : of the snapshots.
    sources : source folders.
    """

    folder: Path
    sources: tuple[Path, ...]

    def ingest_again(self) -> None:
        """Publish a further snapshot of the same sources, in a process of its own."""
        arguments = ["ingest", *map(str, self.sources), "--store", str(self.folder)]
        subprocess.run([sys.executable, "-m", "harmony_dash", *arguments], check=True, capture_output=True,
                       cwd=PROJECT_ROOT)


def real_store(patients: int, folder: Path | None = None) -> RealStore:
    """The store of that many synthetic patients in `folder`, made unless it is there and of this version's format."""
    folder = folder or Path(tempfile.gettempdir()) / f"harmony_dash-benchmark-{patients}"
    try:
        held = Store(folder / "store").current().patients
    except StoreError:
        held = 0
    if not held:
        synthesise(patients, 1, folder / "sources")
    manifests = sorted((folder / "sources").glob("*/source.yaml"))
    store = RealStore(folder / "store", tuple(manifest.parent for manifest in manifests))
    if not held:
        store.ingest_again()
    return store
