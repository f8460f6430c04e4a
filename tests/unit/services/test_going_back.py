"""Going back to a snapshot that was made with another disclosure key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cli import main
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.snapshots import OTHER_KEY, ROLL_BACK, roll_back_to
from harmony_dash.settings import Settings
from harmony_dash.store.snapshots import current_snapshot
from harmony_dash.store.writer import new_snapshot
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_record, no_issues

OTHER = b"another made-up disclosure key"


def publish(deployment: Deployment, key: bytes, minutes: int) -> str:
    frame = make_patients(40)
    with new_snapshot(deployment.settings.store, deployment.dictionary, NOW + timedelta(minutes=minutes), key,
                      new_disclosure_key=True) as (writer, published):
        writer.add_source(make_record(frame), frame, no_issues())
    return published[0]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return open_deployment(Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY),
                           now=lambda: NOW)


def recorded(deployment: Deployment) -> list[tuple[Decision, str, str]]:
    return [(row.event.decision, row.event.snapshot, row.event.reason)
            for row in list_events(deployment.access, action=ROLL_BACK)]


def test_another_key_is_refused_unless_it_is_meant_and_then_recorded(deployment: Deployment) -> None:
    first, second = publish(deployment, DISCLOSURE_KEY, 0), publish(deployment, OTHER, 1)
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        roll_back_to(deployment, OPERATOR, first)
    assert current_snapshot(deployment.settings.store) == second
    [(decision, _, reason)] = recorded(deployment)
    assert decision is Decision.REFUSED and "another disclosure key" in reason
    roll_back_to(deployment, OPERATOR, first, new_disclosure_key=True)
    assert current_snapshot(deployment.settings.store) == first
    assert recorded(deployment)[0] == (Decision.ALLOWED, first, OTHER_KEY)


def test_with_the_same_key_nothing_is_asked_and_the_switch_alone_is_not_recorded(deployment: Deployment) -> None:
    first, second = publish(deployment, DISCLOSURE_KEY, 0), publish(deployment, DISCLOSURE_KEY, 1)
    roll_back_to(deployment, OPERATOR, first)
    roll_back_to(deployment, OPERATOR, second, new_disclosure_key=True)
    assert recorded(deployment) == [(Decision.ALLOWED, second, ""), (Decision.ALLOWED, first, "")]


def test_a_snapshot_that_is_not_there_is_refused_and_recorded(deployment: Deployment) -> None:
    publish(deployment, DISCLOSURE_KEY, 0)
    with pytest.raises(StoreError, match="no such snapshot"):
        roll_back_to(deployment, OPERATOR, "20200101T000000Z-00000000")
    assert [decision for decision, _, _ in recorded(deployment)] == [Decision.REFUSED]


def test_the_command_line_asks_for_the_switch(deployment: Deployment, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = publish(deployment, DISCLOSURE_KEY, 0), publish(deployment, OTHER, 1)
    deployment.access.close()
    monkeypatch.setenv("HARMONY_ACCESS", str(deployment.settings.access_database))
    monkeypatch.setenv("HARMONY_ACCESS_KEY", ACCESS_KEY.decode())
    arguments = ["snapshots", "--store", str(deployment.settings.store), "--rollback", first]
    assert main(arguments) == 2
    assert "--new-disclosure-key" in capsys.readouterr().err
    assert main([*arguments, "--new-disclosure-key"]) == 0
    assert current_snapshot(deployment.settings.store) == first
