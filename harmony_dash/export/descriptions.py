"""A released Table 1 and a released map of outcomes, ready to be written. Neither has a figure."""

from __future__ import annotations

from harmony_dash.charts.heat_map import list_outcome_rows
from harmony_dash.charts.numbers import NOTHING, format_part
from harmony_dash.cohort.description_question import OutcomeMapQuestion, TableOneQuestion
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.released import Released
from harmony_dash.export.cells import Cell
from harmony_dash.export.summary import Column, Display, Kind, Summary, Table

SCRIPTS = ("recompute_tables.py",)
_NOT_RECORDED = "not recorded"
_GROUP = Column("group", Kind.TEXT, "the group in words, or all patients")
_PATIENTS = Column("patients", Kind.COUNT, "patients")
_WHY = "why a number is not there; empty where nothing is missing"


def summarise_table_one(released: Released[TableOne]) -> Summary:
    """Who is in a cohort, by group."""
    result = released.value
    question = TableOneQuestion(result.question, tuple(variable.variable for variable in result.variables))
    text = "Who is in the cohort, by group. Groups are not compared by any test."
    groups = Table("groups", "Groups", (_GROUP, _PATIENTS, Column("note", Kind.TEXT, _WHY)), tuple(
        (group.name, group.n, group.reason) for group in result.groups))
    return Summary(
        kind="table one", title=result.title, question=question.to_json(), question_json=question.canonical_json,
        fingerprint=question.fingerprint, snapshot=result.snapshot, synthetic=result.synthetic, scope=released.scope,
        n=None, text=text, methods=result.methods, notes=result.notes, not_applied=(),
        tables=(groups, _counts(result), _numbers(result), _differences(result)),
        displays=(_display_table_one(result),), scripts=SCRIPTS)


def _counts(result: TableOne) -> Table:
    columns = (Column("variable", Kind.TEXT, "code of the variable"),
               Column("value", Kind.TEXT, "code of the value; empty for patients without one"),
               Column("name", Kind.TEXT, "the value in words"),
               Column("kind", Kind.TEXT, "level; untested: no result of the test; missing: nothing recorded"),
               _GROUP, _PATIENTS)
    return Table("counts", "Patients by value", columns, tuple(
        (variable.variable, value, words, "missing" if not value else "untested" if value in UNTESTED else "level",
         group.name, _count(group, variable.variable, value))
        for variable in result.variables if variable.values
        for value, words in {**variable.values, "": _NOT_RECORDED}.items() for group in result.groups))


def _count(group: TableOneGroup, variable: str, value: str) -> int | None:
    if group.choices is None:
        return None
    return group.choices.counts.get(variable, {}).get(value) if value else group.choices.missing.get(variable)


def _numbers(result: TableOne) -> Table:
    columns = (Column("variable", Kind.TEXT, "code of the variable"), Column("unit", Kind.TEXT, "its unit"), _GROUP,
               Column("patients", Kind.COUNT, "patients with a value"), Column("median", Kind.NUMBER, "median"),
               Column("lower_quartile", Kind.NUMBER, "first quartile"),
               Column("upper_quartile", Kind.NUMBER, "third quartile"),
               Column("mean", Kind.NUMBER, "mean of values drawn in to the 1st and 99th percentile"),
               Column("deviation", Kind.NUMBER, "standard deviation of the same"))
    rows: list[tuple[Cell, ...]] = []
    for variable in result.variables:
        for group in result.groups if not variable.values else ():
            one = group.quartiles.get(variable.variable)
            rows.append((variable.variable, variable.unit, group.name, *(
                (None,) * 6 if one is None else (one.n, one.median, one.lower, one.upper, one.mean, one.deviation))))
    return Table("numbers", "Medians and quartiles", columns, tuple(rows))


def _differences(result: TableOne) -> Table:
    columns = (Column("variable", Kind.TEXT, "code of the variable"), Column("label", Kind.TEXT, "it in words"),
               Column("difference", Kind.NUMBER, "the largest standardised difference between two groups"))
    return Table("differences", "Standardised differences", columns, tuple(
        (variable.variable, variable.label, variable.difference) for variable in result.variables))


def _display_table_one(result: TableOne) -> Display:
    header = ("Characteristic", *(f"{group.name} (n {format_part(group.n)})" for group in result.groups),
              "Standardised difference")
    rows: list[tuple[str, ...]] = []
    for variable in result.variables:
        apart = NOTHING if variable.difference is None else f"{variable.difference:.2f}"
        label = f"{variable.label}, {variable.unit}" if variable.unit else variable.label
        if not variable.values:
            rows.append((f"{label}, median (quartiles)", *(_median(group, variable) for group in result.groups), apart))
            continue
        rows.append((label, *("" for _ in result.groups), apart))
        for value, words in {**variable.values, "": _NOT_RECORDED}.items():
            counts = (format_part(_count(group, variable.variable, value)) for group in result.groups)
            rows.append((f"\u2003{words}", *counts, ""))
    return Display("Characteristics of patients", header, tuple(rows),
                   note="Hidden numbers are small, or would tell of one that is.")


def _median(group: TableOneGroup, variable: TableOneVariable) -> str:
    one = group.quartiles.get(variable.variable)
    if one is None or one.median is None:
        return format_part(None)
    ends = "" if one.lower is None or one.upper is None else f" ({one.lower:g}–{one.upper:g})"
    return f"{one.median:g}{ends}"


def summarise_outcome_map(released: Released[OutcomeMap]) -> Summary:
    """Outcome by two variables."""
    result = released.value
    question = OutcomeMapQuestion(result.question, result.column_variable, result.at_days)
    header, rows = list_outcome_rows(released)
    return Summary(
        kind=f"{result.question.endpoint} map", title=result.title, question=question.to_json(),
        question_json=question.canonical_json, fingerprint=question.fingerprint, snapshot=result.snapshot,
        synthetic=result.synthetic, scope=released.scope, n=None,
        text="Outcome by two variables at once. Cells are compared by no test.", methods=result.methods,
        notes=result.notes, not_applied=(), tables=(_cells(result),),
        displays=(Display("Outcome by both variables", header, tuple(rows), words=2),), scripts=SCRIPTS)


def _cells(result: OutcomeMap) -> Table:
    columns = (
        Column("row", Kind.TEXT, f"code of {result.row_variable}"), Column("row_name", Kind.TEXT, "it in words"),
        Column("column", Kind.TEXT, f"code of {result.column_variable}"),
        Column("column_name", Kind.TEXT, "it in words"), _PATIENTS,
        Column("events", Kind.COUNT, "events of the endpoint; with competing causes of the cause of interest"),
        Column("days", Kind.DAYS, "day of the estimate since the clock started"),
        Column("estimate", Kind.SHARE, "the endpoint's share on that day"),
        Column("lower", Kind.SHARE, "lower 95 % confidence limit"),
        Column("upper", Kind.SHARE, "upper 95 % confidence limit"),
        Column("at_risk", Kind.COUNT, "patients still followed without an event"), Column("note", Kind.TEXT, _WHY))
    return Table("cells", "Cells", columns, tuple(
        (cell.row, result.rows[cell.row], cell.column, result.columns[cell.column], cell.n, cell.events,
         *((None,) * 5 if cell.at is None else (cell.at.days, cell.at.estimate, cell.at.lower, cell.at.upper,
                                                cell.at.at_risk)), cell.reason) for cell in result.cells))
