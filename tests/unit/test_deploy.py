"""The samples under deploy/ fit the application they are for."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from harmony_dash.cli import build_parser
from harmony_dash.settings import describe_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {one.name for one in describe_settings().values() if one.name}
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(name))
    return parser["Service"]


def instructions(name: str) -> list[list[str]]:
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text(name).splitlines() if not line.startswith("#")))
    return [line.split() for line in joined.splitlines() if line.strip()]


def test_what_the_image_copies_is_there_and_holds_no_data() -> None:
    copied = [words[1:-1] for words in instructions("Containerfile") if words[0] == "COPY" and words[1][0] != "-"]
    sources = [source for words in copied for source in words]
    assert {"app.py", "harmony_dash", "pages", "requirements.txt", ".streamlit/config.toml"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source not in (".", ".streamlit", "var", "data_samples")


def test_the_image_runs_without_root_from_packages_with_hashes() -> None:
    found = instructions("Containerfile")
    (user,) = [words[1] for words in found if words[0] == "USER"]
    assert user not in ("0", "root")
    assert "--require-hashes" in text("Containerfile") and "--hash=sha256:" in (ROOT / "requirements.txt").read_text()
    assert [words[0] for words in found].index("USER") < [words[0] for words in found].index("ENTRYPOINT")
    assert "HEALTHCHECK" in [words[0] for words in found] and "/healthz" in text("Containerfile")
    assert all(words[1].startswith("python:3.11-slim") for words in found if words[0] == "FROM")


@pytest.mark.parametrize("name", ["Containerfile", "environment.sample", *UNITS])
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert set(re.findall(r"HARMONY_[A-Z_]+", text(name))) <= KNOWN


def test_the_sample_of_the_environment_sets_no_secret() -> None:
    secret = {one.name for one in describe_settings().values() if one.secret}
    lines = [line.partition("=") for line in text("environment.sample").splitlines() if "=" in line]
    assert not [value for name, _, value in lines if name.strip("# ") in secret and value]


HARDENING = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
             "PrivateDevices": "yes", "UMask": "0077", "CapabilityBoundingSet": "", "RestrictSUIDSGID": "yes",
             "LimitCORE": "0", "EnvironmentFile": "/etc/harmony-dash/environment"}


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_hardened_and_nobodys_but_its_own_users(name: str) -> None:
    service = unit(name)
    assert {key: service[key] for key in HARDENING} == HARDENING
    assert service["User"] not in ("root", "")


def test_the_unit_names_the_hosts_and_does_not_start_again_what_refused() -> None:
    service = unit("harmony-dash.service")
    command = shlex.split(service["ExecStart"])
    assert command[1:5] == ["-m", "streamlit", "run", "app.py"]
    assert command.count("--server.allowedHosts") == 2 and "ALLOWED_HOST=" in text("environment.sample")
    assert service["RestartPreventExitStatus"] == "2"


def test_the_nightly_backup_is_a_command_that_exists() -> None:
    _, _, line = shlex.split(unit("harmony-dash-backup.service")["ExecStart"])
    arguments = shlex.split(line.partition("-m harmony_dash ")[2])
    assert build_parser().parse_args(arguments).command == "backup"
    assert not build_parser().parse_args(arguments).with_keys


def test_the_proxy_tells_what_the_application_relies_on() -> None:
    handed_on = dict(re.findall(r"^proxy_set_header (\S+)\s+(\S+);$", text("nginx-proxy.conf"), re.MULTILINE))
    assert handed_on["X-Forwarded-For"] == "$remote_addr"  # overwritten: docs/sign-in.md
    assert handed_on["Host"] == "$http_host" and handed_on["X-Forwarded-Proto"] == "$scheme"
    assert {"Upgrade", "Connection"} <= handed_on.keys()
    assert 'Strict-Transport-Security "max-age=' in text("nginx.conf")


def test_the_proxy_logs_no_question_and_takes_uploads_of_the_same_size() -> None:
    (logged,) = re.findall(r"log_format harmony '(.*)';", text("nginx.conf"))
    holding_questions = {"$request", "$request_uri", "$args", "$query_string", "$http_referer"}
    assert not holding_questions & set(re.findall(r"\$\w+", logged))
    assert re.search(r"error_log \S+ crit;", text("nginx.conf"))
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert f"client_max_body_size {config['server']['maxUploadSize']}m;" in text("nginx.conf")
    every_place = re.findall(r"location [^{]+\{[^}]*\}", text("nginx.conf"))
    assert len(every_place) == 3 and all("harmony-dash-proxy.conf" in place for place in every_place)
