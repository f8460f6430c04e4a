"""What looks like an identifier in the cells of one column."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from harmony_dash.ingest.identifiers.cell_patterns import DATE_PATTERNS, NUMBER_PATTERNS, TEXT_PATTERNS
from harmony_dash.ingest.identifiers.model import Finding, Role
from harmony_dash.ingest.identifiers.national import IBAN, NATIONAL
from harmony_dash.ingest.identifiers.pattern import HALF, MOST, Pattern, always
from harmony_dash.ingest.identifiers.person_names import FULL_NAME, INSTITUTIONS, SINGLE_NAME
from harmony_dash.ingest.readers.table import RawTable

MAX_CODE_CHARACTERS = 40
MAX_DISTINCT_SHARE = 0.05
MAX_DISTINCT_PHRASES = 20
MINIMUM_NAMES = 5
MINIMUM_SINGLE_NAMES = 20

_EMAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[A-Za-z]{2,}")
_DATE_CELL = re.compile(r"[0-9./ :TZ+-]+")
_ISCN = re.compile(r"\d{2}[~<>\d-]*,[XY?]")
_HEX = re.compile(r"[0-9a-fA-F]{32,128}")
# Cells that cannot be an identifier by themselves: short numbers and short words. Most cells of a source end here.
_HARMLESS = re.compile(r"[<>+-]{0,2}\d{0,7}(?:[.,]\d*(?:[eE][+-]?\d+)?)?\s?%?|[^\W\d_]{0,12}|[+-]")


def scan_column(table: RawTable, column: str, role: Role, declared: Collection[str]) -> list[Finding]:
    """What a column seems to hold; `declared` cells, words of value maps and missing tokens, are none."""
    codes, values = table.distinct(column)
    suspects = [(position, value) for position, value in enumerate(values)
                if not _HARMLESS.fullmatch(value) and value not in declared]
    hits: dict[str, set[int]] = {}
    for kind, positions in _find_kinds(suspects, role):
        hits.setdefault(kind, set()).update(positions)
    if role in (Role.CODE, Role.IGNORED, Role.ID):
        for kind, positions in _find_text(codes, values, declared, role):
            hits.setdefault(kind, set()).update(positions)
    findings: list[Finding] = []
    for kind, found in hits.items():
        if not found:
            continue
        rows = np.flatnonzero(np.isin(codes, sorted(found)))
        findings.append(Finding(table.spec.label, int(table.row_numbers[rows[0]]), column, len(rows), kind))
    return findings


def _find_kinds(suspects: Sequence[tuple[int, str]], role: Role) -> Iterable[tuple[str, list[int]]]:
    """Kinds of identifiers among the distinct cells; cheap tests first, for most cells are codes."""
    with_at = [(position, value) for position, value in suspects if "@" in value]
    yield "an e-mail address", [position for position, value in with_at if _EMAIL.search(value)]
    if role is Role.DATE:
        suspects = [(position, value) for position, value in suspects if not _DATE_CELL.fullmatch(value)]
    numbered = [(position, value) for position, value in suspects if sum(map(str.isdigit, value)) >= 6]
    yield IBAN.kind, _matches(IBAN, numbered)
    no_bare = role in (Role.NUMBER, Role.DATE)
    for pattern in NATIONAL:
        if not (pattern.bare and no_bare) and not (pattern.passes is always and role is Role.ID):
            yield pattern.kind, _matches(pattern, numbered)
    for pattern in TEXT_PATTERNS:
        yield pattern.kind, _matches(pattern, suspects)
    if role is not Role.ID:
        for pattern in NUMBER_PATTERNS:
            if not (pattern.bare and no_bare):
                yield pattern.kind, _matches(pattern, numbered)
    if role is not Role.DATE:
        for pattern in DATE_PATTERNS:
            # Eight digits are a pseudonym in the id column and a count among numbers, not a date.
            if not (pattern.bare and role in (Role.NUMBER, Role.ID)):
                yield pattern.kind, _matches(pattern, suspects)


def _matches(pattern: Pattern, suspects: Sequence[tuple[int, str]]) -> list[int]:
    shaped = 0
    passed: list[int] = []
    for position, value in suspects:
        match = pattern.shape.search(value) if pattern.search else pattern.shape.fullmatch(value)
        if match:
            shaped += 1
            if pattern.passes(match.group()):
                passed.append(position)
    return passed if passed and len(passed) >= pattern.share * shaped else []


def _find_text(codes: np.ndarray[tuple[int], np.dtype[np.intp]], values: Sequence[str], declared: Collection[str],
               role: Role) -> Iterable[tuple[str, list[int]]]:
    """Free text, and columns that are mostly names."""
    words = [(position, value) for position, value in enumerate(values) if value and value not in declared]
    filled = int(np.isin(codes, [position for position, _ in words]).sum()) if words else 0
    if not filled:
        return
    if role is not Role.ID:
        yield "free text", [position for position, value in words if len(value) > MAX_CODE_CHARACTERS
                            and not _ISCN.match(value) and not _HEX.fullmatch(value)]
        phrases = [position for position, value in words
                   if " " in value and not _ISCN.match(value) and re.search(r"[^\W\d_]{2}", value)]
        if len(phrases) > MAX_DISTINCT_PHRASES and len(words) / filled >= MAX_DISTINCT_SHARE:
            yield "free text", phrases
    varied = len(words) / filled >= HALF
    full = [position for position, value in words
            if FULL_NAME.fullmatch(value) and not INSTITUTIONS.search(value.casefold())]
    if varied and len(full) >= MINIMUM_NAMES and len(full) >= HALF * len(words):
        yield "names of persons", full
    single = [position for position, value in words if SINGLE_NAME.fullmatch(value) and len(value) > 2]
    if varied and len(single) >= MINIMUM_SINGLE_NAMES and len(single) >= MOST * len(words):
        yield "names of persons", single
