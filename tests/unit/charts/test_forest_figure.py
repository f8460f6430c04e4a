from __future__ import annotations

import math
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from harmony_dash.charts.forest import build_forest_figure, build_treatment_forest_figure
from harmony_dash.charts.forest_lines import REFERENCE, LineKind, Mark, list_level_lines, list_treatment_lines
from harmony_dash.charts.palette import DARK_BACKGROUND, LIGHT_BACKGROUND, contrast
from harmony_dash.cohort import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level, Released, Scope
from harmony_dash.disclosure.released import make_released
from harmony_dash.disclosure.results import EstimateAt, HazardRatio, IntervalType, SurvivalResult
from harmony_dash.disclosure.subgroup_results import (
    ArmCount,
    Finding,
    InteractionResult,
    Interval,
    LevelsTest,
    RowKind,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
    TreatmentInLevel,
)

AT = EstimateAt(1826, 0.91, 0.88, 0.93, 120)


def in_level(shrunken: Interval | None) -> TreatmentInLevel:
    return TreatmentInLevel(ArmCount("a", "standard", 200, 30), ArmCount("b", "reduced", 180, 40),
                            Interval(1.4, 0.9, 2.1), shrunken, Interval(-0.031, -0.09, 0.02))


def variable(number: int) -> SubgroupVariable:
    rows = [SubgroupRow("a", "negative", RowKind.LEVEL, 400, 60, AT, is_reference=True,
                        by_treatment=(in_level(Interval(1.2, 1.0, 1.5)),)),
            SubgroupRow("b", "positive", RowKind.LEVEL, 100, 30, AT, False, HazardRatio(1.9, 1.2, 3.0, 0.004), 0.02,
                        by_treatment=(in_level(Interval(1.3, 1.0, 1.7)),)),
            SubgroupRow("c", "not tested", RowKind.UNTESTED, 50, 10, AT),
            SubgroupRow("", "not recorded", RowKind.MISSING, None, None, None, reason="too few")]
    interaction = InteractionResult("standard", "reduced", LevelsTest(4.0, 1, 0.045, 0.3), 2, 3, True, True,
                                    Finding.EXPLORATORY)
    return SubgroupVariable(f"v{number}", f"Marker {number}", tuple(rows), "a",
                            LevelsTest(8.0, 1, 0.004, 0.02), Finding.PROGNOSTIC, (interaction,))


def table(variables: int, endpoint: str = "efs") -> Released[SubgroupsResult]:
    question = Question("ALL", endpoint)
    cohort = SurvivalResult(question=question, title="", snapshot="s", synthetic=True, n=500, groups=(), withheld=(),
                            log_rank=None, pairwise=(), gray=(), restricted_mean_differences=(), attrition=(),
                            exclusions=(), interval=IntervalType.LOG_LOG, notes=(), methods="", summary="")
    result = SubgroupsResult(SubgroupsQuestion(question, treatment="arm"), "", "s", True, cohort,
                             tuple(variable(number) for number in range(variables)), 5, 0, IntervalType.LOG_LOG, ())
    return make_released(result, Scope(Level.PROTECTED))


def texts(figure: go.Figure) -> list[str]:
    return [text for trace in figure.data if trace.mode == "text" for text in trace.text]


def test_a_variable_is_a_heading_and_its_levels_are_lines_under_it() -> None:
    lines = list_level_lines(table(1)).lines
    assert [line.kind for line in lines] == [LineKind.HEADING, LineKind.REFERENCE, LineKind.LEVEL, LineKind.GREY,
                                             LineKind.GREY]
    head, reference, level = lines[:3]
    assert head.cells[0] == "Marker 0"
    assert head.cells[3] == "interaction p = 0.045, q = 0.30"
    assert head.cells[5:] == ("0.004", "0.020")
    assert reference.cells == ("negative", "400", "60", "91 (88–93)", REFERENCE, "", "")
    assert level.cells == ("positive", "100", "30", "91 (88–93)", "1.90 (1.20–3.00)", "0.004", "0.020")


def test_untested_and_missing_are_grey_lines_of_their_own() -> None:
    grey = [line for line in list_level_lines(table(1)).lines if line.kind is LineKind.GREY]
    assert [line.cells[0] for line in grey] == ["not tested", "not recorded"]
    assert grey[0].cells[1:5] == ("50", "10", "91 (88–93)", "")
    assert grey[1].cells[1:5] == ("hidden", "hidden", "–", "too few")


def test_several_hidden_levels_share_a_line() -> None:
    released = table(1)
    hidden = SubgroupRow("x", "rare", RowKind.LEVEL, None, None, None, reason="too few")
    one = replace(released.value.variables[0], rows=(*released.value.variables[0].rows, hidden))
    lines = list_level_lines(make_released(replace(released.value, variables=(one,)), released.scope)).lines
    assert lines[-1].cells[0] == "2 levels with too few patients or none"


def test_squares_are_sized_by_what_the_limits_that_are_shown_tell() -> None:
    assert Mark(1, 0.5, 2).information > Mark(1, 0.25, 4).information > 0
    assert Mark(1, 1, 1).information == Mark(2, 0, math.inf).information == 0


@pytest.mark.parametrize("endpoint", ["efs", "relapse", "relapse_1km"])
def test_columns_say_what_is_estimated(endpoint: str) -> None:
    columns = list_level_lines(table(1, endpoint)).columns
    words = {"efs": "5 years % (95 % CI)", "relapse": "5 years %, cumulative incidence (95 % CI)",
             "relapse_1km": "5 years %, 1 − KM (95 % CI)"}
    assert columns[3] == words[endpoint]
    assert columns[4].startswith("Cause-specific" if endpoint == "relapse" else "HR")


@pytest.mark.parametrize("dark", [False, True])
def test_the_figure_is_valid_has_an_axis_in_words_and_fits_a_page(dark: bool) -> None:
    figure = build_forest_figure(table(15), dark=dark)
    go.Figure(figure.to_plotly_json())  # with Plotly's own check
    assert figure.layout.xaxis.type == "log"
    assert {note.text for note in figure.layout.annotations} >= {"← better", "worse →"}
    assert len(list_level_lines(table(15)).lines) == 75
    # A4 upright is 1.41 times as high as it is wide; 900 pixels are its width at this size of letters.
    assert figure.layout.height <= 900 * math.sqrt(2) + 40
    background = DARK_BACKGROUND if dark else LIGHT_BACKGROUND
    for trace in figure.data:
        if trace.mode == "text":
            assert contrast(trace.textfont.color, background) >= 4.5


def test_an_interval_beyond_the_axis_ends_in_an_arrow_and_an_infinite_one_breaks_nothing() -> None:
    released = table(1)
    rows = list(released.value.variables[0].rows)
    rows[1] = replace(rows[1], hazard_ratio=HazardRatio(3.0, 0.001, math.inf, 0.4))
    one = replace(released.value.variables[0], rows=tuple(rows))
    figure = build_forest_figure(make_released(replace(released.value, variables=(one,)), released.scope))
    (whisker,) = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert list(whisker.marker.symbol) == ["triangle-left", "triangle-right"]
    assert "3.00 (0.00–&gt;100)" in texts(figure)


def test_treatment_has_both_arms_raw_hollow_and_shrunken_filled() -> None:
    released = table(2)
    lines = list_treatment_lines(released)
    assert lines.columns[1:3] == ("standard (events/n)", "reduced (events/n)")
    assert (lines.better, lines.worse) == ("favours reduced", "favours standard")
    assert lines.lines[1].cells == ("negative", "30/200", "40/180", "−3.1 (−9.0 to +2.0)", "1.40 (0.90–2.10)",
                                    "1.20 (1.00–1.50)")
    figure = build_treatment_forest_figure(released, dark=True)
    go.Figure(figure.to_plotly_json())
    named = {trace.name: len(trace.x) for trace in figure.data if trace.name}
    assert named == {"hollow": 4, "filled": 4, "rows": 6}


def test_a_table_without_rows_is_an_empty_figure() -> None:
    for build in (build_forest_figure, build_treatment_forest_figure):
        assert not [trace for trace in build(table(0)).data if trace.mode != "text"]
