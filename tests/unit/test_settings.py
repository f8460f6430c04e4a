"""Secrets: what is refused, and how one is made."""

from __future__ import annotations

import os
import secrets
import stat
import threading
from pathlib import Path

import pytest

from harmony_dash.errors import SettingsError
from harmony_dash.settings import Settings, check_secret, read_positive, read_secret

NAME = "HARMONY_PATIENT_KEY"


@pytest.mark.parametrize("text", [
    "this-is-a-placeholder-secret-for-the-sample-file", "your-secret-key-goes-here-and-is-long-enough",
    "0123456789abcdef" * 4, "0123456789abcdef" * 2, "0123456789abcdef" * 2 + "0123", "0123456789abcdef01234567" * 3,
    "please-CHANGE-ME-before-you-go-live-0f3a9", "a1b2c3d4e5f6-Some_Key-0123456789abcdef", "x" * 64, "9f8e7d6c",
    "p4ssw0rd-Password-9f8e7d6c5b4a39281706"])
def test_a_secret_from_a_sample_file_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_secret(NAME, text.encode())
    assert refused.value.where == NAME
    assert text not in refused.value.message


def test_random_secrets_are_accepted() -> None:
    for _ in range(200):
        check_secret(NAME, secrets.token_hex(32).encode())
        check_secret(NAME, secrets.token_urlsafe(32).encode())
        check_secret(NAME, secrets.token_bytes(32))


def test_the_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "var" / "patient.key"
    made = read_secret(NAME, {}, file)
    assert read_secret(NAME, {}, file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["patient.key"]


def test_all_that_start_at_once_end_with_one_secret(tmp_path: Path) -> None:
    file = tmp_path / "patient.key"
    found: list[bytes] = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        found.append(read_secret(NAME, {}, file))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and set(found) == {file.read_bytes()}
    assert list(tmp_path.iterdir()) == [file]


def test_a_process_that_comes_second_takes_the_secret_of_the_first(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "patient.key"
    first = secrets.token_hex(32)
    link = os.link

    def link_too_late(source: str, target: Path) -> None:
        target.write_text(first)
        target.chmod(0o600)
        link(source, target)

    monkeypatch.setattr(os, "link", link_too_late)
    assert read_secret(NAME, {}, file) == first.encode()
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "patient.key"
    read_secret(NAME, {}, file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="read by others"):
        read_secret(NAME, {}, file)


def test_a_folder_that_cannot_be_written_is_named_in_words(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="cannot be made"):
        read_secret(NAME, {}, tmp_path / "var" / "patient.key")


@pytest.mark.parametrize(("given", "number"), [({}, 300), ({"N": ""}, 300), ({"N": " 40 "}, 40), ({"N": "1"}, 1)])
def test_the_questions_of_a_day_are_a_whole_number(given: dict[str, str], number: int) -> None:
    assert read_positive("N", given, Settings.daily_questions) == number


@pytest.mark.parametrize("text", ["0", "-1", "3.5", "many", "1e3", "٣", "9" * 10])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_positive("HARMONY_DAILY_QUESTIONS", {"HARMONY_DAILY_QUESTIONS": text}, 300)
    assert refused.value.where == "HARMONY_DAILY_QUESTIONS"
