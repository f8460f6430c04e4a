"""Real registry files through the front door: `ingest` and `survival --exact --json` give R's numbers.

The data are not part of this repository. The tests find them through HARMONY_SHARED (default ../shared).
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.cli import main

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("HARMONY_SHARED", str(HERE.parents[2] / "shared"))).resolve() / "data"
FILES = {"bmt137": "bmt137.csv", "ebmt3": "ebmt3.csv", "amlsg": "amlsg_raw.csv", "mgus2": "mgus2.csv"}
MONTH = 30.4375

pytestmark = pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="the real registry files are not here")

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("real")
    folders = []
    for name, file in FILES.items():
        folder = root / name
        shutil.copytree(HERE / "sources" / name, folder)
        shutil.copyfile(SHARED / "real" / file, folder / file)
        folders.append(str(folder))
    dictionary = [part for path in sorted((HERE / "dictionary").glob("*.yaml"))
                  for part in ("--dictionary", str(path))]
    assert main(["ingest", *folders, "--store", str(root / "store"), *dictionary]) == 0
    return root / "store"


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def survival(disease: str, endpoint: str, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        arguments = ["survival", "--store", str(store), "--disease", disease, "--endpoint", endpoint, "--exact",
                     "--json", *options]
        assert main(arguments) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return survival


def reference(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((SHARED / "reference" / f"{name}.json").read_text())
    return value


def months(values: list[int]) -> list[int]:
    return [math.floor(value * MONTH + 0.5) for value in values]


def close(ours: Any, theirs: Any) -> bool:
    if theirs is None or ours is None:
        return ours is None and theirs is None
    return bool(abs(ours - theirs) <= 1e-6)


def check_curve(group: dict[str, Any], expected: dict[str, Any], days: list[int], interval: str,
                to_days: Callable[[float], float] = lambda value: value) -> None:
    assert (group["n"], group["events"]) == (expected["n"], expected["events"])
    assert [at["days"] for at in group["at"]] == days
    assert [at["at_risk"] for at in group["at"]] == expected["at"]["n_risk"]
    for place, at in enumerate(group["at"]):
        assert close(at["survival"], expected["at"]["surv"][place])
        assert close(at["lower"], expected[f"ci_{interval}"]["lower"][place])
        assert close(at["upper"], expected[f"ci_{interval}"]["upper"][place])
    quantiles = expected[f"quant_{interval}"]
    ours = [group["median_days"], group["median_lower_days"], group["median_upper_days"]]
    theirs = [quantiles[key][1] for key in ("est", "lower", "upper")]
    assert ours == [None if value is None else to_days(value) for value in theirs]
    assert group["follow_up_median_days"] == to_days(expected["followup_reverse_km"]["est"][1])


def check_test(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert close(ours["statistic"], theirs["chisq"])
    assert ours["df"] == theirs["df"]
    assert ours["p"] == pytest.approx(theirs["p"], rel=1e-6, abs=1e-12)


def by_label(answer: dict[str, Any], variable: str) -> dict[str, dict[str, Any]]:
    return {group["label"][variable]: group for group in answer["groups"]}


def check_incidence(group: dict[str, Any], expected: dict[str, Any], causes: list[str]) -> None:
    ours = {part["cause"]: part["at"] for part in group["cumulative_incidence"]}
    for number, cause in enumerate(causes, start=1):
        if f"cause{number}" in expected:
            for at, estimate in zip(ours[cause], expected[f"cause{number}"]["est"], strict=True):
                assert close(at["estimate"], estimate)


def check_gray(answer: dict[str, Any], expected: dict[str, Any], causes: list[str]) -> None:
    ours = {test["cause"]: test for test in answer["gray"]}
    for number, cause in enumerate(causes):
        assert close(ours[cause]["statistic"], expected["stat"][number])
        assert ours[cause]["df"] == expected["df"][number]
        assert ours[cause]["p"] == pytest.approx(expected["p"][number], rel=1e-6, abs=1e-9)


CAUSES = ["relapse", "death_in_cr"]
STUDY = ["--disease", "HCT"]


def study(name: str) -> list[str]:
    return ["--where", f"source={name}"]


@pytest.mark.parametrize("interval", ["log-log", "log"])
def test_bmt137_disease_free_survival(ask: Ask, interval: str) -> None:
    expected = reference("bmt137")
    days = [100, 365, 730, 1826]
    times = ["--times", ",".join(map(str, days)), "--interval", interval]
    answer = ask("HCT", "rfs", *study("bmt137"), *times)
    check_curve(answer["groups"][0], expected["km"], days, interval)
    grouped = ask("HCT", "rfs", *study("bmt137"), *times, "--by", "transplant_group")
    for label, group in by_label(grouped, "transplant_group").items():
        check_curve(group, expected["km_by"]["levels"][label], days, interval)
    check_test(grouped["log_rank"], expected["logrank"])
    stratified = ask("HCT", "rfs", *study("bmt137"), "--by", "transplant_group", "--strata", "trial")
    check_test(stratified["log_rank"], expected["logrank_strat"])
    holm = {frozenset(pair["groups"]): pair["holm"] for pair in grouped["pairwise"]}
    names = {"ALL": "ALL", "AMLlow": "AML low risk", "AMLhigh": "AML high risk"}
    for pair, p in zip(expected["pairwise"]["pairs"], expected["pairwise"]["holm"], strict=True):
        assert close(holm[frozenset(names[name] for name in pair.split(" vs "))], p)


def test_bmt137_relapse_with_death_in_remission_competing(ask: Ask) -> None:
    expected = reference("bmt137")["cif"]
    times = ["--times", "100,365,730,1826"]
    check_incidence(ask("HCT", "relapse", *study("bmt137"), *times)["groups"][0], expected["overall"], CAUSES)
    grouped = ask("HCT", "relapse", *study("bmt137"), *times, "--by", "transplant_group")
    for label, group in by_label(grouped, "transplant_group").items():
        check_incidence(group, expected["levels"][label], CAUSES)
    check_gray(grouped, expected["gray"], CAUSES)


def test_bmt137_from_a_landmark(ask: Ask) -> None:
    expected = reference("bmt137")["landmark100"]
    answer = ask("HCT", "rfs", *study("bmt137"), "--landmark", "100", "--times", "265,630")
    check_curve(answer["groups"][0], expected["km"], [265, 630], "log-log")
    grouped = ask("HCT", "rfs", *study("bmt137"), "--landmark", "100", "--by", "transplant_group")
    check_test(grouped["log_rank"], expected["logrank_group"])
    assert [exclusion["reason"] for exclusion in answer["exclusions"]] == [
        "event by day 100", "last contact by day 100"][: len(answer["exclusions"])]
    assert sum(exclusion["n"] for exclusion in answer["exclusions"]) == 24


@pytest.mark.parametrize("interval", ["log-log", "log"])
def test_ebmt3_relapse_free_survival(ask: Ask, interval: str) -> None:
    expected = reference("ebmt3")
    days = [365, 730, 1826]
    times = ["--times", ",".join(map(str, days)), "--interval", interval]
    check_curve(ask("HCT", "rfs", *study("ebmt3"), *times)["groups"][0], expected["km"], days, interval)
    grouped = ask("HCT", "rfs", *study("ebmt3"), *times, "--by", "transplant_group")
    for label, group in by_label(grouped, "transplant_group").items():
        check_curve(group, expected["km_by"]["levels"][label], days, interval)
    check_test(grouped["log_rank"], expected["logrank"])
    stratified = ask("HCT", "rfs", *study("ebmt3"), "--by", "transplant_group", "--strata", "age_class")
    check_test(stratified["log_rank"], expected["logrank_strat"])


def test_ebmt3_refuses_what_its_file_cannot_answer(ask: Ask) -> None:
    answer = ask("HCT", "os", *study("ebmt3"))
    assert answer["groups"] == []
    assert answer["exclusions"] == [{"reason": "the source does not record this endpoint", "n": 2204}]


@pytest.mark.parametrize("interval", ["log-log", "log"])
def test_amlsg_overall_survival(ask: Ask, interval: str) -> None:
    expected = reference("amlsg")
    days = [365, 730, 1826]
    times = ["--times", ",".join(map(str, days)), "--interval", interval]
    check_curve(ask("AML", "os", *times)["groups"][0], expected["km"], days, interval)
    grouped = ask("AML", "os", *times, "--by", "eln_2010")
    assert {"reason": "ELN 2010 risk group not known", "n": 129} in grouped["exclusions"]
    for label, group in by_label(grouped, "eln_2010").items():
        check_curve(group, expected["km_by"]["levels"][label], days, interval)
    check_test(grouped["log_rank"], expected["logrank"])
    stratified = ask("AML", "os", "--by", "eln_2010", "--strata", "trial")
    check_test(stratified["log_rank"], expected["logrank_strat"])


def test_amlsg_relapse_from_remission(ask: Ask) -> None:
    expected = reference("amlsg")["cif_rfs"]
    times = ["--times", "365,730,1826"]
    overall = ask("AML", "relapse", *times)["groups"][0]
    assert overall["n"] == expected["overall"]["n"]
    check_incidence(overall, expected["overall"], CAUSES)
    grouped = ask("AML", "relapse", *times, "--by", "eln_2010")
    for label, group in by_label(grouped, "eln_2010").items():
        check_incidence(group, expected["levels"][label], CAUSES)
    check_gray(grouped, expected["gray"], CAUSES)


def test_amlsg_transplant_cannot_be_compared_from_diagnosis(ask: Ask, store: Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survival", "--store", str(store), "--disease", "AML", "--endpoint", "os", "--by", "hsct_any"]
    assert main([*arguments, "--exact", "--json"]) == 2
    assert "landmark" in capsys.readouterr().err
    groups = by_label(ask("AML", "os", "--by", "hsct_any", "--landmark", "180"), "hsct_any")
    expected = reference("treatment_effect")["amlsg_transplant"]["landmark180"]["n"]
    assert groups["yes"]["n"] + groups["no"]["n"] == expected


@pytest.mark.parametrize("interval", ["log-log", "log"])
def test_mgus2_progression_or_death(ask: Ask, interval: str) -> None:
    expected = reference("mgus2")
    days = months([60, 120, 240])
    times = ["--times", ",".join(map(str, days)), "--interval", interval]

    def to_days(value: float) -> int:
        return math.floor(value * MONTH + 0.5)

    check_curve(ask("MGUS", "rfs", *times)["groups"][0], expected["km"], days, interval, to_days)
    grouped = ask("MGUS", "rfs", *times, "--by", "sex")
    for label, group in by_label(grouped, "sex").items():
        check_curve(group, expected["km_by"]["levels"][label], days, interval, to_days)
    check_test(grouped["log_rank"], expected["logrank"])


def test_mgus2_progression_with_death_competing(ask: Ask) -> None:
    expected = reference("mgus2")["cif"]
    times = ["--times", ",".join(map(str, months([60, 120, 240])))]
    check_incidence(ask("MGUS", "relapse", *times)["groups"][0], expected["overall"], CAUSES)
    grouped = ask("MGUS", "relapse", *times, "--by", "sex")
    for label, group in by_label(grouped, "sex").items():
        check_incidence(group, expected["levels"][label], CAUSES)
    check_gray(grouped, expected["gray"], CAUSES)


@pytest.fixture
def ask_subgroups(store: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def subgroups(disease: str, endpoint: str, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        arguments = ["subgroups", "--store", str(store), "--disease", disease, "--endpoint", endpoint, "--exact",
                     "--json", *options]
        assert main(arguments) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return subgroups


def test_amlsg_atra_by_npm1_within_trials(ask_subgroups: Ask) -> None:
    expected = reference("amlsg")["atra_npm1_within_trial"]
    answer = ask_subgroups("AML", "os", "--variables", "npm1", "--treatment", "atra")
    (interaction,) = answer["interactions"]
    assert interaction["statistic"] == pytest.approx(expected["lrt"]["chisq"], rel=1e-4)
    assert (interaction["df"], round(interaction["p"], 3), interaction["trials"]) == (1, 0.539, 2)
    assert interaction["finding"] == "exploratory"


def test_amlsg_estimates_of_the_table_are_those_of_the_curves(ask_subgroups: Ask) -> None:
    expected = reference("amlsg")["km_by"]["levels"]
    answer = ask_subgroups("AML", "os", "--variables", "eln_2010", "--at", "730")
    rows = {row["level"]: row for row in answer["rows"]}
    assert (rows[None]["n"], rows[None]["kind"]) == (129, "missing")
    for label, level in expected.items():
        assert (rows[label]["n"], rows[label]["events"]) == (level["n"], level["events"])
        assert close(rows[label]["at"]["survival"], level["at"]["surv"][1])
        assert close(rows[label]["at"]["lower"], level["ci_log-log"]["lower"][1])
    assert rows["Favorable"]["reference"]
    # Four groups one of which is three times another: all three ratios, in the dictionary's order.
    assert [row["level"] for row in answer["rows"] if row["hr"] not in (None, 1.0)] == ["Inter-1", "Inter-2", "Adverse"]
