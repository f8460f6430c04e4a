"""Settings that would open a door keep the application from starting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harmony_dash.errors import SettingsError
from harmony_dash.ui.hosts import is_allowed_host, is_same_origin
from harmony_dash.ui.server_settings import check_server_settings
from tests.security.server import PROJECT_ROOT

SAFE = {"server.enableAgentApi": False, "server.enableStaticServing": False, "server.enableXsrfProtection": True,
        "server.enableCORS": True, "server.baseUrlPath": "", "client.showErrorDetails": "none",
        "browser.gatherUsageStats": False, "server.trustedUserHeaders": None, "server.address": "127.0.0.1",
        "server.allowedHosts": []}


def test_the_settings_as_they_are_shipped_are_accepted() -> None:
    check_server_settings(SAFE.get)


@pytest.mark.parametrize(("name", "value"), [
    ("server.enableAgentApi", True), ("server.enableStaticServing", True), ("server.enableXsrfProtection", False),
    ("server.enableCORS", False), ("client.showErrorDetails", "full"), ("browser.gatherUsageStats", True),
    ("server.trustedUserHeaders", {"X-User": "user"}), ("server.address", "0.0.0.0"), ("server.address", None)])
def test_an_unsafe_setting_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as refused:
        check_server_settings({**SAFE, name: value}.get)
    assert refused.value.where == ("server.allowedHosts" if name == "server.address" else name)
    assert refused.value.remedy


@pytest.mark.parametrize(("host", "allowed", "expected"), [
    ("127.0.0.1:8501", [], True), ("localhost:8501", [], True), ("[::1]:8501", [], True), ("LOCALHOST", [], True),
    ("evil.example", [], False), ("127.0.0.1.evil.example", [], False), ("", [], False),
    ("dash.example.org:443", ["dash.example.org"], True), ("evil.example", ["dash.example.org"], False),
    ("127.0.0.1:80@evil", [], False), ("[::1]evil", [], False), ("[::1", [], False), ("127.0.0.1:", [], False),
    ("127.0.0.1:x", [], False), ("127.0.0.1:8501 ", [], False), ("127.0.0.1/x", [], False), ("localhost\n", [], False),
    ("dash.example.org:443@evil", ["dash.example.org"], False), ("evil/dash.example.org", ["*.example.org"], False),
    ("a@b", ["*"], False), ("", ["*"], False),
    ("a.example.org", ["*.example.org"], True), ("aexample.org", ["*.example.org"], False), ("any", ["*"], True)])
def test_which_host_names_are_answered(host: str, allowed: list[str], expected: bool) -> None:
    assert is_allowed_host(host, allowed) is expected


@pytest.mark.parametrize(("origin", "host", "expected"), [
    ("http://127.0.0.1:8501", "127.0.0.1:8501", True), ("https://dash.example.org", "dash.example.org", True),
    ("https://dash.example.org", "dash.example.org:443", True),
    ("HTTPS://DASH.example.org:443", "dash.example.org", True),
    ("http://[::1]:8501", "[::1]:8501", True),
    ("http://127.0.0.1:9000", "127.0.0.1:8501", False), ("http://localhost:8501", "127.0.0.1:8501", False),
    ("http://127.0.0.1", "127.0.0.1:8501", False), ("https://evil.example", "dash.example.org", False),
    ("https://dash.example.org.evil.example", "dash.example.org", False), ("null", "dash.example.org", False),
    ("https://dash.example.org@evil.example", "dash.example.org", False), ("", "", False), ("null", "null", False),
    ("ftp://dash.example.org", "dash.example.org", False), ("https://evil/", "evil/", False)])
def test_which_origin_is_our_own(origin: str, host: str, expected: bool) -> None:
    assert is_same_origin(origin, host) is expected


@pytest.mark.parametrize(("environment", "options", "reason"), [
    ({}, ("--server.enableAgentApi=true",), "server.enableAgentApi"),
    ({"HARMONY_ACCESS": "damaged.sqlite"}, (), "damaged"),
], ids=["agent", "damaged"])
def test_the_application_does_not_start_and_says_why(
        environment: dict[str, str], options: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(os.urandom(8192))
    damaged.chmod(0o600)
    values = {"HARMONY_ACCESS": str(tmp_path / "access.sqlite"), "HARMONY_STORE": str(tmp_path / "store"),
              "HARMONY_SAMPLES": "", **environment}
    if values["HARMONY_ACCESS"] == "damaged.sqlite":
        values["HARMONY_ACCESS"] = str(damaged)
    run = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(PROJECT_ROOT / "app.py"), "--server.port", "0", *options],
        capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path, env={**os.environ, **values})
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "harmony_dash does not start." in said and reason in said
    assert "Traceback" not in said
