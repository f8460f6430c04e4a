"""Check the released numbers of a table against one another.

    python recompute_tables.py [FOLDER]

Needs Python 3.10 or newer and nothing else. FOLDER holds the CSV files of one export and provenance.json; by default
it is the folder of this script. Exit status: 0 all numbers agree, 1 some differ or a file was changed, 2 a file is
missing.

A hazard ratio has two decimals: within them it must lie in the middle of its limits on the scale of logarithms, and its
p-value must be the one they ask for. The p-value of a test belongs to its chi-squared statistic and its degrees of
freedom; between levels these are one less than the levels with a hazard ratio and their reference. q-values are
p-values adjusted by Benjamini and Hochberg. Counts are rounded to five each by itself: where all parts are shown they
must add up to their whole but for that, 4 a count; events are no more than patients. An estimate lies inside its
limits.

Not checked, because a table does not hold what they come from: events and estimates themselves, shrunken ratios,
differences between arms, medians, quartiles, means and standardised differences.
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
NUMBERS = {"patients", "events", "hr", "hr_lower", "hr_upper", "p", "q", "statistic", "df", "estimate", "lower",
           "upper", "left", "reference_patients", "reference_events", "compared_patients",
           "compared_events"}

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


def check_ratio(what: str, ratio: float, lower: float, upper: float | None, p: float | None) -> None:
    """Whether a hazard ratio, its limits and its p-value belong together, as closely as their digits can tell."""
    if lower <= HALF_DIGIT or upper is None:
        return  # the digits say too little
    (low, low_), (high, high_), (here, here_) = (
        (math.log(one - HALF_DIGIT), math.log(one + HALF_DIGIT)) for one in (lower, upper, ratio))
    agrees = here_ >= (low + high) / 2 and here <= (low_ + high_) / 2
    compare(f"{what}: hazard ratio", math.sqrt(lower * upper), ratio, agrees)
    if p is None:
        return
    errors = max((high - low_) / (2 * NORMAL), 1e-12), (high_ - low) / (2 * NORMAL)
    nearest = 0.0 if here <= 0 <= here_ else min(abs(here), abs(here_))
    most, least = (two_sided(z) for z in (nearest / errors[1], max(abs(here), abs(here_)) / errors[0]))
    middle = two_sided(math.log(ratio) / ((math.log(upper) - math.log(lower)) / (2 * NORMAL)))
    compare_p(f"{what}: p", least, most, middle, p)


def compare_p(what: str, least: float, most: float, recomputed: float, p: float) -> None:
    """Whether a p-value lies between two values; it has two significant digits, and none is below the smallest."""
    # the first p-value above the smallest is 0.0011
    agrees = 0.95 * least <= p + EXACT and p <= min(1.0, max(1.06 * most, 1.1 * SMALLEST_P)) + EXACT
    compare(what, recomputed, p, agrees)


def check_test(what: str, statistic: float, df: float, p: float) -> None:
    """Whether the p-value of a test is that of its statistic, which has two significant digits."""
    half = 10 ** (math.floor(math.log10(statistic)) - 1) / 2 if statistic else 0.0
    least, here, most = (chi_squared(value, round(df)) for value in (statistic + half, statistic, statistic - half))
    compare_p(f"{what}: p of its statistic", least, most, here, p)


def chi_squared(value: float, df: int) -> float:
    """The share of a chi-squared distribution with whole degrees of freedom beyond a value (DLMF 8.4.10, 8.8.2)."""
    half = value / 2
    tail, place = (math.erfc(math.sqrt(half)), 1) if df % 2 else (math.exp(-half), 2)
    while place < df:
        tail += math.exp(place / 2 * math.log(half) - half - math.lgamma(place / 2 + 1)) if half else 0.0
        place += 2
    return tail


def check_degrees(levels: Rows, variables: Rows) -> None:
    """A test of k levels has k - 1 degrees of freedom; these levels have a hazard ratio, and one is the reference."""
    for one in variables:
        if one["df"] is not None:
            levels_of = [row for row in levels if row["variable"] == one["variable"]]
            compared = sum(row["hr"] is not None or row["reference"] == "yes" for row in levels_of)
            compare(f"{name(one)}: degrees of freedom", compared - 1, one["df"], one["df"] == compared - 1)


def check_whole(levels: Rows, cohort: Rows) -> None:
    """Where all rows of a variable are shown, none of another question, they are the cohort."""
    whole = next((row["left"] for row in cohort if row["kind"] == "in the figure"), None)
    rows: dict[str, Rows] = defaultdict(list)
    for row in levels:
        rows[row["variable"]].append(row)
    alike = [row for found in rows.values() if any(row["kind"] == "missing" for row in found)
             and not any(row["own_question"] == "yes" for row in found) for row in found]
    check_sums(alike, {"": whole}, ("variable",), "")


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
            check_ratio(name(row), row["hr"], row["hr_lower"], row["hr_upper"], row.get("p"))
    for of in ("variables", "interactions"):
        for row in tables.get(of, []):
            if row["p"] is not None:
                which = " ".join([of, name(row), row.get("compared_arm", "")])
                check_test(which, row["statistic"], row["df"], row["p"])
    if "variables" in tables:
        check_degrees(tables["levels"], tables["variables"])
        check_whole(tables["levels"], tables["cohort"])
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
