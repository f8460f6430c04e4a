"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the project."""

    CLINICIAN = "clinician"
    STEERING = "steering"
    ANALYST = "analyst"
    DATA_MANAGER = "data_manager"
    OPERATOR = "operator"  # whoever runs the server, through the command line; never an account


@dataclass(frozen=True)
class Actor:
    """A person as the services see them: read anew from the database on every run.

    Attributes
    ----------
    username : account name, or "operator" for the command line.
    role : decides what the person may do.
    session : short public identifier of the session, for the audit trail; never the token.
    name : display name.
    grants : ids of the grants that were active for this person when the session was looked up. Services read a grant
        anew before they rely on it.
    """

    username: str
    role: Role
    session: str
    name: str = ""
    grants: tuple[str, ...] = ()


OPERATOR = Actor(username="operator", role=Role.OPERATOR, session="command-line", name="Local operator")
