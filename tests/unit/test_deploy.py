"""The samples under deploy/ fit the application they are for."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from harmony_dash.cli import build_parser
from harmony_dash.settings import describe_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {one.name for one in describe_settings().values() if one.name}
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
ENVIRONMENTS = sorted(path.name for path in DEPLOY.glob("*environment.sample"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(name))
    return parser["Service"]


def commands(source: str) -> list[list[str]]:
    """The commands of a manual page, or of comments of a sample: what stands indented, long lines joined."""
    joined = re.sub(r"\\\n[# ]*", "", source)
    return [line.lstrip("# ").split() for line in joined.splitlines() if re.match(r"#?    \s*\S", line)]


def chapter(title: str) -> str:
    """A chapter of the page on operations."""
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", OPERATIONS, re.MULTILINE | re.DOTALL)
    return str(found)


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


@pytest.mark.parametrize("name", ["Containerfile", *ENVIRONMENTS, *UNITS])
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert set(re.findall(r"HARMONY_[A-Z_]+", text(name))) <= KNOWN


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_samples_of_the_environment_set_no_secret(name: str) -> None:
    secret = {one.name for one in describe_settings().values() if one.secret}
    lines = [line.partition("=") for line in text(name).splitlines() if "=" in line]
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


def test_nothing_is_installed_or_built_with_that_was_not_checked() -> None:
    """pip would fetch a builder by itself, without a hash, for the package that is published as source."""
    in_image = [words for words in instructions("Containerfile") if "install" in words and words[0] == "RUN"]
    steps = [step.split() for words in in_image for step in " ".join(words).split("&&") if "pip install" in step]
    steps += [words for words in commands(chapter("Install")) if words[0].endswith("/pip")]
    assert len(steps) == 4
    for words in steps:
        assert {"--require-hashes", "--only-binary", "-r"} <= set(words), words
        is_built = words[-1].endswith("requirements.txt")
        assert ("--no-binary" in words, "--no-build-isolation" in words) == (is_built, is_built), words
    builders = text("requirements-build.txt")
    pinned = re.findall(r"^(\S+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}$", builders, re.MULTILINE)
    named = re.findall(r"^[a-z]\S+(?===)", builders, re.MULTILINE)
    assert pinned == named == ["setuptools"]


def test_the_image_is_built_in_the_format_that_keeps_its_health_check() -> None:
    builds = [words for source in (text("Containerfile"), OPERATIONS) for words in commands(source)
              if words[:2] == ["podman", "build"]]
    assert len(builds) == 2
    for words in builds:
        assert words[2:4] == ["--format", "docker"]


def test_the_settings_of_a_container_leave_the_places_of_data_to_the_image() -> None:
    (places,) = [words for words in instructions("Containerfile") if words[0] == "ENV"]
    fixed = {name for word in places if (name := word.partition("=")[0]).startswith("HARMONY_")}
    assert {"HARMONY_STORE", "HARMONY_ACCESS", "HARMONY_SAMPLES"} == fixed
    lines = [line.strip("# ") for line in text("container.environment.sample").splitlines()]
    assert not [line for line in lines if line.startswith(tuple(f"{name}=" for name in fixed))]
    copied = [words for words in commands(OPERATIONS) if "deploy/container.environment.sample" in words]
    (file,) = [words[words.index("deploy/container.environment.sample") + 1] for words in copied]
    used = [words[words.index("--env-file") + 1] for words in commands(OPERATIONS) if "--env-file" in words]
    assert used and set(used) == {file}


def test_the_token_of_the_health_check_stands_in_no_argument() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for words in commands(page.read_text(encoding="utf-8")):
            assert "Bearer" not in " ".join(words) and "HEALTH_TOKEN" not in " ".join(words), (page.name, words)
    (asked,) = [words for words in commands(chapter("Health")) if words[0] == "curl"]
    assert asked[1] == "--header" and asked[2].startswith("@/")
    # what nginx refuses to everybody is not asked of nginx
    assert asked[3] == "http://127.0.0.1:8501/healthz"
    (place,) = re.findall(r"location = /healthz \{[^}]*\}", text("nginx.conf"))
    assert [line.strip() for line in place.splitlines() if re.match(r"\s*(allow|deny)", line)] == ["deny all;"]


def test_an_upgrade_changes_every_unit_that_names_the_folder() -> None:
    upgrade = chapter("Upgrade")
    for name in UNITS:
        assert "/opt/harmony-dash" in unit(name)["ExecStart"]
        assert f"`{name}`" in upgrade
    assert "systemctl stop harmony-dash harmony-dash-backup.timer" in upgrade


def test_a_restore_can_be_typed_as_it_stands() -> None:
    """Whole paths, because the unit that runs it has a folder of its own; the timer rests; the keys can be read."""
    typed = commands(chapter("Restore"))
    (stop,) = [words for words in typed if words[:2] == ["systemctl", "stop"]]
    assert stop[2:] == ["harmony-dash", "harmony-dash-backup.timer"]
    restores = [words for words in typed if words[:2] == ["harmony", "restore"]]
    assert len(restores) == 2
    for words in restores:
        assert build_parser().parse_args(words[1:]).command == "restore"
        files = [word for word in words[2:] if not word.startswith("--")]
        assert all(word.startswith("/") for word in files), files
        keys = words[words.index("--keys") + 1]
        assert any(line[0] == "install" and line[-1].rstrip("/") == keys and "harmony-dash" in line for line in typed)
    (function,) = [words for words in commands(chapter("Install")) if words[0] == "harmony()"]
    assert "/opt/harmony-dash/.venv/bin/python" in function and "--uid=harmony-dash" in function
    contained, looked_at = (words for words in typed if words[:2] == ["podman", "run"])
    assert {"--user", "harmony-data:/data", "--env-file"} <= set(contained)
    assert {"harmony-data:/data", "--env-file", "--entrypoint", "$look"} <= set(looked_at)
    assert not [words for words in typed if words[1:2] == ["start"]]  # nobody signs in before it was looked at


def test_every_command_on_a_server_gives_way_to_the_pages() -> None:
    (function,) = [words for words in commands(chapter("Install")) if words[0] == "harmony()"]
    assert "--property=CPUWeight=20" in function


@pytest.mark.parametrize("fails", ["nothing", "backup", "cp"])
def test_the_nightly_backup_of_a_container_leaves_nothing_in_the_volume_and_no_half_copy(
        tmp_path: Path, fails: str) -> None:
    (script,) = re.findall(r"^    (#!/bin/sh -e\n(?:    .*\n)+)", chapter("Backup"), re.MULTILINE)
    said, backups = tmp_path / "said", tmp_path / "backups"
    assert ["install", "-d", "-m", "700", "/var/backups/harmony-dash"] in commands(chapter("Install"))
    backups.mkdir()
    # stands in for podman: writes down how it was called, copies, and fails where it is told to
    (tmp_path / "podman").write_text(
        f'#!/bin/sh\necho "$@" >> "{said}"\n[ "$1" != cp ] || echo copied > "$3"\n'
        f'case "$*" in *" {fails} "*|"{fails} "*) exit 1;; esac\n')
    (tmp_path / "podman").chmod(0o755)
    done = subprocess.run(["/bin/sh", "-ec", script.replace("/var/backups/harmony-dash", str(backups))], check=False,
                          env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True)
    assert (done.returncode == 0) == (fails == "nothing"), done.stderr
    written, *copied, removed = [line.split() for line in said.read_text().splitlines()]
    assert build_parser().parse_args(written[written.index("backup"):]).command == "backup"
    inside = written[-1]
    name = Path(inside).name
    assert copied == ([] if fails == "backup" else [["cp", f"harmony-dash:{inside}", str(backups / f"{name}.part")]])
    assert removed == ["exec", "harmony-dash", "rm", "-f", inside]
    left = {"nothing": [name], "backup": [], "cp": [f"{name}.part"]}
    assert [path.name for path in backups.iterdir()] == left[fails]


def test_the_only_default_server_of_nginx_is_ours() -> None:
    assert "default_server" in text("nginx.conf")
    assert ["rm", "-f", "/etc/nginx/sites-enabled/default"] in commands(chapter("Install"))


def test_the_user_of_the_service_can_read_the_secrets_and_nobody_else() -> None:
    manual = (ROOT / "docs" / "sign-in.md").read_text(encoding="utf-8")
    installed = re.findall(r"`install (?:-D )?-o (\S+) (?:-g \S+ )?-m (\d+) secrets\.toml (\S+)`", manual)
    (image_user,) = [words[1] for words in instructions("Containerfile") if words[0] == "USER"]
    assert installed == [(unit("harmony-dash.service")["User"], "600", "/opt/harmony-dash/.streamlit/secrets.toml"),
                         (image_user, "600", "/etc/harmony-dash/secrets.toml")]
    assert "-v /etc/harmony-dash/secrets.toml:/app/.streamlit/secrets.toml:ro" in manual
    assert ["WORKDIR", "/app"] in instructions("Containerfile")
