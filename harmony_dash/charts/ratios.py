"""Hazard ratios as people read them, alike on every page."""

from __future__ import annotations

from typing import Final

from harmony_dash.charts.numbers import NOTHING
from harmony_dash.cohort.endpoints import Endpoint
from harmony_dash.disclosure.results import GroupResult, HazardRatio, SurvivalResult

REFERENCE: Final = "1 (reference)"
# A ratio beyond it says no more than that it is large.
_MOST: Final = 100


def name_ratio(endpoint: Endpoint) -> str:
    """The head of a column of hazard ratios; with competing causes the others are censored."""
    return "Cause-specific HR (95 % CI)" if endpoint.competing else "HR (95 % CI)"


def format_ratio(ratio: HazardRatio) -> str:
    """A hazard ratio with its interval, "1.42 (1.05–1.92)"."""
    return f"{format_number(ratio.ratio)} ({format_number(ratio.lower)}–{format_number(ratio.upper)})"


def format_number(value: float) -> str:
    """A ratio with two decimals."""
    return f"{value:.2f}" if value < _MOST else f">{_MOST}"


def format_group_ratio(group: GroupResult, result: SurvivalResult) -> str:
    """The ratio of a group of a survival result, or that it is the reference."""
    if result.reference and group.name == result.reference:
        return REFERENCE
    return NOTHING if group.hazard_ratio is None else format_ratio(group.hazard_ratio)
