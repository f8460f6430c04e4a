"""An ingest gives way to the people who use the server meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import os, runpy, sys
try:
    runpy.run_module("harmony_dash", run_name="__main__", alter_sys=True)
except SystemExit:
    print(os.nice(0))
"""


@pytest.mark.parametrize(("command", "nicer"), [("ingest", 10), ("snapshots", 0)])
def test_an_ingest_gives_way_and_other_commands_do_not(tmp_path: Path, command: str, nicer: int) -> None:
    folder = [str(tmp_path / "nothing")] if command == "ingest" else []
    done = subprocess.run([sys.executable, "-c", _RUN, command, *folder, "--store", str(tmp_path / "store")],
                          capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) == min(19, os.nice(0) + nicer)
