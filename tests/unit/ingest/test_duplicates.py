"""One patient in two sources is counted once, and strangers are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.ingest.duplicates import CrossSourceDuplicates, MatchKeys, build_match_keys
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.harmonised import HarmonisedSource
from harmony_dash.ingest.issues import Reason
from tests.unit.ingest.sources import MANIFEST, follow_up, patients, write_source

DICTIONARY = load_dictionary()
KEY = b"k" * 32
DATED = MANIFEST.replace("ignore: [remark]", "  dx_year: {column: remark}\nignore: []").replace(
    "variables:", "variables:", 1)


def source(folder: Path, name: str, first: list[str], second: list[str], text: str = MANIFEST) -> HarmonisedSource:
    folder = write_source(folder / name, manifest=text.replace("de_example", name), first=first, second=second)
    return harmonise_source(folder, DICTIONARY, KEY)


def renamed(rows: list[str], prefix: str) -> list[str]:
    return [prefix + row for row in rows]


def years(rows: list[str], year: int) -> list[str]:
    return [row[: -len("a")] + str(year) for row in rows]


def test_the_same_patients_in_a_second_source_are_quarantined(tmp_path: Path) -> None:
    first = source(tmp_path, "one", patients(12), follow_up(12))
    others = [row.replace(",90", ",95") for row in patients(20)[12:]]
    second = source(tmp_path, "two", renamed(patients(6) + others, "q"),
                    renamed(follow_up(6) + follow_up(20)[12:], "q"))
    duplicates = CrossSourceDuplicates()
    assert duplicates.mark(first).accepted == 12
    marked = duplicates.mark(second)
    # White cells of 9.001 to 9.006 round to 9.0, ages and outcome tell them apart.
    assert (marked.read, marked.accepted, marked.quarantined) == (14, 8, 6)
    assert len(marked.frame) == 8
    found = [issue for issue in marked.issues if issue.reason is Reason.DUPLICATE_PATIENT]
    assert [(issue.file, issue.row) for issue in found] == [("patients.csv", row) for row in range(2, 8)]
    parents = [issue.file for issue in marked.issues if issue.reason is Reason.PARENT_QUARANTINED]
    assert parents == ["follow.csv"] * 6
    assert all(count.read == count.accepted + count.quarantined for count in marked.counts)


def test_another_year_of_diagnosis_is_another_patient(tmp_path: Path) -> None:
    duplicates = CrossSourceDuplicates()
    duplicates.mark(source(tmp_path, "one", years(patients(12), 2004), follow_up(12), DATED))
    later = source(tmp_path, "two", years(patients(12), 2005), follow_up(12), DATED)
    assert duplicates.mark(later).accepted == 12


@pytest.mark.parametrize("dated_first", [True, False])
def test_a_year_that_only_one_source_gives_does_not_matter(tmp_path: Path, dated_first: bool) -> None:
    dated = source(tmp_path, "one", years(patients(12), 2004), follow_up(12), DATED)
    undated = source(tmp_path, "two", patients(12), follow_up(12))
    duplicates = CrossSourceDuplicates()
    for number, harmonised in enumerate([dated, undated] if dated_first else [undated, dated]):
        assert duplicates.mark(harmonised).accepted == (0 if number else 12)


def test_another_outcome_is_a_warning(tmp_path: Path) -> None:
    duplicates = CrossSourceDuplicates()
    duplicates.mark(source(tmp_path, "one", years(patients(6), 2004), follow_up(6), DATED))
    later = [row[:-4] + str(int(row[-4:]) + 30) if row[-4:].isdigit() else row for row in follow_up(6)]
    marked = duplicates.mark(source(tmp_path, "two", years(patients(6), 2004), later, DATED))
    reasons = marked.issues.count_by_reason()
    assert reasons.get(Reason.POSSIBLE_DUPLICATE, 0) + reasons.get(Reason.DUPLICATE_PATIENT, 0) == 6
    assert reasons[Reason.POSSIBLE_DUPLICATE] == 5
    assert marked.accepted == 5


def synthetic_keys(rng: np.random.Generator, n: int, *, coarse: bool = False, dated: bool = True) -> MatchKeys:
    """Patients as they are spread in trials; `coarse` is age in years, follow-up in months."""
    age = np.where(rng.random(n) < 0.8, rng.lognormal(1.5, 0.6, n).clip(0.1, 18), rng.uniform(18, 60, n))
    last = rng.integers(300, 5500, n).astype(float)
    died = rng.random(n) < 0.12
    frame = pd.DataFrame({
        "disease": "ALL", "sex": rng.choice(["F", "M"], n), "country": "DE",
        "age_dx_years": np.floor(age) if coarse else age, "wbc_dx": rng.lognormal(2.7, 1.4, n),
        "last_contact_days": np.round(np.round(last / 30.4375) * 30.4375) if coarse else last,
        "death": np.where(died, "yes", "no"), "first_event": np.where(died, "death_in_cr", "none")})
    frame["death_days"] = frame["last_contact_days"].where(died)
    frame["first_event_days"] = frame["last_contact_days"].where(died)
    if dated:
        frame["dx_year"] = rng.integers(1995, 2015, n)
    return build_match_keys(frame)


class _Keys:
    """Only what `mark` reads of a source."""

    def __init__(self, keys: MatchKeys) -> None:
        self.match_keys = keys
        self.dropped = self.reported = self.summaries = 0

    def quarantine(self, rows: np.ndarray, *_: object) -> _Keys:
        self.dropped += int(rows.sum())
        self.match_keys = self.match_keys.select(~rows)
        return self

    def report(self, rows: np.ndarray, *_: object) -> None:
        self.reported += int(rows.sum())

    def report_file(self, *_: object) -> None:
        self.summaries += 1


SPREADS = [(coarse, dated) for coarse in (False, True) for dated in (False, True)]


@pytest.mark.parametrize(("coarse", "dated"), SPREADS)
def test_strangers_are_rarely_taken_for_one_another(coarse: bool, dated: bool) -> None:
    """Of 100,000 strangers in five sources at most one in ten thousand is left out, and one in a thousand listed."""
    rng = np.random.default_rng(20)
    duplicates = CrossSourceDuplicates()
    sources = [_Keys(synthetic_keys(rng, 20_000, coarse=coarse, dated=dated)) for _ in range(5)]
    for keys in sources:
        duplicates.mark(keys)  # type: ignore[arg-type]
    assert sum(keys.dropped for keys in sources) <= 10
    assert sum(keys.reported for keys in sources) <= 100


@pytest.mark.parametrize(("coarse", "dated"), [spread for spread in SPREADS if spread != (True, False)])
def test_shared_patients_are_found_among_strangers(coarse: bool, dated: bool) -> None:
    rng = np.random.default_rng(9)
    one, two = (synthetic_keys(rng, 20_000, coarse=coarse, dated=dated) for _ in range(2))
    for name in ("outcome", "outcome_and_year", "presentation"):
        getattr(two, name)[:400] = getattr(one, name)[:400]
    duplicates = CrossSourceDuplicates()
    duplicates.mark(_Keys(one))  # type: ignore[arg-type]
    later = _Keys(two)
    duplicates.mark(later)  # type: ignore[arg-type]
    assert 395 <= later.dropped + later.reported <= 420


def test_an_unknown_part_matches_nothing() -> None:
    frame = pd.DataFrame({
        "disease": ["ALL"] * 2, "sex": ["F", None], "country": ["ZZ", "DE"], "age_dx_years": [5.0, 5.0],
        "wbc_dx": [1.0, 1.0], "dx_year": [2000, 2000], "death": ["no"] * 2, "first_event": ["none"] * 2,
        "last_contact_days": [100, 100]})
    keys = build_match_keys(frame)
    assert keys.outcome.tolist() == keys.presentation.tolist() == [0, 0]
