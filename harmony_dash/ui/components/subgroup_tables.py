"""The twins of the forest plot, the tests behind it, the map as rows, and Table 1: text that is ready to read."""

from __future__ import annotations

import math

import pandas as pd

from harmony_dash.charts.forest_lines import ForestLines, LineKind
from harmony_dash.charts.heat_map import list_outcome_rows
from harmony_dash.charts.numbers import HIDDEN, NOTHING, format_p, format_part
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.protect_counts import NO_VALUE
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_results import InteractionResult, LevelsTest, SubgroupsResult, SubgroupVariable
from harmony_dash.disclosure.subgroup_words import LEVEL_OF_PROPORTIONALITY
from harmony_dash.ui.components.text import capital, tidy_units

FIRST = "Variable and level"
REASON = "Why not compared"
CHARACTERISTIC = "Characteristic"
DIFFERENCE = "Std. diff."
_INDENT = "\N{EM SPACE}"


def build_forest_table(forest: ForestLines) -> pd.DataFrame:
    """The lines of a forest plot: a variable's own line above those of its levels. Reasons have a column of their own,
    because they are sentences among numbers."""
    rows = [(line.cells[0] if line.kind is LineKind.HEADING else f"{_INDENT}{line.cells[0]}",
             *("" if words == line.reason else words for words in line.cells[1:]), line.reason)
            for line in forest.lines]
    return pd.DataFrame(rows, columns=[FIRST, *map(capital, forest.columns[1:]), REASON])


def build_tests_table(result: SubgroupsResult) -> pd.DataFrame:
    """One row a test: of a variable's levels, or of a treatment's effect between them, and what may be said of it."""
    rows = []
    for variable in result.variables:
        rows.append((variable.label, "levels differ", *_numbers(variable.test), _finding(variable), ""))
        rows += [(variable.label, f"effect of {one.compared} against {one.reference} differs", *_numbers(one.test),
                  one.finding.value if one.test else one.reason, _trials(one)) for one in variable.interactions]
    table = pd.DataFrame(rows, columns=["Variable", "Whether", "p", "q", "What may be said", "Trials"])
    return table if result.question.treatment else table.drop(columns=["Whether", "Trials"])


def _numbers(test: LevelsTest | None) -> tuple[str, str]:
    return (NOTHING, NOTHING) if test is None else (format_p(test.p), NOTHING if test.q is None else format_p(test.q))


def _finding(variable: SubgroupVariable) -> str:
    if variable.test is None:
        return variable.reason or NOTHING
    changes = variable.over_time is not None and variable.over_time.p < LEVEL_OF_PROPORTIONALITY
    return f"{variable.finding.value}; hazards not proportional" if changes else variable.finding.value


def _trials(one: InteractionResult) -> str:
    """How many trials tell, whether they agree, and whether somebody should judge the credibility."""
    if one.test is None:
        return ""
    agree = {None: "too few to agree or not", True: "most agree", False: "they disagree"}[one.trials_agree]
    assess = "; credibility to be assessed (ICEMAN)" if one.assess_credibility else ""
    return f"{one.trials} trials, {agree}{assess}"


def build_map_table(released: Released[OutcomeMap]) -> pd.DataFrame:
    """One row a pair of values that anybody may have."""
    header, rows = list_outcome_rows(released)
    return pd.DataFrame(rows, columns=list(header))


# -- Table 1 -------------------------------------------------------------------------------------------------------


def find_headings(table: pd.DataFrame) -> list[int]:
    """The rows that name a variable, by place: all that are not indented."""
    return [place for place, words in enumerate(table.iloc[:, 0]) if not str(words).startswith(_INDENT)]


def build_table_one(result: TableOne) -> pd.DataFrame:
    """A block a variable, a column a group; patients and their share, or median and quartiles."""
    names = [_name_column(group) for group in result.groups]
    rows: list[tuple[str, ...]] = []
    for variable in result.variables:
        unit = f", {tidy_units(variable.unit)}" if variable.unit else ""
        apart = "" if len(result.groups) < 2 else _difference(variable.difference)
        if variable.values:
            rows.append((variable.label, *("" for _ in names), apart))
            rows += [(f"{_INDENT}{words}", *(_count(variable, group, value) for group in result.groups), "")
                     for value, words in variable.values.items()]
        else:
            rows.append((f"{variable.label}{unit}, median (quartiles)",
                         *(_median(variable, group) for group in result.groups), apart))
        words, known = ("not recorded", _missing) if variable.values else ("patients with a value", _known)
        told = [known(variable, group) for group in result.groups]
        if not set(told) <= ({"0", ""} if variable.values else {HIDDEN, ""}):
            rows.append((f"{_INDENT}{words}", *told, ""))
    table = pd.DataFrame(rows, columns=[CHARACTERISTIC, *names, DIFFERENCE])
    return table if len(result.groups) > 1 else table.drop(columns=[DIFFERENCE])


def _name_column(group: TableOneGroup) -> str:
    return f"{capital(group.name)} (n {format_part(group.n)})"


def _difference(difference: float | None) -> str:
    if difference is None:
        return NOTHING
    return f"{difference:.2f}" if math.isfinite(difference) else "∞"


def _count(variable: TableOneVariable, group: TableOneGroup, value: str) -> str:
    """Patients with the value and their share of those with any; whoever was not tested is in no share."""
    if group.choices is None or value in group.choices.not_counted.get(variable.variable, ()):
        return NOTHING
    n = group.choices.counts.get(variable.variable, {}).get(value)
    whole = _tested(variable, group.choices)
    if n is None or value in UNTESTED or not whole:
        return format_part(n)
    return f"{format_part(n)} ({100 * n / whole:.0f}\N{NO-BREAK SPACE}%)"


def _tested(variable: TableOneVariable, choices: CohortChoices) -> int | None:
    """Patients with a value, as the sum of the numbers shown; None where one of them is hidden."""
    counts = choices.counts.get(variable.variable, {})
    told = [counts.get(value) for value in variable.values if value not in UNTESTED]
    return None if None in told else sum(n for n in told if n is not None)


def _missing(variable: TableOneVariable, group: TableOneGroup) -> str:
    if group.choices is None or NO_VALUE in group.choices.not_counted.get(variable.variable, ()):
        return NOTHING
    return format_part(group.choices.missing.get(variable.variable))


def _known(variable: TableOneVariable, group: TableOneGroup) -> str:
    """Patients with a value of a number, where they are not the whole group; hidden where few of it may have none."""
    found = group.quartiles.get(variable.variable)
    return "" if found is None or found.n == group.n else format_part(found.n)


def _median(variable: TableOneVariable, group: TableOneGroup) -> str:
    if group.choices is None:
        return NOTHING
    found = group.quartiles.get(variable.variable)
    if found is None or found.median is None:
        return HIDDEN
    ends = "" if found.lower is None or found.upper is None else f" ({found.lower:g}–{found.upper:g})"
    return f"{found.median:g}{ends}"
