"""A source folder's `source.yaml` as a frozen value. What is not declared is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

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
    def words(self) -> frozenset[str]:
        """Every cell that the field gives a meaning of its own, as a value or as a reason why there is none."""
        return frozenset({*self.missing, *(self.values or ()), *(self.method_values or ()), *self.negative,
                          *self.positive_not_quantifiable, *self.not_done, *self.failed})

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
