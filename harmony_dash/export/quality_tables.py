"""What stands behind the checks of a source as plain CSV files in one ZIP, with the words that the page has."""

from __future__ import annotations

from harmony_dash.charts.quality import trend_tallies
from harmony_dash.disclosure.quality_results import QualityResult, SourceQuality
from harmony_dash.disclosure.quality_words import CATEGORIES, reason_words
from harmony_dash.disclosure.released import Released
from harmony_dash.export.archive import write_archive
from harmony_dash.export.delimited import write_csv
from harmony_dash.export.summary import Column, Kind, Table

_SOURCE = Column("source", Kind.TEXT, "name of the source")
_TALLIES = tuple(Column(name, Kind.COUNT, f"checks that {words}") for name, words in (
    ("failed", "failed"), ("warned", "warned"), ("passed", "passed"), ("not_applicable", "are not applicable")))


def write_quality_tables(released: Released[QualityResult], folder: str) -> bytes:
    """Rows by reason, risk groups, verdicts by category and the trend, a file each, of every source of the result.

    Parameters
    ----------
    folder : in which the files lie inside the ZIP.
    """
    tables = (_reasons(released), _risk_groups(released.value), _trend(released.value))
    return write_archive({f"{table.name}.csv": write_csv(table) for table in tables}, folder)


def _reasons(released: Released[QualityResult]) -> Table:
    minimum = released.scope.rules.minimum_cell
    columns = (_SOURCE, Column("decision", Kind.TEXT, "refused, or kept with a remark"),
               Column("rows", Kind.TEXT, "rows, or why their number is not shown"),
               Column("reason", Kind.TEXT, "why"), Column("variable", Kind.TEXT, "code of the variable"),
               Column("file", Kind.TEXT, "file"), Column("column", Kind.TEXT, "column"))
    return Table("reasons", "Rows by reason", columns, tuple(
        (source.source, "refused" if one.refused else "kept", reason_words(one, minimum), one.message, one.variable,
         one.file, one.column) for source in released.value.sources for one in source.reasons))


def _risk_groups(result: QualityResult) -> Table:
    columns = (_SOURCE, Column("derived_by", Kind.TEXT, "code of the variable that says the derived group"),
               Column("reported", Kind.TEXT, "group as reported; empty where not recorded"),
               Column("derived", Kind.TEXT, "group from the patient's own values; empty where not recorded"),
               Column("patients", Kind.COUNT, "patients; empty where hidden"))
    return Table("risk_groups", "Reported and derived risk groups", columns, tuple(
        (source.source, matrix.variable, cell.reported, cell.derived, cell.n)
        for source in result.sources for matrix in source.matrices for cell in matrix.cells))


def _trend(result: QualityResult) -> Table:
    columns = (_SOURCE, Column("snapshot_of", Kind.TEXT, "day, with the time where a day has several snapshots"),
               Column("category", Kind.TEXT, "category of the checks"), *_TALLIES)
    return Table("trend", "Checks by verdict over the snapshots", columns, tuple(
        row for source in result.sources for row in _points(result, source)))


def _points(result: QualityResult, source: SourceQuality) -> list[tuple[str | int, ...]]:
    return [(source.source, day, CATEGORIES[tally.category][0], tally.failed, tally.warned, tally.passed,
             tally.not_applicable) for day, tallies in trend_tallies(result, source) for tally in tallies]
