"""Check the released numbers of a table against one another.

    python recompute_tables.py [FOLDER]

Needs Python 3.10 or newer and nothing else. FOLDER holds the CSV files of one export and provenance.json; by default
it is the folder of this script. Exit status: 0 all numbers agree, 1 some differ or a file was changed, 2 a file is
missing.

A hazard ratio has two decimals: within them it must lie in the middle of its limits on the scale of logarithms, and its
p-value must be the one they ask for. q-values are p-values adjusted by Benjamini and Hochberg. Counts are rounded to
five each by itself, so parts must add up to their whole but for that, and events are no more than patients.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

NORMAL = 1.959963984540054
HALF_DIGIT = 0.005 + 1e-9  # of a hazard ratio
SMALLEST_P = 0.001  # stands for itself and everything below
EXACT = 1e-9
MOST_OFF = 4  # a count that was rounded to five
NUMBERS = {"patients", "events", "hr", "hr_lower", "hr_upper", "p", "q", "estimate", "lower", "upper",
           "reference_patients", "reference_events", "compared_patients", "compared_events"}

Rows = list[dict[str, Any]]
outcomes: list[bool] = []


def compare(what: str, recomputed: object, released: object, agrees: bool) -> None:
    """Print one comparison and remember how it went."""
    outcomes.append(agrees)
    print(f"{'ok  ' if agrees else 'DIFF'} {what:64}  recomputed {show(recomputed):>18}  released {show(released):>18}")


def show(value: object) -> str:
    """A number, or words, for a line of the output."""
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def read(folder: Path, name: str) -> Rows:
    """The rows of one table: words as they are, numbers as float, None where a field is empty."""
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        return [{key: text if key not in NUMBERS else None if text == "" else float(text) for key, text in row.items()}
                for row in csv.DictReader(file)]


def check_files(folder: Path) -> dict[str, Rows]:
    """The tables, and whether they are the ones that were released."""
    sums = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["checksum"]["tables"]
    for name, released in sums.items():
        found = hashlib.sha256((folder / f"{name}.csv").read_bytes()).hexdigest()
        compare(f"checksum of {name}.csv", f"{found[:16]}…", f"{released[:16]}…", found == released)
    return {name: read(folder, name) for name in sums}


def check_ratio(what: str, ratio: float, lower: float, upper: float | None, p: float) -> None:
    """Whether a hazard ratio, its limits and its p-value belong together, as closely as their digits can tell."""
    if lower <= HALF_DIGIT or upper is None:
        return  # the digits say too little
    (low, low_), (high, high_), (here, here_) = (
        (math.log(one - HALF_DIGIT), math.log(one + HALF_DIGIT)) for one in (lower, upper, ratio))
    agrees = here_ >= (low + high) / 2 and here <= (low_ + high_) / 2
    compare(f"{what}: hazard ratio", math.sqrt(lower * upper), ratio, agrees)
    errors = max((high - low_) / (2 * NORMAL), 1e-12), (high_ - low) / (2 * NORMAL)
    nearest = 0.0 if here <= 0 <= here_ else min(abs(here), abs(here_))
    most, least = (two_sided(z) for z in (nearest / errors[1], max(abs(here), abs(here_)) / errors[0]))
    # two significant digits, and none below the smallest
    agrees = 0.9 * least <= p + EXACT and (p <= 1.1 * most + EXACT or p <= SMALLEST_P)
    compare(f"{what}: p", two_sided(math.log(ratio) / ((math.log(upper) - math.log(lower)) / (2 * NORMAL))), p, agrees)


def two_sided(z: float) -> float:
    """The p-value of a standard normal value."""
    return math.erfc(abs(z) / math.sqrt(2))


def check_adjusted(rows: Rows, of: str) -> None:
    """q of all rows with a p, by Benjamini and Hochberg: the least p_j m / rank of all p_j from its own upwards."""
    known = sorted((row for row in rows if row["p"] is not None), key=lambda row: row["p"])
    least = 1.0
    for rank in range(len(known), 0, -1):
        row = known[rank - 1]
        least = min(least, row["p"] * len(known) / rank)
        compare(f"{of}: q of {name(row)}", least, row["q"], row["q"] is not None and abs(least - row["q"]) <= EXACT)


def name(row: dict[str, Any]) -> str:
    """Which row it is."""
    return " ".join(row[key] for key in ("variable", "level", "row", "column", "value", "group") if row.get(key))


def check_counts(rows: Rows, patients: str = "patients", events: str = "events") -> None:
    """Events are no more than patients, each rounded by itself."""
    for row in rows:
        if row[patients] is not None and row[events] is not None:
            compare(f"{name(row)}: {events} at most all {patients}", row[events], row[patients],
                    row[events] <= row[patients] + 2 * MOST_OFF)


def check_estimates(rows: Rows) -> None:
    """Estimates lie inside their limits."""
    for row in rows:
        if None not in (row["estimate"], row["lower"], row["upper"]):
            compare(f"{name(row)}: estimate inside its limits", row["estimate"], row["estimate"],
                    row["lower"] - EXACT <= row["estimate"] <= row["upper"] + EXACT)


def check_sums(rows: Rows, wholes: dict[str, float | None], by: tuple[str, ...], whole_of: str) -> None:
    """Where all parts of a variable are shown they add up to the whole, but for the rounding of each of them."""
    parts: dict[tuple[str, ...], list[float | None]] = defaultdict(list)
    for row in rows:
        parts[tuple(row[key] for key in by)].append(row["patients"])
    for key, counts in parts.items():
        whole = wholes.get(key[by.index(whole_of)] if whole_of else "")
        if whole is not None and None not in counts:
            total = sum(count for count in counts if count is not None)
            compare(f"{' '.join(key)}: sum of its parts", total, whole,
                    abs(total - whole) <= MOST_OFF * (len(counts) + 1))


def main() -> int:
    """Compare everything; the exit status."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    try:
        tables = check_files(folder)
    except FileNotFoundError as missing:
        print(f"{missing.filename} is missing: put all files of the export into one folder.", file=sys.stderr)
        return 2
    for row in [*tables.get("levels", []), *tables.get("treatment", [])]:
        if row["hr"] is not None:
            check_ratio(name(row), row["hr"], row["hr_lower"], row["hr_upper"], row["p"])
    for of in ("levels", "variables", "interactions"):
        check_adjusted(tables.get(of, []), of)
    for of in ("levels", "cells"):
        check_counts(tables.get(of, []))
        check_estimates(tables.get(of, []))
    for arm in ("reference", "compared"):
        check_counts(tables.get("treatment", []), f"{arm}_patients", f"{arm}_events")
    if "counts" in tables:
        check_sums(tables["counts"], {row["group"]: row["patients"] for row in tables["groups"]}, ("variable", "group"),
                   "group")
    print(f"{len(outcomes)} numbers compared, {outcomes.count(False)} differ.")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
