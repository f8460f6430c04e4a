"""Home by role: where to start, what is new, what waits for this person."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.access.accounts import ACCOUNT_ROLES
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantStatus
from harmony_dash.cohort.question import check_question, question_from_json
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.services.grants import GrantInfo
from harmony_dash.store.layout import SnapshotRecord
from harmony_dash.ui.components.starting_points import describe_grant, describe_release_before, list_starts
from harmony_dash.ui.registry import page_named
from tests.pages.fakes import CODES, DICTIONARY, FakeHouse
from tests.pages.test_survival_page import words_of

OpenPage = Callable[..., AppTest]
INFO = ReleaseInfo("20261101-ab12", "2026-11-01T10:00:00", True, {}, DICTIONARY, CODES)
GRANT = GrantInfo("G-1", "Study [x](y)", "To see.", ("ALL",), ("NL",), (), ("sex",), Level.EXACT, ("tester",), "p",
                  ("a", "b"), 0, date(2026, 11, 1), date(2026, 12, 1), 9, GrantStatus.ACTIVE, "", False, False, True)


def record(snapshot: str, created: str, sources: int) -> SnapshotRecord:
    return SnapshotRecord(snapshot, "", 1, created, 5000, sources, True)


@pytest.mark.parametrize(("role", "first"), [
    (Role.CLINICIAN, "survival"), (Role.STEERING, "coverage"), (Role.ANALYST, "coverage"),
    (Role.DATA_MANAGER, "data_quality")])
def test_each_role_starts_with_what_it_comes_for(role: Role, first: str) -> None:
    assert list_starts(Actor("x", role, "s"), INFO)[0].page == first


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_nobody_is_sent_where_they_may_not_go_nor_with_a_question_that_cannot_be_asked(role: Role) -> None:
    starts = list_starts(Actor("x", role, "s"), INFO)
    assert len(starts) >= 3
    sees_outcomes = role in (Role.CLINICIAN, Role.ANALYST)
    assert any(start.page == "survival" for start in starts) == sees_outcomes
    for start in starts:
        assert page_named(start.page).file.exists()
        if "q" in start.query:
            check_question(question_from_json(json.loads(start.query["q"])), DICTIONARY)


def test_what_is_new_is_told_against_the_release_before() -> None:
    first, second = record("one", "2026-10-03T10:00:00", 11), record("two", "2026-11-01T10:00:00", 12)
    assert "It is the first release." in describe_release_before("one", [first])
    words = describe_release_before("two", [second, first])
    assert "It has 12 sources; before there were 11 sources." in words
    assert "3 October 2026" in words
    assert "taken back" in describe_release_before("one", [second, first])
    assert "5,000" not in words and "5000" not in words
    assert describe_release_before("gone", [first]) == ""


def test_a_grant_says_what_it_gives_and_how_long() -> None:
    assert describe_grant(GRANT).startswith("exact results, 9 days left, to ")
    assert describe_grant(replace(GRANT, status=GrantStatus.PROPOSED, approvals_missing=2)) == "Waiting for approval"


def test_own_grants_and_approvals_that_wait_stand_on_the_page(house: FakeHouse, open_page: OpenPage,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[str] = []
    monkeypatch.setattr("streamlit.page_link", lambda *_, label, **__: links.append(label))
    house.role, house.grants = Role.STEERING, (replace(GRANT, may_approve=True),)
    house.snapshots = [record("20261101-ab12", "2026-11-01T10:00:00", 4)]
    page = open_page("home")
    assert not page.exception
    assert "**1 grant waits for your approval**" in links
    assert any(r"Study \[x\]\(y\)" in markdown.value for markdown in page.markdown)
    assert "It is the first release" in words_of(page)


def test_a_clinician_is_not_told_of_approvals(house: FakeHouse, open_page: OpenPage,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[str] = []
    monkeypatch.setattr("streamlit.page_link", lambda *_, label, **__: links.append(label))
    house.grants = (replace(GRANT, may_approve=True),)
    assert not open_page("home").exception
    assert not any("approval" in label for label in links)
