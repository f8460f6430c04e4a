"""What each role may do, written to be read by a data provider's security officer.

A change here changes who sees patients' results: it needs the steering committee's consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from harmony_dash.access.actor import Actor, Role
from harmony_dash.errors import AccessRefused


class Permission(StrEnum):
    """One thing a person may do."""

    VIEW_HOME = "see what the release holds"
    VIEW_COVERAGE = "see who is in the data"
    VIEW_SURVIVAL = "ask survival questions"
    VIEW_EXACT = "see exact aggregates"
    INGEST = "publish and roll back snapshots"
    MANAGE_ACCOUNTS = "manage accounts"
    READ_AUDIT = "read the audit trail"


_EVERYBODY = frozenset({Permission.VIEW_HOME, Permission.VIEW_COVERAGE})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType({
    # Explores survival of subgroups in a browser; sees protected results only.
    Role.CLINICIAN: _EVERYBODY | {Permission.VIEW_SURVIVAL},
    # Reviews coverage; does not look at outcomes.
    Role.STEERING: _EVERYBODY | {Permission.READ_AUDIT},
    # Explores like a clinician. Exact aggregates come with time-limited grants, which do not exist yet: until then
    # an analyst sees protected results too.
    Role.ANALYST: _EVERYBODY | {Permission.VIEW_SURVIVAL},
    # Looks after sources and accounts; does not look at outcomes.
    Role.DATA_MANAGER: _EVERYBODY | {Permission.MANAGE_ACCOUNTS, Permission.READ_AUDIT},
    # Runs the server and owns the store's files; everything it asks exactly is recorded.
    Role.OPERATOR: frozenset(Permission),
})


def check_user_can(actor: Actor, permission: Permission) -> None:
    """Raise `AccessRefused`, with a reason that may be shown, unless the actor's role grants the permission."""
    if permission not in ROLE_PERMISSIONS[actor.role]:
        role = actor.role.value.replace("_", " ")
        raise AccessRefused(f"the role '{role}' may not {permission.value}",
                            remedy="Ask a data manager if your role should change.")


def user_can(actor: Actor, permission: Permission) -> bool:
    """Whether `check_user_can` would pass."""
    return permission in ROLE_PERMISSIONS[actor.role]
