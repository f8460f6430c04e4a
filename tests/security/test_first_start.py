"""The sample data never take the place of what somebody ingested."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.errors import StoreError
from harmony_dash.services import ingest
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.health import StoreState, review_health
from harmony_dash.settings import read_settings
from harmony_dash.store.layout import POINTER, SnapshotRecord, read_pointer, write_record
from harmony_dash.store.writer import new_snapshot
from harmony_dash.ui import first_start, startup
from tests.factories import make_store

REAL = SnapshotRecord("20261121T090000Z-0123abcd", "", 1, "", 100, 1, synthetic=False)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = read_settings({"HARMONY_STORE": "store", "HARMONY_ACCESS": "access.sqlite"}, tmp_path)
    opened = open_deployment(settings, now=lambda: datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    yield opened
    opened.access.close()


def ingest_as_the_service_does(deployment: Deployment, actor: object, folders: object, *,
                               progress: object, stage: Callable[[str], None]) -> Any:
    """Another ingest publishes after the look at the store and before the writer's lock is ours."""
    deployment.settings.store.mkdir()
    write_record(deployment.settings.store / POINTER, REAL)
    with new_snapshot(deployment.settings.store, deployment.dictionary, deployment.now(),
                      deployment.settings.disclosure_key, stage=stage):
        raise AssertionError("nothing may be written")


def test_samples_stop_when_the_store_was_filled_before_the_lock(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.store.is_empty
    monkeypatch.setattr(ingest, "ingest_sources", ingest_as_the_service_does)
    ready: list[bool] = []
    first_start._build(deployment, [Path("sample")], lambda: ready.append(True))
    assert not ready
    assert read_pointer(deployment.settings.store) == REAL
    assert not first_start.first_start().running
    assert not first_start.first_start().problem
    assert "not used" in capsys.readouterr().err


def test_a_broken_installation_ends_the_waiting(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "harmony_dash.services.ingest", None)
    first_start._set(first_start.FirstStart(running=True))
    with pytest.raises(ImportError):
        first_start._build(deployment, [Path("sample")], lambda: None)
    left = first_start.first_start()
    first_start._set(first_start.FirstStart())
    assert not left.running
    assert "unexpected error" in left.problem


def test_neither_samples_nor_demonstration_accounts_come_into_a_store_that_lost_its_pointer(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(deployment.settings.store, 40).close()
    (deployment.settings.store / POINTER).unlink()
    before = sorted(path.name for path in deployment.settings.store.iterdir())
    monkeypatch.setattr(first_start, "sample_folders", lambda _: [Path("sample")])
    with pytest.raises(StoreError, match="missing"):
        first_start.begin_first_start(deployment, lambda: None)
    assert not first_start.first_start().running
    assert sorted(path.name for path in deployment.settings.store.iterdir()) == before
    opened = startup.Deployment(deployment.settings, deployment.store, deployment.access, deployment.now)
    assert not opened.all_synthetic
    token = b"a made-up token for whoever watches"
    watched = replace(deployment, settings=replace(deployment.settings, health_token=token))
    assert review_health(watched, token).store is StoreState.DAMAGED
