"""The same patient in two sources, recognised without names: by values that rarely agree by chance.

Only hashes of the compared values are remembered, eight bytes each, so that sources can be read one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.ingest.issues import Reason, Severity

if TYPE_CHECKING:
    from harmony_dash.ingest.harmonised import HarmonisedSource

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

# Stands for "a value needed for the comparison is not known"; such rows match nothing.
UNKNOWN = np.uint64(0)
NO_DAY = -1.0

# How much of what is found chance may explain: a patient wrongly left out weighs more than one wrongly pointed at.
MAX_CHANCE_QUARANTINED = 0.05
MAX_CHANCE_REPORTED = 0.5

_SAME = "presentation and outcome equal those of a patient of an earlier source"
_SIMILAR = "presentation and year of diagnosis equal those of a patient of an earlier source"


@dataclass(frozen=True, eq=False)
class MatchKeys:
    """Hashes of what is compared, one each a patient; `UNKNOWN` where a part is missing.

    Attributes
    ----------
    outcome : disease, sex, age to a tenth of a year, white cells, country, and the whole event record.
    outcome_and_year : the same with the year of diagnosis.
    presentation : disease, sex, age, white cells, country and year of diagnosis.
    """

    outcome: Hashes
    outcome_and_year: Hashes
    presentation: Hashes

    def select(self, rows: Mask) -> MatchKeys:
        """The keys of some of the patients."""
        return MatchKeys(self.outcome[rows], self.outcome_and_year[rows], self.presentation[rows])


def build_match_keys(frame: pd.DataFrame) -> MatchKeys:
    """Keys of harmonised patients; the frame still holds `dx_year` if the source gives it."""
    year = _numbers(frame, "dx_year")
    presentation: dict[str, Any] = {
        "disease": _codes(frame, "disease"), "sex": _codes(frame, "sex"), "country": _codes(frame, "country"),
        "age": np.round(_numbers(frame, "age_dx_years"), 1), "wbc": np.round(_numbers(frame, "wbc_dx"), 1)}
    presentation["country"][presentation["country"] == "ZZ"] = None
    death, event = _codes(frame, "death"), _codes(frame, "first_event")
    outcome = {**presentation, "death": death, "event": event, "last": _numbers(frame, "last_contact_days"),
               "death_days": np.where(death == "no", NO_DAY, _numbers(frame, "death_days")),
               "event_days": np.where(event == "none", NO_DAY, _numbers(frame, "first_event_days"))}
    return MatchKeys(_hash(outcome), _hash({**outcome, "year": year}), _hash({**presentation, "year": year}))


def _codes(frame: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    if name not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[name].to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values


def _numbers(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _hash(parts: Mapping[str, Any]) -> Hashes:
    frame = pd.DataFrame(parts)
    hashes = np.array(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)
    hashes[frame.isna().any(axis=1).to_numpy()] = UNKNOWN
    return hashes


def _unique(hashes: Hashes) -> Mask:
    """Known keys that no other patient of the same source shares; a key that does not tell apart proves nothing."""
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    return np.asarray((counts[inverse] == 1) & (hashes != UNKNOWN), dtype=np.bool_)


def _empty() -> Hashes:
    return np.empty(0, dtype=np.uint64)


@dataclass
class _Chance:
    """How often two patients of one source agree: by chance, for they are two, so this is what chance does."""

    agreeing: float = 0.0
    pairs: float = 0.0

    def add(self, hashes: Hashes) -> None:
        known = hashes[hashes != UNKNOWN]
        counts = np.unique(known, return_counts=True)[1].astype(np.float64)
        self.agreeing += float((counts * (counts - 1) / 2).sum())
        self.pairs += len(known) * (len(known) - 1) / 2

    def expected(self, pairs: float) -> float:
        """Chance agreements among that many pairs of strangers."""
        return self.agreeing / self.pairs * pairs if self.pairs else 0.0


def _warn(source: HarmonisedSource, rows: Mask, expected: float, words: str) -> None:
    count = int(rows.sum())
    if expected <= MAX_CHANCE_REPORTED * count:
        source.report(rows, Reason.POSSIBLE_DUPLICATE, words, Severity.WARNING)
    elif count:
        source.report_file(Reason.POSSIBLE_DUPLICATE, f"{count:,} patients: {words}; chance explains about "
                           f"{expected:,.0f}, so they are not listed")


@dataclass
class CrossSourceDuplicates:
    """Remembers the patients of the sources seen so far.

    - Same presentation and same event record, and the same year of diagnosis where both give it: the later row is
      quarantined as `DUPLICATE_PATIENT`.
    - Same presentation and year only, or values so coarse that chance may explain more than one in twenty of the
      matches: the row is kept with the warning `POSSIBLE_DUPLICATE`.
    - Where chance may explain half of the matches, one warning for the whole source says how many there are.
    """

    _dated: Hashes = field(default_factory=_empty)
    _dated_outcome: Hashes = field(default_factory=_empty)
    _undated_outcome: Hashes = field(default_factory=_empty)
    _presentation: Hashes = field(default_factory=_empty)
    _outcome_chance: _Chance = field(default_factory=_Chance)
    _dated_chance: _Chance = field(default_factory=_Chance)
    _presentation_chance: _Chance = field(default_factory=_Chance)

    def mark(self, source: HarmonisedSource) -> HarmonisedSource:
        """The source without patients who came with an earlier one; its own patients are remembered."""
        keys = source.match_keys
        self._outcome_chance.add(keys.outcome)
        self._dated_chance.add(keys.outcome_and_year)
        self._presentation_chance.add(keys.presentation)
        same = self._same_patient(keys)
        expected = self._expected_same(keys)
        if expected > MAX_CHANCE_QUARANTINED * same.sum():
            _warn(source, same, expected, _SAME)
        elif same.any():
            source = source.quarantine(same, Reason.DUPLICATE_PATIENT, _SAME)
            keys = source.match_keys
            same = np.zeros(len(keys.outcome), dtype=np.bool_)
        self._report_possible(source, keys, same)
        self._remember(keys)
        return source

    def _same_patient(self, keys: MatchKeys) -> Mask:
        dated = keys.outcome_and_year != UNKNOWN
        by_year = dated & np.isin(keys.outcome_and_year, self._dated)
        one_undated = (np.isin(keys.outcome, self._undated_outcome)
                       | (~dated & np.isin(keys.outcome, self._dated_outcome)))
        return np.asarray(_unique(keys.outcome) & (by_year | one_undated), dtype=np.bool_)

    def _expected_same(self, keys: MatchKeys) -> float:
        dated = int((keys.outcome_and_year != UNKNOWN).sum())
        undated = int((keys.outcome != UNKNOWN).sum()) - dated
        return (self._dated_chance.expected(dated * len(self._dated))
                + self._outcome_chance.expected(dated * len(self._undated_outcome) + undated * (
                    len(self._dated_outcome) + len(self._undated_outcome))))

    def _report_possible(self, source: HarmonisedSource, keys: MatchKeys, reported: Mask) -> None:
        possible = _unique(keys.presentation) & np.isin(keys.presentation, self._presentation) & ~reported
        known = int((keys.presentation != UNKNOWN).sum())
        _warn(source, possible, self._presentation_chance.expected(known * len(self._presentation)), _SIMILAR)

    def _remember(self, keys: MatchKeys) -> None:
        unique = _unique(keys.outcome)
        dated = keys.outcome_and_year != UNKNOWN
        self._dated = np.concatenate([self._dated, keys.outcome_and_year[unique & dated]])
        self._dated_outcome = np.concatenate([self._dated_outcome, keys.outcome[unique & dated]])
        self._undated_outcome = np.concatenate([self._undated_outcome, keys.outcome[unique & ~dated]])
        self._presentation = np.concatenate([self._presentation, keys.presentation[_unique(keys.presentation)]])
