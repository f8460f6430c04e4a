"""How a forest plot draws a line: stacked on a narrow page, long words cut, found wherever it is clicked."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from harmony_dash.charts.forest import build_forest_figure, build_treatment_forest_figure
from harmony_dash.charts.forest_lines import list_level_lines, list_treatment_lines
from harmony_dash.charts.palette import DARK_BACKGROUND, LIGHT_BACKGROUND, contrast
from harmony_dash.disclosure import Released
from harmony_dash.disclosure.released import make_released
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from tests.unit.charts.test_forest_figure import table, texts

LONG = "fewer than 100 patients, and the filter 'immunophenotype: B-cell precursor' changes fewer than 10 of them"


def with_first_row(**changes: object) -> Released[SubgroupsResult]:
    """The table of one variable with its second level changed."""
    released = table(1)
    variable = released.value.variables[0]
    rows = (variable.rows[0], replace(variable.rows[1], **changes), *variable.rows[2:])
    return make_released(replace(released.value, variables=(replace(variable, rows=rows),)), released.scope)


@pytest.mark.parametrize("dark", [False, True])
def test_a_narrow_plot_stacks_the_words_of_a_line_under_its_name(dark: bool) -> None:
    figure = build_forest_figure(table(2), dark=dark, narrow=True)
    go.Figure(figure.to_plotly_json())  # with Plotly's own check
    cells = list_level_lines(table(2)).lines[2].cells
    before, beside = (f"\u2002{' · '.join(part)}" for part in (cells[1:4], cells[4:]))
    assert {before, beside} <= set(texts(figure))
    assert "n · Events · 5 years % (95 % CI)" in {note.text for note in figure.layout.annotations}
    name, below = (next(trace.y[list(trace.text).index(text)] for trace in figure.data if trace.mode == "text"
                        and text in trace.text) for text in ("\u2002positive", before))
    assert 1.5 < name < 2 < below < 2.5
    background = DARK_BACKGROUND if dark else LIGHT_BACKGROUND
    assert all(contrast(trace.textfont.color, background) >= 4.5 for trace in figure.data if trace.mode == "text")


def test_a_narrow_plot_of_a_treatment_has_the_same_words() -> None:
    wide, narrow = (build_treatment_forest_figure(table(2), narrow=narrow) for narrow in (False, True))
    assert narrow.layout.height > wide.layout.height
    stacked = " ".join(texts(narrow))
    assert all(text in stacked for text in texts(wide))


@pytest.mark.parametrize("narrow", [False, True])
def test_the_pointer_finds_every_line_by_its_place(narrow: bool) -> None:
    lines = list_level_lines(table(2)).lines
    (rows,) = [trace for trace in build_forest_figure(table(2), narrow=narrow).data if trace.name == "rows"]
    assert list(rows.y) == list(range(len(lines)))
    assert [line.variable for line in lines] == ["v0"] * 5 + ["v1"] * 5
    assert rows.text[0] == "Marker 0"
    assert rows.text[2] == "Marker 0: positive"


def test_a_long_reason_is_cut_beside_the_axis_and_whole_beside_the_pointer_and_in_the_table() -> None:
    released = with_first_row(hazard_ratio=None, q=None, reason=LONG)
    figure = build_forest_figure(released)
    assert not [text for text in texts(figure) if LONG in text]
    assert [text for text in texts(figure) if text.startswith("fewer than 100 patients") and text.endswith("…")]
    (rows,) = [trace for trace in figure.data if trace.name == "rows"]
    assert rows.text[2].replace("<br>", " ").endswith(LONG)
    assert LONG in [words for line in list_level_lines(released).lines for words in line.cells]


def test_a_level_that_answers_a_wider_question_has_a_dagger() -> None:
    released = with_first_row(own_question=True)
    for lines in (list_level_lines(released), list_treatment_lines(released)):
        assert [line.cells[0] for line in lines.lines if "†" in line.cells[0]] == ["positive\N{NO-BREAK SPACE}†"]


def test_headings_say_what_may_be_said() -> None:
    released = table(1)
    assert list_level_lines(released).lines[0].tag == "prognostic"
    assert list_treatment_lines(released).lines[0].tag == "exploratory"
    untested = replace(released.value.variables[0], test=None, reason="too few events")
    line = list_level_lines(make_released(replace(released.value, variables=(untested,)), released.scope)).lines[0]
    assert (line.tag, line.cells[4]) == ("", "too few events")


def test_interactions_of_several_arms_stand_in_their_own_plots_alone() -> None:
    released = table(1)
    variable = released.value.variables[0]
    twice = replace(variable, interactions=variable.interactions * 2)
    line = list_level_lines(make_released(replace(released.value, variables=(twice,)), released.scope)).lines[0]
    assert line.cells[3] == ""
