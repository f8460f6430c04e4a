"""The quality of a source as files for its provider: one HTML page that needs nothing else, and a CSV of the checks.

Neither holds a value of a patient. Protected numbers stay protected; with exact ones, which only the command line gives
to whoever holds the files, the page names the rows to look at.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path

import jinja2

from harmony_dash import __version__
from harmony_dash.disclosure.policy import Level
from harmony_dash.disclosure.quality_results import QualityResult, SourceQuality
from harmony_dash.disclosure.quality_words import (
    CATEGORIES,
    NO_OUTCOMES,
    VERDICTS,
    asked_words,
    failing_words,
    found_words,
    limit_words,
    reason_words,
    rows_words,
)
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.wording import format_count
from harmony_dash.quality.model import Verdict
from harmony_dash.quality.types import TYPES

_TEMPLATES = Path(__file__).parent / "templates"
# What a spreadsheet would run; an apostrophe in front keeps it text.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS = ("source", "check", "type", "category", "variable", "label", "words", "asked_of", "failing", "asked",
               "found", "limit", "verdict", "what_to_do", "snapshot", "level")
_ORDER = (Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_APPLICABLE)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.globals.update(
        failing_words=failing_words, asked_words=asked_words, found_words=found_words, limit_words=limit_words,
        rows_words=rows_words, reason_words=reason_words, no_outcomes=NO_OUTCOMES, format_count=format_count,
        types=TYPES, verdicts=VERDICTS, categories=CATEGORIES)
    return environment.get_template("quality.html.jinja")


def write_quality_html(released: Released[QualityResult], made: str) -> bytes:
    """One self-contained page about every source of the result, UTF-8.

    Parameters
    ----------
    made : UTC time at which it is written, as it is to be read.
    """
    scope = released.scope
    text = _template().render(
        result=released.value, minimum=scope.rules.minimum_cell, exact=scope.level is Level.EXACT, level=scope.level,
        made=made, version=__version__, order=_ORDER, Verdict=Verdict)
    return text.encode()


def write_quality_csv(released: Released[QualityResult]) -> bytes:
    """Every check of every source, one a line, UTF-8 with a byte order mark; every field is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for source in released.value.sources:
        for cells in _rows(released, source):
            writer.writerow([f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _rows(released: Released[QualityResult], source: SourceQuality) -> list[list[str]]:
    minimum, exact = released.scope.rules.minimum_cell, not released.scope.is_protected
    return [[source.source, one.check.id, one.check.type, one.check.category.value, one.check.variable, one.check.label,
             one.check.words, one.check.asked, failing_words(one, minimum, exact=exact),
             asked_words(one, minimum, exact=exact), found_words(one), limit_words(one.check), one.verdict.value,
             TYPES[one.check.type].remedy if one.check.type in TYPES else "", released.value.snapshot,
             str(released.scope.level)] for one in source.results]
