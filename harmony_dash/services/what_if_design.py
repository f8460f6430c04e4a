"""What models adjust for: variables turned into columns, nothing missing, with a word on how.

Numbers enter as they are or as their logarithm, with a curve where the events carry one. Categories are indicators
against the most common value; one with too few patients or events is joined with its neighbour in the dictionary's
order. Who has no value is told apart by an indicator, so that no patient is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.dictionary.model import UNTESTED, Variable
from harmony_dash.disclosure.what_if_diagnostics import MissingConfounder
from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.splines import place_knots
from harmony_dash.store.arm_rows import UNKNOWN, ArmRows
from harmony_dash.store.reader import Snapshot

Bools = NDArray[np.bool_]
Enough = Callable[[Bools], bool]
# A column about fewer patients would be about single ones, and one with fewer events has no finite estimate to rely on.
LEAST_IN_COLUMN: Final = 10
LEAST_EVENTS: Final = 5
# Of a marker that may change the effect, in each arm.
LEAST_EVENTS_IN_ARM: Final = 3
KNOTS: Final = 3
NOT_KNOWN: Final = ": not known"
AS_A_VALUE: Final = "'not known' as a value of its own"
FILLED_IN: Final = "filled in with the median, and an indicator that it is not known"


@dataclass(frozen=True)
class Design:
    """The columns of a model.

    Attributes
    ----------
    columns : shape (n, columns).
    names : of the columns.
    of_variable : variable to the positions of its columns.
    """

    columns: Floats
    names: tuple[str, ...]
    of_variable: Mapping[str, tuple[int, ...]]

    def without(self, variable: str) -> Design:
        """The same with one of the variables not recorded."""
        kept = [place for place in range(len(self.names)) if place not in self.of_variable.get(variable, ())]
        return Design(self.columns[:, kept], tuple(self.names[place] for place in kept), {})


def build_propensity_design(rows: ArmRows, snapshot: Snapshot, names: Sequence[str]) -> Design:
    """The columns that tell who was treated how. Categories are not joined because one arm lacks them: that is told."""
    return _build(rows, snapshot, names, curved=True, enough=lambda variable: _enough_patients)


def build_outcome_design(rows: ArmRows, snapshot: Snapshot, names: Sequence[str], *, event: Bools,
                         products: Sequence[str] = ()) -> Design:
    """The columns of a model of an event, with curves for numbers if there are events enough for them.

    Parameters
    ----------
    event : shape (n,); who had the event.
    products : variables whose columns enter a second time, as products with the arm.
    """
    def enough(variable: str) -> Enough:
        def holds(member: Bools) -> bool:
            in_arms = [int((member & event & (rows.arm == arm)).sum()) for arm in (0, 1)]
            return _enough_patients(member) and sum(in_arms) >= LEAST_EVENTS and (
                variable not in products or min(in_arms) >= LEAST_EVENTS_IN_ARM)
        return holds

    def affordable(design: Design) -> bool:
        parameters = 1 + len(design.names) + sum(len(design.of_variable[name]) for name in products)
        return int(event.sum()) >= EVENTS_PER_PARAMETER * parameters

    for curves in (True, False):
        design = _build(rows, snapshot, names, curved=curves, enough=enough)
        if affordable(design):
            return design
    return design


def build_affordable_design(rows: ArmRows, snapshot: Snapshot, names: Sequence[str], essential: Sequence[str], *,
                            event: Bools) -> Design:
    """The columns of a model of a rare event: all variables, the essential ones, or none if that is too many.

    Without columns arms are compared within strata alone; whether a value is known is nothing to adjust for by itself.
    """
    for chosen in (names, [name for name in names if name in essential]):
        design = build_outcome_design(rows, snapshot, chosen, event=event)
        if all(name.endswith(NOT_KNOWN) for name in design.names):
            break
        if int(event.sum()) >= EVENTS_PER_PARAMETER * (1 + len(design.names)):
            return design
    return Design(design.columns[:, :0], (), {})


def describe_missing(rows: ArmRows, snapshot: Snapshot, names: Sequence[str]) -> tuple[MissingConfounder, ...]:
    """Of every variable the share of patients without a value, and how they are treated."""
    variables = [snapshot.dictionary[name] for name in names]
    return tuple(MissingConfounder(one.name, one.label, float(is_unknown(rows, snapshot, one.name).mean()),
                                   AS_A_VALUE if one.is_categorical else FILLED_IN) for one in variables)


def is_unknown(rows: ArmRows, snapshot: Snapshot, name: str) -> Bools:
    """Who has no value of a variable: none recorded, or a test that gave no answer."""
    if name in rows.numbers:
        return np.isnan(rows.numbers[name])
    values = snapshot.values_of(snapshot.dictionary[name])
    untested = [place for place, value in enumerate(values) if value in UNTESTED]
    return np.isin(rows.codes[name], [UNKNOWN, *untested])


def make_patients(rows: ArmRows, design: Design, *, arms: tuple[str, str], strata: Sequence[str],
                  causes: Sequence[str], products: Sequence[str] = (), stratum: Ints | None = None) -> ArmPatients:
    """Rows and columns together, for the estimators; causes beyond the last named count as that one.

    Parameters
    ----------
    strata, stratum : names, and the position of each patient; in their trials when left out.
    """
    modifiers = [design.names[place] for name in products for place in design.of_variable.get(name, ())]
    return ArmPatients.from_rows(rows.day, np.minimum(rows.cause, len(causes)), rows.arm, design.columns, design.names,
                                 arms=arms, modifiers=modifiers, stratum=rows.stratum if stratum is None else stratum,
                                 strata=strata, causes=causes)


def _enough_patients(member: Bools) -> bool:
    return int(member.sum()) >= LEAST_IN_COLUMN


def _build(rows: ArmRows, snapshot: Snapshot, names: Sequence[str], *, curved: bool,
           enough: Callable[[str], Enough]) -> Design:
    columns: list[tuple[str, Floats]] = []
    of_variable: dict[str, tuple[int, ...]] = {}
    for name in names:
        variable, unknown = snapshot.dictionary[name], is_unknown(rows, snapshot, name)
        if name in rows.codes:
            values = snapshot.values_of(variable)
            left = rows.chosen.get(name, range(len(values)))
            offered = [place for place, value in enumerate(values) if value not in UNTESTED and place in left]
            made = _indicators(rows.codes[name], variable, values, offered, enough(name))
        else:
            made = _numbers(rows.numbers[name], unknown, variable, curved)
        if enough(name)(unknown):
            made.append((f"{variable.label}{NOT_KNOWN}", unknown.astype(np.float64)))
        made = [one for one in made if np.ptp(one[1]) > 0]
        of_variable[name] = tuple(range(len(columns), len(columns) + len(made)))
        columns += made
    together = np.column_stack([column for _, column in columns]) if columns else np.zeros((len(rows.day), 0))
    return Design(together, tuple(label for label, _ in columns), of_variable)


def _indicators(codes: Ints, variable: Variable, values: Sequence[str], offered: Sequence[int], enough: Enough,
                ) -> list[tuple[str, Floats]]:
    # Values that nobody has are joined like those of a few, so that a column's name does not tell them apart.
    groups = _join_small([[place] for place in offered], codes, enough)
    if len(groups) < 2:
        return []
    sizes = [int(np.isin(codes, group).sum()) for group in groups]
    reference = sizes.index(max(sizes))
    return [(f"{variable.label}: {' or '.join(variable.label_of(values[place]) for place in group)}",
             np.isin(codes, group).astype(np.float64)) for number, group in enumerate(groups) if number != reference]


def _join_small(groups: list[list[int]], codes: Ints, enough: Enough) -> list[list[int]]:
    """The groups of values, small ones joined with the smaller of their neighbours."""
    counts = np.bincount(codes[codes != UNKNOWN], minlength=1 + max((place for group in groups for place in group),
                                                                    default=0))

    def size(group: list[int]) -> int:
        return int(counts[group].sum())

    while len(groups) > 1:
        small = next((number for number, group in enumerate(groups)
                      if not size(group) or not enough(np.isin(codes, group))), None)
        if small is None:
            break
        beside = [number for number in (small - 1, small + 1) if 0 <= number < len(groups)]
        other = min(beside, key=lambda number: size(groups[number]))
        first, last = sorted((small, other))
        groups = [*groups[:first], groups[first] + groups[last], *groups[last + 1:]]
    return groups


def _numbers(values: Floats, unknown: Bools, variable: Variable, curved: bool) -> list[tuple[str, Floats]]:
    if unknown.all():
        return []
    name, x = variable.label, values
    if variable.log_scale:
        known = values[~unknown & (values > 0)]
        # A logarithm knows no 0; half the smallest value stands for it.
        least = float(known.min()) / 2 if len(known) else 1.0
        name = f"log {name[0].lower()}{name[1:]}"
        x = np.log(np.where(values > 0, values, least))
    filled = np.where(unknown, np.median(x[~unknown]), x)
    if curved:
        try:
            spline = place_knots(name, x[~unknown], KNOTS)
        except StatisticsError:
            return [(name, filled)]  # too few different values for a curve
        basis = spline.basis(filled)
        return [(label, basis[:, place]) for place, label in enumerate(spline.names)]
    return [(name, filled)]
