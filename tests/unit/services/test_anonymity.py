"""A source whose patients could be recognised too easily is refused, and why is said without saying who."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli import main
from harmony_dash.errors import SourceError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import AnonymityRefused, ingest_sources
from harmony_dash.settings import Settings
from tests.factories import NOW

MANIFEST = """\
source: {source}
title: A trial
disease: ALL
synthetic: {synthetic}
files:
  - {{path: patients.csv, format: csv, id: pid}}
variables:
  country: {country}
  sex: {{column: sex, values: {{m: M, w: F}}}}
  age_dx_years: {{column: age, unit: years}}
{period}
  first_event: {{constant: none}}
  death: {{constant: "no"}}
  last_contact_days: {{column: fu, unit: days}}
{ignored}
"""
PERIOD = "  dx_year: {column: year}"
# Per class of country, age, sex and year: how many. By country 120 patients make 4 classes, by period 3.
COMMON = {("DE", 4, "m", 2003): 60, ("DE", 5, "w", 2003): 36, ("FR", 5, "w", 2003): 24}


def write_source(folder: Path, counts: dict[tuple[str, int, str, int], int], *, synthetic: str = "false",
                 country: str = "{column: land}", period: bool = True) -> Path:
    """A source of patients with identifiers and values that cannot be mistaken for anything else in a message."""
    folder.mkdir(parents=True)
    ignored = ", ".join(["land"] * ("column" not in country) + ["year"] * (not period))
    (folder / "source.yaml").write_text(MANIFEST.format(
        source=folder.name, synthetic=synthetic, country=country, period=PERIOD if period else "",
        ignored=f"ignore: [{ignored}]"))
    rows, number = ["pid,land,sex,age,year,fu"], 0
    for (land, age, sex, year), count in counts.items():
        for _ in range(count):
            number += 1
            rows.append(f"qx{number:03}zv,{land},{sex},{age}.{50 + number % 9}7,{year},{4411 + number}")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n")
    return folder


def deployment_at(folder: Path, minutes: int = 0, **limits: float) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32,
                        disclosure_key=b"one made-up disclosure key", access_key=b"a" * 32)
    return open_deployment(replace(settings, **limits), now=lambda: NOW + timedelta(minutes=minutes))


RARE = {("FR", 45, "m", 2008): 3, ("DE", 12, "w", 2003): 1, ("NL", 4, "m", 2003): 2, ("NL", 4, "w", 2012): 2,
        ("NL", 13, "w", 2012): 2, ("NL", 13, "m", 2012): 2, ("FR", 30, "w", 2012): 3, ("DE", 65, "m", 1991): 1,
        ("DE", 0, "m", 1991): 1}


def refuse(folder: Path, **limits: float) -> AnonymityRefused:
    source = write_source(folder / "rare", {("DE", 4, "m", 2003): 60, **RARE})
    with pytest.raises(AnonymityRefused) as refused:
        ingest_sources(deployment_at(folder, 1, **limits), OPERATOR, [source])
    return refused.value


def test_a_source_within_the_limits_is_published_with_its_figures(tmp_path: Path) -> None:
    deployment = deployment_at(tmp_path)
    report = ingest_sources(deployment, OPERATOR, [write_source(tmp_path / "common", COMMON)])
    found = report.anonymity["common"]
    assert (found.limited, found.refused, found.exceeding, found.small_classes) == (True, False, (), ())
    assert (found.figures.after.k, found.figures.after.mean_risk) == (24, 3 / 120)
    assert found.figures.before.risk.k < 10
    assert deployment.store.current().anonymity == {"common": found.figures}


def test_a_source_over_the_limits_is_refused_and_the_former_snapshot_is_served(tmp_path: Path) -> None:
    first = ingest_sources(deployment_at(tmp_path), OPERATOR, [write_source(tmp_path / "common", COMMON)])
    before = sorted(path.name for path in (tmp_path / "store").iterdir())
    problem = refuse(tmp_path)
    assert deployment_at(tmp_path).store.current().snapshot == first.snapshot
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == before
    assert (problem.report.snapshot, problem.report.patients) == ("", 0)
    assert isinstance(problem, SourceError)


def test_the_refusal_names_source_limit_groups_and_remedy(tmp_path: Path) -> None:
    problem = refuse(tmp_path)
    assert problem.where == "rare"
    assert "by disease, country, age group and sex the mean risk is 0.13 (at most 0.09)" in problem.problem
    assert "By disease, period of diagnosis, age group and sex" in problem.problem
    assert "fewer than 12 patients each are in: " in problem.problem
    assert "ALL, Germany, under 1 year, Male" in problem.problem
    assert "and 3 more such groups" in problem.problem
    for word in ("country and period of diagnosis", "HARMONY_MAX_MEAN_RISK", "committee"):
        assert word in problem.remedy
    assert "HARMONY_MAX_UNIQUE_SHARE" not in problem.remedy
    assert "Traceback" not in problem.message


def test_the_refusal_holds_no_value_of_a_patient_but_categories(tmp_path: Path) -> None:
    problem = refuse(tmp_path)
    text = problem.message
    assert not re.search(r"qx\d|zv|44\d\d|\d\.\d7\b|2003|2008|1991|2012", text.replace("2005–2009", ""))
    # The only numbers are figures of the whole source, limits, bounds, edges of categories and how many groups more.
    for small in problem.report.anonymity["rare"].small_classes:
        assert small.fewer_than == 12
        assert set(small.values) in ({"disease", "country", "age_group", "sex"},
                                     {"disease", "dx_period", "age_group", "sex"})


def test_the_groups_are_listed_by_value_and_not_by_size(tmp_path: Path) -> None:
    small = refuse(tmp_path).report.anonymity["rare"].small_classes
    countries = [entry.values["country"] for entry in small if "country" in entry.values]
    assert countries == sorted(countries, key=["DE", "FR", "NL"].index)
    groups = [entry.values["age_group"] for entry in small if entry.values.get("country") == "DE"]
    assert groups == ["<1", "10-17", "60+"]
    assert len(countries) == len(RARE)


@pytest.mark.parametrize("synthetic", ["true", "public"])
def test_synthetic_and_published_patients_are_measured_and_not_refused(tmp_path: Path, synthetic: str) -> None:
    source = write_source(tmp_path / "rare", {("DE", 4, "m", 2003): 60, **RARE}, synthetic=synthetic)
    found = ingest_sources(deployment_at(tmp_path), OPERATOR, [source]).anonymity["rare"]
    assert not found.limited and not found.refused
    assert found.exceeding and not found.small_classes


def test_all_sources_over_the_limits_are_named_at_once(tmp_path: Path) -> None:
    folders = [write_source(tmp_path / "good", COMMON)]
    # The same patients again would be duplicates: a year more, another sex.
    folders.append(write_source(tmp_path / "poor", {("DE", 8, "m", 2003): 20, **RARE}))
    folders.append(write_source(tmp_path / "worse", {("IT", 7, "w", 1996): 3, ("IT", 30, "w", 1996): 4}))
    with pytest.raises(AnonymityRefused) as refused:
        ingest_sources(deployment_at(tmp_path), OPERATOR, folders)
    assert refused.value.where == "poor, worse"
    assert "In poor by disease" in refused.value.problem and "In worse by disease" in refused.value.problem
    assert set(refused.value.report.anonymity) == {"good", "poor", "worse"}
    assert deployment_at(tmp_path).store.is_empty


def test_a_limit_can_be_raised(tmp_path: Path) -> None:
    source = write_source(tmp_path / "rare", {("DE", 4, "m", 2003): 60, **RARE})
    report = ingest_sources(deployment_at(tmp_path, max_mean_risk=0.25, max_unique_share=0.1), OPERATOR, [source])
    assert report.patients == 77


def test_too_many_alone_are_refused_although_the_mean_is_low(tmp_path: Path) -> None:
    problem = refuse(tmp_path, max_mean_risk=0.25, max_unique_share=0.01)
    assert "like nobody else is 0.039 (at most 0.01)" in problem.problem
    assert "mean risk" not in problem.problem
    assert "HARMONY_MAX_UNIQUE_SHARE" in problem.remedy and "HARMONY_MAX_MEAN_RISK" not in problem.remedy
    assert "fewer than 10 patients" in problem.problem


PERIODS = {(land, 4, sex, year): 4 for land in ("DE",) for sex in "mw" for year in (1992, 1997, 2003, 2008)}
COUNTRIES = {(land, 4, sex, 2003): 4 for land in ("DE", "FR", "NL", "IT") for sex in "mw"}


@pytest.mark.parametrize(("counts", "changes"), [
    (PERIODS, {"period": False}), (COUNTRIES, {"country": "{constant: ZZ}"})])
def test_what_the_refusal_advises_helps(
        tmp_path: Path, counts: dict[tuple[str, int, str, int], int], changes: dict[str, Any]) -> None:
    with pytest.raises(AnonymityRefused) as refused:
        ingest_sources(deployment_at(tmp_path), OPERATOR, [write_source(tmp_path / "a", counts)])
    assert ("period of diagnosis" if "period" in changes else "country") in refused.value.remedy
    report = ingest_sources(deployment_at(tmp_path), OPERATOR, [write_source(tmp_path / "b", counts, **changes)])
    assert report.anonymity["b"].figures.after.k == 16


@pytest.fixture
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARMONY_DISCLOSURE_KEY", "0f3a9c5e7b1d2468ace013579bdf8642")
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))


@pytest.mark.usefixtures("_store")
def test_the_command_line_prints_figures_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_source(tmp_path / "common", COMMON)
    assert main(["ingest", str(source), "--store", str(tmp_path / "store"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)["sources"][0]["anonymity"]
    assert printed["quasi_identifiers"] == ["disease", "country", "dx_period", "age_dx_years", "sex"]
    assert printed["before"]["by"] == printed["quasi_identifiers"]
    assert (printed["after"]["k"], printed["after"]["mean_risk"], printed["after"]["max_risk"]) == (24, 0.025, 1 / 24)
    assert {"k", "l", "mean_risk", "max_risk", "share_over"} <= set(printed["before"]) & set(printed["after"])
    assert [grain["by"][1] for grain in printed["accepted"]] == ["country", "dx_period"]
    assert printed["limits"] == {"mean_risk": 0.09, "share_unique": 0.05, "applied": True}
    assert "cells" not in printed and not printed["refused"]
    assert main(["ingest", str(source), "--store", str(tmp_path / "store")]) == 0
    assert re.search(r"common +k +24  mean risk 0\.025  max risk 0\.042\n", capsys.readouterr().err)


@pytest.mark.usefixtures("_store")
def test_the_command_line_prints_the_cells_of_a_refusal_and_ends_with_2(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_source(tmp_path / "rare", {("DE", 4, "m", 2003): 60, **RARE})
    assert main(["ingest", str(source), "--store", str(tmp_path / "store"), "--json"]) == 2
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert (printed["snapshot"], printed["patients"]) == ("", 0)
    cells = printed["sources"][0]["anonymity"]["cells"]
    assert {cell["patients"] for cell in cells} == {"fewer than 12"}
    assert {"values": {"disease": "ALL", "country": "DE", "age_group": "<1", "sex": "M"},
            "patients": "fewer than 12"} in cells
    assert "harmony_dash: rare: patients could be recognised too easily" in err
    assert not re.search(r"qx\d|zv", out + err)
