"""What the manual says of roles and grants is what the code lets them do."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from harmony_dash.access.accounts import ACCOUNT_ROLES
from harmony_dash.access.actor import Role
from harmony_dash.access.grant import NEEDED_APPROVALS, Grant, GrantProposal, GrantStatus
from harmony_dash.access.permissions import ROLE_PERMISSIONS, Permission
from harmony_dash.disclosure import Level
from harmony_dash.ui.registry import PAGES

ACCESS = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
SECTIONS = {Role.CLINICIAN: "Clinician", Role.STEERING: "Steering committee", Role.ANALYST: "Analyst",
            Role.DATA_MANAGER: "Data manager"}
COLUMNS = (Role.CLINICIAN, Role.STEERING, Role.ANALYST, Role.DATA_MANAGER, Role.OPERATOR)


def section(heading: str) -> str:
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", ACCESS, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows_of(text: str) -> list[list[str]]:
    """The rows of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_list_of_rights_is_that_of_the_code() -> None:
    told = {label: cells for label, *cells in rows_of(section("Roles"))}
    assert told == {one.value: ["●" if one in ROLE_PERMISSIONS[role] else "–" for role in COLUMNS]
                    for one in Permission}


def test_the_columns_are_the_roles_and_every_account_has_a_section() -> None:
    head = next(line for line in section("Roles").splitlines() if line.startswith("| may"))
    assert [cell.strip() for cell in head.strip("|").split("|")][1:] == [
        role.value.replace("_", " ") for role in COLUMNS]
    assert SECTIONS.keys() == set(ACCOUNT_ROLES)


@pytest.mark.parametrize("role", SECTIONS)
def test_the_pages_of_a_role_are_those_it_may_open(role: Role) -> None:
    found = re.search(r"^Pages: (.+)\.$", section(SECTIONS[role]), re.MULTILINE)
    assert found
    assert found[1].split(", ") == [page.title for page in PAGES if page.permission in ROLE_PERMISSIONS[role]]


def grant(*, approvers: int, valid: tuple[date, date], ended: datetime | None = None) -> Grant:
    proposal = GrantProposal("Project", "Purpose", ("ALL",), ("NL",), ("sex",), Level.EXACT, ("a",), *valid)
    return Grant("G-2026-001", proposal, "m", datetime(2026, 1, 1, tzinfo=UTC), tuple("xyz"[:approvers]), None, (),
                 ended, "", "")


def test_a_grant_goes_through_the_states_that_are_told() -> None:
    now, past = datetime(2026, 6, 15, 12, tzinfo=UTC), (date(2026, 1, 1), date(2026, 6, 14))
    open_, later = (date(2026, 6, 15), date(2026, 6, 15)), (date(2026, 6, 16), date(2026, 7, 1))
    found = {grant(approvers=1, valid=open_).status(now), grant(approvers=1, valid=later).status(now)}
    assert (found, NEEDED_APPROVALS) == ({GrantStatus.PROPOSED}, 2)
    assert grant(approvers=2, valid=later).status(now) is GrantStatus.SCHEDULED
    assert grant(approvers=2, valid=open_).status(now) is GrantStatus.ACTIVE
    assert grant(approvers=1, valid=past).status(now) is GrantStatus.EXPIRED
    assert grant(approvers=2, valid=open_, ended=now).status(now) is GrantStatus.ENDED
    assert [label for label, _ in rows_of(section("How do I get a grant?"))] == [one.value for one in GrantStatus]
