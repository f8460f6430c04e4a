"""The `files` of a manifest: where they are and how they are written."""

from __future__ import annotations

import codecs
import re
from pathlib import Path, PurePosixPath

from harmony_dash.dictionary.yaml_reader import LocatedDict
from harmony_dash.ingest.manifest.blocks import fail, read_integer, read_separators, read_text, refuse_unknown_keys
from harmony_dash.ingest.manifest.model import ROW_ID, FileSpec
from harmony_dash.ingest.suggestions import near_matches, suggest

_FILE_KEYS = ("path", "format", "name", "id", "delimiter", "encoding", "decimal", "thousands", "header_rows",
              "skip_rows", "sheet")
_CSV_ONLY = ("delimiter", "encoding")
_ENCODING = re.compile(r"^(ascii|utf-8(-sig)?|utf-16(-[lb]e)?|iso8859-\d+|cp\d{3,4}|mac-[a-z0-9]+|koi8-[a-z])$")


def read_files(document: LocatedDict, folder: Path) -> tuple[FileSpec, ...]:
    """The data files, the one that lists the patients first; each is checked to exist inside the folder."""
    entries = document.get("files")
    if not isinstance(entries, list) or not entries:
        raise fail(document, "files" if "files" in document else None, "no data files are listed",
                   "Add `files:` with one `- path: …` block a file.")
    specs: list[FileSpec] = []
    for entry in entries:
        if not isinstance(entry, LocatedDict):
            raise fail(document, "files", "an entry of 'files' is not a block of keys",
                       "Write `- path: patients.csv` and indent its keys under it.")
        spec = _read_file(entry, folder)
        for other in specs:
            if other.label == spec.label:
                raise fail(entry, "path", f"'{spec.label}' is listed twice", "Keep one of the two.")
            if other.name == spec.name:
                raise fail(entry, "name", f"two files are called '{spec.name}'", "Add `name: …` to one of them.")
        specs.append(spec)
        if len(entries) > 1 and spec.id == ROW_ID:
            raise fail(entry, "id", "row numbers cannot join several files",
                       "Name the column with the patient identifier in every file.")
    return tuple(specs)


def _read_file(entry: LocatedDict, folder: Path) -> FileSpec:
    refuse_unknown_keys(entry, _FILE_KEYS, "a file")
    path = read_text(entry, "path", required=True)
    _check_path(entry, path, folder)
    kind = read_text(entry, "format", required=True)
    if kind not in ("csv", "xlsx", "parquet"):
        raise fail(entry, "format", f"the format '{kind}' is not known", suggest(kind, ("csv", "xlsx", "parquet")))
    for key in _CSV_ONLY:
        if key in entry and kind != "csv":
            raise fail(entry, key, f"'{key}' is for CSV files", f"Remove `{key}`.")
    if "sheet" in entry and kind != "xlsx":
        raise fail(entry, "sheet", "'sheet' is for XLSX files", "Remove `sheet`.")
    for key in ("header_rows", "skip_rows"):
        if key in entry and kind == "parquet":
            raise fail(entry, key, f"'{key}' is for CSV and XLSX files", f"Remove `{key}`.")
    decimal, thousands = read_separators(entry)
    return FileSpec(path=path, format=kind, id=read_text(entry, "id", required=True), delimiter=_read_delimiter(entry),
                    name=read_text(entry, "name") or PurePosixPath(path).stem, encoding=_read_encoding(entry),
                    decimal=decimal or ".", thousands=thousands or "",
                    header_rows=read_integer(entry, "header_rows", 1, 1),
                    skip_rows=read_integer(entry, "skip_rows", 0, 0), sheet=read_text(entry, "sheet"),
                    where=entry.where("path"))


def _check_path(entry: LocatedDict, path: str, folder: Path) -> None:
    """Only plain files below the folder: a mapping must not be able to read anything else on the server."""
    parts = PurePosixPath(path).parts
    if not parts or "\\" in path or "\0" in path or ":" in path or path.startswith(("/", "~")) or ".." in parts:
        raise fail(entry, "path", "the path leads outside the source folder", "Name a file inside the folder.")
    place = folder
    for part in parts:
        place = place / part
        if place.is_symlink():
            raise fail(entry, "path", "the path is or contains a symbolic link",
                       "Put the file itself into the source folder.")
    if not place.exists():
        choices = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        close = near_matches(path, choices)
        raise fail(entry, "path", f"the file '{path}' does not exist",
                   suggest(path, choices) if close else "Add it to the folder or correct the name.")
    if not place.is_file():
        raise fail(entry, "path", f"'{path}' is not a file", "Name a file, not a folder.")


def _read_delimiter(entry: LocatedDict) -> str:
    if "delimiter" not in entry:
        return ","
    value = entry["delimiter"]
    text = {"\\t": "\t", "tab": "\t"}.get(value, value) if isinstance(value, str) else value
    if not isinstance(text, str) or len(text) != 1 or text.isalnum() or text in '"\r\n\0':
        raise fail(entry, "delimiter", "the delimiter is not a single character",
                   'Write e.g. `delimiter: ";"`, or "\\t" for a tab.')
    return text


def _read_encoding(entry: LocatedDict) -> str:
    name = read_text(entry, "encoding") or "utf-8"
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if not _ENCODING.match(found):
        raise fail(entry, "encoding", f"the encoding '{name}' is not known",
                   suggest(name, ("utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "cp1250", "utf-16", "mac-roman")))
    return found
