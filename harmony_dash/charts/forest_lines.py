"""The lines of a forest plot as words: what the figure draws, and its twin as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harmony_dash.charts.numbers import (
    HIDDEN,
    NOTHING,
    format_p,
    format_part,
    format_percent_interval,
    name_time,
)
from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import EstimateAt
from harmony_dash.disclosure.subgroup_results import (
    HazardRatio,
    InteractionResult,
    Interval,
    RowKind,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
    TreatmentInLevel,
)

REFERENCE = "1 (reference)"
# So many levels that may not be shown stand in one line; a T-cell subtype in a table of B-cell leukaemia is no news.
_FEW_TO_JOIN = 2


class LineKind(StrEnum):
    """How a line is drawn."""

    HEADING = "heading"
    LEVEL = "level"
    REFERENCE = "reference"
    GREY = "grey"  # not tested, not recorded, or too few


@dataclass(frozen=True)
class Mark:
    """A point with its limits on the axis of hazard ratios."""

    ratio: float
    lower: float
    upper: float

    @property
    def information(self) -> float:
        """Inverse variance of the logarithm, from the limits as they are shown; 0 where they say nothing."""
        if not 0 < self.lower < self.upper < math.inf:
            return 0.0
        return (2 * 1.959964 / math.log(self.upper / self.lower)) ** 2


@dataclass(frozen=True)
class Line:
    """One line: its words by column, and what stands on the axis.

    Attributes
    ----------
    cells : as many as there are columns.
    mark : drawn hollow if there is a shrunken one too, else filled.
    shrunken : drawn filled.
    """

    kind: LineKind
    cells: tuple[str, ...]
    mark: Mark | None = None
    shrunken: Mark | None = None


@dataclass(frozen=True)
class ForestLines:
    """The columns and lines of one plot, and which way is which on its axis."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    better: str
    worse: str


def list_level_lines(released: Released[SubgroupsResult]) -> ForestLines:
    """Levels against their reference level."""
    result = released.value
    endpoint = endpoint_named(result.question.cohort.endpoint)
    lines = []
    for variable in result.variables:
        lines.append(_head(variable))
        lines += _join_small([_level_line(row) for row in variable.rows], len(_level_columns(result, endpoint)))
    return ForestLines(_level_columns(result, endpoint), tuple(lines), "better", "worse")


def list_treatment_lines(released: Released[SubgroupsResult], place: int = 0) -> ForestLines:
    """A treatment within levels.

    Parameters
    ----------
    place : which of the arms that are compared with the reference arm.
    """
    result = released.value
    found = [one for variable in result.variables for one in variable.interactions[place:place + 1]]
    reference, compared = (found[0].reference, found[0].compared) if found else ("", "")
    columns = ("", f"{reference} (events/n)", f"{compared} (events/n)",
               f"Difference at {name_time(result.question.at_days)}", "HR (95 % CI)", "Shrunken", "p")
    lines: list[Line] = []
    for variable in result.variables:
        if len(variable.interactions) <= place:
            continue
        lines.append(Line(LineKind.HEADING, (variable.label, "", "", "", _words_of_test(variable.interactions[place]),
                                             "", "")))
        lines += _join_small([_treatment_line(row, row.by_treatment[place]) for row in variable.rows
                              if len(row.by_treatment) > place], len(columns))
    return ForestLines(columns, tuple(lines), f"favours {compared}", f"favours {reference}")


def _level_columns(result: SubgroupsResult, endpoint: Endpoint) -> tuple[str, ...]:
    share = "%, cumulative incidence" if endpoint.competing else "%, 1 − KM" if endpoint.shown_as_failure else "%"
    ratio = "Cause-specific HR (95 % CI)" if endpoint.competing else "HR (95 % CI)"
    return ("", "n", "Events", f"{name_time(result.question.at_days)} {share} (95 % CI)", ratio, "p", "q")


def _head(variable: SubgroupVariable) -> Line:
    test = variable.test
    p, q = ("", "") if test is None else (format_p(test.p), "" if test.q is None else format_p(test.q))
    interactions = "; ".join(_words_of_test(one) for one in variable.interactions)
    return Line(LineKind.HEADING, (variable.label, "", "", interactions, variable.reason if test is None else "", p, q))


def _words_of_test(one: InteractionResult) -> str:
    if one.test is None:
        return one.reason
    q = "" if one.test.q is None else f", q {_after(one.test.q)}"
    return f"interaction p {_after(one.test.p)}{q}"


def _after(p: float) -> str:
    words = format_p(p)
    return words if words.startswith("<") else f"= {words}"


def _level_line(row: SubgroupRow) -> Line:
    counts = (row.name, format_part(row.n), format_part(row.events), _share(row.at))
    if row.is_reference:
        return Line(LineKind.REFERENCE, (*counts, REFERENCE, "", ""), Mark(1.0, 1.0, 1.0))
    if row.hazard_ratio is None:
        kind = LineKind.LEVEL if row.kind is RowKind.LEVEL and row.n is not None else LineKind.GREY
        return Line(kind, (*counts, "" if row.kind is not RowKind.LEVEL and row.n is not None else row.reason, "", ""))
    q = "" if row.q is None else format_p(row.q)
    return Line(LineKind.LEVEL, (*counts, format_ratio(row.hazard_ratio), format_p(row.hazard_ratio.p), q),
                _mark(row.hazard_ratio))


def _treatment_line(row: SubgroupRow, found: TreatmentInLevel) -> Line:
    arms = [HIDDEN if arm.n is None or arm.events is None else f"{arm.events:,}/{arm.n:,}"
            for arm in (found.reference, found.compared)]
    ratio = found.hazard_ratio
    if ratio is None:
        return Line(LineKind.GREY, (row.name, *arms, _points(found.difference), found.reason, "", ""))
    shrunken = found.shrunken
    return Line(LineKind.LEVEL, (row.name, *arms, _points(found.difference), format_ratio(ratio),
                                 NOTHING if shrunken is None else format_interval(shrunken), format_p(ratio.p)),
                _mark(ratio), None if shrunken is None else Mark(shrunken.estimate, shrunken.lower, shrunken.upper))


def _join_small(lines: Sequence[Line], columns: int) -> Iterator[Line]:
    """The lines, with those of levels that are hidden or that nobody is in joined into one after the others."""
    hidden = [line for line in lines if line.mark is None and set(line.cells[1:3]) <= {HIDDEN, "0", "0/0"}]
    if len(hidden) < _FEW_TO_JOIN:
        yield from lines
        return
    yield from (line for line in lines if line not in hidden)
    yield Line(LineKind.GREY, (f"{len(hidden)} levels with too few patients or none", *("",) * (columns - 1)))


def _share(at: EstimateAt | None) -> str:
    return NOTHING if at is None else format_percent_interval(at.estimate, at.lower, at.upper, unit=False)


def _points(difference: Interval | None) -> str:
    """Percentage points with their sign."""
    if difference is None:
        return NOTHING
    values = [100 * value for value in (difference.estimate, difference.lower, difference.upper)]
    return f"{values[0]:+.1f} ({values[1]:+.1f} to {values[2]:+.1f})".replace("-", "−")


def format_ratio(ratio: HazardRatio) -> str:
    """A hazard ratio with its interval."""
    return f"{_number(ratio.ratio)} ({_number(ratio.lower)}–{_number(ratio.upper)})"


def format_interval(interval: Interval) -> str:
    """A shrunken ratio with its interval."""
    return f"{_number(interval.estimate)} ({_number(interval.lower)}–{_number(interval.upper)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 100 else ">100"


def _mark(ratio: HazardRatio) -> Mark:
    return Mark(ratio.ratio, ratio.lower, ratio.upper)
