"""Figures of treatment comparisons: what they show, and what they must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from harmony_dash.charts.palette import palette_for
from harmony_dash.charts.what_if_curves import build_strategy_figure, describe_strategies
from harmony_dash.charts.what_if_differences import (
    build_effects_figure,
    build_methods_figure,
    describe_effects,
    describe_methods,
    list_effect_lines,
    list_method_lines,
)
from harmony_dash.charts.what_if_support import (
    build_balance_figure,
    build_overlap_figure,
    describe_balance,
    describe_overlap,
)
from harmony_dash.charts.what_if_words import contrast_of, describe_off, format_mean_difference
from harmony_dash.disclosure.released import Level
from harmony_dash.disclosure.what_if_diagnostics import Balance
from harmony_dash.disclosure.what_if_results import RANDOMISED, Contrast, Measure, Method, WhatIfResult
from tests.unit.charts.what_if_factories import (
    HORIZON,
    make_amber,
    make_between_protocols,
    make_patients,
    make_randomised,
    make_refused,
    make_what_if,
    release,
)

FIGURES: tuple[Callable[..., go.Figure], ...] = (build_strategy_figure, build_methods_figure, build_effects_figure,
                                                 build_balance_figure, build_overlap_figure)
RESULTS = (make_what_if, make_amber, make_refused, make_between_protocols, make_randomised)


def lines_of(figure: go.Figure) -> list[Any]:
    """The curves: lines with a name."""
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines" and trace.name]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("make", RESULTS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("build", FIGURES, ids=lambda build: build.__name__)
def test_every_figure_is_one_that_plotly_accepts(build: Callable[..., go.Figure], make: Callable[[], WhatIfResult],
                                                 dark: bool) -> None:
    figure = build(release(make()), dark=dark)
    assert go.Figure(figure.to_dict()).layout.height > 60


def test_all_three_outcomes_are_drawn_and_method_a_alone_has_a_band() -> None:
    figure = build_strategy_figure(release(make_what_if()))
    by_axis = {axis: [line for line in lines_of(figure) if line.yaxis == axis] for axis in ("y", "y2", "y3")}
    assert [len(lines) for lines in by_axis.values()] == [6, 2, 2]
    assert sorted(line.line.dash or "solid" for line in by_axis["y"]) == ["dash", "dash", "dot", "dot", "solid",
                                                                          "solid"]
    assert sum(trace.fill == "tonexty" for trace in figure.data) == 6
    heads = " ".join(note.text for note in figure.layout.annotations)
    assert "Relapse" in heads and "Death in remission" in heads and "−3.9 points at 5 years" in heads


def test_the_plain_curves_of_an_answer_are_not_drawn_among_its_curves() -> None:
    released = release(make_what_if())
    figure = build_strategy_figure(released)
    assert any(one.method is Method.PLAIN for one in released.value.curves)
    assert lines_of(figure)
    assert not any("Plain" in line.name for line in lines_of(figure))


def test_curves_between_protocols_are_grey_and_can_be_told_apart() -> None:
    figure = build_strategy_figure(release(make_between_protocols()))
    lines, grey = lines_of(figure), palette_for(False).muted
    assert {line.line.color for line in lines} == {grey}
    assert {line.line.dash for line in lines} == {None, "dash"}
    assert not any("points" in note.text for note in figure.layout.annotations)


def test_an_outcome_without_curves_says_why() -> None:
    result = make_what_if()
    patients = tuple(replace(one, reason="fewer than 30 patients in an arm") if one.outcome == "death_in_cr" else one
                     for one in result.patients)
    curves = tuple(one for one in result.curves if one.outcome != "death_in_cr")
    figure = build_strategy_figure(release(replace(result, patients=patients, curves=curves)))
    assert any("Fewer than 30 patients" in note.text.replace("<br>", " ") for note in figure.layout.annotations)


def test_the_randomised_curves_have_a_figure_of_their_own() -> None:
    figure = build_strategy_figure(release(make_randomised()), population=RANDOMISED)
    assert len(lines_of(figure)) == 6
    assert all(line.line.dash is None for line in lines_of(figure))


def test_methods_stand_in_order_and_the_plain_comparison_is_grey_and_last() -> None:
    lines = list_method_lines(release(make_randomised()))
    first = [line for line in lines if line.words][:5]
    assert [line.label[:5] for line in first] == ["As ra", "A  St", "B  Do", "C  We", "Plain"]
    assert [line.is_grey for line in first] == [False, False, False, False, True]
    assert first[1].words == "−3.9 (−7.3 to −0.6)"
    assert [line.label for line in lines if line.is_heading] == ["Event-free survival", "Relapse", "Death in remission"]


def test_the_name_of_a_randomisation_is_not_cut_off() -> None:
    found = make_randomised()
    named = replace(found, contrasts=tuple(
        replace(one, randomisation="Delayed intensification, standard risk") if one.method is Method.RANDOMISED else one
        for one in found.contrasts))
    figure = build_methods_figure(release(named))
    words = [text.replace("<br>\u2002", " ") for trace in figure.data if trace.mode == "text" for text in trace.text]
    assert "\u2002As randomised, Delayed intensification, standard risk" in words
    assert figure.layout.height > build_methods_figure(release(found)).layout.height


def test_every_estimate_lies_on_the_axis() -> None:
    far = make_what_if(contrasts=(Contrast(Method.STANDARDISED, Measure.SURVIVAL, "efs", HORIZON, -0.33, -0.6, 0.1),))
    low, high = build_methods_figure(release(far)).layout.xaxis.range
    assert low <= -60 and high >= 60


def test_a_level_without_a_difference_has_no_dot() -> None:
    released = release(make_what_if())
    good, high = (line for line in list_effect_lines(released) if not line.is_heading)
    assert good.words == "−0.1 (−3.0 to +3.0)"
    assert high.estimate is None and high.is_grey
    dots = [trace for trace in build_effects_figure(released).data if trace.mode == "markers"]
    assert len(dots) == 1


def test_the_balance_has_a_line_at_a_tenth_and_absolute_differences() -> None:
    figure = build_balance_figure(release(make_what_if()))
    assert [shape.x0 for shape in figure.layout.shapes] == [0.1]
    before, after = (trace for trace in figure.data if trace.mode == "markers")
    assert list(before.x) == [0.52, 0.3] and list(after.x) == [0.04, 0.12]


def test_weighted_differences_of_which_only_a_limit_is_told_are_bars_up_to_it() -> None:
    limits = (("alike", 0.1), ("nearly", 0.2), ("unlike", None))
    balance = tuple(Balance(name, 0.3 - 0.1 * place, None, after_below=below)
                    for place, (name, below) in enumerate(limits))
    result = make_what_if()
    diagnostics = replace(result.diagnostics, balance=balance, common_support=0.9, support_is_bound=True)
    released = release(replace(result, diagnostics=diagnostics))
    figure = build_balance_figure(released)
    (bars,) = (trace for trace in figure.data if trace.mode == "lines" and trace.name == "weighted, between")
    spans = [(first, second) for first, second, _ in zip(*[iter(bars.x)] * 3, strict=True)]
    assert spans[:2] == [(0, 0.1), (0.1, 0.2)] and spans[2][0] == 0.2 < spans[2][1]
    assert "weighted: below 0.1" in figure.data[2].customdata[0]
    words = describe_balance(released)
    assert words.index("unlike 0.10 before, 0.2 or more weighted") < words.index("alike 0.30 before, below 0.1 weig")
    assert describe_overlap(released).endswith("At least 90 % of the patients lie where both arms have some.")


def test_hidden_bins_of_the_overlap_stay_empty_and_arms_point_apart() -> None:
    compared, reference = build_overlap_figure(release(make_what_if())).data
    assert reference.y[0] is None and all(value < 0 for value in reference.y[1:])
    assert all(value > 0 for value in compared.y)


def test_figures_have_words_for_people_who_do_not_see_them() -> None:
    released = release(make_what_if())
    assert "Event-free survival at 5 years: standard 92.0 %, reduced 88.0 %" in describe_strategies(released)
    assert "A  Standardised −3.9 (−7.3 to −0.6)" in describe_methods(released)
    assert "high risk not shown" in describe_effects(released)
    assert "97 % of the patients" in describe_overlap(released)
    assert "log white cell count 0.30 before, 0.12 weighted" in describe_balance(released)


def test_a_missing_contrast_is_none() -> None:
    result = make_what_if()
    assert contrast_of(result, Method.WEIGHTED, Measure.INCIDENCE, "relapse") is None
    assert contrast_of(result, None, Measure.SURVIVAL, "efs") is None


def test_mean_differences_are_in_months_and_protected_limits_go_outward() -> None:
    mean = contrast_of(make_what_if(), Method.STANDARDISED, Measure.RESTRICTED_MEAN, "efs")
    assert mean is not None
    assert format_mean_difference(mean, outward=False) == "−1.2 (−2.0 to −0.4)"
    assert format_mean_difference(mean, outward=True) == "−1.2 (−2.1 to −0.3)"
    assert format_mean_difference(replace(mean, lower=None), outward=True) == "−1.2"


def test_what_protection_did_to_a_difference_is_twice_what_it_did_to_a_share() -> None:
    assert describe_off(release(make_what_if()), "efs", "observed") == (
        "Protected: differences may be off by up to ±0.7 points. Curves are rounded by themselves: take the difference "
        "from the numbers above, not from the curves.")
    hidden = tuple(replace(one, arms=(replace(one.arms[0], n=None), one.arms[1])) for one in make_patients())
    assert "±" in describe_off(release(make_what_if(patients=hidden)), "efs", "observed")
    assert describe_off(release(make_what_if(), Level.EXACT), "efs", "observed") == ""
