"""What may leave the server."""

from harmony_dash.disclosure.gate import COUNT_IN_TITLE, release, too_few
from harmony_dash.disclosure.released import Level, Released, Rules, Scope

__all__ = ["COUNT_IN_TITLE", "Level", "Released", "Rules", "Scope", "release", "too_few"]
