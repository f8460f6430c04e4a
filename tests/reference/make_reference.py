"""Write reference.json again: `python -m tests.reference.make_reference`. Needs Rscript with survival and cmprsk."""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from pathlib import Path

from tests.reference.lifelines_data import NAMES, load_cohort

HERE = Path(__file__).parent


def write_cohort(name: str, path: Path) -> None:
    cohort = load_cohort(name)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "cause", "group", "stratum", "entry"])
        writer.writerows(zip(cohort.day, cohort.cause, cohort.group, cohort.stratum, cohort.entry, strict=True))


def read_values(path: Path) -> dict[str, list[float | None]]:
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {key: [None if x == "NA" else float(x) for x in values.split()] for key, values in lines}


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in NAMES:
            write_cohort(name, folder / f"{name}.csv")
        subprocess.run(["Rscript", str(HERE / "make_reference.R"), str(folder)], check=True)
        reference = {"versions": (folder / "versions").read_text().strip(),
                     "values": {name: read_values(folder / f"{name}.txt") for name in NAMES}}
    lines = [f'"{name}": {{\n' + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in values.items()) + "\n}"
             for name, values in reference["values"].items()]
    text = f'{{"versions": {json.dumps(reference["versions"])},\n"values": {{\n' + ",\n".join(lines) + "\n}}\n"
    (HERE / "reference.json").write_text(text)


if __name__ == "__main__":
    main()
