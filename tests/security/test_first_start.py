"""The sample data never take the place of what somebody ingested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import read_settings
from harmony_dash.store.layout import POINTER, SnapshotRecord, read_pointer, write_record
from harmony_dash.store.writer import new_snapshot
from harmony_dash.ui import first_start

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
    monkeypatch.setattr(first_start, "ingest_sources", ingest_as_the_service_does)
    ready: list[bool] = []
    first_start._build(deployment, [Path("sample")], lambda: ready.append(True))
    assert not ready
    assert read_pointer(deployment.settings.store) == REAL
    assert not first_start.first_start().running
    assert not first_start.first_start().problem
    assert "not used" in capsys.readouterr().err
