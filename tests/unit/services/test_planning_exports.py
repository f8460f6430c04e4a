"""Files of the Coverage page: protected, with a receipt, for those who may export; they hold what everybody sees."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort.need import Need
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, QuestionError, StoreError
from harmony_dash.services import planning_exports
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.exports import Export
from harmony_dash.services.feasibility import ask_feasibility
from harmony_dash.services.grants import withdraw_country
from harmony_dash.services.planning_exports import export_coverage, export_feasibility
from harmony_dash.services.receipts import Match, review_receipts, verify_export
from tests.disclosure.house import CLINICIAN, STEERING, open_house, samples_of_run

MANAGER = Actor("manuel", Role.DATA_MANAGER, "s3")
NEED = Need("ALL", "os", known=("cyto_group", "mrd_group"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples_of_run(tmp_path_factory)


@pytest.fixture
def deployment(samples: Path, tmp_path: Path) -> Iterator[Deployment]:
    shutil.copytree(samples, tmp_path / "store")
    opened = open_house(tmp_path)
    yield opened
    opened.access.close()


def table_of(export: Export, name: str) -> list[dict[str, str]]:
    (file,) = [file for file in export.bundle.files if file.name == f"{name}.csv"]
    return list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))


def test_the_files_hold_the_numbers_of_the_page(deployment: Deployment) -> None:
    shown = review_coverage(deployment, CLINICIAN, "ALL").value
    export = export_coverage(deployment, STEERING, "ALL")
    assert {row["country"]: row["patients"] for row in table_of(export, "countries")} == {
        cell.labels["country"]: "" if cell.n is None else str(cell.n) for cell in shown.by_country}
    answer = ask_feasibility(deployment, STEERING, NEED).value
    planned = export_feasibility(deployment, STEERING, NEED)
    assert [row["left"] for row in table_of(planned, "steps")] == [
        "" if step.n is None else str(step.n) for step in (*answer.steps, answer.not_followed)]


@pytest.mark.parametrize("make", [
    lambda house: export_coverage(house, STEERING, "ALL"), lambda house: export_feasibility(house, STEERING, NEED)],
    ids=["coverage", "feasibility"])
def test_every_file_is_known_by_its_receipt(deployment: Deployment, make: object) -> None:
    export: Export = make(deployment)  # type: ignore[operator]
    for file in export.bundle.files:
        found = verify_export(deployment, STEERING, file.content)
        assert (found.match, found.sealed) == (Match.SAME, True)
    (saved,) = review_receipts(deployment, STEERING)
    assert (saved.receipt.username, saved.receipt.level) == ("stefan", "protected")
    (provenance,) = [json.loads(file.content) for file in export.bundle.files if file.name == "provenance.json"]
    assert provenance["receipt"] == saved.receipt.number
    assert provenance["question"]["fingerprint"] == saved.receipt.fingerprint


def test_a_planned_question_is_recorded_as_itself_beside_its_export(deployment: Deployment) -> None:
    export = export_feasibility(deployment, STEERING, NEED)
    events = [row.event for row in list_events(deployment.access, limit=10, decision=Decision.ALLOWED)]
    (asked,) = [event for event in events if event.action == "feasibility"]
    assert asked.question.startswith(f"{export.bundle.fingerprint} ")
    assert [event.action for event in events] == ["export", "feasibility"]


def test_the_operator_gets_protected_files_too(deployment: Deployment) -> None:
    assert review_coverage(deployment, OPERATOR, "ALL", level=Level.EXACT).scope.level is Level.EXACT
    export = export_coverage(deployment, OPERATOR, "ALL")
    assert export.saved.receipt.level == "protected"
    assert all(int(row["patients"] or 0) % 5 == 0 for row in table_of(export, "country_cells"))


@pytest.mark.parametrize("actor", [CLINICIAN, MANAGER], ids=lambda actor: actor.role.value)
def test_whoever_may_not_export_gets_no_file(deployment: Deployment, actor: Actor) -> None:
    for make in (lambda: export_coverage(deployment, actor, "ALL"),
                 lambda: export_feasibility(deployment, actor, NEED)):
        with pytest.raises(AccessRefused):
            make()
        assert list_events(deployment.access, limit=1)[0].event.decision is Decision.REFUSED
    assert not review_receipts(deployment, STEERING)


def test_what_cannot_be_asked_cannot_be_exported(deployment: Deployment) -> None:
    with pytest.raises(QuestionError):
        export_coverage(deployment, STEERING, "AML")
    with pytest.raises(AccessRefused, match="overall survival"):
        export_feasibility(deployment, STEERING, Need("ALL", "efs"))


def test_a_country_withdrawn_while_the_files_are_written_stops_them(deployment: Deployment,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    write = planning_exports.write_files

    def write_slowly(*parts: object, **options: object) -> object:
        withdraw_country(deployment, OPERATOR, "FI", "letter")
        return write(*parts, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(planning_exports, "write_files", write_slowly)
    with pytest.raises((AccessRefused, StoreError, QuestionError)):
        export_coverage(deployment, STEERING, "ALL")
    assert not review_receipts(deployment, STEERING)
