"""Write the reference values again: `python -m tests.reference.make_reference`.

Needs Rscript with survival, cmprsk, prodlim, riskRegression and Hmisc.
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.reference import cox_data, what_if_data
from tests.reference.lifelines_data import NAMES, load_cohort

HERE = Path(__file__).parent


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_cohort(name: str, path: Path) -> None:
    cohort = load_cohort(name)
    write_rows(path, ["day", "cause", "group", "stratum", "entry"],
               zip(cohort.day, cohort.cause, cohort.group, cohort.stratum, cohort.entry, strict=True))


def write_cox_cohort(name: str, path: Path) -> None:
    if name == "effects":
        write_rows(path, ["name", "effect", "std_error"],
                   ((case, *pair) for case, columns in cox_data.SUBGROUPS.items()
                    for pair in zip(*columns, strict=True)))
        return
    cohort = cox_data.load_cox_cohort(name)
    write_rows(path, ["day", "cause", "arm", "marker", "trial", "entry"],
               zip(cohort.day, cohort.cause, cohort.arm, cohort.marker, cohort.trial, cohort.entry, strict=True))


def write_arms(name: str, path: Path) -> None:
    rows = what_if_data.load_rows(name)
    rows["days"] = [*what_if_data.DAYS[name], *[""] * (len(rows) - len(what_if_data.DAYS[name]))]
    rows["knots"] = [*what_if_data.KNOTS, *[""] * (len(rows) - len(what_if_data.KNOTS))]
    rows.to_csv(path, index=False)


def read_values(path: Path) -> dict[str, list[float | None]]:
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {key: [None if x == "NA" else float(x) for x in values.split()] for key, values in lines}


def write_reference(folder: Path, names: Sequence[str], script: str, target: str) -> None:
    """Run an R script on the CSV files in a folder and keep what it wrote."""
    subprocess.run(["Rscript", str(HERE / script), str(folder)], check=True)
    values = {name: read_values(folder / f"{name}.txt") for name in names}
    lines = [f'"{name}": {{\n' + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items()) + "\n}"
             for name, rows in values.items()]
    versions = json.dumps((folder / "versions").read_text().strip())
    (HERE / target).write_text(f'{{"versions": {versions},\n"values": {{\n' + ",\n".join(lines) + "\n}}\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in NAMES:
            write_cohort(name, folder / f"{name}.csv")
        write_reference(folder, NAMES, "make_reference.R", "reference.json")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = (*cox_data.NAMES, "effects")
        for name in names:
            write_cox_cohort(name, folder / f"{name}.csv")
        write_reference(folder, names, "make_cox_reference.R", "cox_reference.json")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in what_if_data.NAMES:
            write_arms(name, folder / f"{name}.csv")
        write_reference(folder, what_if_data.NAMES, "make_what_if_reference.R", "what_if_reference.json")


if __name__ == "__main__":
    main()
