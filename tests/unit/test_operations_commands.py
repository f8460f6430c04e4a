"""The commands of the pages Restore and Drill are typed as they are written, in a sandbox with other paths."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.services.backup import make_backup
from harmony_dash.services.deployment import open_deployment
from harmony_dash.settings import read_settings
from tests.factories import make_store

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

# What the sandbox has instead: the same programs without another user, and none that manages services.
STUBS = {
    "systemctl": "echo systemctl \"$@\"",
    "install": f"""exec {sys.executable} -c '
import os, sys
given = iter(sys.argv[1:])
kept = [one for one in given if one not in ("-o", "-g") or not next(given)]
os.execv("/usr/bin/install", ["install", *kept])' "$@"
""",
    # a program must be named with its whole path, as systemd wants it
    "systemd-run": """while :; do case "$1" in
  --property=EnvironmentFile=*) set -a; . "${1#*EnvironmentFile=}"; set +a;;
  --working-directory=*) cd "${1#*=}";;
  --*) ;;
  /*) exec "$@";;
  *) echo "not a whole path: $1" >&2; exit 64;;
esac; shift; done""",
}


def block_of(title: str) -> str:
    """The first indented block below a title."""
    below = OPERATIONS.split(f"{title}\n", 1)[1]
    found = re.search(r"(?:^    .*\n)+", below, re.MULTILINE)
    assert found is not None
    return found[0]


def function() -> str:
    found = re.search(r"^    harmony\(\) \{(?:.*\n)+?.*\}$", OPERATIONS, re.MULTILINE)
    assert found is not None
    return found[0]


@pytest.mark.skipif(not Path("/usr/bin/install").exists(), reason="the manual is for Linux")
def test_restore_and_drill_work_as_they_are_written(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    places = {"/var/lib/harmony-dash": str(lib), "/var/backups/harmony-dash": str(tmp_path / "backups"),
              "/media/safe": str(tmp_path / "safe"), "/run/harmony-dash-keys": str(tmp_path / "keys"),
              "/opt/harmony-dash/.venv/bin/python": sys.executable, "/opt/harmony-dash": str(ROOT),
              "/etc/harmony-dash/environment": str(tmp_path / "environment")}
    for name in ("backups", "safe", "bin"):
        (tmp_path / name).mkdir()
    settings = {"HARMONY_STORE": str(lib / "main" / "store"), "HARMONY_ACCESS": str(lib / "main" / "access.sqlite")}
    (tmp_path / "environment").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    for name, script in STUBS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    make_store(lib / "main" / "store", 40).close()
    deployment = open_deployment(read_settings(settings, tmp_path))
    make_backup(deployment, OPERATOR, tmp_path / "backups" / "monday.backup")
    deployment.access.close()

    keys = next(line for line in OPERATIONS.splitlines() if line.startswith("    install") and "*.key /media/" in line)
    restore, drill = block_of("## Restore"), block_of("### Drill")
    copied = "\n".join(line for line in restore.splitlines() if "    install" in line)
    script = "\n".join(["set -e", keys, function(), restore, copied, drill])
    for place, instead in places.items():
        script = script.replace(place, instead)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HARMONY_")}
    run = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False, cwd="/",
                         env={**clean, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    assert run.returncode == 0, run.stderr
    assert "systemctl stop harmony-dash harmony-dash-backup.timer" in run.stdout
    assert run.stdout.count("The audit trail is as it was written") + run.stderr.count(
        "The audit trail is as it was written") == 2
    assert "The deployment in use is as it was" in run.stderr
    assert sorted(path.name for path in lib.iterdir()) == ["main", "main.broken"]
    assert (lib / "main" / "store" / "CURRENT").read_bytes() == (lib / "main.broken" / "store" / "CURRENT").read_bytes()


def test_the_commands_for_a_container_name_what_the_image_has() -> None:
    container = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"podman run --rm --user 0 (?:.*\\\n)+.*\n.*main'", OPERATIONS)
    assert "HARMONY_STORE=/data/main/store" in container and "mv /data/main /data/main.broken" in line
    assert "--uid 10001" in container and "chown -R 10001 /data/main" in line
    assert "-v harmony-data:/data" in line and "--entrypoint sh" in line
