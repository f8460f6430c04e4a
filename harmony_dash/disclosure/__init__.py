"""What may leave the server."""

from harmony_dash.disclosure.gate import release
from harmony_dash.disclosure.policy import Level, Rules, check_may_be_off, too_few
from harmony_dash.disclosure.released import Released, Scope, scope_without_protection
from harmony_dash.disclosure.wording import COUNT_IN_TITLE

__all__ = ["COUNT_IN_TITLE", "Level", "Released", "Rules", "Scope", "check_may_be_off", "release",
           "scope_without_protection", "too_few"]
