"""Writing synthetic sources."""

from __future__ import annotations

from pathlib import Path

from harmony_dash.errors import UserError
from harmony_dash.synthetic import synthesise

MOST_PATIENTS = 20_000_000


def write_synthetic_sources(patients: int, seed: int, out: Path) -> list[Path]:
    """Write synthetic source folders; see `harmony_dash.synthetic.synthesise`.

    Raises
    ------
    UserError for a size outside 1 to 20,000,000, a negative seed, or a folder that holds something else already.
    """
    if not 1 <= patients <= MOST_PATIENTS:
        raise UserError(f"the number of patients is not between 1 and {MOST_PATIENTS:,}", where="--patients",
                        remedy="Choose another number.")
    if seed < 0:
        raise UserError("the seed is negative", where="--seed", remedy="Choose 0 or more.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("the folder is not empty", where=str(out), remedy="Choose a new or an empty folder.")
    try:
        return synthesise(patients, seed, out)
    except OSError as problem:
        raise UserError(f"the sources cannot be written ({problem.strerror})", where=str(out),
                        remedy="Check the folder's permissions and the space left.") from problem
