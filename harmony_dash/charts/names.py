"""Names of groups as figures and tables show them: a dagger marks a group that answers another question."""

from __future__ import annotations

from harmony_dash.disclosure.results import SurvivalResult

DAGGER = "†"


def differing_groups(result: SurvivalResult) -> tuple[str, ...]:
    """The drawn groups that answer another question than the cohort; no test compares them with the others."""
    named = {name for one in result.not_applied for name in one.groups}
    if result.not_applied and result.compared:
        named |= {group.name for group in result.groups} - set(result.compared)
    return tuple(group.name for group in result.groups if group.name in named)


def mark_name(name: str, result: SurvivalResult) -> str:
    """The name, with a dagger if the group answers another question than the others."""
    return f"{name}\N{NO-BREAK SPACE}{DAGGER}" if name in differing_groups(result) else name
