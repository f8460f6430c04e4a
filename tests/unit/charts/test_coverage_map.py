"""The map of Europe: what is shaded, hatched, grey, and not on it; case mix beside it."""

from __future__ import annotations

import json
from dataclasses import replace

from harmony_dash.charts.case_mix import build_case_mix_figure, difference_text, rows_of
from harmony_dash.charts.coverage import build_accrual_figure
from harmony_dash.charts.coverage_map import OUTLINES, build_map_figure, not_on_map, read_outlines
from harmony_dash.disclosure.coverage_results import CountCell
from harmony_dash.disclosure.released import Level, Scope, make_released
from tests.unit.charts.factories import make_coverage

RELEASED = make_released(make_coverage(), Scope(Level.PROTECTED))
NAMES = {"DE": "Germany", "CZ": "Czechia <b>"}


def test_outlines_are_small_named_and_hold_the_countries_of_europe() -> None:
    assert OUTLINES.stat().st_size < 150_000
    assert "Natural Earth" in read_outlines()["source"]
    assert "public domain" in OUTLINES.with_name("NOTICE").read_text()
    assert {"AT", "BE", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "IE", "IS", "IT", "LT", "LU", "MT", "NL",
            "NO", "PL", "PT", "SE", "CY"} <= set(read_outlines()["countries"])


def test_the_projection_keeps_areas() -> None:
    """Germany has 357,000 km² and Sweden 450,000 with its lakes; thinned borders may be off by some per cent."""
    for code, known in (("DE", 357_000), ("SE", 450_000), ("ES", 506_000)):
        area = 0.0
        for ring in read_outlines()["countries"][code]:
            x, y = ring[::2], ring[1::2]
            area += abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2
        assert abs(area - known) < 0.04 * known


def test_a_hidden_country_is_hatched_and_its_number_is_nowhere() -> None:
    figure = build_map_figure(RELEASED, names=NAMES)
    shapes = {trace.name: trace for trace in figure.data[1:]}
    hidden = shapes["Czechia &lt;b&gt;: hidden patients"]
    assert hidden.fillpattern.shape == "/"
    assert hidden.fillcolor is None
    assert shapes["Germany: 1,500 patients"].fillpattern.shape is None
    assert len(shapes) == len(RELEASED.value.by_country)
    assert figure.data[0].hoverinfo == "skip"


def test_more_patients_are_darker_and_equal_ones_alike() -> None:
    def opacity(colour: str) -> float:
        return float(colour.rstrip(")").split(",")[3])
    shades = [opacity(trace.fillcolor) for trace in build_map_figure(RELEASED, names={}).data[1:] if trace.fillcolor]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == len(shades)


def test_a_country_without_outline_is_listed_beneath() -> None:
    result = replace(RELEASED.value, by_country=(*RELEASED.value.by_country, CountCell({"country": "AU"}, 40),
                                                 CountCell({"country": "ZZ"}, None)))
    released = make_released(result, Scope(Level.PROTECTED))
    assert not_on_map(released, {"AU": "Australia"}) == ["Australia 40", "ZZ hidden"]
    assert len(build_map_figure(released, names={}).data) == 1 + len(RELEASED.value.by_country)
    assert not_on_map(RELEASED, {}) == []


def test_the_map_asks_nobody_for_shapes() -> None:
    text = build_map_figure(RELEASED, names={}, dark=True).to_json()
    assert {trace["type"] for trace in json.loads(text)["data"]} == {"scatter"}
    assert "http" not in text
    assert "geo" not in json.loads(text)["layout"]


def test_periods_of_which_nothing_is_shown_are_not_drawn_at_the_ends() -> None:
    result = replace(RELEASED.value, tables=(*RELEASED.value.tables, replace(
        RELEASED.value.tables[-1], by=("country", "dx_period"),
        cells=tuple(CountCell({"country": "DE", **cell.labels}, cell.n) for cell in RELEASED.value.tables[-1].cells))))
    figure = build_accrual_figure(make_released(result, Scope(Level.PROTECTED)))
    assert list(figure.layout.yaxis.ticktext) == ["2000-2004", "2005-2009"]


def test_case_mix_has_a_row_a_value_and_a_column_a_country() -> None:
    figure = build_case_mix_figure(RELEASED, names=NAMES)
    assert list(figure.layout.yaxis.ticktext) == ["1–9 years", "10–17 years"]
    assert "Germany" in figure.layout.xaxis.ticktext
    texts = [difference_text(one, RELEASED) for cells in rows_of(RELEASED).values() for one in cells.values()]
    assert set(texts) <= {"0.0", ""}  # the made-up countries all have the same ages
    assert "0.0" in texts
