"""Contrast, formats and axis arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.charts.axes import choose_table_days, choose_ticks, nice_end, spread_labels, wrap_label
from harmony_dash.charts.numbers import (
    TimeUnit,
    format_percent,
    format_percent_interval,
    format_time_interval,
    name_length,
    name_time,
)
from harmony_dash.charts.palette import DARK, DARK_BACKGROUND, LIGHT, LIGHT_BACKGROUND, Palette, contrast
from harmony_dash.charts.thinning import thin_marks, thin_steps
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.precision import Precision, name_years


@pytest.mark.parametrize(("palette", "background"), [(LIGHT, LIGHT_BACKGROUND), (DARK, DARK_BACKGROUND)])
def test_marks_reach_three_to_one_and_words_four_and_a_half(palette: Palette, background: str) -> None:
    assert all(contrast(colour, background) >= 3 for colour in palette.marks)
    assert all(contrast(colour, background) >= 4.5 for colour in (*palette.words, palette.ink, palette.muted))


@pytest.mark.parametrize(("days", "words"), [(1826, "5 years"), (365, "1 year"), (1096, "3 years"), (183, "6 months"),
                                             (42, "day 42"), (3653, "10 years"), (90, "day 90")])
def test_times_are_named_in_the_largest_whole_unit(days: int, words: str) -> None:
    assert name_time(days) == words


def test_percentages_have_one_decimal_and_missing_ones_a_dash() -> None:
    assert format_percent(0.9123) == "91.2 %"
    assert format_percent(None) == format_percent(float("nan")) == "–"
    assert format_percent_interval(0.9123, 0.88, 0.934) == "91.2 % (88.0–93.4)"
    assert format_percent_interval(0.9123, None, None) == "91.2 %"


def test_a_median_that_is_not_reached_says_so() -> None:
    assert format_time_interval(None, None, None, TimeUnit.YEARS) == "not reached"
    assert format_time_interval(365.25 * 4.2, 365.25 * 3.9, None, TimeUnit.YEARS) == "4.2 (3.9–not reached)"
    assert format_time_interval(None, 365.25 * 3.9, None, TimeUnit.YEARS) == "not reached"


def test_a_median_that_the_horizon_cuts_off_is_beyond_it() -> None:
    years, days = TimeUnit.YEARS, 365.25
    assert format_time_interval(None, None, None, years, horizon=365) == "beyond 1 year"
    assert format_time_interval(None, None, None, TimeUnit.MONTHS, horizon=365) == "beyond 12 months"
    assert format_time_interval(4.2 * days, 3.9 * days, None, years, horizon=1826) == "4.2 (3.9–beyond 5 years)"
    assert format_time_interval(None, days, None, years, outward=True, horizon=1552) == (
        "not certain (1.0–beyond 4.25 years)")


@pytest.mark.parametrize(("days", "unit", "words"), [
    (1826, TimeUnit.YEARS, "5 years"), (1825, TimeUnit.YEARS, "5 years"), (365, TimeUnit.YEARS, "1 year"),
    (913, TimeUnit.YEARS, "2.5 years"), (1552, TimeUnit.YEARS, "4.25 years"), (822, TimeUnit.YEARS, "2.25 years"),
    (1552, TimeUnit.MONTHS, "51 months"), (100, TimeUnit.MONTHS, "3.3 months"), (1552, TimeUnit.DAYS, "1,552 days")])
def test_lengths_have_the_decimals_that_give_the_day_back(days: int, unit: TimeUnit, words: str) -> None:
    assert name_length(days, unit) == words


def test_every_quarter_of_a_year_is_named_exactly() -> None:
    assert [float(name_years(day).split()[0]) for day in GRID.tolist()] == [place / 4 for place in range(len(GRID))]


def test_a_protected_median_that_its_rounding_leaves_open_has_limits_alone() -> None:
    assert format_time_interval(None, 365.25, 730.5, TimeUnit.YEARS, outward=True) == "not certain (1.0–2.0)"
    assert format_time_interval(None, 365.25, None, TimeUnit.YEARS, outward=True) == "not certain (1.0–not reached)"
    assert format_time_interval(None, None, None, TimeUnit.YEARS, outward=True) == "not reached"


def test_small_groups_have_whole_per_cents_and_limits_that_go_outward() -> None:
    coarse = Precision(0, 0.025)
    assert format_percent(0.9123, coarse) == "91 %"
    assert format_percent_interval(0.9123, 0.8849, 0.9301, coarse) == "91 % (88–94)"
    assert format_percent_interval(0.9123, None, 0.9301, coarse) == "91 %"
    assert format_percent(None, coarse) == "–"


@pytest.mark.parametrize(("days", "lower", "upper", "unit", "words"), [
    (1500, 1477, 1498, TimeUnit.YEARS, "4.1 (4.0–4.2)"), (365.25, 365.25, 365.25, TimeUnit.YEARS, "1.0 (1.0–1.0)"),
    (487, 334.8125, None, TimeUnit.MONTHS, "16 (11–not reached)"), (10, 3, 16, TimeUnit.DAYS, "10 (3–16)")])
def test_protected_times_are_printed_no_narrower_than_they_are(days: float, lower: float, upper: float | None,
                                                              unit: TimeUnit, words: str) -> None:
    assert format_time_interval(days, lower, upper, unit, outward=True) == words


def test_ticks_never_crowd() -> None:
    for end in (0.4, 1.0, 5.0, 9.99, 10.7, 15.0, 40.0, 60.0):
        assert len(choose_ticks(end, TimeUnit.YEARS)) <= 12
        assert len(choose_ticks(end * 12, TimeUnit.MONTHS)) <= 12
    assert choose_ticks(9.993, TimeUnit.YEARS)[-1] == 10.0


def test_table_columns_stand_under_ticks_or_are_thinned() -> None:
    for end in (5, 10, 15, 21):
        days = tuple(round(365.25 * year) for year in range(end + 1))
        ticks = choose_ticks(float(end), TimeUnit.YEARS)
        columns = [round(day / 365.25) for day in choose_table_days(days, float(end), TimeUnit.YEARS, ticks)]
        assert set(columns) <= set(ticks)
        assert 3 <= len(columns) <= 7


def test_percentage_axes_leave_room() -> None:
    assert [nice_end(share) for share in (0.05, 0.099, 0.35, 0.9)] == [0.1, 0.2, 0.4, 1.0]


def test_labels_keep_order_and_distance_inside_the_plot() -> None:
    placed = spread_labels([100, 101, 102, 399], [30, 30, 30, 30], 0, 400)
    assert np.all(np.diff(placed) >= 30 - 1e-9)
    assert placed[-1] <= 385
    assert spread_labels([50, 200], [30, 30], 0, 400) == [50, 200]
    assert np.all(np.diff(spread_labels([5.0] * 20, [30.0] * 20, 0, 400)) > 0)


def test_long_names_are_wrapped_and_shortened() -> None:
    assert wrap_label("MRD failure (0.01 % or more)", 22) == ["MRD failure (0.01 % or", "more)"]
    assert wrap_label("word " * 40, 20, 2)[-1].endswith("…")
    assert wrap_label("") == [""]


def test_thinning_keeps_ends_landmarks_and_height() -> None:
    values = np.linspace(1, 0.4, 10_000)
    kept = thin_steps(values, 0.001, keep=(5000,))
    assert {0, 5000, 9999} <= set(kept.tolist())
    assert len(kept) < 620
    assert np.abs(np.diff(values[kept])).max() <= 0.002
    assert len(thin_marks(np.linspace(0, 1, 5000), 0.01)) == 101
