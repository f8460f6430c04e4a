"""The lines of a forest plot as words: what the figure draws, and its twin as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harmony_dash.charts.names import DAGGER
from harmony_dash.charts.numbers import (
    HIDDEN,
    NOTHING,
    format_p,
    format_part,
    format_percent_interval,
    name_time,
)
from harmony_dash.charts.ratios import REFERENCE, format_number, format_ratio, name_ratio
from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released, Scope
from harmony_dash.disclosure.subgroup_results import (
    InteractionResult,
    Interval,
    RowKind,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
    TreatmentInLevel,
)

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
    variable : whose line it is.
    tag : of a heading, what may be said of the variable.
    reason : why there is no comparison; it stands in one of the cells too.
    """

    kind: LineKind
    cells: tuple[str, ...]
    mark: Mark | None = None
    shrunken: Mark | None = None
    variable: str = ""
    tag: str = ""
    reason: str = ""


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
    lines: list[Line] = []
    for variable in result.variables:
        levels = [_level_line(row, released.scope) for row in variable.rows]
        lines += _of(variable, _head(variable), _join_small(levels, len(_level_columns(result, endpoint))))
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
               f"Difference at {name_time(result.question.at_days)}", "HR (95 % CI)", "Shrunken")
    lines: list[Line] = []
    for variable in result.variables:
        if len(variable.interactions) <= place:
            continue
        one = variable.interactions[place]
        words = ("", _words_of_test(one)) if one.test else (one.reason, "")
        head = Line(LineKind.HEADING, (variable.label, "", "", *words, ""),
                    tag=one.finding.value if one.test else "", reason="" if one.test else one.reason)
        lines += _of(variable, head, _join_small([_treatment_line(row, row.by_treatment[place]) for row in variable.rows
                                                  if len(row.by_treatment) > place], len(columns)))
    return ForestLines(columns, tuple(lines), f"favours {compared}", f"favours {reference}")


def _of(variable: SubgroupVariable, head: Line, lines: Iterator[Line]) -> Iterator[Line]:
    yield from (replace(line, variable=variable.variable) for line in (head, *lines))


def _level_columns(result: SubgroupsResult, endpoint: Endpoint) -> tuple[str, ...]:
    share = "%, cumulative incidence" if endpoint.competing else "%, 1 − KM" if endpoint.shown_as_failure else "%"
    at = f"{name_time(result.question.at_days)} {share} (95 % CI)"
    return ("", "n", "Events", at, name_ratio(endpoint), "p", "q")


def _head(variable: SubgroupVariable) -> Line:
    test = variable.test
    p, q = ("", "") if test is None else (format_p(test.p), "" if test.q is None else format_p(test.q))
    # Of one comparison of arms only: several do not fit in front of the axis, and each has a plot of its own.
    one = variable.interactions[0] if len(variable.interactions) == 1 else None
    interactions = _words_of_test(one) if one is not None and one.test is not None else ""
    reason = variable.reason if test is None else ""
    return Line(LineKind.HEADING, (variable.label, "", "", interactions, reason, p, q),
                tag=variable.finding.value if test else "", reason=reason)


def _words_of_test(one: InteractionResult) -> str:
    if one.test is None:
        return one.reason
    q = "" if one.test.q is None else f", q {_after(one.test.q)}"
    return f"interaction p {_after(one.test.p)}{q}"


def _after(p: float) -> str:
    words = format_p(p)
    return words if words.startswith("<") else f"= {words}"


def _name(row: SubgroupRow) -> str:
    return f"{row.name}\N{NO-BREAK SPACE}{DAGGER}" if row.own_question else row.name


def _level_line(row: SubgroupRow, scope: Scope) -> Line:
    counts = (_name(row), format_part(row.n), format_part(row.events), _share(row, scope))
    if row.is_reference:
        return Line(LineKind.REFERENCE, (*counts, REFERENCE, "", ""), Mark(1.0, 1.0, 1.0))
    if row.hazard_ratio is None:
        kind = LineKind.LEVEL if row.kind is RowKind.LEVEL and row.n is not None else LineKind.GREY
        reason = "" if row.kind is not RowKind.LEVEL and row.n is not None else row.reason
        return Line(kind, (*counts, reason, "", ""), reason=reason)
    q = "" if row.q is None else format_p(row.q)
    return Line(LineKind.LEVEL, (*counts, format_ratio(row.hazard_ratio), format_p(row.hazard_ratio.p), q),
                Mark(row.hazard_ratio.ratio, row.hazard_ratio.lower, row.hazard_ratio.upper))


def _treatment_line(row: SubgroupRow, found: TreatmentInLevel) -> Line:
    arms = [HIDDEN if arm.n is None or arm.events is None else f"{arm.events:,}/{arm.n:,}"
            for arm in (found.reference, found.compared)]
    ratio = found.hazard_ratio
    if ratio is None:
        return Line(LineKind.GREY, (_name(row), *arms, _points(found.difference), found.reason, ""),
                    reason=found.reason)
    shrunken = found.shrunken
    return Line(LineKind.LEVEL, (_name(row), *arms, _points(found.difference), format_interval(ratio),
                                 NOTHING if shrunken is None else format_interval(shrunken)),
                _mark(ratio), None if shrunken is None else _mark(shrunken))


def _join_small(lines: Sequence[Line], columns: int) -> Iterator[Line]:
    """The lines, with those of levels that are hidden or that nobody is in joined into one after the others."""
    hidden = [line for line in lines if line.mark is None and set(line.cells[1:3]) <= {HIDDEN, "0", "0/0"}]
    if len(hidden) < _FEW_TO_JOIN:
        yield from lines
        return
    yield from (line for line in lines if line not in hidden)
    yield Line(LineKind.GREY, (f"{len(hidden)} levels with too few patients or none", *("",) * (columns - 1)))


def _share(row: SubgroupRow, scope: Scope) -> str:
    if row.at is None or row.n is None:
        return NOTHING
    return format_percent_interval(row.at.estimate, row.at.lower, row.at.upper, precision_of(row.n, scope), unit=False)


def _points(difference: Interval | None) -> str:
    """Percentage points with their sign."""
    if difference is None:
        return NOTHING
    values = [100 * value for value in (difference.estimate, difference.lower, difference.upper)]
    return f"{values[0]:+.1f} ({values[1]:+.1f} to {values[2]:+.1f})".replace("-", "−")


def format_interval(interval: Interval) -> str:
    """A ratio of a treatment's effect, or a shrunken one, with its interval."""
    return f"{format_number(interval.estimate)} ({format_number(interval.lower)}–{format_number(interval.upper)})"


def _mark(ratio: Interval) -> Mark:
    return Mark(ratio.estimate, ratio.lower, ratio.upper)
