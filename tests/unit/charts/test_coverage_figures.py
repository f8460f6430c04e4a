"""What the coverage figures draw."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from harmony_dash.charts.case_mix import build_case_mix_figure
from harmony_dash.charts.completeness import build_completeness_figure
from harmony_dash.charts.coverage import (
    build_accrual_figure,
    build_country_figure,
    build_cross_figure,
    build_follow_up_figure,
    build_trial_figure,
    describe_coverage,
    short_titles,
)
from harmony_dash.charts.coverage_map import build_map_figure
from harmony_dash.disclosure.coverage_results import CountCell
from harmony_dash.disclosure.released import Level, Scope, make_released
from tests.unit.charts.factories import make_coverage

NAMES = {"DE": "Germany", "GB": "United Kingdom"}
RELEASED = make_released(make_coverage(), Scope(Level.PROTECTED))
EMPTY = make_released(make_coverage(empty=True), Scope(Level.PROTECTED))


def test_countries_are_ranked_and_named_and_a_hidden_one_has_no_bar() -> None:
    figure = build_country_figure(RELEASED, names=NAMES)
    bars = figure.data[0]
    assert list(figure.layout.yaxis.ticktext)[:2] == ["Germany", "United Kingdom"]
    assert bars.text[0] == "1,500"
    assert bars.text[-1] == "hidden"
    assert bars.x[-1] == 0


def test_cells_without_patients_are_empty_and_hidden_ones_say_so() -> None:
    figure = build_cross_figure(RELEASED, names=NAMES)
    texts = list(figure.data[1].text)
    assert "1,500" in texts
    assert "hidden" in texts
    assert len(texts) == len(RELEASED.value.by_country_and_trial)


def test_completeness_shows_per_cent_and_not_available() -> None:
    figure = build_completeness_figure(RELEASED)
    texts = set(figure.data[1].text)
    assert {"100", "n/a"} <= texts
    assert len(figure.layout.yaxis.ticktext) == 5


def test_many_columns_have_slanted_names() -> None:
    few, many = (build_cross_figure(make_released(make_coverage(countries=n), Scope(Level.PROTECTED)), names={})
                 for n in (4, 8))
    assert few.layout.xaxis.tickangle == many.layout.xaxis.tickangle == 0
    result = make_coverage(countries=8)
    trials = tuple(CountCell({"trial": f"Trial {i}"}, 100) for i in range(12))
    wide = build_cross_figure(make_released(replace(result, by_trial=trials), Scope(Level.PROTECTED)), names={})
    assert wide.layout.xaxis.tickangle == -45


def test_follow_up_leaves_out_what_may_not_be_shown() -> None:
    assert len(build_follow_up_figure(RELEASED).data[0].x) == 5


def test_every_figure_stands_an_empty_release() -> None:
    for figure in (build_country_figure(EMPTY, names={}), build_trial_figure(EMPTY), build_follow_up_figure(EMPTY),
                   build_cross_figure(EMPTY, names={}), build_completeness_figure(EMPTY, dark=True)):
        assert figure.layout.height > 0
    assert describe_coverage(EMPTY, {}) == "No patients."


def test_the_sentence_for_screen_readers_holds_every_country() -> None:
    assert "Germany 1,500" in describe_coverage(RELEASED, NAMES)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_are_drawn_unchecked_and_would_pass_the_check(dark: bool) -> None:
    for figure in (build_map_figure(RELEASED, names=NAMES, dark=dark),
                   build_country_figure(RELEASED, names=NAMES, dark=dark), build_trial_figure(RELEASED, dark=dark),
                   build_follow_up_figure(RELEASED, dark=dark), build_accrual_figure(RELEASED, dark=dark),
                   build_cross_figure(RELEASED, names=NAMES, dark=dark), build_completeness_figure(RELEASED, dark=dark),
                   build_case_mix_figure(RELEASED, names=NAMES, dark=dark)):
        assert go.Figure(figure.to_dict()).data  # raises for a property that does not exist


def test_a_number_stands_in_its_cell() -> None:
    shades, numbers = build_completeness_figure(RELEASED).data
    assert len(numbers.text) > 4
    for x, y, text in zip(numbers.x, numbers.y, numbers.text, strict=True):
        assert shades.customdata[y][x] == text


def test_sources_keep_what_tells_their_names_apart() -> None:
    titles = ("Synthetic: childhood ALL, France, Belgium and Portugal", "Synthetic: childhood ALL, France")
    sources = tuple(replace(one, title=title) for one, title in zip(RELEASED.value.sources, titles, strict=False))
    assert list(short_titles(replace(RELEASED.value, sources=sources)).values()) == [
        "Childhood ALL, France, Belgium and Portugal", "Childhood ALL, France"]
