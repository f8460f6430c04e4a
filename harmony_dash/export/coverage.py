"""Who is in the data, ready to be written: the released counts of the page, and of variables its whole per cent."""

from __future__ import annotations

import hashlib
import json

from harmony_dash.charts.completeness import NOT_SUPPLIED, NOT_SUPPLIED_IN_FULL, share_text
from harmony_dash.charts.coverage import short_titles
from harmony_dash.charts.numbers import NOTHING, TimeUnit, format_count, format_part, format_time
from harmony_dash.disclosure.case_mix import compare_case_mix
from harmony_dash.disclosure.coverage_results import CountCell, CoverageResult
from harmony_dash.disclosure.released import Released
from harmony_dash.export.cells import Cell
from harmony_dash.export.summary import Column, Display, Kind, Summary, Table

_PATIENTS = Column("patients", Kind.COUNT, "patients")
_SOURCE = Column("source", Kind.TEXT, "name of the source")
_TITLE = Column("title", Kind.TEXT, "it in words")
_COUNTRY = (Column("country", Kind.TEXT, "ISO 3166 code of the country"), Column("name", Kind.TEXT, "it in words"))
_VALUE = (Column("variable", Kind.TEXT, "code of the variable"), Column("value", Kind.TEXT, "code of the value"),
          Column("value_name", Kind.TEXT, "it in words"))
_DECIMALS = 2  # of a share: whole per cent, as on the page


def summarise_coverage(released: Released[CoverageResult]) -> Summary:
    """Patients of one disease by country, trial, period and kind; sources, completeness, case mix."""
    result = released.value
    question = {"coverage": result.disease}
    text = json.dumps(question)
    return Summary(
        kind="coverage", title=f"Who is in the data: {result.disease}", question=question, question_json=text,
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:16], snapshot=result.snapshot,
        synthetic=result.synthetic, scope=released.scope, n=result.n,
        text=f"{format_part(result.n)} patients from {len(result.by_country)} countries and {len(result.sources)} "
             "sources.",
        methods=result.methods, notes=(), not_applied=(),
        tables=(_countries(result), _trials(result), _values(result), _cells(result), _periods(result),
                _sources(result), _completeness(result), _case_mix(released)),
        displays=(_show_counts("Patients by country", "Country", _countries(result)),
                  _show_counts("Patients by trial or registry", "Trial or registry", _trials(result)),
                  _show_cells(result), _show_sources(result, released.scope.rules.minimum_cell),
                  _show_completeness(result)))


def _countries(result: CoverageResult) -> Table:
    return Table("countries", "Patients by country", (*_COUNTRY, _PATIENTS), tuple(
        (*_named(result, "country", cell), cell.n) for cell in result.by_country))


def _trials(result: CoverageResult) -> Table:
    return Table("trials", "Patients by trial or registry", (
        Column("trial", Kind.TEXT, "trial or registry"), _PATIENTS), tuple(
        (cell.labels["trial"], cell.n) for cell in result.by_trial))


def _values(result: CoverageResult) -> Table:
    """All countries together, by each of the other variables."""
    return Table("values", "Patients by period, age and kind", (*_VALUE, _PATIENTS), tuple(
        (table.by[0], *_named(result, table.by[0], cell), cell.n) for table in result.tables if len(table.by) == 1
        for cell in table.cells))


def _cells(result: CoverageResult) -> Table:
    beside = {"trial": result.by_country_and_trial} | {
        table.by[1]: table.cells for table in result.tables if len(table.by) == 2 and table.by[0] == "country"}
    return Table("country_cells", "Patients by country and one more variable", (*_COUNTRY, *_VALUE, _PATIENTS), tuple(
        (*_named(result, "country", cell), variable, *_named(result, variable, cell), cell.n)
        for variable, cells in beside.items() for cell in cells))


def _periods(result: CoverageResult) -> Table:
    return Table("source_periods", "Patients by source and period of diagnosis", (
        _SOURCE, Column("period", Kind.TEXT, "period of diagnosis"), _PATIENTS), tuple(
        (cell.labels["source"], cell.labels["dx_period"], cell.n) for cell in result.table("source", "dx_period")))


def _sources(result: CoverageResult) -> Table:
    columns = (_SOURCE, _TITLE, Column("provider", Kind.TEXT, "who provides it"),
               Column("countries", Kind.TEXT, "ISO 3166 codes of the countries that take part"),
               Column("accepted", Kind.COUNT, "patients accepted at ingest"),
               Column("refused", Kind.COUNT, "rows refused at ingest, whatever their disease"),
               Column("follow_up", Kind.DAYS, "median follow-up by the reverse Kaplan-Meier method"))
    return Table("sources", "Sources", columns, tuple(
        (one.source, one.title, one.provider, " ".join(one.countries), one.accepted, one.quarantined,
         one.follow_up_median_days) for one in result.sources))


def _completeness(result: CoverageResult) -> Table:
    columns = (_SOURCE, Column("variable", Kind.TEXT, "code of the variable"),
               Column("label", Kind.TEXT, "it in words"),
               Column("what", Kind.TEXT, "recorded, or one of the parts that all patients of the source fall into"),
               Column("share", Kind.SHARE, "of the source's patients, to the nearest whole per cent"),
               Column("note", Kind.TEXT, "at least: the share is the least it can be; not supplied: the source has no "
                                         "such variable"))
    rows: list[tuple[Cell, ...]] = []
    for one in result.completeness:
        note = NOT_SUPPLIED_IN_FULL if share_text(one, None) == NOT_SUPPLIED else "at least" if one.nearly_all else ""
        rows.append((one.source, one.variable, one.label, "recorded", _rounded(one.share), note))
        rows += [(one.source, one.variable, one.label, part.part.value, _rounded(part.share), "") for part in one.parts]
    return Table("completeness", "Completeness", columns, tuple(rows))


def _case_mix(released: Released[CoverageResult]) -> Table:
    result = released.value
    columns = (*_COUNTRY, *_VALUE, Column("difference", Kind.NUMBER, "standardised difference of the value's share "
                                          "against all other countries together"))
    return Table("case_mix", "How countries differ", columns, tuple(
        (one.country, result.label_of("country", one.country), one.variable, one.value,
         result.label_of(one.variable, one.value), one.difference) for one in compare_case_mix(released)))


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, _DECIMALS)


def _named(result: CoverageResult, variable: str, cell: CountCell) -> tuple[str, str]:
    """The code of a cell's value, and the value in words."""
    value = cell.labels[variable]
    return value, result.label_of(variable, value)


def _show_counts(title: str, head: str, table: Table) -> Display:
    return Display(title, (head, "Patients"), tuple((str(row[-2]), _part(row[-1])) for row in table.rows))


def _show_cells(result: CoverageResult) -> Display:
    return Display("Patients by country and one more variable", ("Country", "Value", "Patients"), tuple(
        (str(row[1]), str(row[4]), _part(row[5])) for row in _cells(result).rows), words=2)


def _show_sources(result: CoverageResult, minimum: int) -> Display:
    header = ("Source", "Provider", "Countries", "Accepted", "Refused", "Follow-up, years")
    return Display("Sources", header, tuple(
        (one.title, one.provider, ", ".join(result.label_of("country", code) for code in one.countries),
         format_part(one.accepted), format_count(one.quarantined, minimum),
         format_time(one.follow_up_median_days, TimeUnit.YEARS)) for one in result.sources), words=3)


def _show_completeness(result: CoverageResult) -> Display:
    titles = short_titles(result)
    sources = list(dict.fromkeys(one.source for one in result.completeness))
    rows: dict[str, dict[str, str]] = {}
    for one in result.completeness:
        rows.setdefault(one.label, {})[one.source] = share_text(one, None)
    return Display("Recorded values, per cent of patients", ("Variable", *(titles.get(name, name) for name in sources)),
                   tuple((label, *(cells.get(name, NOTHING) for name in sources)) for label, cells in rows.items()),
                   note="n/s: not supplied by the source. n/a: too few patients, too few of one kind, or a number that "
                        "would give a small one away.")


def _part(value: Cell) -> str:
    return format_part(value if isinstance(value, int) else None)
