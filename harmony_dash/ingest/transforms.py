"""Tiny pure functions from a source's text to a number, a day or a code.

A function here reads one cell and returns None when the cell does not hold what was declared; `map_distinct` carries it
over a column by calling it once per distinct cell. Arithmetic on whole columns is NumPy. Nothing is guessed: a number
is read with the declared separators, a date with the declared format, a word with the declared language.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.errors import SourceError

Value = TypeVar("Value")
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

DAYS_PER_UNIT: Mapping[str, float] = MappingProxyType({"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25})

# Day 0 of spreadsheet serial numbers. Up to 60 they count a 29 February 1900 that never was.
EXCEL_EPOCH = date(1899, 12, 30).toordinal()
FIRST_EXCEL_SERIAL = 61

_NATIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T]|$)")

NATIVE_DATE = "native"
EXCEL_DATE = "excel"

# -- cells ---------------------------------------------------------------------------------------------------------


def map_distinct(cells: pd.Series[str], function: Callable[[str], Value | None]) -> npt.NDArray[np.object_]:
    """Apply a function of one cell to a column, calling it once per distinct cell.

    Parameters
    ----------
    cells : text cells.
    function : returns None for a cell it cannot read.

    Returns
    -------
    Object array, one value a row.
    """
    codes, distinct = pd.factorize(cells.to_numpy(dtype=object))
    results = np.empty(len(distinct), dtype=object)
    for position, cell in enumerate(distinct):
        results[position] = function(cell)
    return results[codes] if len(distinct) else np.empty(0, dtype=object)


# Letters that Unicode does not take apart; the minus sign is also what a superscript minus becomes.
_PLAIN_LETTERS = str.maketrans({"−": "-", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae"})


def normalise_words(text: str) -> str:
    """Lower case, without accents, superscripts or repeated spaces, so that `Négatif ` and `negatif` are one word."""
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(plain.translate(_PLAIN_LETTERS).casefold().split())


# -- numbers -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    """The shape of a number under declared separators.

    Raises
    ------
    SourceError if the decimal separator is not `.` or `,`, or if both separators are the same.
    """
    if decimal not in (".", ","):
        raise SourceError("the decimal separator is neither '.' nor ','", where="decimal",
                          remedy='Write `decimal: ","` or leave it out')
    if thousands == decimal:
        raise SourceError("decimal and thousands separator are the same", where="thousands",
                          remedy="Declare two different separators")
    point = re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        # A group of thousands never starts with 0: "0.012" is not twelve.
        whole = rf"(?:[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?")


def tidy_number(text: str, decimal: str = ".", thousands: str = "") -> str | None:
    """A number as written in Python, or None; the digits stay as they are, so that nothing is rounded twice."""
    text = text.strip().replace("−", "-").replace("\u00a0", " ").replace("\u202f", " ")
    thousands = thousands.replace("\u00a0", " ").replace("\u202f", " ")
    if number_pattern(decimal, thousands).fullmatch(text) is None:
        return None
    if thousands:
        text = text.replace(thousands, "")
    return text.replace(decimal, ".")


def parse_number(text: str, decimal: str = ".", thousands: str = "") -> float | None:
    """A finite number, or None.

    `1.234` under a decimal point is 1.234; it is 1,234 only if `.` is the declared thousands separator. Dates, words,
    signs such as "<" and infinities are not numbers.
    """
    tidy = tidy_number(text, decimal, thousands)
    if tidy is None:
        return None
    value = float(tidy)
    return value if math.isfinite(value) else None


def parse_numbers(cells: pd.Series[str], decimal: str = ".", thousands: str = "") -> Floats:
    """`parse_number` over a column; NaN where a cell is not a number."""
    return map_distinct(cells, lambda cell: parse_number(cell, decimal, thousands)).astype(np.float64)


def apply_factor(values: Floats, factor: float) -> Floats:
    """Values in the canonical unit.

    A factor below 1 is the rounded reciprocal of a plain number (1/12, 1/1000, 1/365.25). Dividing by that number keeps
    boundaries exact: 120 months are 10.0 years, not 9.999….
    """
    if factor < 1:
        divisor = round(1 / factor, 6)
        if abs(divisor * factor - 1) < 1e-9:
            return np.asarray(values / divisor, dtype=np.float64)
    return np.asarray(values * factor, dtype=np.float64)


def is_whole(values: Floats) -> Mask:
    """Whether each value is a whole number; NaN is not."""
    return np.asarray(values == np.floor(values), dtype=np.bool_)


# -- days ----------------------------------------------------------------------------------------------------------


def round_half_up(values: Floats) -> Floats:
    """Round to whole numbers, halves upwards: 0.5 is 1, 2.5 is 3. NaN stays NaN."""
    below = np.floor(values)
    return np.asarray(below + (values - below >= 0.5), dtype=np.float64)


def to_days(values: Floats, unit: str) -> Floats:
    """Durations in days, weeks, months (30.4375 days) or years (365.25 days) as whole days, rounded half up.

    Raises
    ------
    SourceError for another unit.
    """
    if unit not in DAYS_PER_UNIT:
        raise SourceError(f"'{unit}' is not a unit of time", where="unit",
                          remedy=f"Use one of: {', '.join(DAYS_PER_UNIT)}")
    return round_half_up(values * DAYS_PER_UNIT[unit])


def cap(values: Floats, ceilings: Floats) -> Floats:
    """Each value, or its ceiling where that is smaller; a missing ceiling caps nothing, a missing value stays so."""
    return np.where(np.isnan(values), np.nan, np.fmin(values, ceilings))


# -- dates ---------------------------------------------------------------------------------------------------------


def parse_date(text: str, date_format: str) -> date | None:
    """A calendar day, or None if the text is not a possible date of that format.

    Parameters
    ----------
    text : the cell.
    date_format : a strptime format; `excel` for a serial number (the time of day is dropped); `native` for a date that
        was a date in the file already and now reads `YYYY-MM-DD`, perhaps with a time.
    """
    text = text.strip()
    if date_format == EXCEL_DATE:
        serial = parse_number(text.replace(",", "."))
        if serial is None or not FIRST_EXCEL_SERIAL <= serial <= date.max.toordinal() - EXCEL_EPOCH:
            return None
        return date.fromordinal(EXCEL_EPOCH + math.floor(serial))
    try:
        if date_format == NATIVE_DATE:
            return datetime.fromisoformat(text).date() if _NATIVE.match(text) else None
        return datetime.strptime(text, date_format).date()
    except ValueError:
        return None


def parse_dates(cells: pd.Series[str], date_format: str) -> Floats:
    """Day numbers (1 is 1 January of year 1) of a column of dates; NaN where a cell is not a possible date."""

    def day_number(cell: str) -> float | None:
        day = parse_date(cell, date_format)
        return None if day is None else float(day.toordinal())

    return map_distinct(cells, day_number).astype(np.float64)


def days_between(start: Floats, end: Floats) -> Floats:
    """Whole days from one day number to another; negative if the second comes first."""
    return np.asarray(end - start, dtype=np.float64)


def year_of(day_numbers: Floats) -> Floats:
    """Calendar years of day numbers."""
    codes, distinct = pd.factorize(day_numbers)
    years = np.array([date.fromordinal(int(day)).year for day in distinct] + [np.nan], dtype=np.float64)
    return years[codes]


# -- words ---------------------------------------------------------------------------------------------------------

# Per language: words for yes, words for no. Single letters count only where the language is declared.
_YES_NO_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "en": ("yes y true", "no n false"),
    "de": ("ja j wahr", "nein n falsch"),
    "fr": ("oui o vrai", "non n faux"),
    "nl": ("ja j waar", "nee neen n onwaar"),
    "es": ("si s verdadero", "no n falso"),
    "pt": ("sim s verdadeiro", "nao n falso"),
    "it": ("si s vero", "no n falso"),
    "da": ("ja j sand", "nej n falsk"),
    "sv": ("ja j sant", "nej n falskt"),
    "no": ("ja j sann", "nei n usann"),
    "fi": ("kylla k tosi", "ei e epatosi"),
    "cs": ("ano a pravda", "ne n nepravda"),
    "sk": ("ano a pravda", "nie n nepravda"),
    "et": ("jah j", "ei e"),
    "is": ("ja j", "nei n"),
    "lt": ("taip t", "ne n"),
    "nb": ("ja j sann", "nei n usann"),
})
YES_NO_LANGUAGES = frozenset(_YES_NO_WORDS)

# Words that mean something else, or nothing sure, in another language of the pool: Portuguese "ano" is a year, German
# "nie" is never, Spanish "si" is if. They are read only where the language is declared.
_NEEDS_LANGUAGE = frozenset({"ne", "ano", "nie", "si"})


@lru_cache(maxsize=32)
def yes_no_words(language: str = "") -> Mapping[str, str]:
    """Words for yes and no, normalised; without a language only those that cannot be mistaken in any.

    Raises
    ------
    SourceError for a language without a word list.
    """
    if language and language not in _YES_NO_WORDS:
        raise SourceError(f"there is no list of words for yes and no in language '{language}'", where="language",
                          remedy=f"Use one of: {', '.join(sorted(_YES_NO_WORDS))}; or write a `values` map")
    words: dict[str, str] = {}
    for code, (yes, no) in _YES_NO_WORDS.items():
        if language in ("", code):
            words |= dict.fromkeys(yes.split(), "yes") | dict.fromkeys(no.split(), "no")
    if not language:
        words = {word: code for word, code in words.items() if len(word) > 1 and word not in _NEEDS_LANGUAGE}
    return MappingProxyType(words)


def parse_yes_no(text: str, language: str = "") -> str | None:
    """`yes` or `no`, or None for a word that does not say so in the declared language."""
    return yes_no_words(language).get(normalise_words(text))


def map_value(text: str, values: Mapping[str, Any]) -> str | None:
    """The dictionary code a source value stands for; case counts, surrounding spaces do not."""
    code = values.get(text.strip())
    return None if code is None else str(code)
