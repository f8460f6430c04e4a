"""Counts beside choices and the numbers of a release, as they may leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harmony_dash.disclosure.audit import bounds_in_one_total, values_left
from harmony_dash.disclosure.release_info import CohortChoices, ReleaseInfo
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import release_count

# The patients whose value is not recorded, among the values of a variable.
NO_VALUE = ""


def protect_release_info(result: ReleaseInfo, scope: Scope) -> ReleaseInfo:
    """Patients of each disease, rounded."""
    return replace(result, diseases={code: replace(info, n=release_count(info.n, scope))
                                     for code, info in result.diseases.items()})


def protect_choices(result: CohortChoices, scope: Scope) -> CohortChoices:
    """Rounded counts. Where they would give a small one away, the smallest of the others is withheld with it.

    Values and missing ones add up to the cohort unless the variable itself is filtered, or a question with one of them
    is answered without some condition or not at all.
    """
    total = release_count(result.total, scope)
    counts: dict[str, dict[str, int | None]] = {}
    missing: dict[str, int | None] = {}
    withheld: dict[str, frozenset[str]] = {}
    for name, exact in result.counts.items():
        parts: dict[str, int | None] = {**exact}
        if name in result.missing:
            parts[NO_VALUE] = result.missing[name]
        adds_up = (result.total is not None and not result.not_counted.get(name)
                   and sum(n or 0 for n in parts.values()) == result.total)
        shown, hidden = protect_parts(parts, total if adds_up else None, scope)
        if hidden:
            withheld[name] = frozenset(hidden)
        if name in result.missing:
            missing[name] = shown.pop(NO_VALUE)
        counts[name] = shown
    return replace(result, total=total, counts=counts, missing=missing, withheld=withheld)


def protect_parts(parts: Mapping[str, int | None], total: int | None, scope: Scope,
                   ) -> tuple[dict[str, int | None], list[str]]:
    """The parts rounded, small ones None, and the names of those that are None for the sake of another.

    Parameters
    ----------
    parts : disjoint sets of patients by name.
    total : all of them together, None where they do not add up to a number that is told.
    """
    rules = scope.rules
    shown = {value: release_count(n, scope) for value, n in parts.items()}
    small = [value for value, n in shown.items() if n is None]
    partners: list[str] = []
    while total is not None and small:
        known = {value: n for value, n in shown.items() if n is not None}
        bounds = bounds_in_one_total(total, known.values(), len(small), len(partners), rules)
        if not known or values_left(*bounds) >= rules.fewest_possible:
            break
        partners.append(min(known, key=lambda value: (known[value], value)))
        shown[partners[-1]] = None
    return shown, partners
