"""The disclosure key of an ingest: one for all snapshots, another one only on purpose and on the record."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.database import AuditUnavailable
from harmony_dash.cli import main
from harmony_dash.cohort import Question
from harmony_dash.errors import SettingsError, SourceError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import AnonymityRefused, ingest_sources
from harmony_dash.settings import Settings, read_settings
from harmony_dash.store.counts import fetch_cohort_count
from harmony_dash.synthetic import synthesise
from tests.factories import ACCESS_KEY, NOW

KEY, OTHER_KEY = b"one made-up disclosure key", b"another made-up disclosure key"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(300, 1, tmp_path_factory.mktemp("sources"))[0]


def deployment_at(moment: datetime, folder: Path, key: bytes) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, disclosure_key=key,
                        access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: moment)


def reasons(deployment: Deployment) -> list[str]:
    return [recorded.event.reason for recorded in list_events(deployment.access, action="ingest")]


def refusals(deployment: Deployment) -> list[tuple[str, str, str]]:
    return [(recorded.event.question, recorded.event.reason, recorded.event.username)
            for recorded in list_events(deployment.access, action="ingest", decision=Decision.REFUSED)]


def test_the_same_source_has_the_same_keys_in_the_next_snapshot(tmp_path: Path, folder: Path) -> None:
    keys = []
    for minutes in (0, 1):
        deployment = deployment_at(NOW + timedelta(minutes=minutes), tmp_path, KEY)
        ingest_sources(deployment, OPERATOR, [folder])
        keys.append(fetch_cohort_count(deployment.store.current(), Question("ALL", "os")).key)
    assert keys[0] == keys[1] != 0
    assert reasons(deployment) == ["", ""]


def test_another_key_is_refused_unless_it_is_meant_and_then_recorded(tmp_path: Path, folder: Path) -> None:
    first = ingest_sources(deployment_at(NOW, tmp_path, KEY), OPERATOR, [folder])
    later = deployment_at(NOW + timedelta(minutes=1), tmp_path, OTHER_KEY)
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        ingest_sources(later, OPERATOR, [folder])
    assert later.store.current().snapshot == first.snapshot
    report = ingest_sources(later, OPERATOR, [folder], new_disclosure_key=True)
    assert later.store.current().snapshot == report.snapshot != first.snapshot
    assert reasons(later) == ["with a new disclosure key", "the settings do not allow it", ""]


def test_sources_that_are_no_longer_served_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = synthesise(300, 1, tmp_path / "sources")[:2]
    assert ingest_sources(deployment_at(NOW, tmp_path, KEY), OPERATOR, folders).left_out == ()
    report = ingest_sources(deployment_at(NOW + timedelta(minutes=1), tmp_path, KEY), OPERATOR, folders[:1])
    assert report.left_out == (folders[1].name,)
    assert ingest_sources(deployment_at(NOW + timedelta(minutes=2), tmp_path, KEY), OPERATOR, folders).left_out == ()
    assert main(["ingest", str(folders[0]), "--store", str(tmp_path / "other")]) == 0
    assert "No longer served" not in capsys.readouterr().err
    assert main(["ingest", str(folders[1]), "--store", str(tmp_path / "other")]) == 0
    assert f"No longer served: {folders[0].name}." in capsys.readouterr().err


def copy_source(folder: Path, copy: Path, old: str, new: str) -> Path:
    """The source with something else in its manifest."""
    shutil.copytree(folder, copy)
    manifest = (copy / "source.yaml").read_text(encoding="utf-8")
    assert old in manifest
    (copy / "source.yaml").write_text(manifest.replace(old, new), encoding="utf-8")
    return copy


def test_a_refused_ingest_is_recorded_with_its_source_and_the_kind_of_reason(tmp_path: Path, folder: Path) -> None:
    deployment = deployment_at(NOW, tmp_path, KEY)
    broken = copy_source(folder, tmp_path / "broken_source", "\nfiles:", "\nsecret_of_anna: x\nfiles:")
    for sources in ([folder, broken], [], [folder, folder]):
        with pytest.raises(SourceError):
            ingest_sources(deployment, OPERATOR, sources)
    assert refusals(deployment)[::-1] == [
        (name, "a source cannot be read or mapped", OPERATOR.username) for name in ("broken_source", "", folder.name)]
    assert deployment.store.is_empty


def test_recognisable_patients_are_recorded_as_a_reason_and_not_described(tmp_path: Path, folder: Path) -> None:
    strict = open_deployment(replace(deployment_at(NOW, tmp_path, KEY).settings, max_mean_risk=1e-6), now=lambda: NOW)
    source = copy_source(folder, tmp_path / "real", "synthetic: true", "synthetic: false")
    with pytest.raises(AnonymityRefused) as refused:
        ingest_sources(strict, OPERATOR, [source])
    ((sources, reason, _),) = refusals(strict)
    assert (sources, reason) == (refused.value.where, "patients could be recognised too easily")
    assert refused.value.problem != reason


def test_an_ingest_whose_refusal_cannot_be_recorded_says_so(tmp_path: Path) -> None:
    deployment = deployment_at(NOW, tmp_path, KEY)
    with sqlite3.connect(deployment.settings.access_database) as connection:
        connection.execute("create trigger jam before insert on audit begin select raise(abort, 'jammed'); end")
    with pytest.raises(AuditUnavailable):
        ingest_sources(deployment, OPERATOR, [])


def test_the_flag_alone_is_not_recorded_as_a_new_key(tmp_path: Path, folder: Path) -> None:
    deployment = deployment_at(NOW, tmp_path, KEY)
    ingest_sources(deployment, OPERATOR, [folder], new_disclosure_key=True)
    assert reasons(deployment) == [""]


def test_the_command_line_asks_for_the_flag(
        tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    arguments = ["ingest", str(folder), "--store", str(tmp_path / "store"), "--json"]
    monkeypatch.setenv("HARMONY_DISCLOSURE_KEY", "0f3a9c5e7b1d2468ace013579bdf8642")
    assert main(arguments) == 0
    monkeypatch.setenv("HARMONY_DISCLOSURE_KEY", "8642fdb97531ace0468d2b1f7e5c9a30")
    capsys.readouterr()
    assert main(arguments) == 2
    assert "--new-disclosure-key" in capsys.readouterr().err
    assert main([*arguments, "--new-disclosure-key"]) == 0
    assert json.loads(capsys.readouterr().out)["patients"] > 0


def test_the_key_is_made_beside_the_access_database_or_taken_from_the_environment(tmp_path: Path) -> None:
    made = read_settings({"HARMONY_ACCESS": "a/access.sqlite"}, tmp_path)
    assert made.disclosure_key == (tmp_path / "a" / "disclosure.key").read_bytes()
    assert len({made.disclosure_key, made.patient_key, made.access_key}) == 3
    given = "0f3a9c5e7b1d2468ace013579bdf8642"
    settings = read_settings({"HARMONY_ACCESS": "a/access.sqlite", "HARMONY_DISCLOSURE_KEY": given}, tmp_path)
    assert settings.disclosure_key == given.encode()
