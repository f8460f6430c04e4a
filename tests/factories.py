"""Small made-up patients and stores for tests. Nothing here describes a real person."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.store.reader import Snapshot, Store
from harmony_dash.store.writer import SourceRecord, new_snapshot

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
DISCLOSURE_KEY = b"a made-up disclosure key for tests"
# The key of every access database that a test makes.
ACCESS_KEY = b"3f9ac27d51e8064b7ea2d90c418f35b6d7206e93ab5c814fe6170d42b98ca35e"
# Cause of each endpoint for the first events none, relapse, death in remission, second malignancy.
CAUSE_OF_FIRST_EVENT = {
    "os": (0, 0, 1, 0), "efs": (0, 1, 1, 1), "efs_tf0": (0, 1, 1, 1), "rfs": (0, 1, 1, 0), "relapse": (0, 1, 2, 3),
    "relapse_1km": (0, 1, 0, 0), "trm": (0, 2, 1, 3), "smn": (0, 2, 2, 1)}
ISSUE_COLUMNS = ["source", "file", "row", "column", "variable", "reason", "severity", "message"]


def make_patients(n: int, seed: int = 1, *, source: str = "example") -> pd.DataFrame:
    """Random harmonised rows with the columns the store takes; about a tenth of the group values are missing."""
    rng = np.random.default_rng(seed)
    pick = rng.choice
    event = rng.exponential(2500, n)
    end = rng.integers(0, 4000, n)
    days = np.minimum(event, end).astype(int)
    cause = np.where(event < end, pick([1, 2, 3], n, p=[0.6, 0.3, 0.1]), 0)
    data: dict[str, Any] = {
        "patient": [f"{source}-{number:08x}" for number in range(n)], "source": source, "disease": "ALL",
        "provider": "P", "trial": pick(["Trial A", "Trial B", "Trial C"], n), "country": pick(["DE", "FR", "NL"], n),
        "age_dx_years": np.round(rng.gamma(2.0, 4.0, n), 1), "sex": pick(["F", "M"], n),
        "age_group": pick(["1-9", "10-17", "18-39"], n), "immunophenotype": pick(["B", "T"], n, p=[0.85, 0.15]),
        "cyto_group": pick(np.array(["good", "intermediate", "high", None], dtype=object), n, p=[0.4, 0.4, 0.1, 0.1]),
        "mrd_group": pick(np.array(["mrd_cr", "mrd_failure", None], dtype=object), n, p=[0.5, 0.4, 0.1]),
        "hsct_cr1": pick(np.array(["no", "yes", None], dtype=object), n, p=[0.85, 0.1, 0.05]),
        "first_event": np.array(["none", "relapse", "death_in_cr", "smn"])[cause],
        "first_event_days": np.where(cause > 0, days, np.nan),
        "cr_days": rng.integers(25, 45, n), "last_contact_days": end,
    }
    data["hsct_days"] = np.where(data["hsct_cr1"] == "yes", rng.integers(60, 400, n), np.nan)
    remission = pick([True, False], n, p=[0.9, 0.1])
    for name, endpoint in ENDPOINTS.items():
        known = remission if endpoint.time_zero is TimeZero.REMISSION else np.ones(n, bool)
        data[f"{name}_days"] = np.where(known, days, np.nan)
        data[f"{name}_cause"] = np.where(known, np.array(CAUSE_OF_FIRST_EVENT[name])[cause], np.nan)
        data[f"{name}_excluded"] = np.where(known, None, "no_remission")  # type: ignore[call-overload]
    frame = pd.DataFrame(data)
    whole = [column for column in frame.columns if column.endswith(("_days", "_cause"))]
    return frame.astype(dict.fromkeys(whole, "Int32"))


def make_record(frame: pd.DataFrame, source: str = "example", **changes: Any) -> SourceRecord:
    values: dict[str, Any] = {
        "source": source, "title": "Synthetic: example", "provider": "P", "trial": "", "licence": "CC0-1.0",
        "synthetic": "true", "description": "", "files": {"patients.csv": "0" * 64}, "read_count": len(frame),
        "accepted_count": len(frame), "quarantined_count": 0}
    return SourceRecord(**{**values, **changes})


def no_issues() -> pd.DataFrame:
    return pd.DataFrame(columns=ISSUE_COLUMNS)


def make_store(folder: Path, n: int = 500, seed: int = 1, dictionary: Dictionary | None = None,
               frame: pd.DataFrame | None = None) -> Snapshot:
    """Publish random patients and open the snapshot."""
    patients = make_patients(n, seed) if frame is None else frame
    if _published is None or dictionary is not None or folder.exists():
        _publish(folder, patients, dictionary or load_dictionary())
    else:
        kept = _published / hashlib.sha256(pickle.dumps(patients)).hexdigest()
        if not kept.exists():
            _publish(kept, patients, load_dictionary())
        shutil.copytree(kept, folder)
    return Store(folder).current()


# Where stores that were published once are kept, to be copied for the next test with the same patients.
_published: Path | None = None


def keep_stores(folder: Path | None) -> None:
    """From now on publish the same patients once, and copy."""
    global _published
    _published = folder


def _publish(folder: Path, patients: pd.DataFrame, dictionary: Dictionary) -> None:
    with new_snapshot(folder, dictionary, NOW, DISCLOSURE_KEY) as (writer, _):
        writer.add_source(make_record(patients), patients, no_issues())
