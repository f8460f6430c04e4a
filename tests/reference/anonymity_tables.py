"""Twenty random tables of quasi-identifiers, the same on every machine: Python's generator keeps its sequence.

Nothing but the standard library, because the script that asks pycanon runs outside the project's environment.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence

SEEDS = range(1, 21)
# The forms in which the store counts; pycanon is asked for each.
FORMS = {
    "before": ("disease", "country", "dx_period", "age_dx_years", "sex"),
    "generalised": ("disease", "country", "dx_period", "age_group", "sex"),
    "with the country": ("disease", "country", "age_group", "sex"),
    "with the period": ("disease", "dx_period", "age_group", "sex"),
}
COLUMNS = ("disease", "country", "age_dx_years", "age_group", "sex", "dx_period", "first_event", "death")
_COUNTRIES = ("DE", "FR", "NL", "IT", "CZ")
_PERIODS = ("1995-1999", "2000-2004", "2005-2009", "2010-2014")
_EVENTS = ("none", "relapse", "death_in_cr", "smn", "treatment_failure")
_AGE_GROUPS = ((1, "<1"), (10, "1-9"), (18, "10-17"), (40, "18-39"), (60, "40-59"), (200, "60+"))

Table = dict[str, list[str | float | None]]


def make_table(seed: int) -> Table:
    """One source: its size, how many values it knows and how often one is missing differ from table to table.

    In every other table few values are known, none is rare and none is missing, so that classes are larger than one.
    """
    rng = random.Random(seed)
    crowded = seed % 2 == 0
    patients = 40 + int(rng.random() * 560)
    countries, periods = (1 + int(rng.random() * (2 if crowded else len(known))) for known in (_COUNTRIES, _PERIODS))
    events = 1 + crowded + int(rng.random() * (len(_EVENTS) - 1))
    oldest, steps = (5 + int(rng.random() * 20), 1) if crowded else (1 + int(rng.random() * 70), 2)
    missing = 0.0 if crowded else 0.04 * rng.random()
    follows = rng.random() < 0.8

    def pick(known: Sequence[str], count: int) -> str | None:
        place = int(rng.random() ** (1 if crowded else 2) * count)
        return None if rng.random() < missing else known[place]

    rows = []
    for _ in range(patients):
        age = None if rng.random() < missing else float(int(rng.random() * oldest * steps)) / steps
        rows.append((
            "ALL" if crowded or rng.random() < 0.9 else "AML", pick(_COUNTRIES, countries), age,
            None if age is None else next(name for upper, name in _AGE_GROUPS if age < upper),
            pick(("F", "M"), 2), pick(_PERIODS, periods), pick(_EVENTS, events) if follows else None,
            pick(("no", "yes"), 2)))
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}


def outcomes_of(table: Table) -> list[str]:
    """The first event, or where none is known whether the patient died."""
    return [str(event or death or "missing") for event, death in zip(table["first_event"], table["death"], strict=True)]


def digest_of(table: Table) -> str:
    """Tells a table from another, so that values are never compared with those of another one."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]
