"""Exports of tables: the numbers of the screen, every part in the trail, and scripts that find what was changed."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chi2

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.receipts import list_receipts
from harmony_dash.cohort import Question
from harmony_dash.cohort.description_question import OutcomeMapQuestion, TableOneQuestion
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, QuestionError, TooManyQuestions, UserError
from harmony_dash.export.files import Format
from harmony_dash.export.subgroups import OTHER_QUESTION
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.descriptions_json import outcome_map_as_json, table_one_as_json
from harmony_dash.services.export_answers import ExportQuestion
from harmony_dash.services.exports import make_export, preview_export
from harmony_dash.services.grants import approve_grant, propose_grant
from harmony_dash.services.outcome_map import ask_outcome_map
from harmony_dash.services.receipts import Match, verify_export
from harmony_dash.services.recorded_questions import read_recorded_questions, rebuild_question
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.subgroups_json import subgroups_as_json
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.table_one import ask_table_one
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

ANNA, CLARA = Actor("anna", Role.ANALYST, "s1"), Actor("clara", Role.CLINICIAN, "s2")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
DORA = Actor("dora", Role.DATA_MANAGER, "s5")
COHORT = Question("ALL", "efs", (parse_filter("immunophenotype=B"),))
SUBGROUPS = SubgroupsQuestion(COHORT, ("sex", "cyto_group", "country"))
TREATED = SubgroupsQuestion(Question("ALL", "relapse"), ("sex", "cyto_group"), treatment="intensity_assigned",
                            arms=("standard", "reduced"))
TABLE = TableOneQuestion(replace(COHORT, by="sex"), ("cyto_group", "age_dx_years"))
MAP = OutcomeMapQuestion(replace(COHORT, by="cyto_group"), "sex")
KINDS: Mapping[str, ExportQuestion] = {"subgroups": SUBGROUPS, "treatment": TREATED, "table one": TABLE, "map": MAP}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("tables") / "store"
    frame = make_patients(2000, seed=3)
    frame["intensity_assigned"] = frame.index.map(lambda place: ("reduced", "standard")[place % 2])
    make_store(folder, frame=frame)
    return folder


@pytest.fixture
def deployment(tmp_path: Path, store: Path) -> Iterator[Deployment]:
    settings = Settings(store, tmp_path / "access.sqlite", None, access_key=ACCESS_KEY, disclosure_key=DISCLOSURE_KEY,
                        daily_questions=40)
    opened = open_deployment(settings, now=lambda: NOW)
    for actor in (ANNA, CLARA, STEFAN, SONJA, DORA):
        create_account(opened.access, username=actor.username, name=actor.username, role=actor.role, by=OPERATOR,
                       password="violet kettle under seven stairs", now=NOW, rounds=4)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, *countries: str, variables: tuple[str, ...] = ()) -> str:
    """A grant for protected results."""
    identifier = propose_grant(deployment, DORA, GrantProposal(
        "Study", "To see.", ("ALL",), countries, variables or (
            "sex", "immunophenotype", "cyto_group", "trial", "age_dx_years", "age_group", "intensity_assigned"),
        Level.PROTECTED, (ANNA.username,), NOW.date(), NOW.date() + timedelta(days=30))).id
    approve_grant(deployment, STEFAN, identifier)
    approve_grant(deployment, SONJA, identifier)
    return identifier


def contents(deployment: Deployment, question: ExportQuestion, actor: Actor = STEFAN, *, grant: str = "",
             formats: tuple[Format, ...] = (Format.CSV,)) -> dict[str, bytes]:
    bundle = make_export(deployment, actor, question, formats=formats, grant=grant).bundle
    return {file.name: file.content for file in bundle.files}


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def number(text: str) -> float | None:
    return None if text == "" else float(text)


# -- the numbers of the screen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [SUBGROUPS, TREATED])
def test_a_table_of_subgroups_holds_the_numbers_of_the_screen(deployment: Deployment, question: SubgroupsQuestion,
                                                              ) -> None:
    told = subgroups_as_json(ask_subgroups(deployment, CLARA, question))["rows"]
    rows = rows_of(contents(deployment, question)["levels.csv"])
    assert len(rows) == len(told) > 6
    for row, shown in zip(rows, told, strict=True):
        assert (row["variable"], row["level"], row["name"]) == (shown["variable"], shown["level"] or "", shown["name"])
        assert [number(row[name]) for name in ("patients", "events", "q")] == [shown["n"], shown["events"], shown["q"]]
        at = shown["at"] or dict.fromkeys(("days", "survival", "lower", "upper"))
        assert [number(row[name]) for name in ("days", "estimate", "lower", "upper")] == [
            at[name] for name in ("days", "survival", "lower", "upper")]
        ratio = [None] * 4 if shown["reference"] else [shown[name] for name in ("hr", "hr_lower", "hr_upper", "p")]
        assert [number(row[name]) for name in ("hr", "hr_lower", "hr_upper", "p")] == ratio
    assert sum(number(row["hr"]) is not None for row in rows) >= 3


def test_a_ratio_is_one_float_on_the_page_in_the_forest_and_in_both_exports(deployment: Deployment) -> None:
    question = replace(COHORT, by="cyto_group", strata="trial")
    page = {group.label["cyto_group"]: group.hazard_ratio
            for group in ask_survival(deployment, CLARA, question).value.groups}
    of_curves = {row["value"]: number(row["hr"]) for row in rows_of(contents(deployment, question)["groups.csv"])}
    of_table = {row["level"]: number(row["hr"]) for row in rows_of(contents(deployment, SUBGROUPS)["levels.csv"])
                if row["variable"] == "cyto_group"}
    assert sum(ratio is not None for ratio in page.values()) == 2
    for value, ratio in page.items():
        assert of_curves[value] == of_table[value] == (None if ratio is None else ratio.ratio)


def test_table_one_and_the_map_hold_the_numbers_of_the_screen(deployment: Deployment) -> None:
    shown = table_one_as_json(ask_table_one(deployment, CLARA, TABLE.cohort, TABLE.variables))
    files = contents(deployment, TABLE)
    sizes = {row["group"]: number(row["patients"]) for row in rows_of(files["groups.csv"])}
    assert sizes == {group["name"]: group["n"] for group in shown["groups"]}
    names = [group["name"] for group in shown["groups"]]
    counts = {(row["variable"], row["value"], row["group"]): number(row["patients"])
              for row in rows_of(files["counts.csv"])}
    for variable in (one for one in shown["variables"] if one["variable"] == "cyto_group"):
        for name, group in zip(names, variable["groups"], strict=True):
            for value, n in {**group["counts"], "": group["missing"]}.items():
                assert counts[variable["variable"], value, name] == n
    told = outcome_map_as_json(ask_outcome_map(deployment, CLARA, MAP.cohort, columns=MAP.columns))["cells"]
    cells = rows_of(contents(deployment, MAP)["cells.csv"])
    assert [(row["row"], row["column"], number(row["patients"]), number(row["estimate"])) for row in cells] == [
        (cell["row"], cell["column"], cell["n"], cell["at"] and cell["at"]["survival"]) for cell in told]


def test_rows_of_another_question_are_marked_and_explained_wherever_they_go(
        deployment: Deployment, tmp_path: Path) -> None:
    """Nine patients of one level are all that a filter takes away there: it is left out for them alone."""
    frame = make_patients(900, seed=3)
    frame["cyto_group"] = ["good", "intermediate", "high"] * 300
    frame["immunophenotype"] = "B"
    frame.loc[frame.index[0:27:3], "immunophenotype"] = "T"
    frame.loc[frame.index[301:901:3], "immunophenotype"] = ["T", "B"] * 100
    frame.loc[frame.index[302:902:3], "immunophenotype"] = ["T", "B"] * 100
    make_store(tmp_path / "store", frame=frame)
    house = replace(deployment, store=open_deployment(Settings(
        tmp_path / "store", tmp_path / "other.sqlite", None, access_key=ACCESS_KEY, disclosure_key=DISCLOSURE_KEY,
    ), now=lambda: NOW).store)
    question = SubgroupsQuestion(COHORT, ("sex", "cyto_group"), None)
    told = subgroups_as_json(ask_subgroups(house, CLARA, question))
    assert [row["level"] for row in told["rows"] if row["own_question"]] == ["good"]
    files = contents(house, question, formats=(Format.CSV, Format.HTML))
    marked = {row["level"]: row["own_question"] for row in rows_of(files["levels.csv"])
              if row["variable"] == "cyto_group"}
    assert {level: mark for level, mark in marked.items() if level in ("good", "intermediate", "high")} == {
        "good": "yes", "intermediate": "no", "high": "no"}
    (condition,) = json.loads(files["provenance.json"])["protection"]["conditions not applied"]
    assert [one["words"] for one in told["not_applied"]] == [condition.split(": not applied")[0]]
    assert "not applied in" in condition
    assert "Cytogenetic" in condition
    # under the figure and under its twin as a table
    report = files["report.html"].decode()
    assert OTHER_QUESTION in report.replace("&#39;", "'")
    unmarked = contents(deployment, SUBGROUPS, formats=(Format.HTML,))["report.html"].decode()
    assert OTHER_QUESTION not in unmarked


# -- under a grant ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_under_a_grant_the_numbers_are_those_of_the_question_with_its_countries(deployment: Deployment, kind: str,
                                                                                ) -> None:
    question = KINDS[kind]
    if isinstance(question, SubgroupsQuestion):
        question = replace(question, variables=("sex", "cyto_group"))  # countries are the grant's
    cohort = question.cohort
    plain = replace(question, cohort=replace(cohort, where=(*cohort.where, parse_filter("country=DE,NL"))))
    granted = contents(deployment, question, ANNA, grant=activate(deployment, "DE", "NL"))
    everybody = contents(deployment, plain)
    for name in [name for name in everybody if name.endswith(".csv") and name != "cohort.csv"]:
        assert granted[name] == everybody[name], name
    assert "as the grant" in json.loads(granted["provenance.json"])["notes"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_grant_does_not_cover_is_refused_and_recorded(deployment: Deployment, kind: str) -> None:
    grant = activate(deployment, "DE", "NL", variables=("sex", "immunophenotype"))
    with pytest.raises(AccessRefused, match="does not cover"):
        make_export(deployment, ANNA, KINDS[kind], formats=[Format.CSV], grant=grant)
    event = list_events(deployment.access)[0].event
    assert (event.action, event.decision) == ("export", Decision.REFUSED)


# -- the trail -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preview", [True, False])
def test_every_question_a_table_answers_stands_in_the_trail(deployment: Deployment, kind: str, preview: bool) -> None:
    question = KINDS[kind]
    if preview:
        preview_export(deployment, STEFAN, question)
    else:
        contents(deployment, question)
    snapshot = deployment.store.current()
    recorded = {rebuild_question(one, snapshot) for one in read_recorded_questions(deployment, NOW.replace(hour=0))}
    cohort = question.cohort
    if question is SUBGROUPS:
        assert recorded == {
            cohort, *(replace(cohort, by=name) for name in SUBGROUPS.variables),
            *(replace(cohort, where=(*cohort.where, parse_filter(f"{name}=?"))) for name in SUBGROUPS.variables)}
    elif question is TABLE:
        assert recorded == {Question("ALL", "efs", (*cohort.where, parse_filter(f"sex={sex}"))) for sex in "FM"}
    elif question is MAP:
        assert recorded == {replace(cohort, where=(*cohort.where, parse_filter(f"sex={sex}"))) for sex in "FM"}
    else:
        assert len(recorded) == 9  # everybody, two variables, who has no value of them, and each of them in two arms
    kept = list_receipts(deployment.access, limit=5)
    assert len(kept) == (not preview)
    if kept:
        assert list_events(deployment.access)[0].event.question.endswith(f"seal {kept[0].receipt.seal}")


def test_a_table_counts_as_the_questions_it_answers(deployment: Deployment) -> None:
    many = SubgroupsQuestion(COHORT, ("sex", "cyto_group"))  # five questions: those without a value count as well
    for endpoint in ("efs", "os", "rfs", "trm", "smn", "relapse", "relapse_1km", "efs_tf0"):
        preview_export(deployment, STEFAN, replace(many, cohort=replace(COHORT, endpoint=endpoint)))
    with pytest.raises(TooManyQuestions):
        contents(deployment, TABLE)


# -- refusals, files, scripts ------------------------------------------------------------------------------------------


def test_who_may_not_export_and_what_has_nothing_to_show_are_refused(deployment: Deployment) -> None:
    with pytest.raises(AccessRefused):
        make_export(deployment, CLARA, SUBGROUPS, formats=[Format.CSV])
    nobody = replace(COHORT, where=(parse_filter("wbc_band=<10"),))
    for question in (replace(SUBGROUPS, cohort=nobody), replace(TABLE, cohort=replace(nobody, by="sex")),
                     replace(MAP, cohort=replace(nobody, by="cyto_group"))):
        with pytest.raises(QuestionError, match="nothing to export"):
            make_export(deployment, STEFAN, question, formats=[Format.CSV])
    with pytest.raises(UserError, match="no figure"):
        make_export(deployment, STEFAN, TABLE, formats=[Format.PNG])


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_written_and_known_again(deployment: Deployment, kind: str) -> None:
    files = contents(deployment, KINDS[kind], formats=tuple(Format))
    assert {"report.html", "tables.xlsx", "provenance.json", "recompute_tables.py"} <= files.keys()
    assert ("figure.png" in files) is isinstance(KINDS[kind], SubgroupsQuestion)
    provenance = json.loads(files["provenance.json"])
    assert json.loads(provenance["question"]["canonical"]) == json.loads(
        list_receipts(deployment.access, limit=1)[0].receipt.question)
    assert provenance["methods"].encode()[:20] in files["report.html"]
    assert verify_export(deployment, STEFAN, files["tables.xlsx"]).match is Match.SAME


# What docs/export.md says is checked as a number of its own; of the rest only the order.
CHECKED = [("subgroups", "levels", ("hr", "hr_lower", "hr_upper", "p", "q")),
           ("subgroups", "variables", ("df", "p", "q")),
           ("treatment", "treatment", ("hr", "hr_lower", "hr_upper")), ("treatment", "interactions", ("p", "q")),
           ("treatment", "levels", ("hr", "p", "q"))]
CHANGES = [("subgroups", "levels", "hr", 0.4), ("subgroups", "levels", "q", 0.01),
           ("subgroups", "variables", "q", 0.01), ("subgroups", "levels", "events", 4000),
           ("subgroups", "levels", "p", -0.5), ("treatment", "treatment", "compared_events", 4000),
           ("table one", "counts", "patients", 400), ("map", "cells", "events", 4000),
           ("map", "cells", "estimate", -0.9)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_script_finds_nothing_in_what_was_released(deployment: Deployment, kind: str, tmp_path: Path) -> None:
    done = run(contents(deployment, KINDS[kind]), tmp_path / "files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "numbers compared, 0 differ." in done.stdout


@pytest.mark.parametrize(("kind", "table", "column", "change"), CHANGES)
def test_the_script_finds_a_number_that_was_changed(deployment: Deployment, kind: str, table: str, column: str,
                                                    change: float, tmp_path: Path) -> None:
    files = contents(deployment, KINDS[kind])
    rows = rows_of(files[f"{table}.csv"])
    row = next(row for row in rows if row[column])
    row[column] = str(float(row[column]) + change)
    done = run({**files, f"{table}.csv": as_csv(rows)}, tmp_path / "files")
    assert done.returncode == 1, done.stdout
    found = [line for line in done.stdout.splitlines() if line.startswith("DIFF")]
    assert any("checksum" not in line for line in found)


@pytest.mark.parametrize(("kind", "table", "columns"), CHECKED)
def test_any_checked_number_that_was_doubled_is_found(deployment: Deployment, kind: str, table: str,
                                                      columns: tuple[str, ...], tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: content for name, content in contents(deployment, KINDS[kind]).items() if not name.endswith(".zip")}
    script = load_script(files, tmp_path)
    monkeypatch.setattr(sys, "argv", ["recompute_tables.py", str(tmp_path)])
    rows = rows_of(files[f"{table}.csv"])
    changed = 0
    for column in columns:
        for row in rows:
            if not row[column]:
                continue
            kept, row[column] = row[column], str(2 * float(row[column]))
            (tmp_path / f"{table}.csv").write_bytes(as_csv(rows))
            row[column] = kept
            assert differing(script), (column, row)
            changed += 1
    assert changed >= 2 * len(columns)


def test_a_count_that_was_doubled_is_found_where_all_parts_are_shown(deployment: Deployment, tmp_path: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, table, key in (("table one", "counts", ("variable", "group")), ("subgroups", "levels", ("variable",))):
        folder = tmp_path / table
        folder.mkdir()
        files = {name: content for name, content in contents(deployment, KINDS[kind]).items()
                 if not name.endswith(".zip")}
        script = load_script(files, folder)
        monkeypatch.setattr(sys, "argv", ["recompute_tables.py", str(folder)])
        rows = rows_of(files[f"{table}.csv"])
        changed = 0
        for row in rows:
            parts = [one for one in rows if all(one[name] == row[name] for name in key)]
            if not all(one["patients"] for one in parts) or int(row["patients"]) <= 8 * (len(parts) + 1):
                continue
            kept, row["patients"] = row["patients"], str(2 * int(row["patients"]))
            (folder / f"{table}.csv").write_bytes(as_csv(rows))
            row["patients"] = kept
            assert differing(script), row
            changed += 1
        assert changed >= 3, table


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 12])
def test_the_script_knows_the_chi_squared_distribution(deployment: Deployment, tmp_path: Path, df: int) -> None:
    script = load_script(contents(deployment, MAP), tmp_path)
    for value in (0.0, 0.01, 0.7, 3.84, 25.0, 250.0):
        assert script.chi_squared(value, df) == pytest.approx(chi2.sf(value, df), rel=1e-9, abs=1e-300)


def load_script(files: Mapping[str, bytes], folder: Path) -> Any:
    """The script of an export as a module, beside its files."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    spec = importlib.util.spec_from_file_location("recompute_tables", folder / "recompute_tables.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def differing(script: Any) -> int:
    """How many numbers differ, checksums aside."""
    script.outcomes.clear()
    assert script.main() == 1
    return int(script.outcomes.count(False)) - 1


def as_csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def run(files: Mapping[str, bytes], folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return subprocess.run([sys.executable, str(folder / "recompute_tables.py")], capture_output=True, text=True,
                          check=False, cwd="/")
