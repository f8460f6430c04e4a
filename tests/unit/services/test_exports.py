"""Exports: protected for everybody, inside the grant, recorded with a receipt, and known again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Asked, AuditEvent, AuditUnavailable, Decision, list_asked, list_events, record
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.receipts import FileMark, list_receipts, save_receipt
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.grid import GRID
from harmony_dash.errors import AccessRefused, QuestionError, TooManyQuestions, UserError
from harmony_dash.export.files import Format
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.exports import ACTION, Export, make_export, preview_export
from harmony_dash.services.grants import approve_grant, propose_grant, withdraw_country
from harmony_dash.services.receipts import FileCheck, Match, review_receipts, verify_export
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store

STEERING, SONJA = Actor("stefan", Role.STEERING, "s1", "Stefan"), Actor("sonja", Role.STEERING, "s5", "Sonja")
ANALYST, CLINICIAN = Actor("anna", Role.ANALYST, "s2"), Actor("clara", Role.CLINICIAN, "s3")
MANAGER = Actor("dora", Role.DATA_MANAGER, "s4")
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex")
FEW = (Format.CSV,)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("exports") / "store"
    make_store(folder, frame=make_patients(900, seed=3))
    return folder


@pytest.fixture
def deployment(tmp_path: Path, store: Path) -> Iterator[Deployment]:
    opened = deploy(tmp_path, store)
    yield opened
    opened.access.close()


def deploy(folder: Path, store: Path, **settings: Any) -> Deployment:
    deployment = open_deployment(Settings(store, folder / "access.sqlite", None, patient_key=b"k" * 32,
                                          access_key=ACCESS_KEY, **settings), now=lambda: NOW)
    for actor in (STEERING, SONJA, ANALYST, CLINICIAN, MANAGER):
        create_account(deployment.access, username=actor.username, name=actor.name or actor.username, role=actor.role,
                       by=OPERATOR, password="violet kettle under seven stairs", now=NOW, rounds=4)
    return deployment


def grant_for_analyst(deployment: Deployment) -> str:
    """A grant for exact results on two countries."""
    today = NOW.date()
    identifier = propose_grant(deployment, MANAGER, GrantProposal(
        "Study", "To see.", ("ALL",), ("NL", "DE"), ("sex", "immunophenotype"), Level.EXACT, (ANALYST.username,),
        today, today + timedelta(days=30))).id
    approve_grant(deployment, STEERING, identifier)
    approve_grant(deployment, SONJA, identifier)
    return identifier


def provenance_of(export: Export) -> dict[str, Any]:
    (file,) = [file for file in export.bundle.files if file.name == "provenance.json"]
    found: dict[str, Any] = json.loads(file.content)
    return found


# ------------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize(("actor", "may"), [
    (STEERING, True), (ANALYST, True), (OPERATOR, True), (CLINICIAN, False), (MANAGER, False)],
    ids=lambda value: value.role.value if isinstance(value, Actor) else "")
def test_who_may_export(deployment: Deployment, actor: Actor, may: bool) -> None:
    if may:
        assert make_export(deployment, actor, QUESTION, formats=FEW).bundle.files
    else:
        for attempt in (make_export, preview_export):
            with pytest.raises(AccessRefused, match="may not export"):
                attempt(deployment, actor, QUESTION, **({"formats": FEW} if attempt is make_export else {}))
    event = list_events(deployment.access)[0].event
    assert (event.username, event.decision) == (actor.username, Decision.ALLOWED if may else Decision.REFUSED)
    assert len(list_receipts(deployment.access)) == may


def test_an_export_holds_what_the_protected_answer_shows(deployment: Deployment) -> None:
    shown = survival_as_json(ask_survival(deployment, CLINICIAN, QUESTION))
    preview = preview_export(deployment, STEERING, QUESTION)
    assert survival_as_json(preview) == shown
    export = make_export(deployment, STEERING, QUESTION, formats=FEW)
    lines = {file.name: file.content.decode().splitlines() for file in export.bundle.files
             if file.name.endswith(".csv")}
    assert len(lines["groups.csv"]) == 1 + len(shown["groups"])
    for line, group in zip(lines["groups.csv"][1:], shown["groups"], strict=True):
        assert line.split(",")[2:4] == [f'"{group["n"]}"', f'"{group["events"]}"']
    estimates = [at["survival"] for group in shown["groups"] for at in group["at"]]
    assert [float(line.split(",")[4].strip('"')) for line in lines["estimates.csv"][1:]] == estimates


# ------------------------------------------------------------------------------------------------- always protected


def test_an_export_under_an_exact_grant_is_protected_and_of_its_patients_alone(deployment: Deployment) -> None:
    grant = grant_for_analyst(deployment)
    exact = ask_survival(deployment, ANALYST, QUESTION, level=Level.EXACT, grant=grant).value
    export = make_export(deployment, ANALYST, QUESTION, formats=tuple(Format), grant=grant)
    document = provenance_of(export)
    assert (document["protection"]["level"], document["protection"]["grant"]) == ("protected", grant)
    assert any("Patients of" in note for note in document["notes"])
    receipt = export.saved.receipt
    assert (receipt.level, receipt.grant) == ("protected", grant)
    everybody = ask_survival(deployment, CLINICIAN, QUESTION).value
    shown = preview_export(deployment, ANALYST, QUESTION, grant=grant).value
    for protected, group in zip(shown.groups, exact.groups, strict=True):
        assert protected.n % 5 == 0
        assert abs(protected.n - group.n) <= 4
        assert not protected.censorings.days.size
    assert shown.n < everybody.n


@pytest.mark.parametrize(("change", "words"), [
    ({"by": "cyto_group"}, "does not cover the variable 'cyto_group'"),
    ({"where": (parse_filter("age_group=1-9"),)}, "does not cover the variable 'age_group'"),
    ({"where": (parse_filter("country=FR"),)}, "does not cover the country FR"),
    ({"where": (parse_filter("country=DE"),)}, "the data of DE were withdrawn")])
def test_a_question_outside_the_grant_is_refused_and_recorded(deployment: Deployment, change: dict[str, Any],
                                                              words: str) -> None:
    grant = grant_for_analyst(deployment)
    withdraw_country(deployment, MANAGER, "DE", "letter")
    with pytest.raises(AccessRefused, match=words):
        make_export(deployment, ANALYST, replace(QUESTION, **change), formats=FEW, grant=grant)
    event = list_events(deployment.access)[0].event
    assert (event.action, event.decision, event.grant) == (ACTION, Decision.REFUSED, grant)
    assert not list_receipts(deployment.access)


@pytest.mark.parametrize("actor", [STEERING, CLINICIAN, OPERATOR])
def test_nobody_exports_under_a_grant_of_others(deployment: Deployment, actor: Actor) -> None:
    grant = grant_for_analyst(deployment)
    with pytest.raises(AccessRefused):
        make_export(deployment, actor, QUESTION, formats=FEW, grant=grant)


def test_an_export_has_at_most_four_conditions_also_where_the_screen_takes_six(deployment: Deployment) -> None:
    where = tuple(parse_filter(text) for text in ("immunophenotype=B", "country=DE,NL", "age_group=1-9", "sex=F",
                                                  "trial=Trial A,Trial B"))
    question = Question("ALL", "os", where)
    assert ask_survival(deployment, OPERATOR, question, level=Level.EXACT).value.n > 0
    with pytest.raises(QuestionError, match="at most 4"):
        make_export(deployment, OPERATOR, question, formats=FEW)


@pytest.mark.parametrize(("setting", "level"), [("off", "protected"), ("public", "public"),
                                                ("protected", "protected")])
def test_exports_are_protected_whatever_the_screen_shows(tmp_path: Path, store: Path, setting: str, level: str) -> None:
    deployment = deploy(tmp_path, store, protection=setting)
    export = make_export(deployment, STEERING, QUESTION, formats=FEW)
    assert provenance_of(export)["protection"]["level"] == export.saved.receipt.level == level
    deployment.access.close()


@pytest.mark.parametrize("question", [
    QUESTION, replace(QUESTION, endpoint="relapse", by="cyto_group"), replace(QUESTION, by="mrd_group"),
    replace(QUESTION, by="country", where=(parse_filter("sex=F"),)), Question("ALL", "efs_tf0"),
    replace(QUESTION, endpoint="relapse_1km", by="trial")], ids=lambda question: f"{question.endpoint} {question.by}")
def test_no_count_in_a_file_is_small_or_exact_and_no_day_is_that_of_an_event(deployment: Deployment,
                                                                             question: Question) -> None:
    export = make_export(deployment, STEERING, question, formats=FEW)
    counts = {"patients", "events", "at_risk", "censored", "removed", "left"}
    seen = 0
    for file in export.bundle.files:
        if not file.name.endswith(".csv"):
            continue
        for row in csv.DictReader(io.StringIO(file.content.decode(), newline="")):
            for name, text in row.items():
                if name in counts and text:
                    seen += 1
                    assert int(text) % 5 == 0
                    assert int(text) >= 10
                if name == "days":
                    assert int(text) in GRID
    assert seen > 20


# ---------------------------------------------------------------------------------------------------- nothing, limits


def test_where_nothing_may_be_shown_there_is_nothing_to_export(deployment: Deployment) -> None:
    question = Question("ALL", "efs", (parse_filter("sex=?"),))
    assert preview_export(deployment, STEERING, question).value.groups == ()
    with pytest.raises(QuestionError, match="nothing to export"):
        make_export(deployment, STEERING, question, formats=FEW)
    assert not list_receipts(deployment.access)


def test_an_export_counts_as_the_question_it_answers(tmp_path: Path, store: Path) -> None:
    deployment = deploy(tmp_path, store, daily_questions=1)
    ask_survival(deployment, ANALYST, QUESTION)
    export = make_export(deployment, ANALYST, QUESTION, formats=FEW)
    fingerprint = export.saved.receipt.fingerprint
    assert list_asked(deployment.access, ANALYST.username, NOW.date()) == {Asked(fingerprint)}
    for attempt in (lambda: preview_export(deployment, ANALYST, replace(QUESTION, by=None)),
                    lambda: make_export(deployment, ANALYST, replace(QUESTION, by=None), formats=FEW)):
        with pytest.raises(TooManyQuestions):
            attempt()
    deployment.access.close()


# --------------------------------------------------------------------------------------------------------- receipts


def test_the_trail_and_the_receipt_tell_of_the_same_export(deployment: Deployment) -> None:
    steps: list[str] = []
    export = make_export(deployment, STEERING, QUESTION, formats=(Format.XLSX, Format.PNG), progress=steps.append)
    receipt = export.saved.receipt
    row = list_events(deployment.access)[0]
    assert (row.id, row.event.action, row.event.level) == (export.saved.audit_id, ACTION, "protected")
    assert row.event.question.startswith(f"{receipt.fingerprint} {receipt.question} as png, xlsx; ")
    assert receipt.number in row.event.question
    assert receipt.seal in row.event.question
    assert receipt.data_sha256 == export.bundle.data_sha256 == provenance_of(export)["checksum"]["sha256"]
    assert [(mark.name, mark.bytes, mark.sha256) for mark in receipt.files] == [
        (file.name, len(file.content), file.sha256) for file in export.bundle.files]
    assert provenance_of(export)["receipt"] == receipt.number
    assert provenance_of(export)["sources"][0]["source"] == "example"
    assert steps == ["numbers", "figure", "workbook", "archive"]


def test_two_exports_never_share_a_number_or_a_file_name(deployment: Deployment) -> None:
    exports = [make_export(deployment, STEERING, QUESTION, formats=FEW) for _ in range(2)]
    assert len({export.bundle.archive.name for export in exports}) == 2
    assert len({export.bundle.data_sha256 for export in exports}) == 1


@pytest.mark.parametrize("table", ["audit", "export_receipt", "export_file"])
def test_if_trail_or_receipt_cannot_be_written_nothing_leaves(deployment: Deployment, table: str) -> None:
    with sqlite3.connect(deployment.settings.access_database) as connection:
        connection.execute(f"create trigger jam before insert on {table} begin select raise(abort, 'jammed'); end")
    before = len(list_events(deployment.access, decision=Decision.ALLOWED))
    with pytest.raises(AuditUnavailable):
        make_export(deployment, STEERING, QUESTION, formats=FEW)
    assert len(list_events(deployment.access, decision=Decision.ALLOWED)) == before
    assert not list_receipts(deployment.access)


def test_everybody_sees_their_own_receipts_and_the_committee_all(deployment: Deployment) -> None:
    mine = make_export(deployment, ANALYST, QUESTION, formats=FEW).saved
    theirs = make_export(deployment, STEERING, QUESTION, formats=FEW).saved
    assert review_receipts(deployment, ANALYST) == (mine,)
    for actor in (STEERING, SONJA, OPERATOR):
        assert set(review_receipts(deployment, actor)) == {mine, theirs}
    for actor in (CLINICIAN, MANAGER):
        with pytest.raises(AccessRefused):
            review_receipts(deployment, actor)


@pytest.mark.parametrize("limit", [0, -1, 100_000])
def test_a_list_of_no_length_is_refused(deployment: Deployment, limit: int) -> None:
    with pytest.raises(UserError, match="receipts"):
        review_receipts(deployment, STEERING, limit=limit)


# --------------------------------------------------------------------------------------------------------- verifying


@pytest.fixture
def export(deployment: Deployment) -> Export:
    return make_export(deployment, ANALYST, QUESTION, formats=(Format.CSV, Format.XLSX))


def test_every_file_of_an_export_is_known_again(deployment: Deployment) -> None:
    export = make_export(deployment, ANALYST, QUESTION, formats=tuple(Format))
    for file in export.bundle.files:
        assert verify_export(deployment, OPERATOR, file.content) == FileCheck(Match.SAME, file.name, export.saved, True)


def test_a_file_that_was_changed_is_told_with_the_receipt_it_names(deployment: Deployment) -> None:
    export = make_export(deployment, ANALYST, QUESTION, formats=tuple(Format))
    assert len(export.bundle.files) > len(Format)
    for file in export.bundle.files:
        expected = Match.UNKNOWN if file.name.endswith((".csv", ".py", ".R")) else Match.CHANGED
        found = verify_export(deployment, OPERATOR, file.content + b"\n")
        assert found.match is expected, file.name
        assert found.saved == (export.saved if expected is Match.CHANGED else None)


def test_a_workbook_that_was_packed_anew_is_told_as_changed(deployment: Deployment, export: Export) -> None:
    (file,) = [file for file in export.bundle.files if file.name == "tables.xlsx"]
    content = BytesIO()
    with zipfile.ZipFile(BytesIO(file.content)) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert verify_export(deployment, OPERATOR, content.getvalue()).match is Match.CHANGED


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"receipt E-20261121-00000000", b"\xff" * 5000])
def test_any_other_file_is_unknown(deployment: Deployment, export: Export, content: bytes) -> None:
    assert verify_export(deployment, OPERATOR, content) == FileCheck(Match.UNKNOWN)


def test_a_file_that_unpacks_to_too_much_is_read_no_further(deployment: Deployment, monkeypatch: pytest.MonkeyPatch,
                                                            ) -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 3_000_000)
        archive.writestr("late", b"receipt")
    monkeypatch.setattr("harmony_dash.services.receipts.MOST_BYTES", 1_000_000)
    assert verify_export(deployment, OPERATOR, content.getvalue()).match is Match.UNKNOWN
    with pytest.raises(UserError, match="larger than any export"):
        verify_export(deployment, OPERATOR, b"x" * 1_000_001)


def test_a_receipt_that_was_made_up_proves_nothing(deployment: Deployment, export: Export) -> None:
    """Somebody who can write the database, but does not hold its key, adds a receipt for a file of theirs."""
    content = b"a file of theirs"
    forged = replace(export.saved.receipt, number="E-20261121-AAAAAAAA", files=(
        FileMark("report.html", len(content), hashlib.sha256(content).hexdigest()),))
    with deployment.access.write() as connection:
        save_receipt(connection, forged, export.saved.audit_id)
    check = verify_export(deployment, OPERATOR, content)
    assert (check.match, check.file, check.sealed) == (Match.SAME, "report.html", False)


@pytest.mark.parametrize("line", [
    ("verify export", "{seal}"), ("verify export", "; receipt {number}, seal {seal}"),
    ("export", "{seal}"), ("export", "; receipt {number}, seal {seal} and more"),
    ("export", "; receipt E-20261121-BBBBBBBB, seal {seal}"), ("refused", "; receipt {number}, seal {seal}"),
    ("of sonja", "; receipt {number}, seal {seal}"), ("of another snapshot", "; receipt {number}, seal {seal}")])
def test_a_seal_in_another_line_of_the_trail_proves_nothing(deployment: Deployment, export: Export,
                                                            line: tuple[str, str]) -> None:
    """Anybody can bring a text into the trail: by verifying a file with the checksum they want there, for one."""
    kind, words = line
    content = b"a file of theirs"
    forged = replace(export.saved.receipt, number="E-20261121-AAAAAAAA", files=(
        FileMark("report.html", len(content), hashlib.sha256(content).hexdigest()),))
    event = AuditEvent.of(
        SONJA if kind == "of sonja" else ANALYST, "verify export" if kind == "verify export" else ACTION,
        question=words.format(seal=forged.seal, number=forged.number),
        snapshot="other" if kind == "of another snapshot" else forged.snapshot,
        decision=Decision.REFUSED if kind == "refused" else Decision.ALLOWED)
    with deployment.access.write() as connection:
        save_receipt(connection, forged, record(connection, event, now=NOW))
    check = verify_export(deployment, OPERATOR, content)
    assert (check.match, check.sealed) == (Match.SAME, False)


def test_of_an_export_of_others_nobody_but_overseers_learns_more_than_whether_it_is_one(deployment: Deployment) -> None:
    export = make_export(deployment, STEERING, QUESTION, formats=(Format.CSV, Format.XLSX))
    for file in export.bundle.files:
        assert verify_export(deployment, ANALYST, file.content) == FileCheck(Match.SAME, sealed=True)
        assert verify_export(deployment, SONJA, file.content).saved == export.saved
    workbook = next(file for file in export.bundle.files if file.name == "tables.xlsx")
    assert verify_export(deployment, ANALYST, workbook.content + b"\n") == FileCheck(Match.CHANGED, sealed=True)


def test_of_files_alike_in_two_exports_ones_own_receipt_is_told(deployment: Deployment) -> None:
    make_export(deployment, STEERING, QUESTION, formats=FEW)
    own = make_export(deployment, ANALYST, QUESTION, formats=FEW)
    groups = next(file for file in own.bundle.files if file.name == "groups.csv")
    assert verify_export(deployment, ANALYST, groups.content) == FileCheck(Match.SAME, "groups.csv", own.saved, True)


def test_a_receipt_that_was_changed_no_longer_fits_the_trail(deployment: Deployment, export: Export) -> None:
    with sqlite3.connect(deployment.settings.access_database) as connection:
        connection.execute("drop trigger export_receipt_refuses_update")
        connection.execute("update export_receipt set username = 'bo'")
    check = verify_export(deployment, OPERATOR, export.bundle.archive.content)
    assert (check.match, check.sealed) == (Match.SAME, False)


@pytest.mark.parametrize("actor", [CLINICIAN, MANAGER])
def test_whoever_may_not_export_may_not_verify(deployment: Deployment, actor: Actor) -> None:
    with pytest.raises(AccessRefused):
        verify_export(deployment, actor, b"")
