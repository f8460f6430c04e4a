"""Small source folders for tests: a good one, and the same with something changed."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
source: de_example
title: Example trial
provider: EX-DE
country: DE
trial: Example 2000
disease: ALL
synthetic: true
files:
  - path: patients.csv
    format: csv
    id: pid
  - path: follow.csv
    format: csv
    id: pid
missing: ["", "NA"]
variables:
  sex: {column: sex, values: {m: M, w: F}}
  age_dx_years: {column: age, unit: years}
  wbc_dx: {column: wbc, unit: /uL, missing: ["-9"]}
  mrd_eoi: {column: mrd, transform: mrd, unit: percent, lod: 1.0e-4, day: 33}
  cr_days: {column: cr, unit: days}
  first_event: {column: event, values: {"0": none, "1": relapse}}
  first_event_days: {column: event_days, unit: days}
  death: {column: dead, values: {ja: yes, nein: no}}
  death_days: {column: death_days, unit: days}
  last_contact_days: {column: fu, unit: days}
ignore: [remark]
"""
PATIENTS_HEADER = "pid,sex,age,wbc,mrd,cr,remark"
FOLLOW_HEADER = "pid,event,event_days,dead,death_days,fu"


def patients(count: int, **changed: str) -> list[str]:
    """Rows of the first file; `changed` maps `p3` to another third row."""
    rows = [f"p{n},{'mw'[n % 2]},{3 + n % 9},{9000 + n},neg,33,a" for n in range(1, count + 1)]
    return [changed.get(row.split(",")[0], row) for row in rows]


def follow_up(count: int, **changed: str) -> list[str]:
    """Rows of the second file: every third patient relapses, every sixth dies after that."""
    rows = []
    for n in range(1, count + 1):
        relapse, death = n % 3 == 0, n % 6 == 0
        rows.append(f"p{n},{int(relapse)},{400 + n if relapse else ''},{'ja' if death else 'nein'},"
                    f"{900 + n if death else ''},{900 + n if death else 2000 + n}")
    return [changed.get(row.split(",")[0], row) for row in rows]


def write_source(folder: Path, *, manifest: str = MANIFEST, first: list[str] | None = None,
                 second: list[str] | None = None, count: int = 12) -> Path:
    """A source folder of two CSV files."""
    folder.mkdir(exist_ok=True)
    (folder / "source.yaml").write_text(manifest, encoding="utf-8")
    (folder / "patients.csv").write_text(
        "\n".join([PATIENTS_HEADER, *(patients(count) if first is None else first)]) + "\n", encoding="utf-8")
    (folder / "follow.csv").write_text(
        "\n".join([FOLLOW_HEADER, *(follow_up(count) if second is None else second)]) + "\n", encoding="utf-8")
    return folder
