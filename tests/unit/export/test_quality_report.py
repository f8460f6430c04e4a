"""The report for a provider: self-contained, escaped, without formulas, row numbers for whoever holds the files."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.quality_results import QualityResult, ReasonCount, SignOff
from harmony_dash.disclosure.quality_words import limit_words
from harmony_dash.export.quality_report import CSV_COLUMNS, write_quality_csv, write_quality_html
from harmony_dash.quality.model import Judgement
from tests.unit.disclosure.test_protect_quality import keyed, make_check, make_quality, make_result, make_source

EVIL = '<script>alert(1)</script>"&'


def make_evil() -> QualityResult:
    reasons = (ReasonCount(EVIL, EVIL, "sex", "RANGE", EVIL, True, keyed(3), (5, 9)),)
    results = (make_result(120, check=replace(make_check(), words=EVIL, label="=1+1", id="=cmd")),)
    signed = (SignOff("example", "s", EVIL, "2026-11-21", EVIL),)
    return make_quality(make_source(title=EVIL, results=results, reasons=reasons, signed=signed,
                                    not_supplied=(EVIL,)))


@pytest.mark.parametrize("level", [Level.PROTECTED, Level.EXACT])
def test_the_page_escapes_what_providers_and_people_wrote_and_needs_nothing_else(level: Level) -> None:
    page = write_quality_html(release(make_evil(), Scope(level)), "2026-11-21 12:00 UTC").decode()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]", page)
    assert "default-src 'none'" in page


def test_row_numbers_are_for_whoever_holds_the_files() -> None:
    exact, protected = (write_quality_html(release(make_evil(), Scope(level)), "now").decode()
                        for level in (Level.EXACT, Level.PROTECTED))
    assert "<td>5, 9</td>" in exact and "for whoever holds the files" in exact
    assert "5, 9" not in protected and "&lt;10" in protected


def test_the_table_has_a_line_a_check_and_no_formula() -> None:
    table = write_quality_csv(release(make_evil(), Scope(Level.PROTECTED))).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(table))
    assert tuple(header) == CSV_COLUMNS and len(rows) == 1
    cells = dict(zip(header, rows[0], strict=True))
    assert (cells["check"], cells["label"], cells["failing"], cells["verdict"]) == ("'=cmd", "'=1+1", "120", "fail")
    assert all(line.startswith('"') for line in table.splitlines())
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


@pytest.mark.parametrize(("judgement", "changes", "words"), [
    (Judgement.SHARE, {}, "warn >0, fail >1\u00a0%"), (Judgement.SHARE, {"warn": 0.05, "fail": 0.2}, "warn >5\u00a0%, "
     "fail >20\u00a0%"), (Judgement.SIZE, {"warn": 100, "fail": 30}, "warn <100, fail <30"),
    (Judgement.LACK, {"warn": 0.005}, "warn ≤0.5\u00a0%"),
    (Judgement.LACK, {"warn": 0.005, "high": 0.8, "fail": 0.97}, "warn ≤0.5\u00a0% or >80\u00a0%, fail >97\u00a0%"),
    (Judgement.WITHIN, {"low": 3.0, "high": 80.0}, "3 to 80"),
    (Judgement.SHIFT, {"warn": 0.1, "fail": 0.25}, "warn ±10, fail ±25 points"),
    (Judgement.SHARE, {"warn": 0.02, "fail": float("inf")}, "warn >2\u00a0%")])
def test_limits_in_words(judgement: Judgement, changes: dict[str, float], words: str) -> None:
    assert limit_words(make_check(judgement, **changes)) == words
