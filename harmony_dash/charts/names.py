"""Names of groups as figures and tables show them: a dagger marks a group that answers another question."""

from __future__ import annotations

from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.wording import differing_groups

DAGGER = "†"


def mark_name(name: str, result: SurvivalResult) -> str:
    """The name, with a dagger if the group answers another question than the others."""
    return f"{name}\N{NO-BREAK SPACE}{DAGGER}" if name in differing_groups(result) else name
