"""A source folder's `source.yaml` as a checked, frozen value. What is not declared is not guessed."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.dictionary.model import NAME
from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import SourceError

MANIFEST_NAME = "source.yaml"
# Written as `id: "#row"` for a file without identifiers, whose every row is a patient.
ROW_ID = "#row"
DEFAULT_NEGATIVE = ("neg", "negative", "negativ", "négatif", "negativo", "negatief", "0")
DEFAULT_NOT_QUANTIFIABLE = ("PNQ", "pos <QR", "pos n.q.", "positive not quantifiable")
DAY_UNITS = ("days", "weeks", "months", "years")
MRD_UNITS = ("fraction", "percent", "log10")
TRANSFORMS = ("days_between", "year_of", "mrd", "yes_no", "subtype", "marker", "deletion", "capped", "round_days")
# The languages of the providers; *ne* is no in Czech and yes in none, *si* differs from *sí* only by its accent.
LANGUAGES = ("cs", "da", "de", "en", "es", "et", "fi", "fr", "is", "it", "lt", "nb", "nl", "no", "pt", "sk", "sv")
MRD_PARTS = ("value", "op", "status", "lod", "loq", "method", "day")

_TOP_KEYS = ("source", "title", "provider", "country", "trial", "disease", "licence", "synthetic", "description",
             "files", "missing", "variables", "ignore", "endpoints_not_recorded")
_CONSTANT_KEYS = ("provider", "country", "trial", "disease")
_FILE_KEYS = ("path", "format", "name", "id", "delimiter", "encoding", "decimal", "thousands", "header_rows",
              "skip_rows", "sheet")
_CSV_ONLY = ("delimiter", "encoding")
_COMMON_KEYS = ("column", "constant", "unit", "values", "transform", "missing", "decimal", "thousands", "only_if")
_MRD_KEYS = ("lod", "loq", "lod_column", "loq_column", "day", "day_column", "method", "method_column", "method_values",
             "below_limit", "negative", "positive_not_quantifiable", "not_done", "failed")
# Keys that only mean something together with one of these transforms.
_KEYS_OF_TRANSFORM: Mapping[str, tuple[str, ...]] = {
    "from": ("days_between",), "date_format": ("days_between", "year_of"), "at": ("capped",),
    "language": ("yes_no", "marker", "deletion"), **dict.fromkeys(_MRD_KEYS, ("mrd",)),
}
_FIELD_KEYS = (*_COMMON_KEYS, *_KEYS_OF_TRANSFORM)
_ENCODING = re.compile(r"^(ascii|utf-8(-sig)?|utf-16(-[lb]e)?|iso8859-\d+|cp\d{3,4}|mac-[a-z0-9]+|koi8-[a-z])$")
_DATE_DIRECTIVES = "YymdbBHMSjfT"


class Origin(StrEnum):
    """Whose data a source holds, which decides how strictly results are protected."""

    PATIENTS = "patients"
    SYNTHETIC = "synthetic"
    PUBLIC = "public"


@dataclass(frozen=True)
class FileSpec:
    """How one data file is to be read.

    Attributes
    ----------
    path : relative to the folder, with forward slashes; also how messages name the file.
    name : prefix of its columns where two files share a column name.
    format : csv, xlsx or parquet.
    id : column with the provider's patient identifier.
    delimiter, encoding : of a CSV file.
    decimal, thousands : separators in numbers written as text; `thousands` empty if there are none.
    header_rows, skip_rows : rows of the header, and rows above it.
    sheet : of an XLSX file, empty for the first.
    where : place in the manifest.
    """

    path: str
    format: str
    id: str
    name: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    header_rows: int = 1
    skip_rows: int = 0
    sheet: str = ""
    where: str = ""

    @property
    def label(self) -> str:
        """How messages name the table: the file, and the sheet where one is declared."""
        return f"{self.path}, sheet {self.sheet}" if self.sheet else self.path


@dataclass(frozen=True)
class FieldSpec:
    """Where one harmonised variable comes from.

    `variable` is a dictionary variable, or the stem of a composite (`mrd_eoi`). Exactly one of `column` and `constant`
    is set. `missing` holds the tokens of the source and of the field and always "". `decimal` and `thousands` are those
    of the field, or else of the file its column is in; until the files are read they are None where the file decides.
    `only_if` names the variable that says whether a day is one of an event; elsewhere the column holds the end of
    follow-up, as in pairs of time and status.
    """

    variable: str
    column: str | None = None
    constant: str | None = None
    unit: str | None = None
    values: Mapping[str, str] | None = None
    transform: str | None = None
    from_column: str | None = None
    date_format: str | None = None
    missing: frozenset[str] = frozenset({""})
    language: str | None = None
    at_column: str | None = None
    lod: float | None = None
    loq: float | None = None
    lod_column: str | None = None
    loq_column: str | None = None
    day: int | None = None
    day_column: str | None = None
    method: str | None = None
    method_column: str | None = None
    method_values: Mapping[str, str] | None = None
    below_limit: str | None = None
    negative: tuple[str, ...] = DEFAULT_NEGATIVE
    positive_not_quantifiable: tuple[str, ...] = DEFAULT_NOT_QUANTIFIABLE
    not_done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    only_if: str | None = None
    where: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the field reads."""
        named = (self.column, self.from_column, self.at_column, self.lod_column, self.loq_column, self.day_column,
                 self.method_column)
        return tuple(column for column in named if column is not None)

    @property
    def date_columns(self) -> tuple[str, ...]:
        """The columns in which absolute dates are declared."""
        if self.transform not in ("days_between", "year_of"):
            return ()
        return tuple(column for column in (self.column, self.from_column) if column is not None)


@dataclass(frozen=True)
class Manifest:
    """A checked `source.yaml`.

    Attributes
    ----------
    source, title, description, licence : identifier and words for people.
    origin : patients, synthetic or public.
    files : the first lists the patients, further ones add columns.
    fields : by variable (or composite stem), in the order of the manifest, constants of the top level included.
    ignore : columns knowingly not taken.
    endpoints_not_recorded : endpoint to the reason why the files cannot answer it.
    """

    source: str
    title: str
    description: str
    licence: str
    origin: Origin
    files: tuple[FileSpec, ...]
    fields: Mapping[str, FieldSpec]
    missing: frozenset[str] = frozenset({""})
    ignore: tuple[str, ...] = ()
    endpoints_not_recorded: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def constant(self, variable: str) -> str | None:
        """The constant declared for a variable, None where it varies by row or is absent."""
        spec = self.fields.get(variable)
        return None if spec is None else spec.constant


def read_manifest(folder: Path, dictionary: Dictionary) -> Manifest:
    """Read and check the manifest of a source folder; the data files are only checked to exist.

    Raises
    ------
    SourceError with file and line for anything that is unknown, contradictory, missing or outside the folder.
    """
    if not folder.is_dir():
        raise SourceError("the source folder does not exist", where=folder.name, remedy="Check the path.")
    document = read_yaml(folder / MANIFEST_NAME, error=SourceError, name=MANIFEST_NAME)
    _refuse_unknown_keys(document, _TOP_KEYS, "")
    source = _text(document, "source", required=True)
    if not NAME.match(source):
        raise _fail(document, "source", "the source identifier is not lower-case letters, digits and underscores",
                    "Write e.g. `source: de_example`.")
    missing = frozenset({"", *_words(document, "missing")})
    files = _read_files(document, folder)
    composites = _composites(dictionary)
    fields = _read_top_constants(document, dictionary)
    for name, spec in _read_fields(document, dictionary, composites, missing).items():
        if name in fields:
            raise SourceError(f"'{name}' is given twice: as `{name}:` at the top ({fields[name].where}) and under "
                              "`variables`", where=spec.where, remedy="Keep one of the two.")
        fields[name] = spec
    ignore = tuple(_words(document, "ignore"))
    _check_ignored(document, ignore, fields)
    not_recorded = _read_not_recorded(document)
    _check_required(document, dictionary, fields, not_recorded)
    _check_diseases(fields, dictionary, composites)
    return Manifest(source=source, title=_text(document, "title") or source, description=_text(document, "description"),
                    licence=_text(document, "licence"), origin=_read_origin(document), files=files,
                    fields=MappingProxyType(fields), missing=missing, ignore=ignore,
                    endpoints_not_recorded=MappingProxyType(not_recorded))


def near_matches(word: str, choices: Iterable[str]) -> list[str]:
    """Up to three choices a person may have meant, ignoring case."""
    by_folded: dict[str, str] = {}
    for choice in choices:
        by_folded.setdefault(choice.casefold(), choice)
    return [by_folded[match] for match in difflib.get_close_matches(word.casefold(), list(by_folded), n=3, cutoff=0.6)]


def _suggest(word: str, choices: Sequence[str]) -> str:
    close = near_matches(word, choices)
    if close:
        return f"Did you mean {' or '.join(f'`{choice}`' for choice in close)}?"
    return f"Use one of: {', '.join(choices)}." if len(choices) <= 30 else "See the data dictionary for the names."


# -- small readers: each names the line when it refuses -------------------------------------------------------------

def _fail(block: LocatedDict, key: str | None, problem: str, remedy: str) -> SourceError:
    return SourceError(problem, where=block.where(key), remedy=remedy)


def _refuse_unknown_keys(block: LocatedDict, allowed: Sequence[str], of: str) -> None:
    for key in block:
        if key not in allowed:
            raise _fail(block, key, f"'{key}' is not a key of {of or 'a source'}", _suggest(key, allowed))


def _scalar(block: LocatedDict, key: str, value: Any) -> str:
    """Text of a YAML scalar; a fraction is refused because its spelling is lost (0.10 would become 0.1)."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        word = "true" if value else "false"
        raise _fail(block, key, f"`{word}` is not text", f'Put quotes around it: "{word}".')
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise _fail(block, key, "a number with a decimal point needs quotes to keep its spelling", 'Write e.g. "-9.0".')
    raise _fail(block, key, f"'{key}' is empty or not a single value", "Write one value after the colon.")


def _text(block: LocatedDict, key: str, *, required: bool = False) -> str:
    if key not in block:
        if required:
            raise _fail(block, None, f"'{key}' is missing", f"Add `{key}: …`.")
        return ""
    return _scalar(block, key, block[key])


def _optional(block: LocatedDict, key: str) -> str | None:
    return _text(block, key, required=True) if key in block else None


def _words(block: LocatedDict, key: str) -> list[str]:
    if key not in block:
        return []
    value = block[key]
    if not isinstance(value, list):
        raise _fail(block, key, f"'{key}' is not a list", f'Write `{key}: ["…", "…"]`.')
    return [_scalar(block, key, item) for item in value]


def _number(block: LocatedDict, key: str) -> float | None:
    if key not in block:
        return None
    value = block[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fail(block, key, f"'{key}' is not a number", f"Write `{key}: 0.0001` with a decimal point, no unit.")
    return float(value)


def _integer(block: LocatedDict, key: str, default: int, lowest: int) -> int:
    value = block.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise _fail(block, key, f"'{key}' is not a whole number from {lowest}",
                    f"Write e.g. `{key}: {max(lowest, 1)}`.")
    return int(value)


def _map(block: LocatedDict, key: str) -> dict[str, str] | None:
    if key not in block:
        return None
    value = block[key]
    if not isinstance(value, LocatedDict) or not value:
        raise _fail(block, key, f"'{key}' is not a map of source values to dictionary codes",
                    f"Write `{key}: {{m: M, w: F}}`.")
    result: dict[str, str] = {}
    for word, code in value.items():
        if word.strip() in result:
            raise _fail(value, word, f"'{word.strip()}' is written twice", "Keep one of the two.")
        result[word.strip()] = _scalar(value, word, code)
    return result


def _read_origin(document: LocatedDict) -> Origin:
    value = document.get("synthetic", False)
    if isinstance(value, bool):
        return Origin.SYNTHETIC if value else Origin.PATIENTS
    if value == "public":
        return Origin.PUBLIC
    raise _fail(document, "synthetic", "'synthetic' is not true, false or public",
                "Write `synthetic: true` for made-up data, `false` for patients, `public` for published data.")


# -- files --------------------------------------------------------------------------------------------------------

def _read_files(document: LocatedDict, folder: Path) -> tuple[FileSpec, ...]:
    entries = document.get("files")
    if not isinstance(entries, list) or not entries:
        raise _fail(document, "files" if "files" in document else None, "no data files are listed",
                    "Add `files:` with one `- path: …` block a file.")
    specs: list[FileSpec] = []
    for entry in entries:
        if not isinstance(entry, LocatedDict):
            raise _fail(document, "files", "an entry of 'files' is not a block of keys",
                        "Write `- path: patients.csv` and indent its keys under it.")
        spec = _read_file(entry, folder)
        for other in specs:
            if other.label == spec.label:
                raise _fail(entry, "path", f"'{spec.label}' is listed twice", "Keep one of the two.")
            if other.name == spec.name:
                raise _fail(entry, "name", f"two files are called '{spec.name}'", "Add `name: …` to one of them.")
        specs.append(spec)
        if len(entries) > 1 and spec.id == ROW_ID:
            raise _fail(entry, "id", "row numbers cannot join several files",
                        "Name the column with the patient identifier in every file.")
    return tuple(specs)


def _read_file(entry: LocatedDict, folder: Path) -> FileSpec:
    _refuse_unknown_keys(entry, _FILE_KEYS, "a file")
    path = _text(entry, "path", required=True)
    _check_path(entry, path, folder)
    kind = _text(entry, "format", required=True)
    if kind not in ("csv", "xlsx", "parquet"):
        raise _fail(entry, "format", f"the format '{kind}' is not known", _suggest(kind, ("csv", "xlsx", "parquet")))
    for key in _CSV_ONLY:
        if key in entry and kind != "csv":
            raise _fail(entry, key, f"'{key}' is for CSV files", f"Remove `{key}`.")
    if "sheet" in entry and kind != "xlsx":
        raise _fail(entry, "sheet", "'sheet' is for XLSX files", "Remove `sheet`.")
    for key in ("header_rows", "skip_rows"):
        if key in entry and kind == "parquet":
            raise _fail(entry, key, f"'{key}' is for CSV and XLSX files", f"Remove `{key}`.")
    decimal, thousands = _read_separators(entry)
    return FileSpec(path=path, format=kind, id=_text(entry, "id", required=True), delimiter=_read_delimiter(entry),
                    name=_text(entry, "name") or PurePosixPath(path).stem, encoding=_read_encoding(entry),
                    decimal=decimal or ".", thousands=thousands or "", header_rows=_integer(entry, "header_rows", 1, 1),
                    skip_rows=_integer(entry, "skip_rows", 0, 0), sheet=_text(entry, "sheet"),
                    where=entry.where("path"))


def _check_path(entry: LocatedDict, path: str, folder: Path) -> None:
    """Only plain files below the folder: a mapping must not be able to read anything else on the server."""
    parts = PurePosixPath(path).parts
    if not parts or "\\" in path or "\0" in path or ":" in path or path.startswith(("/", "~")) or ".." in parts:
        raise _fail(entry, "path", "the path leads outside the source folder", "Name a file inside the folder.")
    place = folder
    for part in parts:
        place = place / part
        if place.is_symlink():
            raise _fail(entry, "path", "the path is or contains a symbolic link",
                        "Put the file itself into the source folder.")
    if not place.exists():
        choices = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        close = near_matches(path, choices)
        raise _fail(entry, "path", f"the file '{path}' does not exist",
                    _suggest(path, choices) if close else "Add it to the folder or correct the name.")
    if not place.is_file():
        raise _fail(entry, "path", f"'{path}' is not a file", "Name a file, not a folder.")


def _read_delimiter(entry: LocatedDict) -> str:
    if "delimiter" not in entry:
        return ","
    value = entry["delimiter"]
    text = {"\\t": "\t", "tab": "\t"}.get(value, value) if isinstance(value, str) else value
    if not isinstance(text, str) or len(text) != 1 or text.isalnum() or text in '"\r\n\0':
        raise _fail(entry, "delimiter", "the delimiter is not a single character",
                    'Write e.g. `delimiter: ";"`, or "\\t" for a tab.')
    return text


def _read_encoding(entry: LocatedDict) -> str:
    name = _text(entry, "encoding") or "utf-8"
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if not _ENCODING.match(found):
        raise _fail(entry, "encoding", f"the encoding '{name}' is not known",
                    _suggest(name, ("utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "cp1250", "utf-16", "mac-roman")))
    return found


def _read_separators(block: LocatedDict) -> tuple[str | None, str | None]:
    decimal, thousands = block.get("decimal"), block.get("thousands")
    if decimal is not None and decimal not in (".", ","):
        raise _fail(block, "decimal", "the decimal separator is neither a point nor a comma", 'Write `decimal: ","`.')
    if thousands is not None and thousands not in (".", ",", " ", "'", "’", "\u00a0", "\u202f"):
        raise _fail(block, "thousands", "the thousands separator is not a point, comma, space or apostrophe",
                    'Write `thousands: "."` or leave it out.')
    if thousands is not None and thousands == (decimal or "."):
        raise _fail(block, "thousands", "the decimal and the thousands separator are the same", "Change one of them.")
    return decimal, thousands


# -- variables ------------------------------------------------------------------------------------------------------

def _composites(dictionary: Dictionary) -> tuple[str, ...]:
    """Stems such as `mrd_eoi` whose parts one transform fills together."""
    stems = (name.removesuffix("_value") for name in dictionary.variables if name.endswith("_value"))
    return tuple(stem for stem in stems if all(f"{stem}_{part}" in dictionary for part in MRD_PARTS))


def _read_top_constants(document: LocatedDict, dictionary: Dictionary) -> dict[str, FieldSpec]:
    fields: dict[str, FieldSpec] = {}
    for name in _CONSTANT_KEYS:
        if name not in document or name not in dictionary:
            continue
        spec = FieldSpec(name, constant=_text(document, name), where=document.where(name))
        _check_constant(document, name, dictionary[name], spec, dictionary)
        fields[name] = spec
    return fields


def _read_fields(document: LocatedDict, dictionary: Dictionary, composites: tuple[str, ...],
                 missing: frozenset[str]) -> dict[str, FieldSpec]:
    block = document.get("variables")
    if not isinstance(block, LocatedDict) or not block:
        raise _fail(document, "variables" if "variables" in document else None, "no variables are mapped",
                    "Add `variables:` with one `sex: {column: …}` line a variable.")
    fields: dict[str, FieldSpec] = {}
    for name, entry in block.items():
        where = block.where(name)
        variable = _find_variable(name, where, dictionary, composites)
        if not isinstance(entry, LocatedDict):
            raise SourceError(f"'{name}' has no column and no constant", where=where,
                              remedy=f"Write `{name}: {{column: …}}`.")
        _refuse_unknown_keys(entry, _FIELD_KEYS, f"'{name}'")
        fields[name] = _read_field(name, variable, entry, where, dictionary, missing, composite=name in composites)
    for name, spec in fields.items():
        _check_only_if(name, spec, block[name], fields, dictionary)
    return fields


def _check_only_if(name: str, spec: FieldSpec, entry: LocatedDict, fields: Mapping[str, FieldSpec],
                   dictionary: Dictionary) -> None:
    if spec.only_if is None:
        return
    if name not in dictionary or dictionary[name].type is not VariableType.DAYS:
        raise _fail(entry, "only_if", f"'{name}': `only_if` is for days", "Remove it.")
    says = dictionary.variables.get(spec.only_if)
    if spec.only_if not in fields or says is None or not (
            says.type is VariableType.YES_NO or says.name == "first_event"):
        raise _fail(entry, "only_if", f"'{name}': `only_if: {spec.only_if}` is not a mapped yes/no variable",
                    "Name the variable that says whether the event happened, e.g. `only_if: relapse`.")


def _find_variable(name: str, where: str, dictionary: Dictionary, composites: tuple[str, ...]) -> Variable:
    if name in composites:
        return dictionary[f"{name}_value"]
    stem, _, part = name.rpartition("_")
    if stem in composites and part in MRD_PARTS:
        raise SourceError(f"'{name}' is filled together with the other parts of '{stem}'", where=where,
                          remedy=f"Map `{stem}: {{column: …, transform: mrd, unit: …}}`.")
    if name not in dictionary:
        choices = (*dictionary.variables, *composites)
        raise SourceError(f"'{name}' is not a variable of the dictionary", where=where, remedy=_suggest(name, choices))
    variable = dictionary[name]
    if variable.derived:
        raise SourceError(f"'{name}' is derived at load and never taken from a source", where=where,
                          remedy=f"Remove it and put its column under `ignore`; {variable.label.lower()} is computed.")
    if variable.type is VariableType.IDENTIFIER:
        raise SourceError(f"'{name}' is taken from the `id` column of the files", where=where, remedy="Remove it.")
    return variable


def _read_field(name: str, variable: Variable, entry: LocatedDict, where: str, dictionary: Dictionary,
                missing: frozenset[str], *, composite: bool) -> FieldSpec:
    if ("column" in entry) == ("constant" in entry):
        both = "both `column` and `constant`" if "column" in entry else "neither `column` nor `constant`"
        raise SourceError(f"'{name}' has {both}", where=where, remedy="Give exactly one of the two.")
    transform = _optional(entry, "transform")
    if transform is not None and transform not in TRANSFORMS:
        raise _fail(entry, "transform", f"'{name}': the transform '{transform}' does not exist",
                    _suggest(transform, TRANSFORMS))
    for key in entry:
        wanted = _KEYS_OF_TRANSFORM.get(key)
        if wanted and transform not in wanted:
            raise _fail(entry, key, f"'{name}': `{key}` only means something with `transform: {' or '.join(wanted)}`",
                        "Remove it or add the transform.")
    decimal, thousands = _read_separators(entry)
    spec = FieldSpec(
        variable=name, column=_optional(entry, "column"), constant=_read_constant(entry), unit=_optional(entry, "unit"),
        values=_freeze(_map(entry, "values")), transform=transform, from_column=_optional(entry, "from"),
        date_format=_optional(entry, "date_format"), missing=missing | set(_words(entry, "missing")),
        language=_optional(entry, "language"), at_column=_optional(entry, "at"), lod=_number(entry, "lod"),
        loq=_number(entry, "loq"), lod_column=_optional(entry, "lod_column"), loq_column=_optional(entry, "loq_column"),
        day=_integer(entry, "day", 0, 0) if "day" in entry else None, day_column=_optional(entry, "day_column"),
        method=_optional(entry, "method"), method_column=_optional(entry, "method_column"),
        method_values=_freeze(_map(entry, "method_values")), below_limit=_optional(entry, "below_limit"),
        negative=tuple(_words(entry, "negative")) if "negative" in entry else DEFAULT_NEGATIVE,
        positive_not_quantifiable=(tuple(_words(entry, "positive_not_quantifiable"))
                                   if "positive_not_quantifiable" in entry else DEFAULT_NOT_QUANTIFIABLE),
        not_done=tuple(_words(entry, "not_done")), failed=tuple(_words(entry, "failed")), decimal=decimal,
        thousands=thousands, only_if=_optional(entry, "only_if"), where=where)
    if spec.constant is not None:
        for key in ("transform", "values", "missing", "decimal", "thousands"):
            if key in entry:
                raise _fail(entry, key, f"'{name}': a constant takes no `{key}`", f"Remove `{key}`.")
        if composite:
            raise SourceError(f"'{name}' cannot be a constant", where=where, remedy="Give its column.")
        _check_unit(entry, name, variable, spec)
        _check_constant(entry, "constant", variable, spec, dictionary)
        return spec
    if composite:
        _check_mrd(entry, name, spec, dictionary)
    else:
        _check_transform(entry, name, variable, spec)
        _check_unit(entry, name, variable, spec)
        _check_values(entry, name, variable, spec, dictionary)
    return spec


def _freeze(values: dict[str, str] | None) -> Mapping[str, str] | None:
    return None if values is None else MappingProxyType(values)


def _read_constant(entry: LocatedDict) -> str | None:
    """A constant may be a plain decimal number: it is not compared with a spelling in the file."""
    value = entry.get("constant")
    if isinstance(value, float):
        return repr(value)
    return _optional(entry, "constant")


def _check_constant(block: LocatedDict, key: str, variable: Variable, spec: FieldSpec, dictionary: Dictionary) -> None:
    value, name = spec.constant or "", variable.name
    if name == "disease" and value not in dictionary.diseases:
        raise _fail(block, key, f"the disease '{value}' is not in the dictionary",
                    _suggest(value, tuple(dictionary.diseases)))
    if variable.values and value not in variable.values:
        raise _fail(block, key, f"'{value}' is not a code of '{name}'", _suggest(value, tuple(variable.values)))
    if variable.is_numeric:
        try:
            number = float(value) * (variable.units[spec.unit] if spec.unit and variable.units else 1.0)
        except ValueError:
            raise _fail(block, key, f"the constant of '{name}' is not a number", "Write a number.") from None
        if not (variable.lower if variable.lower is not None else number) <= number <= (
                variable.upper if variable.upper is not None else number):
            raise _fail(block, key, f"the constant of '{name}' is outside {variable.lower:g} to {variable.upper:g}",
                        "Check the number and its unit.")
    elif not value:
        raise _fail(block, key, f"the constant of '{name}' is empty", "Write its value or remove the line.")


def _check_unit(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec) -> None:
    if variable.type is VariableType.DAYS:
        choices: tuple[str, ...] = DAY_UNITS
        if spec.transform == "days_between":
            choices = ("days",)
    elif variable.units:
        choices = tuple(variable.units)
        if spec.unit is None:
            raise SourceError(f"'{name}' has no unit", where=spec.where,
                              remedy=f"Add `unit:` with the unit of the column, one of: {', '.join(choices)}.")
    else:
        choices = (variable.unit,) if variable.unit else ()
    if spec.unit is not None and spec.unit not in choices:
        remedy = _suggest(spec.unit.replace("µ", "u").replace("μ", "u"), choices) if choices else "Remove `unit`."
        raise _fail(entry, "unit", f"'{name}': the unit '{spec.unit}' is not known for this variable", remedy)


def _check_values(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec, dictionary: Dictionary) -> None:
    if spec.values is None:
        return
    block = entry["values"]
    if variable.is_numeric and variable.type is not VariableType.INTEGER:
        raise _fail(entry, "values", f"'{name}' is a number and takes no value map",
                    "Remove `values`; list words for missing under `missing`.")
    allowed = tuple(dictionary.diseases) if name == "disease" else tuple(variable.values)
    for word, code in spec.values.items():
        if allowed and code not in allowed:
            raise _fail(block, word if word in block else None, f"'{name}': '{code}' is not a code of the dictionary",
                        _suggest(code, allowed))
        if variable.type is VariableType.INTEGER and not re.fullmatch(r"-?\d+", code):
            raise _fail(block, word if word in block else None, f"'{name}': '{code}' is not a whole number",
                        "Map source values to whole numbers.")
        if word == "" or word in _words(entry, "missing"):
            raise _fail(block, word if word in block else None,
                        f"'{name}': a word is both in the value map and a missing token",
                        "Keep one of the two; an empty cell is always missing.")


def _check_transform(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec) -> None:
    transform = spec.transform
    if transform is None:
        return
    codes = set(variable.values)
    fits = {
        "days_between": variable.type is VariableType.DAYS, "capped": variable.type is VariableType.DAYS,
        "round_days": variable.type is VariableType.DAYS, "year_of": variable.type is VariableType.INTEGER,
        "yes_no": {"yes", "no"} <= codes, "subtype": name == "subtype", "marker": {"pos", "neg"} <= codes,
        "deletion": {"del", "nodel"} <= codes, "mrd": False,
    }
    if not fits[transform]:
        raise _fail(entry, "transform", f"'{name}': the transform '{transform}' does not make this {variable.type}",
                    "Remove it, or map the variable it belongs to.")
    if spec.values is not None and transform in ("days_between", "capped", "round_days", "year_of"):
        raise _fail(entry, "values", f"'{name}': `values` and `transform: {transform}` exclude each other",
                    "Keep one of the two.")
    if transform == "days_between" and spec.from_column is None:
        raise SourceError(f"'{name}': days_between needs the column it counts from", where=spec.where,
                          remedy="Add `from: COLUMN`, usually the date of diagnosis.")
    if transform in ("days_between", "year_of"):
        _check_date_format(entry, name, spec)
    if transform == "capped" and spec.at_column is None:
        raise SourceError(f"'{name}': capped needs the column it is capped at", where=spec.where,
                          remedy="Add `at: COLUMN`.")
    if spec.language is not None and spec.language not in LANGUAGES:
        raise _fail(entry, "language", f"'{name}': the language '{spec.language}' is not known",
                    f"Use one of: {', '.join(LANGUAGES)}.")


def _check_date_format(entry: LocatedDict, name: str, spec: FieldSpec) -> None:
    text = spec.date_format
    if text is None:
        raise SourceError(f"'{name}': the date format is not declared", where=spec.where,
                          remedy='Add e.g. `date_format: "%d.%m.%Y"`, `excel` or `native`.')
    if text in ("excel", "native"):
        return
    directives = re.findall(r"%(.)", text)
    has_year = bool({"Y", "y"} & set(directives))
    has_day = ("d" in directives and bool({"m", "b", "B"} & set(directives))) or "j" in directives
    sample = datetime(2003, 2, 14)
    try:
        exact = datetime.strptime(sample.strftime(text), text)
        works = (not set(directives) - set(_DATE_DIRECTIVES) and has_year
                 and (spec.transform == "year_of" or (has_day and exact == sample)))
    except ValueError:
        works = False
    if not works:
        raise _fail(entry, "date_format", f"'{name}': the date format does not describe a whole date",
                    'Write a strptime format such as "%d.%m.%Y" or "%Y-%m-%d", or `excel` or `native`.')


def _check_mrd(entry: LocatedDict, name: str, spec: FieldSpec, dictionary: Dictionary) -> None:
    if spec.transform != "mrd":
        raise SourceError(f"'{name}' needs the mrd transform", where=spec.where,
                          remedy="Write `transform: mrd` and the `unit`.")
    if spec.unit not in MRD_UNITS:
        problem = "the MRD unit is not declared" if spec.unit is None else f"the MRD unit '{spec.unit}' is not known"
        raise _fail(entry, "unit" if "unit" in entry else None, f"'{name}': {problem}",
                    "Add `unit: fraction`, `unit: percent` or `unit: log10`; a wrong guess is a hundredfold error.")
    if spec.values is not None:
        raise _fail(entry, "values", f"'{name}': MRD takes no value map",
                    "Use `negative`, `positive_not_quantifiable`, `not_done`, `failed` or `missing` for words.")
    if spec.below_limit not in (None, "undetectable", "pos_below_qr"):
        raise _fail(entry, "below_limit", f"'{name}': below_limit is neither undetectable nor pos_below_qr",
                    "Write one of the two, or leave it out if the provider does not say.")
    for key in ("lod", "loq"):
        value = getattr(spec, key)
        if value is not None and not 0 < value < 1:
            raise _fail(entry, key, f"'{name}': {key} is not a fraction between 0 and 1",
                        f"Write e.g. `{key}: 0.0001`.")
        if value is not None and getattr(spec, f"{key}_column") is not None:
            raise _fail(entry, key, f"'{name}': both {key} and {key}_column are given", "Keep one of the two.")
    for key in ("day", "method"):
        if getattr(spec, key) is not None and getattr(spec, f"{key}_column") is not None:
            raise _fail(entry, key, f"'{name}': both {key} and {key}_column are given", "Keep one of the two.")
    methods = tuple(dictionary[f"{name}_method"].values)
    for value in (() if spec.method is None else (spec.method,)):
        if value not in methods:
            raise _fail(entry, "method", f"'{name}': the method '{value}' is not known", _suggest(value, methods))
    if spec.method_values is not None and spec.method_column is None:
        raise _fail(entry, "method_values", f"'{name}': method_values needs method_column", "Add it or remove the map.")
    for word, code in (spec.method_values or {}).items():
        if code not in methods:
            raise _fail(entry["method_values"], word if word in entry["method_values"] else None,
                        f"'{name}': the method '{code}' is not known", _suggest(code, methods))


# -- rules across fields ----------------------------------------------------------------------------------------------

def _check_ignored(document: LocatedDict, ignore: tuple[str, ...], fields: Mapping[str, FieldSpec]) -> None:
    for column in ignore:
        for spec in fields.values():
            if column in spec.columns:
                raise _fail(document, "ignore", f"the column '{column}' is ignored and also read by '{spec.variable}'",
                            "Remove it from `ignore` or remove the mapping.")


def _read_not_recorded(document: LocatedDict) -> dict[str, str]:
    block = document.get("endpoints_not_recorded")
    if block is None:
        return {}
    if not isinstance(block, LocatedDict):
        raise _fail(document, "endpoints_not_recorded", "'endpoints_not_recorded' is not a map of endpoint to reason",
                    "Write `os: why the files cannot answer it` under it.")
    for name in block:
        if name not in ENDPOINTS:
            raise _fail(block, name, f"there is no endpoint '{name}'", _suggest(name, tuple(ENDPOINTS)))
    return {name: _text(block, name) for name in block}


def _check_required(document: LocatedDict, dictionary: Dictionary, fields: Mapping[str, FieldSpec],
                    not_recorded: Mapping[str, str]) -> None:
    """Every required variable is mapped, constant, or built from parts; parts may lack where no endpoint needs them."""
    needs_events = not set(ENDPOINTS) - {"os"} <= set(not_recorded)
    alternatives: dict[str, tuple[str, ...]] = {"death": ("death", "death_days", *(() if "os" not in not_recorded else
                                                                                      tuple(fields)))}
    alternatives["first_event"] = ("first_event", "relapse", "relapse_days") if needs_events else tuple(fields)
    absent = [variable for variable in dictionary.variables.values()
              if variable.required and not variable.derived and variable.type is not VariableType.IDENTIFIER
              and not any(name in fields for name in alternatives.get(variable.name, (variable.name,)))]
    if absent:
        names = ", ".join(f"'{variable.name}' ({variable.label.lower()})" for variable in absent)
        plural = "s are" if len(absent) > 1 else " is"
        raise _fail(document, "variables", f"the required variable{plural} not mapped: {names}",
                    f"Add `{absent[0].name}: {{column: …}}` or `{{constant: …}}`.")


def _check_diseases(fields: Mapping[str, FieldSpec], dictionary: Dictionary, composites: tuple[str, ...]) -> None:
    disease = fields["disease"].constant
    if disease is None:
        return
    for name, spec in fields.items():
        variable = dictionary[f"{name}_value"] if name in composites else dictionary[name]
        if variable.diseases and disease not in variable.diseases:
            raise SourceError(f"'{name}' belongs to {', '.join(sorted(variable.diseases))}, the source to {disease}",
                              where=spec.where, remedy="Remove it or correct `disease`.")
