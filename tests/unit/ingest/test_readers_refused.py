"""What the machine refuses is not called a damaged file."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers.read import read_table


def write(folder: Path, kind: str) -> FileSpec:
    path = folder / f"a.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (("id", "sex"), ("p1", "F"), ("p2", "M")):
            book.active.append(row)
        book.save(path)
    elif kind == "parquet":
        pq.write_table(pa.table({"id": ["p1", "p2"], "sex": ["F", "M"]}), path)
    else:
        path.write_text("id,sex\np1,F\np2,M\n")
    return FileSpec(path.name, kind, "id")


@contextmanager
def room_for(spare: int) -> Iterator[None]:
    """So many more files may be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    taken = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, hard))
        while True:
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        for _ in range(spare):
            os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_too_many_open_files_are_named(tmp_path: Path, kind: str) -> None:
    spec = write(tmp_path, kind)
    path = tmp_path / spec.path
    assert read_table(path, spec).frame.shape == (2, 2)
    said = []
    for spare in range(4):
        with room_for(spare):
            try:
                read_table(path, spec)
            except SourceError as refused:
                said.append(refused.message)
    assert said
    assert all("too many files are open" in words and "damaged" not in words for words in said)
    assert not any(str(tmp_path) in words for words in said)


@pytest.mark.parametrize(("kind", "place"), [
    ("xlsx", "openpyxl.load_workbook"), ("parquet", "pyarrow.parquet.ParquetFile")])
@pytest.mark.parametrize(("number", "words"), [
    (errno.EIO, "the disk fails"), (errno.EMFILE, "too many files are open")])
def test_a_refusal_half_way_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str,
                                         number: int, words: str) -> None:
    spec = write(tmp_path, kind)

    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(number, f"Failed to open local file '{tmp_path}'")

    monkeypatch.setattr(place, fails)
    with pytest.raises(SourceError, match=words) as refused:
        read_table(tmp_path / spec.path, spec)
    assert str(tmp_path) not in refused.value.message
