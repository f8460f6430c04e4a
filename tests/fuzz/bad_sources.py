"""Bad source folders by name: each is a good one with one thing wrong, and what a person is told about it."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.ingest.sources import follow_up, patients

Make = Callable[[Path], None]
PATIENTS, FOLLOW, MANIFEST = "patients.csv", "follow.csv", "source.yaml"


@dataclass(frozen=True)
class Refused:
    """A source that is refused as a whole; `place` begins and `words` are in what the person is told."""

    name: str
    make: Make
    place: str
    words: str


@dataclass(frozen=True)
class Reported:
    """A source of which one row is not taken; `place` is (file, row, column), `reason` the code of the issue.

    A row that is `kept` is taken with a warning: what cannot be known of its patient is left out where it is needed.
    """

    name: str
    make: Make
    place: tuple[str, int, str]
    reason: str
    kept: bool = False


# -- what goes wrong --------------------------------------------------------------------------------------------------

def raw(name: str, change: Callable[[bytes], bytes]) -> Make:
    """Other bytes in a file."""
    def make(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))
    return make


def swap(name: str, old: str, new: str, encoding: str = "utf-8") -> Make:
    """Other words in a file, once."""
    def change(content: bytes) -> bytes:
        if old.encode() not in content:
            raise ValueError(f"{old} is not in {name}")
        return content.decode().replace(old, new, 1).encode(encoding, "surrogatepass")
    return raw(name, change)


def row(name: str, number: int, text: str) -> Make:
    """Another line in place of the number-th, the header being line 1."""
    def change(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        lines[number - 1] = text
        return ("\n".join(lines) + "\n").encode()
    return raw(name, change)


def add_row(name: str, text: str) -> Make:
    """One more line at the end."""
    return raw(name, lambda content: content + text.encode() + b"\n")


def cell(column: str, value: str, number: int = 4) -> Make:
    """Another cell in a line, of whichever file has the column."""
    def make(folder: Path) -> None:
        for name in (PATIENTS, FOLLOW):
            lines = (folder / name).read_text(encoding="utf-8").splitlines()
            header = lines[0].split(",")
            if column in header:
                cells = lines[number - 1].split(",")
                cells[header.index(column)] = value
                lines[number - 1] = ",".join(cells)
                (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
                return
        raise ValueError(column)
    return make


def replace_by(name: str, make_other: Callable[[Path], None]) -> Make:
    """Something else than a plain file in its place."""
    def make(folder: Path) -> None:
        path = folder / name
        path.unlink()
        make_other(path)
    return make


def both(*makes: Make) -> Make:
    """One after another."""
    def make(folder: Path) -> None:
        for one in makes:
            one(folder)
    return make


def as_workbook(change: Callable[[openpyxl.Workbook], None] = lambda _: None) -> Make:
    """The patients as a workbook, changed."""
    def make(folder: Path) -> None:
        book = openpyxl.Workbook()
        for line in (folder / PATIENTS).read_text(encoding="utf-8").splitlines():
            book.active.append([float(part) if part.replace(".", "").isdigit() else part for part in line.split(",")])
        change(book)
        book.save(folder / "patients.xlsx")
        declare(PATIENTS, "patients.xlsx", "xlsx")(folder)
    return make


def as_parquet(table: Callable[[pa.Table], pa.Table] = lambda table: table) -> Make:
    """The patients as a Parquet file, changed."""
    def make(folder: Path) -> None:
        lines = [line.split(",") for line in (folder / PATIENTS).read_text(encoding="utf-8").splitlines()]
        columns = {name: list(cells) for name, cells in zip(lines[0], zip(*lines[1:], strict=True), strict=True)}
        pq.write_table(table(pa.table(columns)), folder / "patients.parquet")
        declare(PATIENTS, "patients.parquet", "parquet")(folder)
    return make


def declare(old: str, new: str, kind: str) -> Make:
    """Another file and format in the manifest."""
    return swap(MANIFEST, f"path: {old}\n    format: csv", f"path: {new}\n    format: {kind}")


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 60_000_000)


def _cut_archive(folder: Path) -> None:
    as_workbook()(folder)
    content = (folder / "patients.xlsx").read_bytes()
    (folder / "patients.xlsx").write_bytes(content[: len(content) // 2])


def _set(place: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    def change(book: openpyxl.Workbook) -> None:
        book.active[place] = value
    return change


def _outside(path: Path) -> None:
    """A link to a file that exists, outside of the folder."""
    target = path.parent.parent / "elsewhere.csv"
    target.write_text("pid,sex,age,wbc,mrd,cr,remark\n" + "\n".join(patients(12)) + "\n", encoding="utf-8")
    path.symlink_to(target)


def _linked_folder(folder: Path) -> None:
    inner = folder.parent / "inner"
    inner.mkdir()
    (folder / PATIENTS).rename(inner / PATIENTS)
    (folder / "data").symlink_to(inner, target_is_directory=True)
    swap(MANIFEST, "path: patients.csv", "path: data/patients.csv")(folder)


LONG = "x" * 70_000
# Enough for a column to be judged as a whole.
COUNT = 24
WHOLE = "\n".join(["pid,sex,age,wbc,mrd,cr,remark", *patients(COUNT)]) + "\n"

REFUSED: tuple[Refused, ...] = (
    # bytes
    Refused("empty file", raw(PATIENTS, lambda _: b""), PATIENTS, "is empty"),
    Refused("blank lines only", raw(PATIENTS, lambda _: b"\n \n\n"), PATIENTS, "is empty"),
    Refused("byte order mark only", raw(PATIENTS, lambda _: b"\xef\xbb\xbf"), PATIENTS, "header is missing"),
    Refused("header only", raw(PATIENTS, lambda content: content.splitlines(keepends=True)[0]), PATIENTS,
            "header but no records"),
    Refused("NUL byte", swap(PATIENTS, "p3,", "p3\0,"), "patients.csv, line 4", "NUL"),
    Refused("UTF-16 with a mark", raw(PATIENTS, lambda content: content.decode().encode("utf-16")), PATIENTS,
            "UTF-16, not utf-8"),
    Refused("UTF-16 without a mark", raw(PATIENTS, lambda content: content.decode().encode("utf-16-le")), PATIENTS,
            "NUL"),
    Refused("UTF-32", raw(PATIENTS, lambda content: content.decode().encode("utf-32")), PATIENTS, "UTF-16"),
    Refused("Latin-1 umlaut", raw(PATIENTS, lambda content: content.replace(b"p4,m", b"p4,\xe4")),
            "patients.csv, line 5", "is not utf-8"),
    Refused("half a UTF-8 sign", raw(PATIENTS, lambda content: content.replace(b"p5,w", b"p5,\xc3")),
            "patients.csv, line 6", "is not utf-8"),
    Refused("gzip", raw(PATIENTS, gzip.compress), PATIENTS, "is compressed"),
    Refused("gzip bomb", raw(PATIENTS, lambda _: gzip.compress(bytes(50_000_000))), PATIENTS, "is compressed"),
    Refused("a workbook called CSV", raw(PATIENTS, lambda _: b"PK\x03\x04" + bytes(range(256))), PATIENTS,
            "not a CSV file"),
    Refused("a Parquet file called CSV", raw(PATIENTS, lambda _: b"PAR1" + bytes(range(256))), PATIENTS,
            "not a CSV file"),
    Refused("PDF", raw(PATIENTS, lambda _: b"%PDF-1.7\n" + bytes(range(128, 256))), PATIENTS, "is a PDF"),
    Refused("HTML", raw(PATIENTS, lambda _: b"<!DOCTYPE html><html><body>404</body></html>\n"), PATIENTS,
            "header but no records"),
    Refused("JSON", raw(PATIENTS, lambda _: b'[{"pid": "p1", "sex": "m"}]\n'), PATIENTS, "header but no records"),
    Refused("endless line", swap(PATIENTS, "p6,", LONG + ","), "patients.csv, line 7", "70,"),
    Refused("cut off in the last record", raw(PATIENTS, lambda content: content[:-12]), "patients.csv, line 25",
            "truncated"),
    # delimiters and quotes
    Refused("semicolons", raw(PATIENTS, lambda content: content.replace(b",", b";")), "patients.csv, line 1",
            "separated by a semicolon"),
    Refused("tabs", raw(PATIENTS, lambda content: content.replace(b",", b"\t")), "patients.csv, line 1",
            "separated by a tab"),
    Refused("vertical bars", raw(PATIENTS, lambda content: content.replace(b",", b"|")), "patients.csv, line 1",
            "separated by a vertical bar"),
    Refused("one cell too many", swap(PATIENTS, "p3,", "p3,,"), "patients.csv, line 4", "8 cells, the header has 7"),
    Refused("one cell too few", swap(PATIENTS, ",9003", ""), "patients.csv, line 4", "6 cells, the header has 7"),
    Refused("decimal commas without quotes", swap(PATIENTS, ",9003,", ",9,3,"), "patients.csv, line 4", "8 cells"),
    Refused("open quote", swap(PATIENTS, "p3,", '"p3,'), "patients.csv, line 4", "quote"),
    Refused("text after a quote", swap(PATIENTS, "p3,", '"p"3,'), "patients.csv, line 4", "closing quote"),
    # headers
    Refused("no header", raw(PATIENTS, lambda content: content.split(b"\n", 1)[1]), "patients.csv, line 1",
            "looks like data"),
    Refused("a name twice", swap(PATIENTS, "wbc", "age"), "patients.csv, line 1", "same name"),
    Refused("a name missing", swap(PATIENTS, "wbc", ""), "patients.csv, line 1", "no name"),
    Refused("a name misspelt", swap(PATIENTS, "wbc", "wcb"), "source.yaml:", "'wbc'"),
    Refused("a name in capitals", swap(PATIENTS, "wbc", "WBC"), "source.yaml:", "'wbc'"),
    Refused("a name in Cyrillic letters", swap(PATIENTS, "age", "аge"), "source.yaml:", "'age'"),
    Refused("a further column", raw(PATIENTS, lambda content: content.replace(b"\n", b",x\n")), PATIENTS,
            "neither mapped nor ignored"),
    Refused("the identifier gone", swap(PATIENTS, "pid", "nr"), PATIENTS, "'pid'"),
    # whole columns
    Refused("age and count swapped", swap(PATIENTS, "age,wbc", "wbc,age"), "patients.csv, from row 2",
            "cannot be 'age_dx_years'"),
    Refused("unit of the age", swap(MANIFEST, "unit: years}", "unit: decades}"), "source.yaml:", "decades"),
    Refused("a value map without the values", swap(MANIFEST, "{m: M, w: F}", "{male: M, female: F}"),
            "patients.csv, from row 2", "cannot be 'sex'"),
    # files
    Refused("a file missing", lambda folder: (folder / FOLLOW).unlink(), "source.yaml:", "does not exist"),
    Refused("a folder in its place", replace_by(PATIENTS, Path.mkdir), "source.yaml:", "not a file"),
    Refused("a symbolic link", replace_by(PATIENTS, _outside), "source.yaml:", "symbolic link"),
    Refused("a broken symbolic link", replace_by(PATIENTS, lambda path: path.symlink_to("nowhere")), "source.yaml:",
            "symbolic link"),
    Refused("a linked folder", _linked_folder, "source.yaml:", "symbolic link"),
    Refused("a named pipe", replace_by(PATIENTS, os.mkfifo), "source.yaml:", "not a file"),
    Refused("a path upwards", swap(MANIFEST, "path: patients.csv", "path: ../patients.csv"), "source.yaml:",
            "outside the source folder"),
    Refused("an absolute path", swap(MANIFEST, "path: patients.csv", "path: /etc/passwd"), "source.yaml:",
            "outside the source folder"),
    Refused("a home folder", swap(MANIFEST, "path: patients.csv", "path: ~/patients.csv"), "source.yaml:",
            "outside the source folder"),
    Refused("a web address", swap(MANIFEST, "path: patients.csv", "path: https://example.org/a.csv"), "source.yaml:",
            "outside the source folder"),
    Refused("the manifest missing", lambda folder: (folder / MANIFEST).unlink(), MANIFEST, "does not exist"),
    # manifests
    Refused("empty manifest", raw(MANIFEST, lambda _: b""), "source.yaml:1", "mapping"),
    Refused("a YAML tag", swap(MANIFEST, "title: Example trial", "title: !!python/object/apply:os.system [id]"),
            "source.yaml:2", "YAML tag"),
    Refused("a YAML alias", swap(MANIFEST, "title: Example trial", "title: &a x\ndescription: *a"), "source.yaml:2",
            "anchor or alias"),
    Refused("deep nesting", swap(MANIFEST, "title: Example trial", "title: " + "[" * 40 + "]" * 40), "source.yaml:2",
            "nesting"),
    Refused("a tab in YAML", swap(MANIFEST, "  sex:", "\tsex:"), "source.yaml:", "not valid YAML"),
    Refused("a key twice", swap(MANIFEST, "title: Example trial", "title: a\ntitle: b"), "source.yaml:3",
            "written twice"),
    Refused("an unknown key", swap(MANIFEST, "title:", "tilte:"), "source.yaml:2", "'tilte'"),
    Refused("a manifest in Latin-1", swap(MANIFEST, "Example trial", "Stüdie", "latin-1"), "source.yaml:2",
            "not UTF-8"),
    Refused("a manifest of megabytes", raw(MANIFEST, lambda content: content + b"#" * 300_000), MANIFEST, "bytes"),
    Refused("an undeclared MRD unit", swap(MANIFEST, "unit: percent, ", ""), "source.yaml:", "MRD unit"),
    Refused("a disease that is none", swap(MANIFEST, "disease: ALL", "disease: FLU"), "source.yaml:6", "'FLU'"),
    Refused("an encoding that is none", swap(MANIFEST, "format: csv", "format: csv\n    encoding: utf-7"),
            "source.yaml:", "'utf-7'"),
    # workbooks and Parquet files
    Refused("a formula in a header", as_workbook(_set("C1", "=A1")), "source.yaml:", "'age'"),
    Refused("a value beside the table", as_workbook(_set("K4", 5)), "patients.xlsx, row 4, column K",
            "column without a name"),
    Refused("a workbook that unfolds", both(declare(PATIENTS, "patients.xlsx", "xlsx"),
                                            lambda folder: _zip_bomb(folder / "patients.xlsx")), "patients.xlsx",
            "unfolds to"),
    Refused("half a workbook", _cut_archive, "patients.xlsx", "damaged"),
    Refused("CSV called a workbook", both(declare(PATIENTS, "patients.xlsx", "xlsx"), lambda folder: (
        folder / "patients.xlsx").write_text(WHOLE, encoding="utf-8") and None), "patients.xlsx", "not an XLSX file"),
    Refused("CSV called Parquet", both(declare(PATIENTS, "patients.parquet", "parquet"), lambda folder: (
        folder / "patients.parquet").write_text(WHOLE, encoding="utf-8") and None), "patients.parquet",
            "not a Parquet file"),
    Refused("lists in a Parquet file", as_parquet(lambda table: table.set_column(
        1, "sex", pa.array([["m"]] * len(table)))), "patients.parquet, column sex", "not of plain values"),
    # identifiers of people
    Refused("names and birthdays", raw(PATIENTS, lambda content: content.replace(
        b",a\n", b",Anna Schmidt geb. 12.03.2004\n")), "de_example", "patients.csv, row 2, column 'remark'"),
    Refused("e-mail addresses as identifiers", raw(PATIENTS, lambda content: content.replace(b"\np", b"\np@x.de")),
            "de_example", "patients.csv, row 2, column 'pid': an e-mail address"),
    Refused("a date for a day", cell("fu", "2011-03-04"), "de_example", "follow.csv, row 4, column 'fu'"),
)

REPORTED: tuple[Reported, ...] = (
    Reported("an identifier twice", swap(PATIENTS, "p4,", "p3,"), (PATIENTS, 4, "pid"), "DUPLICATE_ID"),
    Reported("an identifier missing", swap(PATIENTS, "p3,", ","), (PATIENTS, 4, "pid"), "REQUIRED_MISSING"),
    Reported("a row of nobody", add_row(FOLLOW, "p99,0,,nein,,800"), (FOLLOW, COUNT + 2, "pid"), "ORPHAN_ROW"),
    Reported("a patient without follow-up", raw(FOLLOW, lambda content: content.replace(
        (follow_up(3)[2] + "\n").encode(), b"")), (PATIENTS, 4, "fu"), "REQUIRED_MISSING"),
    Reported("a header among the records", row(PATIENTS, 4, "pid,sex,age,wbc,mrd,cr,remark"), (PATIENTS, 4, "sex"),
             "VALUE_UNKNOWN"),
    Reported("a sex that is none", cell("sex", "x"), (PATIENTS, 4, "sex"), "VALUE_UNKNOWN"),
    Reported("a sex in capitals", cell("sex", "M"), (PATIENTS, 4, "sex"), "VALUE_UNKNOWN"),
    Reported("a word for an age", cell("age", "five"), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("a decimal comma", cell("age", '"5,5"'), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("a negative age", cell("age", "-5"), (PATIENTS, 4, "age"), "RANGE"),
    Reported("an age of centuries", cell("age", "500"), (PATIENTS, 4, "age"), "RANGE"),
    Reported("an infinite age", cell("age", "1e999"), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("an age that is no number", cell("age", "nan"), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("Arabic digits", cell("age", "٣"), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("full-width digits", cell("age", "５"), (PATIENTS, 4, "age"), "NUMBER_INVALID"),
    Reported("an underscore in a number", cell("wbc", "1_000"), (PATIENTS, 4, "wbc"), "NUMBER_INVALID"),
    Reported("hexadecimal digits", cell("wbc", "0x10"), (PATIENTS, 4, "wbc"), "NUMBER_INVALID"),
    Reported("a unit in the cell", cell("wbc", "9003/uL"), (PATIENTS, 4, "wbc"), "NUMBER_INVALID"),
    Reported("half a day", cell("cr", "33.5"), (PATIENTS, 4, "cr"), "TYPE"),
    Reported("a negative day", cell("fu", "-3"), (FOLLOW, 4, "fu"), "RANGE"),
    Reported("a relapse after the last contact", cell("event_days", "3000"), (FOLLOW, 4, "event_days"),
                "TEMPORAL_ORDER"),
    Reported("a relapse without its day", cell("event_days", ""), (FOLLOW, 4, "event_days"), "EVENT_TIME",
             kept=True),
    Reported("a death without its day", cell("death_days", "", 7), (FOLLOW, 7, "death_days"), "EVENT_TIME",
             kept=True),
    Reported("an event that is none", cell("event", "2"), (FOLLOW, 4, "event"), "VALUE_UNKNOWN"),
    Reported("a word for an MRD", cell("mrd", "maybe"), (PATIENTS, 4, "mrd"), "MRD_UNPARSED"),
    Reported("an MRD above all cells", cell("mrd", "250"), (PATIENTS, 4, "mrd"), "RANGE"),
    Reported("a formula", cell("sex", "=1+1"), (PATIENTS, 4, "sex"), "FORMULA"),
    Reported("a formula as an identifier", cell("pid", "@SUM(A1)"), (PATIENTS, 4, "pid"), "FORMULA"),
    Reported("a formula in a workbook", as_workbook(_set("B4", "=1+1")), ("patients.xlsx", 4, "sex"), "FORMULA"),
    Reported("an error value in a workbook", as_workbook(_set("C4", "#REF!")), ("patients.xlsx", 4, "age"),
                "NUMBER_INVALID"),
)
