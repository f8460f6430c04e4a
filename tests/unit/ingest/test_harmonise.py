"""From a folder to accepted patients: what is quarantined, where it is reported, and that no row is lost."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.harmonised import HarmonisedSource
from harmony_dash.ingest.issues import Reason, Severity
from tests.unit.ingest.sources import FOLLOW_HEADER, MANIFEST, PATIENTS_HEADER, follow_up, patients, write_source

DICTIONARY = load_dictionary()
KEY = b"a key of thirty-two bytes or more"


def harmonise(folder: Path, **source: object) -> HarmonisedSource:
    return harmonise_source(write_source(folder, **source), DICTIONARY, KEY)


def refusal(folder: Path, **source: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        harmonise(folder, **source)
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


def errors(source: HarmonisedSource) -> set[tuple[str, int | None, str, Reason]]:
    return {(issue.file, issue.row, issue.column, issue.reason) for issue in source.issues
            if issue.severity is Severity.ERROR and issue.reason is not Reason.PARENT_QUARANTINED}


# -- a good source ----------------------------------------------------------------------------------------------------

def test_a_good_source_of_two_files(tmp_path: Path) -> None:
    source = harmonise(tmp_path)
    assert [(c.file, c.read, c.accepted, c.quarantined) for c in source.counts] == [
        ("patients.csv", 12, 12, 0), ("follow.csv", 12, 12, 0)]
    assert errors(source) == set()
    kept = [v.name for v in DICTIONARY.kept if v.name not in ("patient_id", "source")]
    tail = [f"{name}_{part}" for name in ENDPOINTS for part in ("days", "cause", "excluded")]
    assert source.frame.columns.tolist() == ["patient", "source", *kept, *tail]
    assert source.frame["patient"].str.fullmatch("[0-9a-f]{32}").all()
    sixth = source.frame.iloc[5]
    assert sixth[["sex", "age_dx_years", "wbc_dx", "country", "trial", "first_event", "death"]].tolist() == [
        "M", 9.0, 9.006, "DE", "Example 2000", "relapse", "yes"]
    assert sixth[["os_days", "os_cause", "efs_days", "efs_cause", "relapse_days", "relapse_cause"]].tolist() == [
        906, 1, 406, 1, 373, 1]
    assert sixth[["mrd_eoi_status", "mrd_group", "age_group"]].tolist() == ["undetectable", "mrd_cr", "1-9"]
    assert source.frame["sex"].dtype == object
    assert str(source.frame["wbc_dx"].dtype) == "Float64"
    assert str(source.frame["cr_days"].dtype) == "Int32"
    assert source.frame["hb"].isna().all()
    assert source.frame["subtype"].isna().all() and source.frame["subtype"].dtype == object


def test_files_are_joined_by_identifier_not_by_place(tmp_path: Path) -> None:
    straight = harmonise(tmp_path / "a")
    crossed = harmonise(tmp_path / "b", second=list(reversed(follow_up(12))))
    pd.testing.assert_frame_equal(straight.frame, crossed.frame)


def test_the_same_from_workbook_and_parquet(tmp_path: Path) -> None:
    expected = harmonise(tmp_path / "csv")
    first = pd.DataFrame([row.split(",") for row in patients(12)], columns=PATIENTS_HEADER.split(","))
    second = pd.DataFrame([row.split(",") for row in follow_up(12)], columns=FOLLOW_HEADER.split(","))
    folder = write_source(tmp_path / "native", manifest=MANIFEST.replace(
        "patients.csv\n    format: csv", "patients.xlsx\n    format: xlsx").replace(
        "follow.csv\n    format: csv", "follow.parquet\n    format: parquet"))
    book = openpyxl.Workbook()
    book.active.append(first.columns.tolist())
    for row in first.astype({"age": int, "wbc": int}).itertuples(index=False):
        book.active.append(list(row))
    book.save(folder / "patients.xlsx")
    numbers = {name: pd.to_numeric(second[name]).astype("Int32")
               for name in ("event", "event_days", "death_days", "fu")}
    pq.write_table(pa.Table.from_pandas(second.assign(**numbers)), folder / "follow.parquet")
    pd.testing.assert_frame_equal(harmonise_source(folder, DICTIONARY, KEY).frame, expected.frame)


def test_columns_of_the_same_name_take_the_name_of_their_file(tmp_path: Path) -> None:
    folder = write_source(tmp_path)
    for name in ("patients.csv", "follow.csv"):
        text = (folder / name).read_text().replace("remark", "note").replace("fu\n", "note\n")
        (folder / name).write_text(text)
    text = MANIFEST.replace("ignore: [remark]", "ignore: [patients.note]")
    (folder / "source.yaml").write_text(text.replace("column: fu", "column: note"))
    with pytest.raises(SourceError, match=r"'note' is in several files.*follow\.note"):
        harmonise_source(folder, DICTIONARY, KEY)
    (folder / "source.yaml").write_text(text.replace("column: fu", "column: follow.note"))
    source = harmonise_source(folder, DICTIONARY, KEY)
    assert source.frame["last_contact_days"].tolist()[:2] == [2001, 2002]


def test_a_file_without_identifiers(tmp_path: Path) -> None:
    text = MANIFEST.replace("  - path: follow.csv\n    format: csv\n    id: pid\n", "").replace("id: pid", 'id: "#row"')
    rows = [f"{first},{second.partition(',')[2]}".partition(",")[2]
            for first, second in zip(patients(4), follow_up(4), strict=True)]
    folder = write_source(tmp_path, manifest=text)
    header = f"{PATIENTS_HEADER},{FOLLOW_HEADER.partition(',')[2]}".partition(",")[2]
    (folder / "patients.csv").write_text("\n".join([header, *rows]) + "\n")
    assert harmonise_source(folder, DICTIONARY, KEY).frame["patient"].nunique() == 4


def test_a_day_that_is_the_end_of_follow_up_without_the_event(tmp_path: Path) -> None:
    text = MANIFEST.replace("column: death_days, unit: days", "column: death_days, unit: days, only_if: death")
    rows = follow_up(12, p3="p3,1,403,nein,2003,2003")
    source = harmonise(tmp_path, manifest=text, second=rows)
    assert errors(source) == set()
    assert source.frame["death_days"].isna().tolist()[2]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[float] = []
    harmonise_source(write_source(tmp_path), DICTIONARY, KEY, lambda _, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


# -- rows that are quarantined ----------------------------------------------------------------------------------------

@pytest.mark.parametrize(("row", "column", "reason"), [
    ("p3,x,5,9003,neg,33,a", "sex", Reason.VALUE_UNKNOWN),
    ("p3,m,five,9003,neg,33,a", "age", Reason.NUMBER_INVALID),
    ("p3,m,500,9003,neg,33,a", "age", Reason.RANGE),
    ("p3,m,-5,9003,neg,33,a", "age", Reason.RANGE),
    ("p3,m,5,\"9,003\",neg,33,a", "wbc", Reason.NUMBER_INVALID),
    ("p3,m,5,9003,neg,33.5,a", "cr", Reason.TYPE),
    ("p3,m,5,9003,neg,-33,a", "cr", Reason.RANGE),
    ("p3,m,5,9003,perhaps,33,a", "mrd", Reason.MRD_UNPARSED),
    ("p3,=1+1,5,9003,neg,33,a", "sex", Reason.FORMULA),
    ("p3,m,5,@SUM(A1),neg,33,a", "wbc", Reason.FORMULA),
    ("p3,m,5,\"-2+3+cmd|' /C calc'!A0\",neg,33,a", "wbc", Reason.FORMULA),
    ("NA,m,5,9003,neg,33,a", "pid", Reason.REQUIRED_MISSING),
    (",m,5,9003,neg,33,a", "pid", Reason.REQUIRED_MISSING),
])
def test_a_bad_row_of_the_first_file(tmp_path: Path, row: str, column: str, reason: Reason) -> None:
    source = harmonise(tmp_path, first=patients(12, p3=row))
    assert ("patients.csv", 4, column, reason) in errors(source)
    assert (source.accepted, source.quarantined) == (11, 1)
    follow = source.counts[1]
    assert (follow.accepted, follow.quarantined) == (11, 1)


@pytest.mark.parametrize(("row", "column", "reason"), [
    ("p3,2,403,nein,,2003", "event", Reason.VALUE_UNKNOWN),
    ("p3,1,-403,nein,,2003", "event_days", Reason.RANGE),
    ("p3,1,403,nein,,-2003", "fu", Reason.RANGE),
    ("p3,1,403,nein,,300", "event_days", Reason.TEMPORAL_ORDER),
    ("p3,1,403,ja,-1,2003", "death_days", Reason.RANGE),
    ("p3,1,403,ja,200,2003", "event_days", Reason.TEMPORAL_ORDER),
    ("p3,1,403,ja,3000,2003", "death_days", Reason.TEMPORAL_ORDER),
    ("p3,0,403,nein,,2003", "event_days", Reason.EVENT_TIME),
    ("p3,1,403,nein,800,2003", "death_days", Reason.EVENT_TIME),
    ("p3,1,403,,,2003", "dead", Reason.REQUIRED_MISSING),
    ("p3,1,403,nein,,", "fu", Reason.REQUIRED_MISSING),
    ("p3,1,10,nein,,2003", "event_days", Reason.TEMPORAL_ORDER),
    ("p3,1,99999999999,nein,,2003", "event_days", Reason.RANGE),
])
def test_a_bad_row_of_the_second_file(tmp_path: Path, row: str, column: str, reason: Reason) -> None:
    source = harmonise(tmp_path, second=follow_up(12, p3=row))
    assert ("follow.csv", 4, column, reason) in errors(source)
    assert [(c.accepted, c.quarantined) for c in source.counts] == [(11, 1), (11, 1)]
    parents = [issue for issue in source.issues if issue.reason is Reason.PARENT_QUARANTINED]
    assert [(issue.file, issue.row) for issue in parents] == [("patients.csv", 4)]


def test_a_part_that_contradicts_the_first_event_is_refused_though_it_is_not_kept(tmp_path: Path) -> None:
    text = MANIFEST.replace("ignore: [remark]", "  relapse_days: {column: remark, unit: days}")
    days = {3: "403", 6: "300", 7: "500", 9: "409", 12: "NA"}
    rows = [row.removesuffix("a") + days.get(number, "") for number, row in enumerate(patients(12), 1)]
    source = harmonise(tmp_path, manifest=text, first=rows)
    assert errors(source) == {("patients.csv", row, "remark", Reason.EVENT_TIME) for row in (7, 8)}
    assert source.accepted == 10
    assert source.frame["relapse_days"].notna().sum() == 10  # the endpoint, not the part


def test_a_value_that_cannot_be_read_is_not_reported_as_missing_too(tmp_path: Path) -> None:
    source = harmonise(tmp_path, second=follow_up(12, p3="p3,2,403,vielleicht,,x"))
    assert {reason for _, _, _, reason in errors(source)} == {Reason.VALUE_UNKNOWN, Reason.NUMBER_INVALID}


def test_all_rows_of_a_repeated_identifier(tmp_path: Path) -> None:
    source = harmonise(tmp_path, first=[*patients(12), "p3,m,6,9003,neg,33,a"])
    assert errors(source) == {("patients.csv", row, "pid", Reason.DUPLICATE_ID) for row in (4, 14)}
    assert [(c.read, c.accepted, c.quarantined) for c in source.counts] == [(13, 11, 2), (12, 11, 1)]


def test_a_repeated_identifier_in_the_second_file(tmp_path: Path) -> None:
    source = harmonise(tmp_path, second=[*follow_up(12), "p3,0,,nein,,2003"])
    assert errors(source) == {("follow.csv", row, "pid", Reason.DUPLICATE_ID) for row in (4, 14)}
    assert [(c.read, c.accepted, c.quarantined) for c in source.counts] == [(12, 11, 1), (13, 11, 2)]


def test_rows_without_a_patient_and_patients_without_rows(tmp_path: Path) -> None:
    source = harmonise(tmp_path, second=[*follow_up(11), "p99,0,,nein,,2003", ",0,,nein,,2003"])
    assert ("follow.csv", 13, "pid", Reason.ORPHAN_ROW) in errors(source)
    assert ("follow.csv", 14, "pid", Reason.REQUIRED_MISSING) in errors(source)
    # No follow-up: reported in the file that lists the patient.
    assert ("patients.csv", 13, "fu", Reason.REQUIRED_MISSING) in errors(source)
    assert [(c.read, c.accepted, c.quarantined) for c in source.counts] == [(12, 11, 1), (13, 11, 2)]


def test_every_quarantined_row_has_an_error_in_its_own_file(tmp_path: Path) -> None:
    source = harmonise(tmp_path, first=patients(12, p3="p3,x,5,9003,neg,33,a", p5="p4,m,5,1,neg,33,a"),
                       second=follow_up(12, p7="p7,2,,nein,,2003", p8="p99,0,,nein,,2003"))
    assert all(count.quarantined for count in source.counts)
    for count in source.counts:
        rows = {issue.row for issue in source.issues
                if issue.file == count.file and issue.severity is Severity.ERROR}
        assert len(rows) == count.quarantined
        assert count.read == count.accepted + count.quarantined


def test_signed_numbers_and_declared_words_are_no_formulas(tmp_path: Path) -> None:
    text = MANIFEST.replace("{m: M, w: F}", "{m: M, w: F, -m: M, =f: F}")
    source = harmonise(tmp_path, manifest=text, first=patients(12, p3="p3,-m,5,-9,neg,33,a", p4="p4,=f,+5,9,neg,33,a"))
    assert errors(source) == set()


def test_a_high_value_is_kept_and_reported(tmp_path: Path) -> None:
    source = harmonise(tmp_path, first=patients(12, p3="p3,m,5,1100000,neg,33,a"))
    flagged = [issue for issue in source.issues if issue.reason is Reason.FLAGGED_VALUE]
    assert [(issue.file, issue.row, issue.severity) for issue in flagged] == [("patients.csv", 4, Severity.WARNING)]
    assert source.accepted == 12


def test_no_message_holds_a_value(tmp_path: Path) -> None:
    source = harmonise(tmp_path, first=patients(12, p3="p3,Xaver,77777,88888.5,99999x,66666,a"))
    text = " ".join(issue.message for issue in source.issues)
    assert len(source.issues) > 2
    assert not any(value in text for value in ("Xaver", "77777", "88888", "99999", "66666", "p3"))


# -- sources that are refused -----------------------------------------------------------------------------------------

def test_a_column_that_is_mapped_but_not_there(tmp_path: Path) -> None:
    error = refusal(tmp_path, manifest=MANIFEST.replace("column: wbc", "column: WBCs"))
    assert "'WBCs' is not in patients.csv, follow.csv" in error.problem
    assert "'WBCs' may be `wbc`" in error.remedy
    assert error.where == "source.yaml:19"


def test_a_column_that_is_neither_mapped_nor_ignored(tmp_path: Path) -> None:
    error = refusal(tmp_path, manifest=MANIFEST.replace("ignore: [remark]", ""))
    assert "'remark' is neither mapped nor ignored" in error.problem
    assert error.where == "patients.csv"


def test_a_file_without_a_header_does_not_lose_its_first_patient_or_tell_it(tmp_path: Path) -> None:
    folder = write_source(tmp_path)
    (folder / "patients.csv").write_text("Anna,w,five,a,neg,b,c\nBerta,w,six,a,neg,b,c\n")
    with pytest.raises(SourceError) as caught:
        harmonise_source(folder, DICTIONARY, KEY)
    assert "header line missing" in caught.value.remedy
    assert "Anna" not in caught.value.message


def test_a_swapped_header(tmp_path: Path) -> None:
    folder = write_source(tmp_path, count=60)
    text = (folder / "patients.csv").read_text().replace("pid,sex,age,wbc", "pid,sex,wbc,age", 1)
    (folder / "patients.csv").write_text(text)
    with pytest.raises(SourceError, match="header swapped"):
        harmonise_source(folder, DICTIONARY, KEY)


def test_a_source_may_be_judged_row_by_row(tmp_path: Path) -> None:
    folder = write_source(tmp_path, first=[row.replace(",neg,", ",?,") for row in patients(40)],
                          second=follow_up(40))
    with pytest.raises(SourceError, match="40 of 40 values"):
        harmonise_source(folder, DICTIONARY, KEY)
    source = harmonise_source(folder, DICTIONARY, KEY, max_bad_share=1.0)
    assert (source.accepted, source.quarantined) == (0, 40)
    assert len(source.frame) == 0


def test_identifiers_refuse_the_source(tmp_path: Path) -> None:
    error = refusal(tmp_path, first=patients(12, p3="p3,m,5,9003,neg,33,a.b@example.org"))
    assert "patients.csv, row 4, column 'remark': an e-mail address in 1 cell" in error.problem
    assert "example.org" not in error.message


def test_a_date_where_a_number_belongs(tmp_path: Path) -> None:
    error = refusal(tmp_path, first=patients(12, p3="p3,m,12.03.2004,9003,neg,33,a"))
    assert "column 'age': a calendar date in 1 cell" in error.problem


def test_a_key_that_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="fewer than 16 bytes"):
        harmonise_source(write_source(tmp_path), DICTIONARY, b"short")


def test_two_sheets_of_one_workbook_are_two_tables_joined_by_patient(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    patients, follow_up = book.active, book.create_sheet("Follow-up")
    assert patients is not None
    patients.title = "Patients"
    for row in (["id", "sex", "land"], ["a", "m", "DE"], ["b", "w", "FR"]):
        patients.append(row)
    for row in (["id", "last", "dead"], ["b", 300, "yes"], ["a", 200, "no"], ["c", 100, "no"]):
        follow_up.append(row)
    book.save(tmp_path / "book.xlsx")
    (tmp_path / "source.yaml").write_text("""
source: two_sheets
title: Two sheets
licence: CC0-1.0
synthetic: true
disease: ALL
files:
  - {path: book.xlsx, format: xlsx, sheet: Patients, id: id, name: patients}
  - {path: book.xlsx, format: xlsx, sheet: Follow-up, id: id, name: follow_up}
variables:
  country: {column: land}
  sex: {column: sex, values: {m: M, w: F}}
  death: {column: dead, values: {"yes": yes, "no": no}}
  death_days: {column: last, unit: days, only_if: death}
  last_contact_days: {column: last, unit: days}
  first_event: {column: dead, values: {"yes": death_in_cr, "no": none}}
  first_event_days: {column: last, unit: days, only_if: first_event}
""", encoding="utf-8")
    source = harmonise_source(tmp_path, load_dictionary(), b"k" * 32)
    assert source.frame[["sex", "country", "os_days", "os_cause"]].to_numpy().tolist() == [
        ["M", "DE", 200, 0], ["F", "FR", 300, 1]]
    assert [(count.file, count.read, count.quarantined) for count in source.counts] == [
        ("book.xlsx, sheet Patients", 2, 0), ("book.xlsx, sheet Follow-up", 3, 1)]
