"""Who is in a snapshot, and what is recorded of them. A count of None is one that may not be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harmony_dash.disclosure.results import INTERNAL, FollowUpSupport

# Stands for the country or trial of patients who have none recorded.
NOT_STATED = "not stated"


@dataclass(frozen=True)
class CountCell:
    """A number of patients; None where it may not be shown."""

    labels: Mapping[str, str]
    n: int | None


@dataclass(frozen=True)
class CountTable:
    """Patients by one or more variables, `by`; a cell of each combination that could have patients."""

    by: tuple[str, ...]
    cells: tuple[CountCell, ...]


class Status(StrEnum):
    """What is known of one variable of one patient. Four different things, and none of them stands for another."""

    VALUE = "value"
    NEGATIVE = "tested, negative"
    FAILED = "failed"
    NOT_TESTED = "not tested"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StatusShare:
    """Share of a source's patients of whom this is known; None where it may not be shown."""

    part: Status
    share: float | None
    n: int | None = field(default=None, metadata=INTERNAL)


@dataclass(frozen=True)
class Completeness:
    """Share of a source's patients with a recorded value of a variable; None where it may not be shown.

    `parts` says more: of all patients, those with a value, those tested with a negative result, those whose test
    failed, those who were not tested, and those of whom nothing is known. Together they are all of them.
    """

    source: str
    variable: str
    label: str
    share: float | None
    nearly_all: bool = False  # recorded in all but a few patients; `share` is the least it can be
    parts: tuple[StatusShare, ...] = ()
    supplied: bool = True  # False where the source's description has no such variable


@dataclass(frozen=True)
class VariableMeaning:
    """What a variable is called, and a digest of its values, unit, bands and definition."""

    name: str
    label: str
    digest: str


@dataclass(frozen=True)
class SourceCoverage:
    """One source in the coverage table."""

    source: str
    title: str
    provider: str
    countries: tuple[str, ...]
    trial: str
    synthetic: bool
    accepted: int | None
    quarantined: int | None
    follow_up_median_days: float | None
    dx_periods: tuple[str, ...]
    follow_up_support: FollowUpSupport | None = field(default=None, metadata=INTERNAL)
    by_period: tuple[CountCell, ...] = field(default=(), metadata=INTERNAL)  # labels: dx_period


@dataclass(frozen=True)
class CoverageResult:
    """Who is in a snapshot."""

    snapshot: str
    synthetic: bool
    created: str
    disease: str
    n: int | None
    by_country: tuple[CountCell, ...]  # labels: country
    by_trial: tuple[CountCell, ...]  # labels: trial
    by_country_and_trial: tuple[CountCell, ...]  # labels: country, trial
    # What the others are sums of, labels: source, country, trial, dx_period; empty in a released result.
    atoms: tuple[CountCell, ...]
    sources: tuple[SourceCoverage, ...]
    completeness: tuple[Completeness, ...]
    follow_up_median_days: float | None
    methods: str
    follow_up_support: FollowUpSupport | None = field(default=None, metadata=INTERNAL)
    tables: tuple[CountTable, ...] = ()
    variables: tuple[VariableMeaning, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of the values of the tables' variables

    def table(self, *by: str) -> tuple[CountCell, ...]:
        """The cells of the table by these variables; none if there is no such table."""
        return next((table.cells for table in self.tables if table.by == by), ())

    def label_of(self, variable: str, value: str) -> str:
        """The words for a value."""
        return self.labels.get(variable, {}).get(value, value)
