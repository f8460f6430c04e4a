"""The one way from a released result to files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from harmony_dash.disclosure.released import Released
from harmony_dash.errors import UserError
from harmony_dash.export.archive import write_archive
from harmony_dash.export.columnar import write_parquet
from harmony_dash.export.delimited import write_csv
from harmony_dash.export.kinds import Looks, summarise
from harmony_dash.export.pictures import Picture, write_pictures
from harmony_dash.export.provenance import Occasion, Provenance, describe_provenance, footer_lines
from harmony_dash.export.report import write_report
from harmony_dash.export.summary import Summary
from harmony_dash.export.workbook import write_workbook

_SCRIPTS: Final = Path(__file__).parent / "scripts"


class Format(StrEnum):
    """What a person can choose."""

    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


_MEDIA: Final = {
    "html": "text/html", "csv": "text/csv", "parquet": "application/vnd.apache.parquet", "svg": "image/svg+xml",
    "png": "image/png", "pdf": "application/pdf", "json": "application/json", "py": "text/x-python",
    "R": "text/x-r", "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True)
class ExportFile:
    """One file: its name within the export, and its bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its checksum, 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def media_type(self) -> str:
        """Its media type."""
        return _MEDIA[self.name.rpartition(".")[2]]


@dataclass(frozen=True)
class Bundle:
    """All files of one export, and the question they answer. The last one is a ZIP of the others."""

    files: tuple[ExportFile, ...]
    data_sha256: str
    question: str
    fingerprint: str

    @property
    def archive(self) -> ExportFile:
        """The ZIP of all other files."""
        return self.files[-1]


def nothing_to_write(step: str) -> None:
    """A progress report that nobody reads."""


def parse_formats(text: str) -> tuple[Format, ...]:
    """Formats from a list separated by commas.

    Raises
    ------
    UserError naming the formats there are.
    """
    names = [part.strip().lower() for part in text.split(",") if part.strip()]
    wrong = [name for name in names if name not in set(Format)]
    if wrong or not names:
        raise UserError(f"'{wrong[0][:20]}' is not a format" if wrong else "no format is named", where="formats",
                        remedy=f"Choose from: {', '.join(Format)}.")
    return tuple(dict.fromkeys(Format(name) for name in names))


def write_files(released: Released[Any], occasion: Occasion, formats: Collection[Format], looks: Looks, *,
                stem: str, progress: Callable[[str], None] = nothing_to_write) -> Bundle:
    """The chosen files, the provenance, and a ZIP of all.

    Parameters
    ----------
    released : a protected result; nothing else is written.
    stem : name of the ZIP and of the folder in it.
    progress : told in words what is being written.

    Raises
    ------
    TypeError for a result that is not released or not protected. UserError if only a figure is asked of a result that
    has none.
    """
    summary = summarise(released, looks)
    if summary.draw is None and {form.value for form in formats} <= set(Picture):
        raise UserError("this export has tables and no figure", where="formats",
                        remedy=f"Choose from: {', '.join(form for form in Format if form.value not in set(Picture))}.")
    provenance = describe_provenance(summary, occasion)
    pictures = _draw(summary, provenance, occasion, formats, progress)
    files: dict[str, bytes] = {}
    if Format.HTML in formats:
        progress("report")
        files["report.html"] = write_report(summary, provenance, occasion, pictures.get(Picture.SVG, b""))
    for picture, content in pictures.items():
        if Format(picture.value) in formats:
            files[f"figure.{picture}"] = content
    if Format.XLSX in formats:
        progress("workbook")
        files["tables.xlsx"] = write_workbook(summary, provenance, occasion.made)
    if Format.CSV in formats:
        progress("tables")
        files |= {f"{table.name}.csv": write_csv(table) for table in summary.tables}
        files |= {name: (_SCRIPTS / name).read_bytes() for name in summary.scripts}
    if Format.PARQUET in formats:
        progress("tables")
        files |= {f"{table.name}.parquet": write_parquet(table, provenance) for table in summary.tables}
    files["provenance.json"] = f"{provenance.json}\n".encode()
    progress("archive")
    archive = write_archive(files, stem)
    return Bundle((*(ExportFile(name, content) for name, content in files.items()),
                   ExportFile(f"{stem}.zip", archive)), provenance.data_sha256, summary.question_json,
                  summary.fingerprint)


def _draw(summary: Summary, provenance: Provenance, occasion: Occasion, formats: Collection[Format],
          progress: Callable[[str], None]) -> dict[Picture, bytes]:
    """The pictures that were chosen, and the one that the report shows."""
    wanted = {Picture(form.value) for form in formats if form.value in set(Picture)}
    if Format.HTML in formats:
        wanted.add(Picture.SVG)
    draw = summary.draw
    if draw is None or not wanted:
        return {}
    progress("figure")
    footer = footer_lines(summary, occasion, provenance)
    return write_pictures(lambda: draw(footer), frozenset(wanted), title=summary.title, about=footer[-1],
                          provenance=provenance.json)
