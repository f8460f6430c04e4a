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
    EXPORT = "export protected summaries"
    MANAGE_OWN_ACCOUNT = "look after their own account"
    INGEST = "publish and roll back snapshots"
    BACK_UP = "back up and restore"
    MANAGE_ACCOUNTS = "manage accounts"
    PROPOSE_GRANTS = "propose, end and cut back grants"
    APPROVE_GRANTS = "approve grants"
    VIEW_ACCESS = "see people and grants"
    READ_AUDIT = "read the audit trail"
    VIEW_QUALITY = "see how good the data are"
    SIGN_OFF_QUALITY = "sign off the data of a source"


_EVERYBODY = frozenset({Permission.VIEW_HOME, Permission.VIEW_COVERAGE, Permission.MANAGE_OWN_ACCOUNT})
_OVERSIGHT = frozenset({Permission.VIEW_ACCESS, Permission.READ_AUDIT, Permission.APPROVE_GRANTS})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType({
    # Explores survival of subgroups in a browser; sees protected results only.
    Role.CLINICIAN: _EVERYBODY | {Permission.VIEW_SURVIVAL},
    # Reviews coverage, approves grants, watches who saw what; of outcomes it has protected summaries as files, and
    # changes nothing else.
    Role.STEERING: _EVERYBODY | _OVERSIGHT | {Permission.EXPORT, Permission.VIEW_QUALITY},
    # Explores like a clinician. The right to exact aggregates comes from a grant that is active, never from the role.
    Role.ANALYST: _EVERYBODY | {Permission.VIEW_SURVIVAL, Permission.EXPORT, Permission.VIEW_QUALITY},
    # Looks after sources, accounts and grants; does not look at outcomes.
    Role.DATA_MANAGER: _EVERYBODY | _OVERSIGHT | {
        Permission.MANAGE_ACCOUNTS, Permission.PROPOSE_GRANTS, Permission.VIEW_QUALITY, Permission.SIGN_OFF_QUALITY},
    # Runs the server and owns the store's files, so nothing in here could keep exact results from them; everything
    # they ask exactly is recorded. Approving is left to people.
    Role.OPERATOR: frozenset({
        Permission.VIEW_HOME, Permission.VIEW_COVERAGE, Permission.VIEW_SURVIVAL, Permission.VIEW_EXACT,
        Permission.EXPORT, Permission.INGEST, Permission.BACK_UP, Permission.MANAGE_ACCOUNTS,
        Permission.PROPOSE_GRANTS, Permission.VIEW_ACCESS, Permission.READ_AUDIT, Permission.VIEW_QUALITY}),
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
