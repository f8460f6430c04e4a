"""The shape of one provider's delivery, and its `source.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.mistakes import Mistake
from harmony_dash.synthetic.native import Column

ALL_MISTAKES = tuple(Mistake)


@dataclass(frozen=True)
class FileLayout:
    """One data file.

    Attributes
    ----------
    path, format, id : as in the mapping; `id` is the heading of the identifier, which is the first column.
    columns : every other column, in order.
    newline : line end of a CSV file.
    sheet : of an XLSX workbook; it stands behind a sheet that explains the codes.
    native_dates : whether the format holds dates as dates.
    """

    path: str
    format: str
    id: str
    columns: tuple[Column, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    newline: str = "\n"
    header_rows: int = 1
    sheet: str = ""

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings with the identifier first."""
        return (self.id, *(column.heading for column in self.columns))


@dataclass(frozen=True)
class Layout:
    """One provider's delivery.

    Attributes
    ----------
    source, title, provider, description : words of the mapping.
    look : one line for the README: language, units, format.
    constants : country or trial where they do not vary by row.
    missing : the provider's missing tokens beside the empty cell.
    prefix : of the identifiers.
    mistakes : kinds of rows that are wrong on purpose.
    ids : format of an identifier, given prefix and number.
    """

    source: str
    title: str
    provider: str
    description: str
    look: str
    files: tuple[FileLayout, ...]
    prefix: str
    constants: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    gaps: Gaps = field(default_factory=Gaps)
    mistakes: tuple[Mistake, ...] = ALL_MISTAKES
    not_recorded: Mapping[str, str] = field(default_factory=dict)

    def targets(self) -> Mapping[str, str]:
        """Heading of the column that holds each variable."""
        return {variable: column.heading for file in self.files for column in file.columns
                for variable in column.entries()}


def write_manifest(layout: Layout) -> str:
    """The text of `source.yaml`."""
    lines = [f"source: {layout.source}", f"title: {quote(layout.title)}", f"provider: {layout.provider}"]
    lines += [f"{key}: {value}" for key, value in layout.constants.items()]
    lines += ["disease: ALL", "licence: CC0-1.0", "synthetic: true", f"description: {quote(layout.description)}", ""]
    lines.append("files:")
    for file in layout.files:
        lines += _describe_file(file)
    if layout.missing:
        lines += ["", f"missing: {flow(list(layout.missing))}"]
    lines += ["", "variables:"]
    columns = [column for file in layout.files for column in file.columns]
    for column in columns:
        lines += [f"  {variable}: {flow(entry)}" for variable, entry in column.entries().items()]
    ignored = [column.heading.replace("|", " ") for column in columns if column.ignored]
    if ignored:
        lines.append(f"ignore: {flow(ignored)}")
    if layout.not_recorded:
        lines.append("endpoints_not_recorded:")
        lines += [f"  {name}: {quote(reason)}" for name, reason in layout.not_recorded.items()]
    return "\n".join(lines) + "\n"


def _describe_file(file: FileLayout) -> list[str]:
    lines = [f"  - path: {file.path}", f"    format: {file.format}"]
    if file.format == "csv":
        lines += [f"    delimiter: {quote({chr(9): chr(92) + 't'}.get(file.delimiter, file.delimiter))}",
                  f"    encoding: {file.encoding}"]
    if file.decimal != ".":
        lines.append(f"    decimal: {quote(file.decimal)}")
    if file.thousands:
        lines.append(f"    thousands: {quote(file.thousands)}")
    if file.header_rows > 1:
        lines.append(f"    header_rows: {file.header_rows}")
    if file.sheet:
        lines.append(f"    sheet: {quote(file.sheet)}")
    return [*lines, f"    id: {quote(file.id.replace('|', ' ').strip())}"]


_PLAIN = re.compile(r"[A-Za-zÀ-ž_][\w .^%À-ž+()-]*")
_RESERVED = {"true", "false", "null", "~", ""}


def quote(text: str) -> str:
    """Text as a YAML scalar: plain where that is safe, otherwise in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED and text == text.strip():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def flow(value: Any) -> str:
    """A value in YAML flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quote(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, float):
        # YAML needs the point in 1.0e-04 to see a number.
        return f"{value:.1e}" if value and abs(value) < 0.01 else repr(value)
    return str(value) if isinstance(value, int) else quote(str(value))
