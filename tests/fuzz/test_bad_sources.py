"""R4: bad sources by name. Each is refused, or its one bad row is, with the place, the reason and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.issues import Severity
from tests.fuzz.bad_sources import COUNT, REFUSED, REPORTED, Refused, Reported
from tests.unit.ingest.sources import write_source

DICTIONARY = load_dictionary()
KEY = b"k" * 32


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.name)
def test_a_bad_source_is_refused_with_place_reason_and_remedy(tmp_path: Path, bad: Refused) -> None:
    folder = write_source(tmp_path / "source", count=COUNT)
    bad.make(folder)
    with pytest.raises(SourceError) as caught:
        harmonise_source(folder, DICTIONARY, KEY)
    assert caught.value.where.startswith(bad.place), caught.value.message
    assert bad.words in caught.value.message
    assert caught.value.remedy
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize("bad", REPORTED, ids=lambda bad: bad.name)
def test_a_bad_row_is_left_out_with_its_place_and_reason(tmp_path: Path, bad: Reported) -> None:
    folder = write_source(tmp_path / "source", count=COUNT)
    bad.make(folder)
    source = harmonise_source(folder, DICTIONARY, KEY)
    found = [issue for issue in source.issues if (issue.file, issue.row, issue.column) == bad.place]
    assert bad.reason in {issue.reason for issue in found}, list(source.issues)
    assert all(issue.message for issue in found)
    assert {issue.severity for issue in found} == {Severity.WARNING if bad.kept else Severity.ERROR}
    # nobody else's row is touched; an identifier twice costs two
    assert COUNT - 2 <= source.accepted <= COUNT
    refused = {issue.row for issue in source.issues if issue.file == bad.place[0] and issue.severity is Severity.ERROR}
    assert (bad.place[1] in refused) is not bad.kept
    assert len(refused) <= 2


def test_there_are_as_many_named_cases_as_promised() -> None:
    names = [bad.name for bad in (*REFUSED, *REPORTED)]
    assert len(set(names)) == len(names) >= 60
