"""A demonstration account never meets a real patient, even if the data change under a running server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harmony_dash.access.demo import ensure_demo_accounts
from harmony_dash.services.deployment import open_deployment
from harmony_dash.settings import read_settings
from harmony_dash.store.layout import POINTER, SnapshotRecord, write_record
from harmony_dash.ui.session import check_token
from harmony_dash.ui.startup import Deployment
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


def test_a_store_whose_pointer_is_damaged_is_not_known_to_be_synthetic(deployment: Deployment) -> None:
    publish(deployment.settings.store, synthetic=True)
    (deployment.settings.store / POINTER).write_text("{")
    assert not deployment.all_synthetic
    assert deployment.demo_accounts == ()
