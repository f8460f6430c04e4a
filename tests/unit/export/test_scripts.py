"""Strangers recompute what was released, in Python and in R, and see when a number was changed."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.export.files import Format
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.exports import make_export
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_store

STEERING = Actor("stefan", Role.STEERING, "s")
QUESTIONS = {
    "survival": Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex"),
    "a rate that rises": Question("ALL", "relapse_1km", by="country"),
    "competing causes": Question("ALL", "relapse", by="cyto_group"),
    "a landmark": Question("ALL", "os", by="mrd_group"),
    "failures on day 0": Question("ALL", "efs_tf0"),
    "a horizon": Question("ALL", "os", by="sex", horizon_days=1826)}
SCRIPTS = {"Python": lambda folder: [sys.executable, str(folder / "recompute.py")],
           "R": lambda folder: [str(shutil.which("Rscript")), str(folder / "recompute.R")]}
pytestmark = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed; .ci/run installs it")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("scripts")
    make_store(folder / "store", 3000, seed=5)
    settings = Settings(folder / "store", folder / "access.sqlite", None, access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: NOW)


@pytest.fixture(scope="module")
def export_to(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def write(name: str) -> Path:
        folder = tmp_path_factory.mktemp("export")
        for file in make_export(deployment, STEERING, QUESTIONS[name], formats=[Format.CSV]).bundle.files:
            (folder / file.name).write_bytes(file.content)
        return folder
    return write


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(SCRIPTS[script](folder), capture_output=True, text=True, check=False, cwd="/")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_everything_that_was_released_can_be_recomputed(export_to: Callable[[str], Path], question: str, script: str,
                                                        ) -> None:
    done = run(script, export_to(question))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "numbers compared, 0 differ." in done.stdout
    means = () if "competing" in question else ("restricted mean to day",)
    medians = ("median days", "patients, at", "events, those", "hazard ratio", ": p") if question == "survival" else ()
    for word in ("estimate", "lower", "at risk", *means, *medians):
        assert word in done.stdout


# Table, column and by how much; every kind of number is among them.
CHANGES = [("estimates", "estimate", 0.001), ("estimates", "lower", 0.001), ("estimates", "at_risk", 5),
           ("curves", "estimate", -0.2), ("groups", "rmst_days", 1), ("groups", "median_days", 400),
           ("groups", "patients", -20), ("groups", "events", -300), ("comparisons", "difference_days", 3),
           ("groups", "rmst_se_days", 30), ("groups", "hr", 0.2),
           ("groups", "hr_lower", -0.2), ("groups", "hr_p", -0.5)]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(("table", "column", "change"), CHANGES)
def test_a_number_that_was_changed_is_found(export_to: Callable[[str], Path], table: str, column: str, change: float,
                                            script: str) -> None:
    folder = export_to("survival")
    alter(folder / f"{table}.csv", column, change)
    done = run(script, folder)
    assert done.returncode == 1, done.stdout
    assert "DIFF" in done.stdout


def alter(file: Path, column: str, change: float) -> None:
    """Add to the last number of a column, on the last line about a year where lines are about days."""
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    row = next(row for row in reversed(rows) if row[column] and row.get("days", "365") == "365")
    row[column] = str(float(row[column]) + change)
    with file.open("w", newline="", encoding="utf-8") as changed:
        writer = csv.DictWriter(changed, list(row), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_missing_file_is_named(export_to: Callable[[str], Path], script: str) -> None:
    folder = export_to("survival")
    (folder / "curves.csv").unlink()
    done = run(script, folder)
    assert done.returncode == 2
    assert "curves.csv is missing" in done.stderr


def test_a_table_that_was_changed_in_a_word_does_not_fit_its_checksum(export_to: Callable[[str], Path]) -> None:
    folder = export_to("survival")
    file = folder / "cohort.csv"
    file.write_text(file.read_text().replace("B-cell", "T-cell"))
    done = run("Python", folder)
    assert done.returncode == 1
    assert "DIFF checksum of cohort.csv" in done.stdout
