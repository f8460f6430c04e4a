"""What may leave the server."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harmony_dash.disclosure.policy import Level, Rules, check_may_be_off, too_few
from harmony_dash.disclosure.released import Released, Scope, scope_without_protection

if TYPE_CHECKING:
    from harmony_dash.disclosure.gate import release
    from harmony_dash.disclosure.wording import COUNT_IN_TITLE

__all__ = ["COUNT_IN_TITLE", "Level", "Released", "Rules", "Scope", "check_may_be_off", "release",
           "scope_without_protection", "too_few"]

# Accounts, grants and the sign-in page need the names of the levels, and no statistics, which take seconds to import.
_WITH_STATISTICS = {"release": "gate", "COUNT_IN_TITLE": "wording"}


def __getattr__(name: str) -> Any:
    """What is imported when somebody asks for it."""
    if name not in _WITH_STATISTICS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_STATISTICS[name]}"), name)
