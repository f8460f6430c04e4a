"""`table-one`, `outcome-map`: who is in a cohort, and how they do by two things at once."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.charts.numbers import NOTHING, format_percent_interval
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cli.subgroups import split_names
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.description_results import MapCell, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.precision import precision_of

_HIDDEN = "hidden"


def add_table_one(commands: Any) -> None:
    """The command `table-one`."""
    parser = add_command(commands, "table-one", _table_one)
    _add_cohort(parser)
    parser.add_argument("--by", metavar="VAR")
    parser.add_argument("--variables", default="", metavar="VAR,VAR")


def add_outcome_map(commands: Any) -> None:
    """The command `outcome-map`."""
    parser = add_command(commands, "outcome-map", _outcome_map)
    _add_cohort(parser)
    parser.add_argument("--endpoint", required=True, metavar="E")
    parser.add_argument("--rows", default="subtype", metavar="VAR")
    parser.add_argument("--columns", default="mrd_eoi_band", metavar="VAR")
    parser.add_argument("--at", type=int, default=FIVE_YEARS, metavar="DAYS", help="day of the estimates")


def _add_cohort(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--disease", required=True, metavar="D")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help="a filter as of `survival`, repeatable")
    parser.add_argument("--exact", action="store_true", help="unprotected results; recorded in the audit trail")


def _cohort(options: argparse.Namespace, endpoint: str, by: str | None) -> tuple[Question, Level]:
    question = Question(options.disease, endpoint, tuple(parse_filter(text) for text in options.where), by)
    return question, Level.EXACT if options.exact else Level.PROTECTED


def _table_one(options: argparse.Namespace) -> int:
    from harmony_dash.services.descriptions_json import table_one_as_json
    from harmony_dash.services.table_one import ask_table_one

    question, level = _cohort(options, "os", options.by)
    released = ask_table_one(require_store(deployment_of(options)), OPERATOR, question, split_names(options.variables),
                             level=level)
    result = released.value
    for note in result.notes:
        say(note)
    if options.json:
        print_json(table_one_as_json(released))
        return 0
    show(result.title)
    show("  ".join(f"{group.name} (n {_count(group.n)})" for group in result.groups))
    for variable in result.variables:
        apart = "" if variable.difference is None else f"  (standardised difference {variable.difference:.2f})"
        show(f"{variable.label}{f', {variable.unit}' if variable.unit else ''}{apart}")
        for line in _lines(variable, result.groups):
            show(f"  {line}")
    show(result.methods)
    return 0


def _lines(variable: TableOneVariable, groups: tuple[TableOneGroup, ...]) -> list[str]:
    if variable.values:
        return [f"{words:40.40} {'  '.join(f'{_of(group, variable.variable, value):>9}' for group in groups)}"
                for value, words in {**variable.values, "": "not recorded"}.items()]
    return [f"{'median (quartiles)':40} {'  '.join(_median(group, variable.variable) for group in groups)}"]


def _of(group: TableOneGroup, variable: str, value: str) -> str:
    if group.choices is None:
        return _HIDDEN
    counts = group.choices.counts.get(variable, {})
    return _count(counts.get(value) if value else group.choices.missing.get(variable))


def _median(group: TableOneGroup, variable: str) -> str:
    found = group.quartiles.get(variable)
    if found is None or found.median is None:
        return _HIDDEN
    ends = "" if found.lower is None or found.upper is None else f" ({found.lower:g}–{found.upper:g})"
    return f"{found.median:g}{ends}"


def _outcome_map(options: argparse.Namespace) -> int:
    from harmony_dash.services.descriptions_json import outcome_map_as_json
    from harmony_dash.services.outcome_map import ask_outcome_map

    question, level = _cohort(options, options.endpoint, options.rows)
    released = ask_outcome_map(require_store(deployment_of(options)), OPERATOR, question, columns=options.columns,
                               at_days=options.at, level=level)
    result = released.value
    for note in result.notes:
        say(note)
    if options.json:
        print_json(outcome_map_as_json(released))
        return 0
    show(result.title)
    for column, words in result.columns.items():
        show(words)
        for cell in result.cells:
            if cell.column == column and (cell.n is None or cell.n > 0):
                show(f"  {result.rows[cell.row]:36.36} n {_count(cell.n):>8}  events {_count(cell.events):>7}  "
                     f"{_estimate(cell, released.scope)}")
    show(result.methods)
    return 0


def _estimate(cell: MapCell, scope: Scope) -> str:
    if cell.at is None or cell.at.estimate is None or cell.n is None:
        return cell.reason or NOTHING
    return format_percent_interval(cell.at.estimate, cell.at.lower, cell.at.upper, precision_of(cell.n, scope))


def _count(n: int | None) -> str:
    return _HIDDEN if n is None else f"{n:,}"
