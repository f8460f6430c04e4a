"""The very first request to a fresh process is the dangerous one: until `st.navigation` has run once, Streamlit may
serve a `pages/` folder by itself. Each case therefore starts a server of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.util import calc_hash

from harmony_dash.access.accounts import ACCOUNT_ROLES
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.permissions import user_can
from harmony_dash.ui.registry import PAGES, PageEntry
from tests.security.server import PROJECT_ROOT, copy_project, marker_of, start_server
from tests.security.stream import Stream, text_of

REFUSED = [pytest.param(page, who, id=f"{page.url_path}-{who.value if who else 'anonymous'}")
           for page in PAGES for who in (None, *ACCOUNT_ROLES)
           if who is None or not user_can(Actor("x", who, session="x"), page.permission)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked application; its files are the same for every process."""
    return copy_project(tmp_path_factory.mktemp("marked") / "project")


@pytest.mark.parametrize(("page", "who"), REFUSED)
def test_a_fresh_process_refuses_by_name_and_by_forged_hash(page: PageEntry, who: Role | None, root: Path,
                                                            tmp_path: Path) -> None:
    forged = [calc_hash(page.url_path), calc_hash(str(root / "pages" / page.file.name)),
              calc_hash(str(page.file))]
    with start_server(tmp_path / "data", root=root) as server:
        token = server.open_session(who) if who else ""
        answers = []
        with Stream(server.stream, token) as stream:
            answers += stream.ask(page_name=page.url_path)
        for page_hash in forged:
            with Stream(server.stream, token) as stream:
                answers += stream.ask(page_script_hash=page_hash)
                answers += stream.ask(page_name=page.url_path, page_script_hash=page_hash)
        said = text_of(answers)
        assert marker_of(page.url_path) not in said
        if who is None:
            assert "Sign in" in said
            assert "MARKER" not in said
        else:
            assert "not open to your role" in said
            refusals = [row.event for row in list_events(server.access) if row.event.decision is Decision.REFUSED]
            assert any(event.role == who.value and page.permission.value in event.action for event in refusals)


def test_the_pages_are_shown_to_a_role_that_may_see_them(root: Path, tmp_path: Path) -> None:
    """The markers are really shown, so their absence above means something."""
    with start_server(tmp_path / "data", root=root) as server:
        for page in PAGES:
            role = next(role for role in ACCOUNT_ROLES if user_can(Actor("x", role, session="x"), page.permission))
            with Stream(server.stream, server.open_session(role)) as stream:
                said = text_of(stream.ask(page_name="" if page.is_start else page.url_path))
            assert marker_of(page.url_path) in said


def test_there_is_no_folder_of_pages_beside_the_main_script() -> None:
    assert not (PROJECT_ROOT / "harmony_dash" / "ui" / "pages").exists()
