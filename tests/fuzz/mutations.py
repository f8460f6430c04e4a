"""Good sources with things changed at random, and a second, plain reading of what then stands in the files.

The second reading knows one manifest by heart and none of the code under test: a row that is taken must hold what it
finds there.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from hypothesis import strategies as st

from tests.unit.ingest.sources import FOLLOW_HEADER, PATIENTS_HEADER, follow_up, patients

COUNT = 24
FILES = ("patients.csv", "follow.csv")
_MISSING = ("", "NA")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


@dataclass
class Draft:
    """A source in the making: its two tables, how they are written, and what is done to the bytes at last.

    Attributes
    ----------
    tables : header and rows, of the patients and of their follow-up.
    delimiter, encoding : of the first file, which the manifest declares too where `declared`.
    ends : what ends a line.
    finish : by file, what is done to its bytes.
    workbook : whether the first file is a workbook.
    """

    tables: tuple[list[list[str]], list[list[str]]]
    delimiter: str = ","
    encoding: str = "utf-8"
    declared: bool = True
    ends: str = "\n"
    finish: tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]] = (bytes, bytes)
    workbook: bool = False


Mutation = Callable[[Draft], None]


def good_draft() -> Draft:
    """The source with nothing changed."""
    first = [line.split(",") for line in (PATIENTS_HEADER, *patients(COUNT))]
    second = [line.split(",") for line in (FOLLOW_HEADER, *follow_up(COUNT))]
    return Draft((first, second))


def write_draft(draft: Draft, folder: Path, manifest: str) -> None:
    """Write the files and the manifest that goes with them."""
    keys = f'    delimiter: "{draft.delimiter if draft.delimiter != chr(9) else chr(92) * 2 + "t"}"\n' \
           f"    encoding: {draft.encoding}\n" if draft.declared and not draft.workbook else ""
    if draft.workbook:
        manifest = manifest.replace("path: patients.csv\n    format: csv", "path: patients.xlsx\n    format: xlsx")
    (folder / "source.yaml").write_text(manifest.replace("    id: pid\n", f"    id: pid\n{keys}", 1), encoding="utf-8")
    for place, (name, table) in enumerate(zip(FILES, draft.tables, strict=True)):
        if place == 0 and draft.workbook:
            _write_book(folder / "patients.xlsx", table, draft.finish[0])
            continue
        text = io.StringIO()
        delimiter = draft.delimiter if place == 0 else ","
        csv.writer(text, delimiter=delimiter, lineterminator=draft.ends).writerows(table)
        encoded = text.getvalue().encode(draft.encoding if place == 0 else "utf-8", "xmlcharrefreplace")
        (folder / name).write_bytes(draft.finish[place](encoded))


def _write_book(path: Path, table: list[list[str]], finish: Callable[[bytes], bytes]) -> None:
    book = openpyxl.Workbook()
    for row in table:
        book.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell)[:32_000] for cell in row])
    book.save(path)
    path.write_bytes(finish(path.read_bytes()))


# -- the second reading -----------------------------------------------------------------------------------------------

class Unreadable(Exception):
    """No plain reader makes a table of this file; nothing of it may be taken."""


def read_plainly(draft: Draft, folder: Path) -> list[dict[str, dict[str, str]]]:
    """By file: identifier to cells by column, of the identifiers that occur once."""
    found = []
    for place, name in enumerate(FILES):
        if place == 0 and draft.workbook:
            rows = _read_book(folder / "patients.xlsx")
        else:
            encoding = draft.encoding if place == 0 and draft.declared else "utf-8"
            delimiter = draft.delimiter if place == 0 and draft.declared else ","
            rows = _read_csv((folder / name).read_bytes(), encoding, delimiter)
        header, *records = rows
        # cells beyond the header would belong to nobody
        records = [record for record in records if len(record) == len(header)]
        table = [dict(zip(header, record, strict=True)) for record in records]
        if "pid" not in header or len(set(header)) != len(header):
            raise Unreadable(name)
        times = Counter(record["pid"] for record in table)
        found.append({record["pid"]: record for record in table if times[record["pid"]] == 1})
    return found


def _read_csv(content: bytes, encoding: str, delimiter: str) -> list[list[str]]:
    try:
        text = content.decode(encoding).lstrip("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Unreadable(str(problem)) from problem
    rows = [[cell.strip() for cell in row] for row in rows if row]
    if not rows:
        raise Unreadable("empty")
    return rows


def _read_book(path: Path) -> list[list[str]]:
    try:
        rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))
    except Exception as problem:
        raise Unreadable(str(problem)) from problem
    return [["" if cell is None else str(cell).strip() for cell in row] for row in rows]


def expected_values(patient: dict[str, str], follow: dict[str, str]) -> dict[str, object]:
    """What the columns of an accepted row must hold; raises `Unreadable` for cells that no row may be taken with."""
    days = {name: _whole(follow[name]) for name in ("event_days", "death_days", "fu")}
    dead = _word(follow["dead"], {"ja": "yes", "nein": "no"})
    last = days["fu"] if days["fu"] is not None else days["death_days"]
    wbc = None if patient["wbc"] == "-9" else _number(patient["wbc"])
    values: dict[str, object] = {
        "sex": _word(patient["sex"], {"m": "M", "w": "F"}), "age_dx_years": _number(patient["age"]),
        "wbc_dx": None if wbc is None else wbc / 1000, "cr_days": _whole(patient["cr"]),
        "first_event": _word(follow["event"], {"0": "none", "1": "relapse"}),
        "first_event_days": days["event_days"], "death": dead, "death_days": days["death_days"],
        "last_contact_days": last}
    if dead == "yes":
        values |= {"os_days": days["death_days"], "os_cause": None if days["death_days"] is None else 1.0}
    else:
        values |= {"os_days": last, "os_cause": 0.0}
    if _NUMBER.fullmatch(patient["mrd"]) and float(patient["mrd"]) > 0:
        values["mrd_eoi_value"] = float(patient["mrd"]) / 100
    return values


def _word(cell: str, words: dict[str, str]) -> str | None:
    if cell in _MISSING:
        return None
    if cell not in words:
        raise Unreadable(f"'{cell}' is not in {list(words)}")
    return words[cell]


def _number(cell: str) -> float | None:
    if cell in _MISSING:
        return None
    if not _NUMBER.fullmatch(cell):
        raise Unreadable(f"'{cell}' is not a number")
    return float(cell)


def _whole(cell: str) -> float | None:
    number = _number(cell)
    if number is not None and not number.is_integer():
        raise Unreadable(f"'{cell}' is not whole")
    return number


# -- mutations --------------------------------------------------------------------------------------------------------

_places = st.integers(0, 1)
_rows = st.integers(0, COUNT)
_columns = st.integers(0, 5)
_CELLS = st.one_of(
    st.sampled_from([
        "", "NA", "n/a", "NULL", "null", "None", "nan", "NaN", "inf", "-inf", "1e999", "1e-999", "0", "-0", "1", "2",
        "-1", "-9", "007", "33.0", "33.5", "1,5", "1.000,5", "1 000", "1_000", "0x1F", "1e3", "٣", "５", "½", "²",
        "9" * 400, "1" + "0" * 15, "m", "w", "M", "W", "m ", "ｍ", "ja", "JA", "nein", "yes", "neg", "NEG", "PNQ",
        "<0.01", "1e-4", "100", "250", "2004-03-12", "12.03.2004", "03/12/2004", "38057", "=1+1", "=cmd|'/c calc'!A1",
        "+1", "@SUM(A1)", "-", "+", "\t1", "\u00a05", "5\u200b", "\ufeff5", "\u202e12", "a\nb", "a\rb", '"', "'", ";",
        "|", "<script>alert(1)</script>", "../../etc/passwd", "%s%n", "${7*7}", "'; DROP TABLE patient; --", "\x07",
        "\x1b[31m", "x" * 500, "x" * 70_000, "😀", "p1", "anna@example.org", "TRUE", "#REF!", "true"]),
    st.integers(-100, 6000).map(str), st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


def _cell(place: int, row: int, column: int, text: str) -> Mutation:
    def mutate(draft: Draft) -> None:
        table = draft.tables[place]
        table[row % len(table)][column % len(table[0])] = text
    return mutate


def _swap_columns(place: int, one: int, other: int, whole: bool) -> Mutation:
    def mutate(draft: Draft) -> None:
        for row in draft.tables[place] if whole else draft.tables[place][:1]:
            a, b = one % len(row), other % len(row)
            row[a], row[b] = row[b], row[a]
    return mutate


def _repeat_row(place: int, row: int, other: int) -> Mutation:
    def mutate(draft: Draft) -> None:
        table = draft.tables[place]
        table.insert(other % len(table), list(table[row % len(table)]))
    return mutate


def _drop_row(place: int, row: int) -> Mutation:
    def mutate(draft: Draft) -> None:
        table = draft.tables[place]
        if len(table) > 1:
            del table[row % len(table)]
    return mutate


def _ragged(place: int, row: int, more: bool) -> Mutation:
    def mutate(draft: Draft) -> None:
        line = draft.tables[place][row % len(draft.tables[place])]
        if more:
            line.append("1")
        elif len(line) > 1:
            line.pop()
    return mutate


def _rotate(place: int, by: int) -> Mutation:
    def mutate(draft: Draft) -> None:
        table = draft.tables[place]
        table[1:] = table[1 + by % len(table):] + table[1:1 + by % len(table)]
    return mutate


def _write(delimiter: str, encoding: str, declared: bool, ends: str) -> Mutation:
    def mutate(draft: Draft) -> None:
        draft.delimiter, draft.encoding, draft.declared, draft.ends = delimiter, encoding, declared, ends
    return mutate


def _finish(place: int, change: Callable[[bytes], bytes]) -> Mutation:
    def mutate(draft: Draft) -> None:
        before = draft.finish
        after = [*before]
        after[place] = lambda content: change(before[place](content))
        draft.finish = (after[0], after[1])
    return mutate


def _as_workbook(draft: Draft) -> None:
    draft.workbook = True


def _splice(at: int, cut: int, junk: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content[:at % (len(content) + 1)] + junk + content[at % (len(content) + 1) + cut:]


_junk = st.one_of(st.binary(max_size=12), st.sampled_from(
    [b"\0", b"\r", b"\n", b"\r\n", b'"', b'""', b",", b";", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xa0",
     b"\x1a", b"\x85", b"\xe2\x80\xa8", b"PK\x03\x04", b"#", b"\x0c", b"\x1c"]))
_byte_changes: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.builds(_splice, st.integers(0, 5000), st.integers(0, 40), _junk),
    st.builds(_splice, st.integers(0, 5000), st.just(0), _junk),
    st.integers(0, 5000).map(lambda at: lambda content: content[:at % (len(content) + 1)]),
    st.sampled_from([gzip.compress, lambda content: b"\xef\xbb\xbf" + content, lambda content: content * 2,
                     lambda content: content + b"\x1a", lambda content: b"\n\n" + content,
                     lambda content: content.rstrip(), lambda content: content.replace(b",", b" , "),
                     lambda content: content.upper(), lambda content: b""]))

mutations: st.SearchStrategy[Mutation] = st.one_of(
    st.builds(_cell, _places, _rows, _columns, _CELLS),
    st.builds(_cell, _places, _rows, _columns, _CELLS),
    st.builds(_cell, _places, st.just(0), _columns, st.one_of(_CELLS, st.sampled_from(
        ["pid", "sex", "age", "wbc", "fu", "dead", "PID", " pid", "pid ", "Pid", "event", "remark"]))),
    st.builds(_swap_columns, _places, _columns, _columns, st.booleans()),
    st.builds(_repeat_row, _places, _rows, _rows),
    st.builds(_drop_row, _places, _rows),
    st.builds(_ragged, _places, _rows, st.booleans()),
    st.builds(_rotate, _places, _rows),
    st.builds(_write, st.sampled_from([",", ";", "\t", "|", ":"]),
              st.sampled_from(["utf-8", "cp1252", "iso8859-1", "utf-16", "cp1250"]), st.booleans(),
              st.sampled_from(["\n", "\r\n", "\r"])),
    st.builds(_finish, _places, _byte_changes),
    st.just(_as_workbook))
