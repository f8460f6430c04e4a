from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from harmony_dash.access.rare_line import EVERY, RareLine
from tests.unit.access.conftest import NOW


def test_a_rare_line_is_written_once_a_minute_and_counts_what_it_left_out(caplog: pytest.LogCaptureFixture) -> None:
    line = RareLine(logging.getLogger("rare"), "something happened")
    for second in range(120):
        line.write(now=NOW + timedelta(seconds=second))
    assert [record.getMessage() for record in caplog.records] == [
        "something happened", "something happened (and 59 times since the last such line)"]


def test_a_clock_that_was_moved_back_does_not_silence_it(caplog: pytest.LogCaptureFixture) -> None:
    line = RareLine(logging.getLogger("rare"), "something happened")
    line.write(now=NOW)
    line.write(now=NOW - EVERY)
    assert len(caplog.records) == 2
