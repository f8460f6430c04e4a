"""How providers write a harmonised value down: one small class a kind of column.

A column writes the cells of a canonical frame in the provider's words and unit, and describes the same thing as its
entry in `source.yaml`; so file and mapping cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Cells = NDArray[np.object_]
Entry = dict[str, Any]

DX_ORDINAL = "_dx_ordinal"
"""Working column of the frames that are written: day of diagnosis counted from 1970-01-01. Never in a mapping."""

_EPOCH = np.datetime64("1970-01-01", "D")


class Column(Protocol):
    """What a file layout needs of a column; `heading` may hold a `|` between two header rows."""

    @property
    def heading(self) -> str:
        """Name of the column in the file."""

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """The provider's cells."""

    def entries(self) -> Mapping[str, Entry]:
        """Entries of `variables:`, by variable; empty for columns that others refer to and for ignored ones."""

    @property
    def ignored(self) -> bool:
        """Whether the column belongs under `ignore:`."""


@dataclass(frozen=True)
class _Base:
    heading: str

    @property
    def ignored(self) -> bool:
        """Most columns are mapped."""
        return False

    @property
    def joined(self) -> str:
        """The name as the mapping writes it: two header rows joined by a space."""
        return self.heading.replace("|", " ").strip()


@dataclass(frozen=True)
class Words(_Base):
    """A category in the provider's words.

    `words` maps each code to one word or to several synonyms, of which each row uses one. With `transform`, words the
    named transform knows anyway are left out of the map by listing them in `known`.
    """

    variable: str = ""
    words: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    blank: str = ""
    transform: str = ""
    language: str = ""
    known: frozenset[str] = frozenset()

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """One word a row; what is missing, or has no word, is blank."""
        codes, names = pd.factorize(frame[self.variable].to_numpy(dtype=object))
        cells = np.full(len(frame), self.blank, dtype=object)
        for position, code in enumerate(names):
            options = np.array(_listed(self.words.get(code, "")) or [self.blank], dtype=object)
            rows = np.flatnonzero(codes == position)
            cells[rows] = options[rng.integers(0, len(options), len(rows))] if len(options) > 1 else options[0]
        return cells

    def entries(self) -> Mapping[str, Entry]:
        """Column, transform and value map."""
        values = {word: code for code, listed in self.words.items() for word in _listed(listed)
                  if word not in self.known}
        entry: Entry = {"column": self.joined}
        if self.transform:
            entry["transform"] = self.transform
        if self.language:
            entry["language"] = self.language
        if values:
            entry["values"] = values
        return {self.variable: entry}


@dataclass(frozen=True)
class Code(_Base):
    """A value written with the dictionary's own codes, or a code of the provider's."""

    variable: str = ""
    blank: str = ""

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """The code itself."""
        values = frame[self.variable].to_numpy(dtype=object)
        return np.where(pd.isna(values) | (values == ""), self.blank, values)

    def entries(self) -> Mapping[str, Entry]:
        """Column only."""
        return {self.variable: {"column": self.joined}}


@dataclass(frozen=True)
class Number(_Base):
    """A number in the provider's unit: canonical value × `factor`, rounded, with the provider's separators."""

    variable: str = ""
    unit: str = ""
    factor: float = 1.0
    decimals: int = 1
    decimal: str = "."
    thousands: str = ""
    blank: str = ""
    native: bool = False
    own_decimal: bool = False

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """Numbers as text, or as numbers where the format has them."""
        values = frame[self.variable].to_numpy(dtype=np.float64) * self.factor
        # Half a unit in the last place upwards, as people round, so that 9.96 years never become 10.0 by accident.
        return format_numbers(values, self)

    def entries(self) -> Mapping[str, Entry]:
        """Column and unit."""
        entry: Entry = {"column": self.joined}
        if self.unit:
            entry["unit"] = self.unit
        if self.own_decimal:
            entry["decimal"] = self.decimal
        return {self.variable: entry}


def format_numbers(values: NDArray[np.float64], style: Number) -> Cells:
    """Rounded numbers in the provider's separators, NaN as the provider's blank."""
    missing = np.isnan(values)
    if style.native:
        rounded = np.round(values, style.decimals)
        cells = rounded.astype(object)
        if style.decimals == 0:
            cells[~missing] = rounded[~missing].astype(np.int64)
        cells[missing] = None
        return cells
    spec = f"{',' if style.thousands else ''}.{style.decimals}f"
    table = str.maketrans({",": style.thousands, ".": style.decimal})
    cells = np.array([format(value, spec).translate(table) for value in values.tolist()], dtype=object)
    cells[missing] = style.blank
    return cells


@dataclass(frozen=True)
class Days(_Base):
    """Days since diagnosis in days, weeks, months or years; two decimals of a month still give back the day."""

    variable: str = ""
    unit: str = "days"
    decimals: int = 0
    decimal: str = "."
    blank: str = ""
    native: bool = False

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """Durations as text or numbers."""
        length = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}[self.unit]
        style = Number(self.heading, decimals=self.decimals, decimal=self.decimal, blank=self.blank,
                       native=self.native)
        return format_numbers(frame[self.variable].to_numpy(dtype=np.float64) / length, style)

    def entries(self) -> Mapping[str, Entry]:
        """Column and unit of time."""
        return {self.variable: {"column": self.joined} | ({} if self.unit == "days" else {"unit": self.unit})}


@dataclass(frozen=True)
class DiagnosisDate(_Base):
    """The date of diagnosis; gives the year, and the day from which `EventDate` columns count."""

    date_format: str = "%Y-%m-%d"

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """Dates as text, or native dates."""
        return format_dates(frame[DX_ORDINAL].to_numpy(dtype=np.float64), self.date_format, "")

    def entries(self) -> Mapping[str, Entry]:
        """Year of diagnosis."""
        return {"dx_year": {"column": self.joined, "transform": "year_of", "date_format": self.date_format}}


@dataclass(frozen=True)
class EventDate(_Base):
    """The date of something that happened after diagnosis."""

    variable: str = ""
    start: str = ""
    date_format: str = "%Y-%m-%d"
    blank: str = ""

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """Dates as text, or native dates."""
        days = frame[DX_ORDINAL].to_numpy(dtype=np.float64) + frame[self.variable].to_numpy(dtype=np.float64)
        return format_dates(days, self.date_format, self.blank)

    def entries(self) -> Mapping[str, Entry]:
        """Days counted from the date of diagnosis."""
        return {self.variable: {"column": self.joined, "transform": "days_between", "from": self.start,
                                "date_format": self.date_format}}


def format_dates(days: NDArray[np.float64], date_format: str, blank: str) -> Cells:
    """Day numbers from 1970-01-01 as text, or as dates for `native`; NaN is blank."""
    missing = np.isnan(days)
    codes, distinct = pd.factorize(np.where(missing, 0, days).astype(np.int64))
    dates = (_EPOCH + distinct).astype(object)
    shown = dates if date_format == "native" else np.array([day.strftime(date_format) for day in dates], dtype=object)
    cells = np.empty(len(days), dtype=object)
    cells[:] = shown[codes]
    cells[missing] = None if date_format == "native" else blank
    return cells


@dataclass(frozen=True)
class Mrd(_Base):
    """An MRD result as laboratories write it.

    Attributes
    ----------
    stem : mrd_eoi or mrd_eoc.
    unit : fraction, percent or log10.
    style : how a quantified value looks, a function from the fraction to text.
    negative, below, not_done, failed : words for undetectable, positive below the quantitative range, no test, failed.
    limits : further keys of the entry: lod, lod_column, day, day_column, method, below_limit, …
    """

    stem: str = "mrd_eoi"
    unit: str = "fraction"
    style: Callable[[float], str] = str
    negative: str = "neg"
    below: str = "PNQ"
    not_done: str = ""
    failed: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """One result a row."""
        status = frame[f"{self.stem}_status"].to_numpy(dtype=object)
        values = frame[f"{self.stem}_value"].to_numpy(dtype=np.float64)
        words = {"undetectable": self.negative, "pos_below_qr": self.below, "not_done": self.not_done,
                 "failed": self.failed}
        return np.array([self.style(value) if state == "quantified" else words.get(state, "")
                         for state, value in zip(status, values.tolist(), strict=True)], dtype=object)

    def entries(self) -> Mapping[str, Entry]:
        """The composite entry; words are declared even where they are the defaults."""
        entry: Entry = {"column": self.joined, "transform": "mrd", "unit": self.unit, **self.limits}
        if not self.negative.startswith("<"):
            entry["negative"] = [self.negative]
        if not self.below.startswith("<"):
            entry["positive_not_quantifiable"] = [self.below]
        for key in ("not_done", "failed"):
            if getattr(self, key):
                entry[key] = [getattr(self, key)]
        return {self.stem: entry}


@dataclass(frozen=True)
class Part(_Base):
    """A column that a composite refers to (limit of detection, day, method) and that has no entry of its own."""

    variable: str = ""
    decimals: int = 0
    words: Mapping[str, str] = field(default_factory=dict)
    scientific: bool = False
    native: bool = False

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """Plain numbers or words."""
        if self.words:
            return Words(self.heading, self.variable, self.words).write(frame, rng)
        values = frame[self.variable].to_numpy(dtype=np.float64)
        if self.scientific:
            return np.array(["" if value != value else f"{value:.0e}" for value in values.tolist()], dtype=object)
        return format_numbers(values, Number(self.heading, decimals=self.decimals, native=self.native))

    def entries(self) -> Mapping[str, Entry]:
        """None of its own."""
        return {}


@dataclass(frozen=True)
class Ignored(_Base):
    """A column providers send and nobody asked for."""

    prefix: str = ""
    count: int = 9

    @property
    def ignored(self) -> bool:
        """Listed under `ignore:`."""
        return True

    def write(self, frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
        """A code of a centre, a laboratory or a form version."""
        numbers = rng.integers(1, self.count + 1, len(frame))
        return np.array([f"{self.prefix}{number:02d}" for number in numbers.tolist()], dtype=object)

    def entries(self) -> Mapping[str, Entry]:
        """Not mapped."""
        return {}


def _listed(words: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(words, tuple):
        return words
    return (words,) if words else ()
