"""A set-up of the identity provider that is unsafe, or could not work, keeps the application from starting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harmony_dash.errors import SettingsError
from harmony_dash.settings import Settings, read_groups
from harmony_dash.ui.outside_settings import OutsideSignIn, read_outside_sign_in
from tests.security.oidc_server import GROUPS, write_secrets
from tests.security.server import PROJECT_ROOT

SOURCES = sorted([*(PROJECT_ROOT / "harmony_dash").rglob("*.py"), *(PROJECT_ROOT / "pages").glob("*.py")])

GOOD = {"redirect_uri": "https://dash.example.org/oauth2callback", "cookie_secret": "9f86d081884c7d659a2feaa0c55ad015",
        "client_id": "x", "client_secret": "y", "server_metadata_url": "https://id.example.org/.well-known/x"}


def read(auth: dict[str, object], groups: str = "a=clinician", hosts: tuple[str, ...] = ("dash.example.org",)
         ) -> OutsideSignIn:
    settings = Settings(Path("store"), Path("access"), None,
                        oidc_groups=read_groups("HARMONY_OIDC_GROUPS", {"HARMONY_OIDC_GROUPS": groups}))
    return read_outside_sign_in(auth, settings, port=8501, allowed_hosts=list(hosts))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.stem)
def test_one_module_alone_reads_what_the_provider_said(file: Path) -> None:
    if file.name != "outside_identity.py":
        assert not re.search(r"st\.(user|logout)\b(?!`)", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("changes", [
    {}, {"redirect_uri": "http://localhost:{port}/oauth2callback"}, {"client_kwargs": {"prompt": "login"}},
    {"client_kwargs": {"scope": "openid groups"}}], ids=str)
def test_a_good_set_up_is_read(changes: dict[str, object]) -> None:
    hosts = () if "localhost" in str(changes) else ("dash.example.org",)
    assert read({**GOOD, **changes}, hosts=hosts) is not None


@pytest.mark.parametrize(("changes", "where"), [
    *(({name: value}, f"auth.{name}") for name in GOOD for value in (None, "", 7)),
    ({"cookie_secret": "changeme"}, "auth.cookie_secret"), ({"cookie_secret": "x" * 64}, "auth.cookie_secret"),
    ({"cookie_secret": "a-strong-random-secret-goes-here-please"}, "auth.cookie_secret"),
    ({"redirect_uri": "http://dash.example.org/oauth2callback"}, "auth.redirect_uri"),
    ({"redirect_uri": "https://dash.example.org/x/oauth2callback"}, "auth.redirect_uri"),
    ({"redirect_uri": "https://other.example.org/oauth2callback"}, "auth.redirect_uri"),
    ({"redirect_uri": "https://dash.example.org@evil.example/oauth2callback"}, "auth.redirect_uri"),
    ({"server_metadata_url": "http://id.example.org/x"}, "auth.server_metadata_url"),
    ({"expose_tokens": "id"}, "auth.expose_tokens"), ({"google": {"client_id": "z"}}, "auth.google"),
    ({"client_kwargs": {"scope": "email profile"}}, "auth.client_kwargs.scope"), ({"client_kwargs": "x"},
                                                                                 "auth.client_kwargs")], ids=str)
def test_an_unsafe_set_up_is_refused_by_name(changes: dict[str, object], where: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read({**GOOD, **changes})
    assert refused.value.where == where
    assert refused.value.remedy


@pytest.mark.parametrize("groups", ["", " ; ", "a=operator", "a=chief", "a=clinician;a=analyst"])
def test_a_provider_without_a_clear_mapping_is_refused(groups: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(GOOD, groups)
    assert refused.value.where == "HARMONY_OIDC_GROUPS"


@pytest.mark.parametrize("groups", ["clinician", "=clinician", "a=", "a=clinician;b"])
def test_groups_that_cannot_be_read_are_refused(groups: str) -> None:
    with pytest.raises(SettingsError):
        read_groups("HARMONY_OIDC_GROUPS", {"HARMONY_OIDC_GROUPS": groups})


def test_groups_may_hold_equals_signs() -> None:
    assert read_groups("G", {"G": " CN=allbd,OU=x = clinician ; b=analyst;"}) == (
        ("CN=allbd,OU=x", "clinician"), ("b", "analyst"))


@pytest.mark.parametrize(("changes", "groups", "mode", "text", "reason"), [
    ({"cookie_secret": "changeme-changeme-changeme-changeme"}, GROUPS, 0o600, None, "auth.cookie_secret"),
    ({}, "", 0o600, None, "HARMONY_OIDC_GROUPS"), ({}, "a=chief", 0o600, None, "HARMONY_OIDC_GROUPS"),
    ({}, GROUPS, 0o644, None, "can be read by others"), ({}, GROUPS, 0o600, "[auth\n", "secrets.toml")],
    ids=["placeholder", "no mapping", "no such role", "mode", "broken"])
def test_the_application_does_not_start_and_says_why(
        changes: dict[str, str], groups: str, mode: int, text: str | None, reason: str, tmp_path: Path) -> None:
    file = write_secrets(tmp_path / "secrets.toml", "http://localhost:1", **changes)
    if text is not None:
        file.write_text(text)
    file.chmod(mode)
    run = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(PROJECT_ROOT / "app.py"), "--server.port", "0",
         "--secrets.files", str(file)], capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path,
        env={**os.environ, "HARMONY_ACCESS": str(tmp_path / "access.sqlite"), "HARMONY_STORE": str(tmp_path / "store"),
             "HARMONY_SAMPLES": "", "HARMONY_OIDC_GROUPS": groups})
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "harmony_dash does not start." in said and reason in said
    assert "Traceback" not in said and "changeme" not in said
