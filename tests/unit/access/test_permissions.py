"""Which role may do what: the truth table that the steering committee agreed to."""

from __future__ import annotations

import pytest

from harmony_dash.access.actor import Role
from harmony_dash.access.permissions import Permission, check_user_can, user_can
from harmony_dash.errors import AccessRefused
from tests.unit.access.people import actor_of

C, S, A, D, O = Role.CLINICIAN, Role.STEERING, Role.ANALYST, Role.DATA_MANAGER, Role.OPERATOR  # noqa: E741

ALLOWED = {
    Permission.VIEW_HOME: {C, S, A, D, O},
    Permission.VIEW_COVERAGE: {C, S, A, D, O},
    Permission.VIEW_SURVIVAL: {C, A, O},
    Permission.VIEW_EXACT: {O},
    Permission.EXPORT: {S, A, O},
    Permission.INGEST: {O},
    Permission.BACK_UP: {O},
    Permission.MANAGE_ACCOUNTS: {D, O},
    Permission.MANAGE_OWN_ACCOUNT: {C, S, A, D},
    Permission.PROPOSE_GRANTS: {D, O},
    Permission.APPROVE_GRANTS: {S, D},
    Permission.VIEW_ACCESS: {S, D, O},
    Permission.READ_AUDIT: {S, D, O},
    Permission.VIEW_QUALITY: {S, A, D, O},
    Permission.SIGN_OFF_QUALITY: {D},
}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_exactly_what_the_table_says(role: Role, permission: Permission) -> None:
    assert user_can(actor_of(role), permission) is (role in ALLOWED[permission])


def test_a_refusal_names_the_role_and_what_to_do() -> None:
    with pytest.raises(AccessRefused) as refused:
        check_user_can(actor_of(Role.DATA_MANAGER), Permission.VIEW_SURVIVAL)
    assert "data manager" in refused.value.problem
    assert refused.value.remedy
