"""`release(result, scope)`: the one gate through which a result leaves.

At the levels public and protected counts are rounded by the keys of the patients they count, small ones are hidden with
what would give them away, curves are read on a quarterly grid and rounded, groups without enough patients or events are
withheld. At the levels exact and off only the keys are taken off. The rules and their reasons are in `policy`.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import singledispatch
from typing import Any, TypeVar

from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.protect_counts import protect_choices, protect_release_info
from harmony_dash.disclosure.protect_coverage import protect_coverage
from harmony_dash.disclosure.protect_descriptions import protect_outcome_map, protect_table_one
from harmony_dash.disclosure.protect_feasibility import protect_feasibility
from harmony_dash.disclosure.protect_quality import protect_quality
from harmony_dash.disclosure.protect_subgroups import protect_subgroups
from harmony_dash.disclosure.protect_survival import protect_survival
from harmony_dash.disclosure.protect_what_if import protect_what_if
from harmony_dash.disclosure.quality_results import QualityResult
from harmony_dash.disclosure.release_info import CohortChoices, ReleaseInfo
from harmony_dash.disclosure.released import Released, Scope, make_released
from harmony_dash.disclosure.results import INTERNAL, SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.disclosure.wording import put_into_words

T = TypeVar("T")
# Every dataclass of this package is a part of a result: a kind in a module of its own cannot be forgotten.
_PACKAGE_OF_RESULTS = f"{__package__}."


def release(result: T, scope: Scope) -> Released[T]:
    """Make a result fit to leave.

    Parameters
    ----------
    result : what a service computed, its counts with their keys.
    scope : for whom; at the levels exact and off the result leaves as it is but for the keys, at the others protected.

    Raises
    ------
    TypeError for a result that has no protected form, and for a count without a key.
    """
    safe = _protect(result, scope) if scope.is_protected else result
    return make_released(put_into_words(_strip(safe), scope), scope)


@singledispatch
def _protect(result: Any, scope: Scope) -> Any:
    raise TypeError(f"{type(result).__name__} has no protected form")


_protect.register(SurvivalResult, protect_survival)
_protect.register(SubgroupsResult, protect_subgroups)
_protect.register(WhatIfResult, protect_what_if)
_protect.register(TableOne, protect_table_one)
_protect.register(OutcomeMap, protect_outcome_map)
_protect.register(CoverageResult, protect_coverage)
_protect.register(CohortChoices, protect_choices)
_protect.register(ReleaseInfo, protect_release_info)
_protect.register(QualityResult, protect_quality)
_protect.register(FeasibilityResult, protect_feasibility)


def _strip(value: Any) -> Any:
    """The value with plain numbers for keyed counts and without internal fields, at every level.

    Whoever holds a key could compute its rounding; what is internal was never meant to be seen.
    """
    if isinstance(value, KeyedCount):
        return int(value)
    if isinstance(value, tuple):
        return tuple(_strip(one) for one in value)
    if isinstance(value, dict):
        return {name: _strip(one) for name, one in value.items()}
    if is_dataclass(value) and type(value).__module__.startswith(_PACKAGE_OF_RESULTS):
        return replace(value, **{  # type: ignore[type-var]
            one.name: one.default if one.metadata == INTERNAL else _strip(getattr(value, one.name))
            for one in fields(value)})
    return value
