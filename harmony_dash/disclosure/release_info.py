"""What the served snapshot holds, and what each choice in the cohort panel would leave of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harmony_dash.dictionary.model import Dictionary


@dataclass(frozen=True)
class CohortChoices:
    """What each choice in the cohort panel would leave.

    A count of None is small and hidden, unless `withheld` or `not_counted` names it.

    Attributes
    ----------
    total : patients who meet every filter; None also where the question itself gets no answer.
    counts : variable to value to the patients that the question would have with this value as its filter on the
        variable.
    missing : variable to patients whose value is not recorded, counted likewise.
    withheld : variable to values whose count, None although it is not small, would give a small one away.
    not_counted : variable to values without a count because the question with this value would get no answer, or too
        many variables were asked for; the empty value stands for "not recorded".
    """

    total: int | None
    counts: Mapping[str, Mapping[str, int | None]]
    missing: Mapping[str, int | None]
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)
    not_counted: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DiseaseInfo:
    """One disease of a release."""

    label: str
    n: int | None
    countries: int
    sources: int


@dataclass(frozen=True)
class ReleaseInfo:
    """What the served snapshot holds, in a few numbers."""

    snapshot: str
    created: str
    synthetic: bool
    diseases: Mapping[str, DiseaseInfo]
    dictionary: Dictionary
    code_values: Mapping[str, tuple[str, ...]]  # values of open codes (trial, arm) found in the data
