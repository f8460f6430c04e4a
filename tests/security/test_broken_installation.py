"""What cannot be imported while the server runs is told to whoever watches it, not only to the thread it ended."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.requests import Request

from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from harmony_dash.ui import routes
from harmony_dash.ui.preload import begin_preload, broken_modules, preload
from tests.factories import ACCESS_KEY, NOW

TOKEN = "5d0b7c39e1f2486a5d0b7c39e1f2486a"


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                        health_token=TOKEN.encode())
    opened = open_deployment(settings, now=lambda: NOW)
    monkeypatch.setattr(routes, "get_deployment", lambda: opened)
    monkeypatch.setattr("harmony_dash.services.health.LEAST_FREE_SHARE", 0.0)
    yield opened
    opened.access.close()


def ask_health() -> tuple[int, dict[str, object]]:
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    # in a thread of its own, because a browser of another test may have left its loop running in this one
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: asyncio.run(routes.health(Request(
            {"type": "http", "method": "GET", "headers": headers})))).result()
    return answer.status_code, json.loads(bytes(answer.body))


@pytest.mark.usefixtures("deployment")
def test_a_failed_import_in_the_background_is_not_ok_until_it_succeeds(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: ended.append(failure.exc_type))
    monkeypatch.syspath_prepend(tmp_path)
    module = "made_up_module_of_pages"
    assert ask_health()[0] == 200

    begin_preload((module,))
    for thread in threading.enumerate():
        if thread.name == "preload":
            thread.join(30)
    assert ended == [ModuleNotFoundError]  # the log has it too
    status, found = ask_health()
    assert (status, found["ok"]) == (503, False)
    assert found["installation"] == f"the installation is broken: {module}"

    (tmp_path / f"{module}.py").write_text("")
    preload((module,))
    sys.modules.pop(module)
    assert broken_modules() == ()
    assert ask_health()[0] == 200
