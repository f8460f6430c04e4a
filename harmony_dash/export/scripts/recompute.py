"""Recompute the released numbers from the released curves, and compare.

    python recompute.py [FOLDER]

Needs Python 3.10 or newer and nothing else. FOLDER holds the CSV files of one export and provenance.json; by default
it is the folder of this script. Exit status: 0 all numbers agree, 1 some differ or a file was changed, 2 a file is
missing.

Curves are read on fixed days: an estimate is the curve on its day, a restricted mean the area under straight lines
between the days, a median where they come down to 50 %, to the month. A hazard ratio has two decimals: within them it
must lie in the middle of its limits on the scale of logarithms, and its p-value must be the one they ask for.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

HALF_MONTH = 15.3
HALF_DIGIT = 0.005 + 1e-9  # of a hazard ratio
SMALLEST_P = 0.001  # stands for itself and everything below
EXACT = 1e-9
ROUNDING = 8  # of two counts, each rounded by itself and at most 4 off
NORMAL = 1.959963984540054
# All other columns are numbers; a group may be called "1".
WORDS = {"group", "value", "reference", "curve", "curve_label", "comparison", "cause", "withheld"}

Rows = list[dict[str, Any]]
Numbers = list[float]
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
        return [{key: None if text == "" else text if key in WORDS else float(text) for key, text in row.items()}
                for row in csv.DictReader(file)]


def check_files(folder: Path) -> None:
    """Whether the tables are the ones that were released."""
    sums = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["checksum"]["tables"]
    for name, released in sums.items():
        found = hashlib.sha256((folder / f"{name}.csv").read_bytes()).hexdigest()
        compare(f"checksum of {name}.csv", f"{found[:16]}…", f"{released[:16]}…", found == released)


def curve_of(curves: Rows, group: str, curve: str) -> tuple[Numbers, Rows]:
    """The days and rows of one curve."""
    rows = [row for row in curves if row["group"] == group and row["curve"] == curve]
    return [row["days"] for row in rows], rows


def row_on(days: Numbers, rows: Rows, day: float) -> dict[str, Any] | None:
    """The last row that is not after a day; None where there is no curve on the day."""
    before = [row for at, row in zip(days, rows, strict=True) if at <= day]
    return before[-1] if before and day <= days[-1] else None


def check_estimates(estimates: Rows, curves: Rows, at_risk: Rows) -> None:
    """Every estimate with its limits, and the numbers at risk."""
    counts = {(row["group"], row["days"]): row["at_risk"] for row in at_risk}
    for one in estimates:
        what = f"{one['group']}, {one['curve']}, day {one['days']:g}"
        days, rows = curve_of(curves, one["group"], one["curve"])
        row = row_on(days, rows, one["days"])
        for part in ("estimate", "lower", "upper"):
            here = None if row is None else row[part]
            if part != "estimate" and one[part] is None:
                continue  # on its first day a curve is what it is by definition, without an interval
            compare(f"{what}: {part}", here, one[part], same(here, one[part]))
        if counts.get((one["group"], one["days"])) is not None:
            here = counts[one["group"], one["days"]]
            compare(f"{what}: at risk", here, one["at_risk"], same(here, one["at_risk"]))


def same(one: float | None, other: float | None) -> bool:
    """Equal but for floating point; nothing equals nothing."""
    return (one is None and other is None) or (one is not None and other is not None and abs(one - other) <= EXACT)


def check_groups(groups: Rows, curves: Rows, at_risk: Rows) -> dict[str, float]:
    """Counts, medians and restricted means. Returns the means by group."""
    means: dict[str, float] = {}
    for one in groups:
        if one["withheld"] is not None:
            continue
        name = one["group"]
        counts = [row for row in at_risk if row["group"] == name]
        first = counts[0]["at_risk"] if counts else None
        if first is not None:
            agrees = first <= one["patients"] + ROUNDING
            compare(f"{name}: patients, at risk at first at most all", first, one["patients"], agrees)
        single = one["median_days"] is not None or one["rmst_days"] is not None
        curve = next((row["curve"] for row in curves if row["group"] == name), "")
        days, rows = curve_of(curves, name, curve)
        heights = [row["estimate"] for row in rows]
        if heights and heights[0] == 0:
            heights = [1 - height for height in heights]
        shown = [row["events"] for row in counts if row["events"] is not None]
        if single and shown and one["events"] is not None:
            agrees = shown[-1] <= one["events"] + ROUNDING
            compare(f"{name}: events, those in the table at most all", shown[-1], one["events"], agrees)
        if one["median_days"] is not None:
            here = crossing(days, heights)
            agrees = here is not None and abs(here - one["median_days"]) <= HALF_MONTH
            compare(f"{name}: median days", here, one["median_days"], agrees)
        if one["hr"] is not None:
            check_ratio(f"{name} against {one['reference']}", one["hr"], one["hr_lower"], one["hr_upper"], one["hr_p"])
        if one["rmst_days"] is not None:
            means[name] = area(days, heights, one["rmst_until_day"])
            agrees = abs(means[name] - one["rmst_days"]) <= 0.5 + EXACT  # released to the day
            compare(f"{name}: restricted mean to day {one['rmst_until_day']:g}", means[name], one["rmst_days"], agrees)
    return means


def crossing(days: Numbers, heights: Numbers) -> float | None:
    """The day on which straight lines between the points reach 50 %; None if they never do."""
    for place in range(1, len(days)):
        before, after = heights[place - 1], heights[place]
        if before > 0.5 >= after:
            return days[place - 1] + (days[place] - days[place - 1]) * (before - 0.5) / (before - after)
    return None


def check_ratio(what: str, ratio: float, lower: float, upper: float, p: float) -> None:
    """Whether a hazard ratio, its limits and its p-value belong together, as closely as their digits can tell."""
    if lower <= HALF_DIGIT or not math.isfinite(upper):
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


def area(days: Numbers, heights: Numbers, until: float) -> float:
    """The area under straight lines between the points."""
    points = [(day, height) for day, height in zip(days, heights, strict=True) if day <= until]
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))


def check_differences(comparisons: Rows, groups: Rows, means: dict[str, float]) -> None:
    """Differences of restricted means, and that their limits are as wide as the standard errors ask for."""
    errors = {row["group"]: row["rmst_se_days"] for row in groups}
    for one in comparisons:
        if one["difference_days"] is None:
            continue
        group, reference = one["group"], one["reference"]
        what = f"{group} minus {reference}: restricted means"
        here = means[group] - means[reference]
        compare(what, here, one["difference_days"], abs(here - one["difference_days"]) <= 1 + EXACT)
        margin = NORMAL * math.hypot(errors[group], errors[reference])
        released = (one["upper_days"] - one["lower_days"]) / 2
        # two significant digits
        compare(f"{what}: half of the interval", margin, released, released >= 0.945 * margin)


def main() -> int:
    """Compare everything; the exit status."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    try:
        tables = {name: read(folder, name) for name in ("groups", "estimates", "curves", "at_risk", "comparisons")}
        check_files(folder)
    except FileNotFoundError as missing:
        print(f"{missing.filename} is missing: put all files of the export into one folder.", file=sys.stderr)
        return 2
    check_estimates(tables["estimates"], tables["curves"], tables["at_risk"])
    means = check_groups(tables["groups"], tables["curves"], tables["at_risk"])
    check_differences(tables["comparisons"], tables["groups"], means)
    print(f"{len(outcomes)} numbers compared, {outcomes.count(False)} differ.")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
