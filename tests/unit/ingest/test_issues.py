"""The log of issues: what goes in comes out, and a million rows stay small."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harmony_dash.ingest.issues import IssueLog, Reason, Severity, as_positions


def test_masks_and_positions() -> None:
    assert as_positions(np.array([True, False, True])).tolist() == [0, 2]
    assert as_positions(pd.Series([True, None, False], dtype="boolean")).tolist() == [0]
    assert as_positions(pd.Series([True, False], index=[7, 8])).tolist() == [0]
    assert as_positions([2, 1]).tolist() == [2, 1]
    assert as_positions([]).tolist() == []


def test_issues_come_back_with_row_numbers() -> None:
    log = IssueLog("s")
    log.add([True, False, True], row_numbers=[2, 3, 7], file="a.csv", reason=Reason.RANGE, message="too much",
            column="c", variable="v")
    log.add([False, False, False], row_numbers=[2, 3, 7], file="a.csv", reason=Reason.TYPE, message="none")
    log.add_file(file="b.csv", reason=Reason.COLUMN_UNMAPPED, message="odd")
    assert [(i.file, i.row, i.reason, i.severity) for i in log] == [
        ("a.csv", 2, Reason.RANGE, Severity.ERROR), ("a.csv", 7, Reason.RANGE, Severity.ERROR),
        ("b.csv", None, Reason.COLUMN_UNMAPPED, Severity.WARNING)]
    assert len(log) == 3
    assert log.count_by_reason() == {Reason.RANGE: 2, Reason.COLUMN_UNMAPPED: 1}
    assert log.count_by_reason(Severity.WARNING) == {Reason.COLUMN_UNMAPPED: 1}
    frame = log.to_frame()
    assert frame.columns.tolist() == ["source", "file", "row", "column", "variable", "reason", "severity", "message"]
    assert frame["row"].tolist()[:2] == [2, 7]
    assert frame["row"].isna().tolist() == [False, False, True]
    assert frame["reason"].tolist() == ["RANGE", "RANGE", "COLUMN_UNMAPPED"]


def test_an_empty_log_is_an_empty_table() -> None:
    frame = IssueLog("s").to_frame()
    assert len(frame) == 0
    assert "message" in frame


def test_a_million_issues_take_a_few_bytes_each() -> None:
    log = IssueLog("s")
    numbers = np.arange(2, 100_002)
    for column in range(10):
        log.add(np.ones(100_000, dtype=bool), row_numbers=numbers, file="a", reason=Reason.TYPE, message="m",
                column=str(column))
    assert sum(batch.rows.nbytes for batch in log.batches if batch.rows is not None) == 4_000_000
    assert log.to_frame().memory_usage(index=False).sum() < 20_000_000
