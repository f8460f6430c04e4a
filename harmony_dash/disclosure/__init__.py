"""What may leave the server."""

from harmony_dash.disclosure.gate import release
from harmony_dash.disclosure.released import Level, Released, Rules, Scope

__all__ = ["Level", "Released", "Rules", "Scope", "release"]
