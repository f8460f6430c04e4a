"""`backup` and `restore`, and what they say to whoever runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import AuditEvent, record_event
from harmony_dash.cli import command, main
from harmony_dash.services.deployment import open_deployment
from harmony_dash.settings import KEY_FILES, read_settings
from tests.factories import make_store


@pytest.fixture(scope="module")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "store"
    make_store(folder, 40).close()
    return folder


@pytest.fixture
def root(tmp_path: Path, small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that leaves every setting at its default."""
    for name in ("HARMONY_STORE", "HARMONY_ACCESS", "HARMONY_AUDIT_HEAD", *KEY_FILES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "PROJECT_ROOT", tmp_path)
    shutil.copytree(small_store, tmp_path / "var" / "store")
    return tmp_path


def work(root: Path, environment: dict[str, str]) -> None:
    """Seven entries of the trail more."""
    deployment = open_deployment(read_settings(environment, root))
    for _ in range(7):
        record_event(deployment.access, AuditEvent.of(OPERATOR, "survival"), now=deployment.now())
    deployment.access.close()


def test_one_command_each(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshots"]) == 0  # makes the keys and the database
    assert main(["backup", str(root / "one.backup")]) == 0
    said = capsys.readouterr()
    assert "access.sqlite" in said.out and "keys are not in it" in said.err
    assert main(["restore", str(root / "one.backup")]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    (root / "var").rename(root / "old")
    assert main(["restore", str(root / "one.backup")]) == 2
    assert "--keys" in capsys.readouterr().err
    assert not (root / "var").exists()
    assert main(["restore", str(root / "one.backup"), "--keys", str(root / "old"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lost_entries"] == 0
    assert main(["audit", "verify"]) == 0
    assert main(["coverage", "--json"]) == 0


def test_a_restore_that_is_tried_out_says_how_to_look_at_it_and_touches_nothing_in_use(
        root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["snapshots"]) == 0
    capsys.readouterr()
    assert main(["backup", str(root / "one.backup"), "--with-keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] is True
    work(root, {})
    head = (root / "var" / "audit.head").read_bytes()
    assert main(["restore", str(root / "one.backup"), "--into", str(root / "new"), "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["lost_entries"] == 0
    for name, file in (("HARMONY_STORE", "store"), ("HARMONY_ACCESS", "access.sqlite"),
                       ("HARMONY_AUDIT_HEAD", "audit.head")):
        assert report[name] == str(root / "new" / file)
        assert f"{name}={root / 'new' / file}" in said.err
        monkeypatch.setenv(name, report[name])
    assert "moved away" not in said.err
    assert "The deployment in use is as it was" in said.err
    assert "Passwords, second factors, roles" in said.err
    assert main(["audit", "verify"]) == 0
    assert main(["coverage", "--json"]) == 0
    assert (root / "var" / "audit.head").read_bytes() == head


def test_with_the_head_elsewhere_it_says_what_the_backup_lacks_and_to_move_nothing(
        root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    head = root / "elsewhere" / "audit.head"
    head.parent.mkdir()
    monkeypatch.setenv("HARMONY_AUDIT_HEAD", str(head))
    assert main(["snapshots"]) == 0
    assert main(["backup", str(root / "one.backup"), "--with-keys"]) == 0
    work(root, {"HARMONY_AUDIT_HEAD": str(head)})
    capsys.readouterr()
    assert main(["restore", str(root / "one.backup"), "--into", str(root / "new")]) == 0
    said = capsys.readouterr().err
    assert "lacks 7 entries" in said
    assert str(head) not in said and "moved away" not in said
    (root / "var").rename(root / "old")
    assert main(["restore", str(root / "one.backup")]) == 0
    said = capsys.readouterr().err
    assert "7 entries of the audit trail are newer than the backup and lost" in said
    assert f"will not start until {head} is moved away" in said
    assert "HARMONY_STORE=" not in said


def test_a_backup_of_nothing_is_refused_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("HARMONY_STORE", "HARMONY_ACCESS", "HARMONY_AUDIT_HEAD", *KEY_FILES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "PROJECT_ROOT", tmp_path)
    for access in ("", str(tmp_path / "main" / "access.sqlite")):
        monkeypatch.setenv("HARMONY_ACCESS", access)
        assert main(["backup", str(tmp_path / "one.backup")]) == 2
        assert "there is no access database" in capsys.readouterr().err
        assert main(["backup", str(tmp_path / "one.backup"), "--store", str(tmp_path / "store")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_backup_without_snapshots_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "var" / "store")
    assert main(["snapshots"]) == 0
    assert main(["backup", str(root / "one.backup")]) == 0
    assert "no snapshot in it" in capsys.readouterr().err


def test_a_deployment_in_two_places_has_to_name_a_folder(root: Path, monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HARMONY_ACCESS", str(root / "elsewhere" / "access.sqlite"))
    assert main(["restore", str(root / "one.backup")]) == 2
    assert "--into" in capsys.readouterr().err
