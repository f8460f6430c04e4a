"""Who is in a cohort, by group (Table 1), and outcomes by two variables at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.results import INTERNAL, EstimateAt, GroupResult, IntervalType


@dataclass(frozen=True)
class Quartiles:
    """A number's distribution in one group: patients with a value, median and quartiles, mean and standard deviation of
    the values drawn in to the first and ninety-ninth percentile.

    Attributes
    ----------
    n : None where it may not be shown beside the group's size, because it would tell how many have no value.
    missing : patients without a value; None where that question gets no answer. What protection needs.
    """

    n: int | None
    median: float | None
    lower: float | None
    upper: float | None
    mean: float | None = None
    deviation: float | None = None
    missing: int | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class TableOneGroup:
    """One column: a group's size, the patients of every value, and its numbers.

    Attributes
    ----------
    value : of the grouping; empty for everybody.
    choices : patients by variable and value, and without a value; None where the group may not be described.
    """

    value: str
    name: str
    n: int | None
    choices: CohortChoices | None
    quartiles: Mapping[str, Quartiles]
    reason: str = ""


@dataclass(frozen=True)
class TableOneVariable:
    """One block of rows.

    Attributes
    ----------
    values : value to its words, in order; empty for a number.
    unit : of a number.
    difference : the largest standardised difference between two groups; None where it is not known, or where rounding
        of the numbers shown could move it too far.
    """

    variable: str
    label: str
    values: Mapping[str, str]
    unit: str = ""
    difference: float | None = None


@dataclass(frozen=True)
class TableOne:
    """Who is in the cohort, by group. It has no p-values: whether groups differ by chance is not what it asks."""

    question: Question
    title: str
    snapshot: str
    synthetic: bool
    groups: tuple[TableOneGroup, ...]
    variables: tuple[TableOneVariable, ...]
    notes: tuple[str, ...]
    methods: str = ""


@dataclass(frozen=True)
class MapCell:
    """Patients with one value of each of two variables."""

    row: str
    column: str
    n: int | None
    events: int | None
    at: EstimateAt | None
    reason: str = ""
    group: GroupResult | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class OutcomeMap:
    """Outcome by two variables, for example genetic subtype and residual disease.

    Attributes
    ----------
    rows, columns : value to its words, in order.
    row_label, column_label : of the two variables.
    cells : column by column, each in the order of the rows.
    """

    question: Question
    row_variable: str
    column_variable: str
    row_label: str
    column_label: str
    rows: Mapping[str, str]
    columns: Mapping[str, str]
    cells: tuple[MapCell, ...]
    at_days: int
    title: str
    snapshot: str
    synthetic: bool
    interval: IntervalType
    notes: tuple[str, ...]
    methods: str = ""
