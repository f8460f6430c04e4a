"""What one deployment makes once, whoever asks at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path

import pytest

import harmony_dash.store.extracts
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from harmony_dash.store.extracts import Extracts
from harmony_dash.store.reader import Store
from tests.factories import ACCESS_KEY, NOW


def test_threads_share_one_set_of_extracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Extracts] = []

    class SlowExtracts(Extracts):
        def __init__(self, store: Store) -> None:
            time.sleep(0.05)
            super().__init__(store)
            made.append(self)

    for one in vars(Deployment).values():
        if isinstance(one, cached_property):  # as it is from Python 3.12
            monkeypatch.setattr(one, "lock", nullcontext(), raising=False)
    monkeypatch.setattr(harmony_dash.store.extracts, "Extracts", SlowExtracts)
    opened = open_deployment(Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY),
                             now=lambda: NOW)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: opened.extracts, range(8)))
    opened.access.close()
    assert len(made) == 1
    assert all(each is made[0] for each in found)
