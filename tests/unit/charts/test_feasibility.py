"""Figures of feasibility: what may be shown is drawn, what is hidden has no bar."""

from __future__ import annotations

import pytest

from harmony_dash.charts.feasibility import build_country_figure, build_loss_figure, rank_losses
from harmony_dash.charts.flow import build_flow_figure, build_source_flow_figure
from harmony_dash.charts.palette import DARK, LIGHT, contrast
from harmony_dash.disclosure.released import Level, Scope, make_released
from tests.unit.charts.feasibility import make_feasibility

RELEASED = make_released(make_feasibility(), Scope(Level.PROTECTED))


def texts(figure: object) -> list[str]:
    return [note["text"] for note in figure.to_dict()["layout"]["annotations"]]  # type: ignore[attr-defined]


def test_a_hidden_step_has_words_and_no_bar() -> None:
    figure = build_flow_figure(RELEASED)
    assert list(figure.data[1].x) == [5000, 0, 2700, 2560]
    assert list(figure.data[0].x) == [0, 0, 5000, 2700]
    assert texts(figure)[4:] == ["5,000", "hidden", "2,700", "2,560  −140"]


def test_countries_without_a_number_are_left_to_the_table() -> None:
    figure = build_country_figure(RELEASED, names={"IT": "Italy"})
    assert texts(figure) == ["Italy", "SE", "530", "145†"]


def test_losses_are_ranked_and_hidden_ones_left_out() -> None:
    assert rank_losses(RELEASED.value) == [("Cytogenetic risk group alone", 585),
                                           ("Cytogenetic risk group + MRD group", 150)]
    assert list(build_loss_figure(RELEASED).data[1].x) == [585, 150]


def test_sources_show_counted_of_accepted_and_names_are_no_markup() -> None:
    figure = build_source_flow_figure(RELEASED)
    assert texts(figure) == ["Children, Italy", "Adults, &lt;b&gt;Germany&lt;/b&gt;", "530† of 800", "– of 370"]
    assert list(figure.data[1].x) == [530, 0]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_bars_and_the_pale_ones_behind_them_are_told_apart(palette: object) -> None:
    assert contrast(palette.marks[0], palette.context) > 1.5  # type: ignore[attr-defined]


def test_nothing_at_all_is_an_empty_figure() -> None:
    empty = make_released(make_feasibility(by_country=(), losses=(), joint=(), sources=()), Scope(Level.PROTECTED))
    for figure in (build_country_figure(empty, names={}), build_loss_figure(empty), build_source_flow_figure(empty)):
        assert len(figure.data[1].x) == 0
