"""What the survival figure draws, asked of its dictionary form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from harmony_dash.charts.names import mark_name
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.palette import DARK, LIGHT
from harmony_dash.charts.survival.figure import build_survival_figure
from harmony_dash.charts.survival.words import describe_survival
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.released import Level
from harmony_dash.disclosure.results import RiskTable, Unapplied
from tests.unit.charts.factories import make_curve, make_group, make_result, release_for_test

PAYLOAD_BUDGET = 200_000


def lines_of(figure: go.Figure) -> list[Any]:
    return [t for t in figure.data if t.mode == "lines" and t.line.width == 2]


def bands_of(figure: go.Figure) -> list[Any]:
    return [t for t in figure.data if t.fill == "tonexty"]


def table_of(figure: go.Figure) -> list[Any]:
    return [t for t in figure.data if t.mode == "text"]


def axis_titles(figure: go.Figure) -> set[str]:
    return {axis.title.text for axis in figure.select_xaxes() if axis.title.text}


def test_curves_are_steps_two_pixels_wide_that_start_at_zero_and_one() -> None:
    lines = lines_of(build_survival_figure(release_for_test(make_result())))
    assert len(lines) == 3
    assert all((t.x[0], t.y[0], t.line.shape) == (0.0, 1.0, "hv") for t in lines)


def test_a_curve_that_drops_on_day_zero_still_starts_at_one() -> None:
    group = make_group("all", "", by=None)
    group.curve.estimate[1:] *= 0.9
    group.curve.days[1] = 0.0
    line = lines_of(build_survival_figure(release_for_test(make_result([group], by=None))))[0]
    assert line.x[0] == line.x[1] == 0.0
    assert line.y[0] == 1.0
    assert line.y[1] < 1.0


def test_each_band_is_filled_up_to_an_edge_without_width_at_fifteen_per_cent() -> None:
    figure = build_survival_figure(release_for_test(make_result()))
    for lower in bands_of(figure):
        upper = figure.data[list(figure.data).index(lower) - 1]
        assert lower.fillcolor.endswith(",0.15)")
        assert (upper.line.width, lower.line.width, upper.line.shape) == (0, 0, "hv")
        assert np.all(np.asarray(upper.y) >= np.asarray(lower.y))
    assert len(bands_of(figure)) == 3


def test_numbers_travel_as_lists_so_that_the_browser_draws_them_once() -> None:
    figure = build_survival_figure(release_for_test(make_result(count=5)))
    spec = json.loads(figure.to_json())
    assert spec["layout"]["datarevision"]
    assert {type(trace[axis]) for trace in spec["data"] for axis in ("x", "y")} == {list}


def test_ten_thousand_points_a_curve_fit_the_budget_and_keep_their_height() -> None:
    result = make_result(count=4, points=10_000)
    figure = build_survival_figure(release_for_test(result))
    assert len(figure.to_json()) <= PAYLOAD_BUDGET
    for line, group in zip(lines_of(figure), result.groups, strict=True):
        drawn_days = np.asarray(line.x, dtype=float) * 365.25
        at = np.searchsorted(drawn_days, group.curve.days + 0.01, side="right") - 1
        assert np.abs(np.asarray(line.y)[at] - group.curve.estimate).max() < 0.25 / 400 + 1e-5
        assert line.y[-1] == pytest.approx(group.curve.estimate[-1], abs=1e-6)


def test_the_horizon_is_never_thinned_away() -> None:
    result = make_result(count=1, points=10_000)
    line = lines_of(build_survival_figure(release_for_test(result)))[0]
    curve = result.groups[0].curve
    exact = curve.estimate[np.searchsorted(curve.days, 1826, side="right") - 1]
    at = np.searchsorted(np.asarray(line.x), 1826 / 365.25, side="right") - 1
    assert line.y[at] == pytest.approx(exact, abs=1e-5)


def test_up_to_four_groups_are_named_at_the_end_of_their_curves_without_a_legend() -> None:
    figure = build_survival_figure(release_for_test(make_result(count=4)))
    names = [note.text for note in figure.layout.annotations if note.xshift and note.x == 1]
    assert len(names) == 4
    assert not any(trace.showlegend for trace in figure.data)
    assert [t.line.color for t in lines_of(figure)] == list(LIGHT.marks)


def test_labels_at_equal_heights_do_not_overlap() -> None:
    groups = [make_group(f"group {i}", str(i), final=0.8) for i in range(4)]
    figure = build_survival_figure(release_for_test(make_result(groups)))
    heights = sorted(note.y for note in figure.layout.annotations if note.xshift and note.x == 1)
    assert min(np.diff(heights)) * 400 >= 30  # pixels


def test_five_groups_become_facets_of_one_colour_over_pale_others() -> None:
    figure = build_survival_figure(release_for_test(make_result(count=5)))
    lines = lines_of(figure)
    assert {line.line.color for line in lines} == {LIGHT.marks[0]}
    assert len({line.xaxis for line in lines}) == 5
    assert sum(t.line.color == LIGHT.context for t in figure.data if t.mode == "lines") == 5


def test_facets_of_thirty_groups_fit_the_budget() -> None:
    groups = [make_group(f"subtype {i}", str(i), final=0.3 + 0.02 * i, points=300) for i in range(30)]
    assert len(build_survival_figure(release_for_test(make_result(groups))).to_json()) <= 2 * PAYLOAD_BUDGET


def test_numbers_at_risk_stand_under_the_ticks_in_the_colour_of_the_curve() -> None:
    result = make_result()
    figure = build_survival_figure(release_for_test(result))
    ticks = figure.layout.xaxis.tickvals
    for trace, group, colour in zip(table_of(figure), result.groups, LIGHT.words[:3], strict=True):
        columns = np.unique(np.round(np.asarray(trace.x, dtype=float), 2))
        assert all(min(abs(column - tick) for tick in ticks) < 0.05 for column in columns)
        assert trace.textfont.color == colour
        assert f"{group.n:,}" in trace.text
    assert list(figure.layout.yaxis2.ticktext) == ["At risk", "Events", "Censored"] * 3


def test_few_are_below_ten_what_stands_beside_few_at_risk_is_a_dash_and_none_is_nan() -> None:
    group = replace(make_group("all", "", by=None), risk_table=RiskTable(
        (0, 365, 731), (30, 20, None), (None, 10, None), (None, None, None)))
    figure = build_survival_figure(release_for_test(make_result([group], by=None)))
    texts = [text for trace in figure.data for text in (trace.text or ()) if isinstance(text, str)]
    hovers = [text for trace in figure.data if trace.customdata is not None for text in trace.customdata]
    assert texts == ["30", "20", "<10", "<10", "10", "–", "<10", "<10", "–"]
    assert not any(word in text.lower() for text in [*texts, *hovers] for word in ("nan", "none", "inf"))


def test_hover_gives_estimate_interval_and_number_at_risk_on_common_days() -> None:
    figure = build_survival_figure(release_for_test(make_result(count=2)))
    first, second = [t for t in figure.data if t.hovertemplate]
    assert figure.layout.hovermode == "x unified"
    assert "at risk" in first.customdata[3]
    assert "(" in first.customdata[3]
    shared = min(len(first.x), len(second.x))
    assert np.array_equal(np.asarray(first.x)[:shared - 1], np.asarray(second.x)[:shared - 1])


def test_censor_marks_appear_only_where_the_result_has_them() -> None:
    marked = build_survival_figure(release_for_test(make_result()))
    plain = build_survival_figure(release_for_test(make_result(quarterly=True), Level.PROTECTED))
    symbols = [[t.marker.symbol for t in figure.data if t.mode == "markers"] for figure in (marked, plain)]
    assert "line-ns-open" in symbols[0]
    assert "line-ns-open" not in symbols[1]


def test_competing_causes_rise_from_zero_and_the_axis_fits_them() -> None:
    figure = build_survival_figure(release_for_test(make_result(endpoint="relapse")))
    assert all(line.y[0] == 0.0 for line in lines_of(figure))
    assert 0.15 < figure.layout.yaxis.range[1] < 0.7
    assert not [t for t in figure.data if t.marker.symbol == "line-ns-open"]


def test_causes_stand_side_by_side_on_one_scale_with_a_legend() -> None:
    result = make_result(endpoint="relapse")
    figure = build_survival_figure(release_for_test(result), causes=("relapse", "death_in_cr", "smn"))
    assert len({line.xaxis for line in lines_of(figure)}) == 3
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range == figure.layout.yaxis3.range
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3


@pytest.mark.parametrize(("dark", "palette"), [(False, LIGHT), (True, DARK)])
def test_each_theme_has_its_own_ink_on_a_transparent_ground(dark: bool, palette: Any) -> None:
    figure = build_survival_figure(release_for_test(make_result()), dark=dark)
    assert figure.layout.font.color == palette.ink
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert [t.line.color for t in lines_of(figure)] == list(palette.marks[:3])


@pytest.mark.parametrize(("unit", "step", "title"), [
    (TimeUnit.YEARS, 1, "Years since diagnosis"), (TimeUnit.MONTHS, 12, "Months since diagnosis"),
    (TimeUnit.DAYS, 365, "Days since diagnosis")])
def test_ticks_are_whole_numbers_in_every_unit(unit: TimeUnit, step: int, title: str) -> None:
    figure = build_survival_figure(release_for_test(make_result()), time_unit=unit)
    ticks = figure.layout.xaxis.tickvals
    assert all(float(tick).is_integer() for tick in ticks)
    assert ticks[1] == step
    assert axis_titles(figure) == {title}


def test_a_landmark_is_said_on_the_axis() -> None:
    question = Question("ALL", "efs", by="mrd_group", landmark_days=42)
    figure = build_survival_figure(release_for_test(make_result(question=question)))
    assert axis_titles(figure) == {"Years since day 42 after diagnosis"}


def test_five_years_are_marked_only_where_the_data_reach_them() -> None:
    long = build_survival_figure(release_for_test(make_result()))
    brief = make_result([make_group("all", "", by=None, last_day=900)], by=None)
    short = build_survival_figure(release_for_test(brief))
    assert len(long.layout.shapes) == 1
    assert len(short.layout.shapes) == 0


def test_the_zoom_survives_a_new_question_and_no_template_is_sent() -> None:
    first = build_survival_figure(release_for_test(make_result()))
    second = build_survival_figure(release_for_test(make_result(count=2)))
    assert first.layout.uirevision == second.layout.uirevision == "survival"
    assert len(json.dumps(json.loads(first.to_json())["layout"].get("template", {}))) < 200


def test_one_group_without_grouping_needs_no_label() -> None:
    figure = build_survival_figure(release_for_test(make_result([make_group("all patients", "", by=None)], by=None)))
    assert len(lines_of(figure)) == 1
    assert not [note for note in figure.layout.annotations if "all patients" in note.text]


def test_a_result_without_groups_says_so() -> None:
    released = release_for_test(make_result([]))
    figure = build_survival_figure(released)
    assert len(figure.data) == 0
    assert "No group" in figure.layout.annotations[0].text
    assert "No group" in describe_survival(released)


def test_a_group_with_one_point_and_no_interval_is_drawn_without_a_band() -> None:
    group = make_group("all", "", by=None)
    tiny = make_curve(0.9, 2)
    for column in (tiny.lower, tiny.upper):
        column[:] = np.nan
    group = type(group)(**{**group.__dict__, "curve": tiny})
    figure = build_survival_figure(release_for_test(make_result([group], by=None)))
    assert len(bands_of(figure)) == 0
    assert len(lines_of(figure)) == 1


def test_names_from_data_cannot_become_markup() -> None:
    group = make_group("<b>1 & <2", "x")
    figure = build_survival_figure(release_for_test(make_result([group, make_group("b", "y")])))
    text = json.dumps([note.text for note in figure.layout.annotations])
    assert "&lt;b&gt;1 &amp; &lt;2" in text


def test_the_summary_names_groups_sizes_and_estimates() -> None:
    text = describe_survival(release_for_test(make_result(count=2)))
    assert "good risk, 1,200 patients" in text
    assert "at 5 years" in text


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("options", "causes"), [
    ({}, ()), ({"count": 4}, ()), ({"count": 7}, ()), ({"groups": []}, ()), ({"endpoint": "relapse"}, ()),
    ({"endpoint": "relapse"}, ("relapse", "smn")), ({"endpoint": "relapse", "count": 6}, ())])
def test_plotly_accepts_every_property(options: dict[str, Any], causes: tuple[str, ...], dark: bool) -> None:
    figure = build_survival_figure(release_for_test(make_result(**options)), dark=dark, causes=causes)
    assert go.Figure(figure.to_dict()).layout.height == figure.layout.height


# -- protected curves ----------------------------------------------------------------------------------------------


def protected(**options: Any) -> go.Figure:
    return build_survival_figure(release_for_test(make_result(quarterly=True, **options), Level.PROTECTED))


def test_protected_curves_and_bands_are_straight_between_the_days_of_the_grid() -> None:
    figure = protected()
    assert {line.line.shape for line in [*lines_of(figure), *bands_of(figure)]} == {"linear"}
    for line in lines_of(figure):
        assert set(np.round(np.asarray(line.x, dtype=float) * 365.25).astype(int).tolist()) <= set(GRID.tolist())


def test_of_a_protected_curve_every_point_is_drawn_and_hover_reads_the_same_days() -> None:
    result = make_result(quarterly=True)
    figure = build_survival_figure(release_for_test(result, Level.PROTECTED))
    hovers = [t for t in figure.data if t.hovertemplate]
    for line, hover, group in zip(lines_of(figure), hovers, result.groups, strict=True):
        assert len(line.x) == len(group.curve.days)
        drawn = np.asarray(line.y, dtype=np.float32)
        assert np.array_equal(np.asarray(hover.y, dtype=np.float32), drawn[:len(hover.y)])


def test_a_long_protected_curve_is_not_read_between_its_days() -> None:
    group = make_group("all", "", by=None, quarterly=True, last_day=8000)
    figure = build_survival_figure(release_for_test(make_result([group], by=None), Level.PROTECTED))
    hover = next(t for t in figure.data if t.hovertemplate)
    assert set(np.round(np.asarray(hover.x, dtype=float) * 365.25).astype(int).tolist()) <= set(GRID.tolist())


def test_hover_tells_the_number_at_risk_only_where_the_table_does() -> None:
    group = make_group("all", "", by=None, quarterly=True)
    known = np.isin(group.curve.days, (0, 365, 731))
    group = replace(group, curve=replace(group.curve, at_risk=np.where(known, 500.0, np.nan)))
    figure = build_survival_figure(release_for_test(make_result([group], by=None), Level.PROTECTED))
    hover = next(t for t in figure.data if t.hovertemplate)
    assert sum("at risk" in text for text in hover.customdata) == 3


def test_labels_and_hover_give_each_group_the_decimals_it_can_bear() -> None:
    groups = [make_group("small", "s", n=100, quarterly=True), make_group("large", "l", n=1200, quarterly=True)]
    released = release_for_test(make_result(groups), Level.PROTECTED)
    figure = build_survival_figure(released)
    hovers = {trace.name: trace.customdata[4] for trace in figure.data if trace.hovertemplate}
    assert re.match(r"\d+ % \(\d+–\d+\)", hovers["small"])
    assert re.match(r"\d+\.\d % \(\d+\.\d–\d+\.\d\)", hovers["large"])
    labels = {name: note.text for name in hovers for note in figure.layout.annotations
              if name in note.text and "at 5 years" in note.text}
    assert re.search(r">\d+ % at 5 years", labels["small"])
    assert re.search(r">\d+\.\d % at 5 years", labels["large"])
    assert re.search(r"small, 100 patients: \d+ % \(\d+–\d+\)", describe_survival(released))


def test_a_group_with_another_question_is_marked_wherever_it_is_named() -> None:
    told = Unapplied("age group: 1–9 years", {}, "not applied", ("high risk",))
    result = replace(make_result(quarterly=True), not_applied=(told,), compared=("good risk", "intermediate risk"))
    figure = build_survival_figure(release_for_test(result, Level.PROTECTED))
    marked = mark_name("high risk", result)
    assert marked == "high risk\N{NO-BREAK SPACE}†"
    assert [line.name for line in lines_of(figure)] == ["good risk", "intermediate risk", marked]
    named = [note.text for note in figure.layout.annotations if "high risk" in note.text]
    assert len(named) == 2
    assert all(marked in text for text in named)


def test_a_horizon_off_the_grid_is_read_on_the_day_before_and_named_so() -> None:
    question = Question("ALL", "efs", by="cyto_group", horizon_days=1000)
    figure = protected(question=question)
    words = " ".join(note.text for note in figure.layout.annotations)
    assert "at 30 months" in words  # day 913
    assert "1000" not in words
    exact = build_survival_figure(release_for_test(make_result(question=question)))
    assert "at day 1000" in " ".join(note.text for note in exact.layout.annotations)


def test_a_cause_that_no_group_may_show_leaves_a_panel_that_says_so() -> None:
    result = make_result(endpoint="relapse", quarterly=True)
    groups = tuple(replace(group, cumulative_incidence=group.cumulative_incidence[:2]) for group in result.groups)
    groups = (replace(groups[0], cumulative_incidence=groups[0].cumulative_incidence[:1]), *groups[1:])
    released = release_for_test(replace(result, groups=groups), Level.PROTECTED)
    figure = build_survival_figure(released, causes=("relapse", "death_in_cr", "smn"))
    assert len(lines_of(figure)) == 3 + 2
    assert sum("Too few events" in note.text for note in figure.layout.annotations) == 1
    headings = [note.text for note in figure.layout.annotations if note.yref == "y4"]
    assert [group.name in heading for group, heading in zip(groups, headings, strict=True)] == [True] * 3
    assert go.Figure(figure.to_dict()).layout.height == figure.layout.height
