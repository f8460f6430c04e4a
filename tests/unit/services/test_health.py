"""What whoever watches the server is told: the state of things, and no number of the data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import AuditEvent, count_events, record_event
from harmony_dash.access.verification import HeadFile
from harmony_dash.errors import AccessRefused, SettingsError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.health import LEAST_FREE_SHARE, StoreState, review_health
from harmony_dash.settings import Settings, read_settings
from harmony_dash.store import layout
from tests.factories import ACCESS_KEY, NOW, make_store
from tests.unit.access.tampering import tamper

TOKEN = b"7e1d0c4ab93f5286e1d0c4ab93f5286c"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                        audit_head=tmp_path / "audit.head", health_token=TOKEN)
    opened = open_deployment(settings, now=lambda: NOW)
    record_event(opened.access, AuditEvent.of(OPERATOR, "survival"), now=NOW)
    yield opened
    opened.access.close()


def test_a_sound_deployment_is_ok_and_named(deployment: Deployment, tmp_path: Path) -> None:
    snapshot = make_store(tmp_path / "store", 137)
    found = review_health(deployment, TOKEN)
    assert (found.snapshot, found.store, found.trail) == (snapshot.snapshot, StoreState.READABLE, HeadFile.KEPT)
    assert found.published == snapshot.created
    assert {"python", "sqlite", "duckdb", "streamlit", "lifelines"} <= found.libraries.keys()
    assert 0 <= found.free_share <= 1
    assert replace(found, free_share=0.5).ok and not replace(found, free_share=LEAST_FREE_SHARE - 0.01).ok
    assert "137" not in str(asdict(replace(found, free_share=0.5, libraries={}, published="", snapshot="")))


@pytest.mark.parametrize("token", [b"", b"7e1d0c4ab93f5286e1d0c4ab93f5286", TOKEN + b"c", TOKEN.upper(), b"\xff" * 32])
def test_another_token_is_refused(deployment: Deployment, token: bytes) -> None:
    with pytest.raises(AccessRefused):
        review_health(deployment, token)


@pytest.mark.parametrize("token", [b"", TOKEN])
def test_without_a_token_in_the_settings_there_are_no_details(deployment: Deployment, token: bytes) -> None:
    settings = replace(deployment.settings, health_token=b"")
    without = Deployment(settings, deployment.store, deployment.access, lambda: NOW)
    with pytest.raises(AccessRefused):
        review_health(without, token)


def test_looking_leaves_no_line_in_the_trail(deployment: Deployment) -> None:
    before = count_events(deployment.access)
    review_health(deployment, TOKEN)
    assert count_events(deployment.access) == before


def test_an_empty_store_is_no_alarm_and_a_damaged_one_is(deployment: Deployment, tmp_path: Path) -> None:
    assert review_health(deployment, TOKEN).store is StoreState.EMPTY
    snapshot = make_store(tmp_path / "store", 60)
    snapshot.close()
    file = layout.snapshot_file(tmp_path / "store", snapshot.snapshot)
    file.write_bytes(file.read_bytes()[:-1])
    found = review_health(deployment, TOKEN)
    assert (found.store, found.ok) == (StoreState.DAMAGED, False)
    (tmp_path / "store" / "CURRENT").write_text("{")
    assert review_health(deployment, TOKEN).store is StoreState.DAMAGED


@pytest.mark.parametrize("what", ["removed", "replaced", "cut short"])
def test_a_file_that_only_an_open_connection_still_reads_is_an_alarm(deployment: Deployment, tmp_path: Path,
                                                                    what: str) -> None:
    snapshot = make_store(tmp_path / "store", 60)
    snapshot.close()
    assert review_health(deployment, TOKEN).store is StoreState.READABLE
    file = layout.snapshot_file(tmp_path / "store", snapshot.snapshot)
    content = file.read_bytes()
    if what == "cut short":
        with file.open("rb+") as opened:
            opened.truncate(len(content) // 2)
    else:
        file.rename(tmp_path / "elsewhere")
    if what == "replaced":
        file.write_bytes(content)
    found = review_health(deployment, TOKEN)
    assert (found.store, found.ok) == (StoreState.DAMAGED, False)


def test_a_broken_installation_is_an_alarm(deployment: Deployment) -> None:
    found = replace(review_health(deployment, TOKEN), free_share=0.5)
    assert (found.installation, found.ok) == ("whole", True)
    found = replace(review_health(deployment, TOKEN, ("jwt", "numpy")), free_share=0.5)
    assert (found.installation, found.ok) == ("the installation is broken: jwt, numpy", False)


def test_the_database_answers_in_time_or_says_no(deployment: Deployment) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with deployment.access.read():
            held.set()
            done.wait(30)

    assert deployment.access.answers(0.05)
    keeper = threading.Thread(target=hold)
    keeper.start()
    held.wait(30)
    assert not deployment.access.answers(0.05)
    done.set()
    keeper.join()
    assert deployment.access.answers(0.05)


def test_a_lost_head_and_a_changed_row_are_alarms(deployment: Deployment, tmp_path: Path) -> None:
    head = (tmp_path / "audit.head").read_text()
    record_event(deployment.access, AuditEvent.of(OPERATOR, "survival"), now=NOW)
    (tmp_path / "audit.head").write_text(head)
    assert review_health(deployment, TOKEN).trail == HeadFile.BEHIND
    (tmp_path / "audit.head").unlink()
    found = review_health(deployment, TOKEN)
    assert (found.trail, found.ok) == (HeadFile.MISSING, False)
    tamper(tmp_path / "access.sqlite", "update audit set username = 'nobody'")
    assert review_health(deployment, TOKEN).trail == "broken"


@pytest.mark.parametrize("token", ["9f8e7d6c", "changeme-changeme-changeme-changeme", "x" * 64])
def test_a_token_that_can_be_guessed_is_refused_at_the_start(tmp_path: Path, token: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"HARMONY_HEALTH_TOKEN": token}, tmp_path)
    assert refused.value.where == "HARMONY_HEALTH_TOKEN"
    assert token not in refused.value.message


def test_the_token_is_not_printed_with_the_settings(tmp_path: Path) -> None:
    settings = read_settings({"HARMONY_HEALTH_TOKEN": TOKEN.decode()}, tmp_path)
    assert settings.health_token == TOKEN
    assert TOKEN.decode() not in repr(settings)
    assert read_settings({}, tmp_path).health_token == b""
