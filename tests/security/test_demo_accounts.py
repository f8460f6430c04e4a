"""A demonstration account never meets a real patient, even if the data change under a running server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harmony_dash.access.accounts import list_accounts
from harmony_dash.access.demo import ensure_demo_accounts
from harmony_dash.services.deployment import open_deployment
from harmony_dash.settings import read_settings
from harmony_dash.store.layout import POINTER, SnapshotRecord, write_record
from harmony_dash.ui.session import check_token
from harmony_dash.ui.startup import Deployment
from tests.security.server import Server, start_server
from tests.security.stream import Stream, text_of
from tests.unit.access.people import sign_in

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def publish(store: Path, *, synthetic: bool) -> None:
    store.mkdir(exist_ok=True)
    write_record(store / POINTER, SnapshotRecord("20261121T090000Z-0123abcd", "", 1, "", 100, 1, synthetic))


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = read_settings({"HARMONY_STORE": "store", "HARMONY_ACCESS": "access.sqlite"}, tmp_path)
    opened = open_deployment(settings, now=lambda: NOW)
    # cheap hashes; the deployment finds the accounts made
    ensure_demo_accounts(opened.access, address="127.0.0.1", all_synthetic=True, now=NOW, rounds=4)
    deployment = Deployment(opened.settings, opened.store, opened.access, opened.now, address="127.0.0.1")
    deployment.ensure_demo_accounts()
    yield deployment
    deployment.access.close()


def test_they_live_on_while_everything_is_synthetic(deployment: Deployment) -> None:
    token = sign_in(deployment.access, "analyst", now=NOW)
    publish(deployment.settings.store, synthetic=True)
    assert len(deployment.demo_accounts) == 4
    assert check_token(deployment, token).actor is not None


def test_a_real_snapshot_ends_their_sessions_before_the_next_look(deployment: Deployment) -> None:
    token = sign_in(deployment.access, "analyst", now=NOW)
    publish(deployment.settings.store, synthetic=False)
    assert check_token(deployment, token).actor is None
    assert deployment.demo_accounts == ()


def test_an_installation_behind_a_proxy_has_none(deployment: Deployment) -> None:
    token = sign_in(deployment.access, "analyst", now=NOW)
    behind = replace(deployment, hosts=("dash.example.org",))
    behind.ensure_demo_accounts()
    assert behind.demo_accounts == ()
    assert check_token(behind, token).actor is None


def passphrases_shown(server: Server, headers: dict[str, str]) -> bool:
    with Stream(server.stream, headers=headers) as stream:
        said = text_of(stream.ask())
    assert "Account name" in said
    return "Demonstration accounts" in said


def test_the_sign_in_page_shows_them_to_its_own_machine_only(tmp_path: Path) -> None:
    with start_server(tmp_path / "data", with_accounts=False) as server:
        assert passphrases_shown(server, {})
        assert not passphrases_shown(server, {"X-Forwarded-For": "203.0.113.5"})
        assert not passphrases_shown(server, {"Forwarded": "for=203.0.113.5"})


def test_a_server_that_answers_to_a_public_name_shows_none_to_anybody(tmp_path: Path) -> None:
    options = ("--server.allowedHosts", "dash.example.org", "--server.allowedHosts", "127.0.0.1")
    with start_server(tmp_path / "data", with_accounts=False, options=options) as server:
        assert not passphrases_shown(server, {})
        assert list_accounts(server.access) == ()


def test_a_store_whose_pointer_is_damaged_is_not_known_to_be_synthetic(deployment: Deployment) -> None:
    publish(deployment.settings.store, synthetic=True)
    (deployment.settings.store / POINTER).write_text("{")
    assert not deployment.all_synthetic
    assert deployment.demo_accounts == ()
