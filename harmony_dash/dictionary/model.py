"""What a harmonised variable is, and the checks that keep a dictionary consistent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

NAME = re.compile(r"^[a-z][a-z0-9_]{0,47}$")

# Values that say that a test gave no answer; they are never read as negative.
UNTESTED = frozenset({"failed", "not_done", "indeterminate"})

YES_NO = MappingProxyType({"no": "No", "yes": "Yes"})


class VariableType(StrEnum):
    """How a variable is stored and filtered."""

    CATEGORY = "category"  # closed list of values, stored as ENUM in the order of the dictionary
    YES_NO = "yes_no"  # a category whose values are no and yes
    CODE = "code"  # open list of short codes (trial, arm), the values are those found at ingest
    INTEGER = "integer"
    NUMBER = "number"
    DAYS = "days"  # whole days counted from diagnosis (or the source's own day 0)
    IDENTIFIER = "identifier"  # replaced by a keyed hash at ingest; never a filter, never shown


CATEGORICAL = frozenset({VariableType.CATEGORY, VariableType.YES_NO, VariableType.CODE})
NUMERIC = frozenset({VariableType.INTEGER, VariableType.NUMBER, VariableType.DAYS})


class TimePoint(StrEnum):
    """When the value of a variable becomes known."""

    BASELINE = "baseline"
    DAY_8 = "day_8"
    DAY_15 = "day_15"
    END_OF_INDUCTION = "end_of_induction"
    END_OF_CONSOLIDATION = "end_of_consolidation"
    LATER = "later"  # no fixed day: only usable together with a landmark the person chose
    OUTCOME = "outcome"  # part of the event record: never a filter or a grouping


# The latest protocol day at which each time point is reached (domain: UK 29, BFM 33, FRALLE 35-42; week 11, 78, 79).
# Grouping by a value known at that point is only fair among patients still followed on that day.
KNOWN_DAY: Mapping[TimePoint, int] = MappingProxyType({
    TimePoint.BASELINE: 0,
    TimePoint.DAY_8: 8,
    TimePoint.DAY_15: 15,
    TimePoint.END_OF_INDUCTION: 42,
    TimePoint.END_OF_CONSOLIDATION: 90,
})


# The sections of variables that tell of providers and treatments; outcomes that differ with them are no prognosis.
CIRCUMSTANCES = frozenset({"Origin", "Treatment"})


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Variable:
    """One harmonised variable.

    Attributes
    ----------
    name, label : column name and the words a person reads.
    section : heading under which forms and documentation list it.
    type : see `VariableType`.
    unit : canonical unit of a number, empty for categories.
    units : accepted source units and the factor that turns them into `unit`.
    values : permissible values and their labels, in display order; empty for open or numeric types.
    lower, upper : permissible range, both ends included; a value outside it quarantines the row.
    flag_above : values above it are kept and reported.
    bands : ascending edges at which protected filters on a number may cut.
    measured : when the value is known.
    day_variable : the variable that holds the day on which this one became known, if it varies per patient.
    until_then : the value before that day ("no" until a transplant); empty if there is none before it.
    until_first_event : it can only happen before the first event, so whoever had one is in none of its groups.
    asked : False for a number that filters would misread (a limit of detection).
    required : a row without it is quarantined.
    kept : stored with the patient; False for values only needed while harmonising (a diagnosis year).
    derived : name of the derivation that computes it; a source may not supply it.
    everyday : shown among the first filters.
    sensitive : low, medium or high disclosure weight.
    quasi_identifier : something people know of each other; the anonymity report counts patients who share all of them.
    generalise_to : the category that stands for a quasi-identifier in protected questions; empty for itself.
    instead_of : the quasi-identifier this one may stand in for; an accepted grain has one of the two.
    subgroup_default : offered as a row of the table of subgroups, if the filters leave only patients with these values
        of other variables, e.g. {"immunophenotype": ("B",)}; empty for every cohort. None if it is not offered.
    confounder : "essential" if a comparison of treatments cannot do without it, "usual" if it is only adjusted for by
        default; empty for others. What holds only for some patients says so in `subgroup_default`.
    log_scale : a number whose logarithm enters models.
    codes : terminology codes, e.g. {"LOINC": "6690-2"}.
    verified : False when the definition still awaits a check against its paper.
    definition : one or two sentences for documentation and hover help.
    diseases : disease codes it belongs to; empty means every disease.
    """

    name: str
    label: str
    section: str
    type: VariableType
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=_empty)
    values: Mapping[str, str] = field(default_factory=_empty)
    lower: float | None = None
    upper: float | None = None
    flag_above: float | None = None
    bands: tuple[float, ...] = ()
    measured: TimePoint = TimePoint.BASELINE
    day_variable: str = ""
    until_then: str = ""
    until_first_event: bool = False
    asked: bool = True
    required: bool = False
    kept: bool = True
    derived: str = ""
    everyday: bool = False
    sensitive: str = "low"
    quasi_identifier: bool = False
    generalise_to: str = ""
    instead_of: str = ""
    subgroup_default: Mapping[str, tuple[str, ...]] | None = None
    confounder: str = ""
    log_scale: bool = False
    codes: Mapping[str, str] = field(default_factory=_empty)
    verified: bool = True
    definition: str = ""
    diseases: frozenset[str] = frozenset()

    @property
    def is_categorical(self) -> bool:
        """Whether the variable can group patients."""
        return self.type in CATEGORICAL

    @property
    def is_numeric(self) -> bool:
        """Whether the variable is a number."""
        return self.type in NUMERIC

    @property
    def is_askable(self) -> bool:
        """Whether a question may filter or group by it."""
        hidden = self.measured is TimePoint.OUTCOME or self.type is VariableType.IDENTIFIER
        return self.kept and self.asked and not hidden

    @property
    def is_circumstance(self) -> bool:
        """Whether it says where, when or how patients were treated, and nothing of them or their disease."""
        return self.section in CIRCUMSTANCES

    def label_of(self, value: str) -> str:
        """The words for one of its values; the value itself for open codes."""
        return self.values.get(value, value)


@dataclass(frozen=True)
class Disease:
    """A disease the dictionary covers."""

    code: str
    label: str
    adjective: str = ""


@dataclass(frozen=True)
class Dictionary:
    """All variables and diseases of a deployment, with a version that changes when any of them does."""

    diseases: Mapping[str, Disease]
    variables: Mapping[str, Variable]
    version: str

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def for_disease(self, disease: str) -> tuple[Variable, ...]:
        """The variables that exist for a disease, in dictionary order."""
        return tuple(v for v in self.variables.values() if not v.diseases or disease in v.diseases)

    def askable(self, disease: str) -> tuple[Variable, ...]:
        """The variables a question about a disease may filter by."""
        return tuple(v for v in self.for_disease(disease) if v.is_askable)

    @property
    def kept(self) -> tuple[Variable, ...]:
        """The variables stored with each patient."""
        return tuple(v for v in self.variables.values() if v.kept)
