"""Measurable residual disease: from what laboratories write to value, operator, status and limits.

The unit is declared per field and never inferred: a hundredfold error crosses two risk groups. A value is a fraction of
cells, and 0 only if residual disease was reported undetectable by an assay whose limit of detection is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.errors import SourceError
from harmony_dash.ingest.issues import Reason
from harmony_dash.ingest.manifest.model import DEFAULT_NEGATIVE, DEFAULT_NOT_QUANTIFIABLE, MRD_UNITS
from harmony_dash.ingest.transforms import Floats, normalise_words, tidy_number


class MrdStatus(StrEnum):
    """What the laboratory could say."""

    UNDETECTABLE = "undetectable"
    POS_BELOW_QR = "pos_below_qr"
    QUANTIFIED = "quantified"
    INDETERMINATE = "indeterminate"
    FAILED = "failed"
    NOT_DONE = "not_done"


class _Word(StrEnum):
    NEGATIVE = "negative"
    POSITIVE_NOT_QUANTIFIABLE = "positive_not_quantifiable"
    NOT_DONE = "not_done"
    FAILED = "failed"


@dataclass(frozen=True)
class MrdRules:
    """How one field writes MRD; made by `build_mrd_rules`.

    Attributes
    ----------
    unit : fraction, percent or log10.
    decimal, thousands : the separators of the file.
    below_limit : what "<1e-4" means here: `undetectable`, `pos_below_qr`, or "" if the provider does not say.
    words : normalised words and what they mean.
    declared : the words among them that the provider declared, as opposed to our defaults.
    """

    unit: str
    decimal: str
    thousands: str
    below_limit: str
    words: Mapping[str, str]
    declared: frozenset[str]

    def is_declared(self, text: str) -> bool:
        """Whether the provider listed this very word."""
        return normalise_words(text) in self.declared


@dataclass(frozen=True)
class MrdReading:
    """One result. `lod` and `loq` are fractions; `value` is None unless quantified or undetectable."""

    value: float | None
    op: str | None
    status: MrdStatus
    lod: float | None
    loq: float | None


@dataclass(frozen=True)
class MrdRefusal:
    """Why a cell is not taken; the message never holds the cell."""

    reason: Reason
    message: str


UNPARSED = MrdRefusal(Reason.MRD_UNPARSED, "not an MRD result in the declared unit nor one of the declared words")
ABOVE_ONE = MrdRefusal(Reason.RANGE, "MRD above 100 % of cells in the declared unit")
WRONG_UNIT = MrdRefusal(Reason.UNIT, "MRD written in a way that contradicts the declared unit")
PERCENT_EXPONENT = MrdRefusal(
    Reason.UNIT, "MRD with an exponent in a field declared per cent: it could be a fraction or per cent")
AMBIGUOUS_TEN = MrdRefusal(
    Reason.MRD_UNPARSED, "MRD written 10E-n, which some read as 1E-n and others as ten times that")
AT_MOST = MrdRefusal(Reason.MRD_UNPARSED, 'MRD written "at most", which leaves open on which side of a cut it lies')
LOG_ZERO = MrdRefusal(Reason.MRD_UNPARSED, "MRD of 0 in a field declared log10: it could be negative or 100 %")


def build_mrd_rules(*, unit: str, decimal: str = ".", thousands: str = "", below_limit: str = "",
                    negative: Iterable[str] = (), positive_not_quantifiable: Iterable[str] = (),
                    not_done: Iterable[str] = (), failed: Iterable[str] = ()) -> MrdRules:
    """The rules of one field; a list of words given here replaces its default.

    Raises
    ------
    SourceError without a unit, with an unknown unit or `below_limit`, or if one word is declared to mean two things.
    """
    if unit not in MRD_UNITS:
        raise SourceError("the unit of MRD is not declared" if not unit else f"'{unit}' is not a unit of MRD",
                          where="unit",
                          remedy=f"Write one of: {', '.join(MRD_UNITS)}; a hundredfold error changes risk groups")
    if below_limit not in ("", MrdStatus.UNDETECTABLE, MrdStatus.POS_BELOW_QR):
        raise SourceError(f"`below_limit` cannot be '{below_limit}'", where="below_limit",
                          remedy="Write `undetectable` or `pos_below_qr`, or leave it out")
    given = {_Word.NEGATIVE: negative, _Word.POSITIVE_NOT_QUANTIFIABLE: positive_not_quantifiable,
             _Word.NOT_DONE: not_done, _Word.FAILED: failed}
    declared: dict[str, str] = {}
    for meaning, listed in given.items():
        for text in listed:
            word = normalise_words(str(text))
            if declared.get(word, meaning) != meaning:
                raise SourceError(f"'{text}' is listed under both `{declared[word]}` and `{meaning}`",
                                  where=str(meaning), remedy="Keep the word in one of the two lists")
            declared[word] = meaning
    words: dict[str, str] = {}
    for meaning, defaults in ((_Word.NEGATIVE, DEFAULT_NEGATIVE),
                              (_Word.POSITIVE_NOT_QUANTIFIABLE, DEFAULT_NOT_QUANTIFIABLE)):
        if meaning not in declared.values():
            # A logarithm of 0 is 100 % of cells; only the provider can say that it stands for negative.
            words |= {normalise_words(text): meaning for text in defaults if not (unit == "log10" and text == "0")}
    return MrdRules(unit, decimal, thousands, below_limit, MappingProxyType(words | declared), frozenset(declared))


# -- one cell ------------------------------------------------------------------------------------------------------

_RESULT = re.compile(
    r"(?P<op><=|>=|≤|≥|<|>|=)?(?P<log>log(?:10)?[:=]?)?(?P<op2><=|>=|≤|≥|<|>|=)?(?P<amount>[-+0-9.,e×x*·^()]+)(?P<percent>%)?")
_POWER = re.compile(r"(?:(?P<factor>[0-9.,]+)[×x*·])?10(?:\^\(?)?(?P<exponent>-[0-9]{1,2})\)?")
_TEN_E = re.compile(r"10(?:[.,]0*)?e.*")


def parse_mrd(text: str, rules: MrdRules, lod: float | None = None,
              loq: float | None = None) -> MrdReading | MrdRefusal:
    """Read one cell that is not a missing token.

    Parameters
    ----------
    text : the cell.
    rules : how the field writes MRD.
    lod, loq : limits of detection and quantification of this patient's assay, fractions, None if not known.

    Returns
    -------
    The reading, or the reason why the cell is refused.
    """
    word = normalise_words(text)
    meaning = rules.words.get(word)
    if meaning is not None:
        return _read_word(meaning, lod, loq)
    shape = _RESULT.fullmatch(word.replace(" ", ""))
    if shape is None or (shape["op"] and shape["op2"]):
        return UNPARSED
    op = shape["op"] or shape["op2"] or "="
    if op in ("<=", "≤"):
        return AT_MOST
    fraction = _read_fraction(shape["amount"], rules, percent=bool(shape["percent"]), log=bool(shape["log"]),
                              limits=(lod, loq) if op == "<" else ())
    if isinstance(fraction, MrdRefusal):
        return fraction
    if fraction > 1:
        return ABOVE_ONE
    if op == "<":
        return _below(fraction, rules, lod) if fraction > 0 else UNPARSED
    if op != "=":
        return MrdReading(fraction, ">", MrdStatus.QUANTIFIED, lod, loq) if fraction > 0 else UNPARSED
    if fraction == 0:
        if rules.unit == "log10" and not shape["percent"]:
            return LOG_ZERO
        zero = rules.words.get("0")
        return _read_word(zero, lod, loq) if zero else MrdReading(None, None, MrdStatus.INDETERMINATE, lod, loq)
    return MrdReading(fraction, "=", MrdStatus.QUANTIFIED, lod, loq)


def _read_word(meaning: str, lod: float | None, loq: float | None) -> MrdReading:
    if meaning == _Word.NEGATIVE:
        if lod is None:
            return MrdReading(None, None, MrdStatus.INDETERMINATE, None, loq)
        return MrdReading(0.0, "=", MrdStatus.UNDETECTABLE, lod, loq)
    if meaning == _Word.POSITIVE_NOT_QUANTIFIABLE:
        return MrdReading(None, None, MrdStatus.POS_BELOW_QR, lod, loq)
    return MrdReading(None, None, MrdStatus(meaning), None, None)


def _below(limit: float, rules: MrdRules, lod: float | None) -> MrdReading:
    status = MrdStatus(rules.below_limit) if rules.below_limit else MrdStatus.INDETERMINATE
    if status is MrdStatus.UNDETECTABLE:
        # Where "<L" means not detected, L is what this sample could have shown, whatever the assay can do at best.
        lod = limit if lod is None else max(lod, limit)
    return MrdReading(None, "<", status, lod, limit)


def _read_fraction(amount: str, rules: MrdRules, *, percent: bool, log: bool,
                   limits: tuple[float | None, ...]) -> float | MrdRefusal:
    """The amount as a fraction of cells."""
    if log and (rules.unit != "log10" or percent):
        return WRONG_UNIT
    power = None if log else _POWER.fullmatch(amount)
    tidy = _power_to_number(power, rules) if power else _tidy(amount, rules)
    if tidy is None:
        return UNPARSED
    if not power and _TEN_E.fullmatch(amount):
        return AMBIGUOUS_TEN
    number = Decimal(tidy)
    if percent:
        return float(number.scaleb(-2)) if number >= 0 else UNPARSED
    scientific = power is not None or "e" in amount
    if rules.unit == "log10" and power is None:
        return WRONG_UNIT if scientific else _from_log10(number)
    if number < 0:
        return UNPARSED
    if rules.unit == "percent":
        if not scientific:
            return float(number.scaleb(-2))
        # "<10-4" beside percentages: a fraction if the declared limit says the same, otherwise anybody's guess.
        return float(number) if float(number) in limits else PERCENT_EXPONENT
    return float(number)


def _from_log10(logarithm: Decimal) -> float:
    if logarithm > 0:
        return math.inf
    if logarithm == 0:
        return 0.0  # refused by the caller, who knows the operator
    exponent = int(logarithm)
    return float(f"1e{exponent}") if exponent == logarithm else 10.0 ** float(logarithm)


def _tidy(amount: str, rules: MrdRules) -> str | None:
    """A plain number with the declared decimal sign; with the other one too if it cannot separate thousands."""
    tidy = tidy_number(amount, rules.decimal)
    if tidy is None and not rules.thousands:
        tidy = tidy_number(amount, "," if rules.decimal == "." else ".")
    return tidy


def _power_to_number(power: re.Match[str], rules: MrdRules) -> str | None:
    factor = "1" if power["factor"] is None else _tidy(power["factor"], rules)
    return None if factor is None else f"{factor}e{power['exponent']}"


# -- a column ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MrdColumns:
    """A column of results; see `MrdReading` for the fields. `refused` gives the rows each refusal concerns."""

    value: Floats
    op: npt.NDArray[np.object_]
    status: npt.NDArray[np.object_]
    lod: Floats
    loq: Floats
    refused: Mapping[MrdRefusal, npt.NDArray[np.bool_]]


def parse_mrd_cells(cells: pd.Series[str], rules: MrdRules, lod: Floats, loq: Floats) -> MrdColumns:
    """`parse_mrd` over a column.

    Parameters
    ----------
    cells : text; "" is missing and stays so.
    rules : how the field writes MRD.
    lod, loq : per row, fractions, NaN if not known.
    """
    keys = pd.DataFrame({"cell": cells.to_numpy(dtype=object), "lod": lod, "loq": loq})
    codes = keys.groupby(["cell", "lod", "loq"], sort=False, dropna=False).ngroup().to_numpy()
    distinct = keys.drop_duplicates()
    readings = [
        parse_mrd(cell, rules, None if np.isnan(low) else low, None if np.isnan(high) else high) if cell else None
        for cell, low, high in zip(distinct["cell"], distinct["lod"], distinct["loq"], strict=True)
    ]
    rows: list[tuple[float | None, str | None, str | None, float | None, float | None]] = [
        (r.value, r.op, str(r.status), r.lod, r.loq) if isinstance(r, MrdReading) else (None,) * 5 for r in readings]
    fields = [np.array(column, dtype=object)[codes] for column in zip(*rows, strict=True)] if rows else (
        [np.empty(0, dtype=object)] * 5)
    refusals = np.array([r if isinstance(r, MrdRefusal) else None for r in readings] + [None], dtype=object)
    refused = {refusal: np.isin(codes, np.flatnonzero(refusals == refusal))
               for refusal in dict.fromkeys(r for r in readings if isinstance(r, MrdRefusal))}
    return MrdColumns(fields[0].astype(np.float64), fields[1], fields[2], fields[3].astype(np.float64),
                      fields[4].astype(np.float64), MappingProxyType(refused))
