"""The effects statement: one scan that tells what every condition of a question does, beside all others or some."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from harmony_dash.cohort.filters import Filter, canonical
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.effects import Effects
from harmony_dash.disclosure.selections import Choices, Chosen, Selection, close_filters
from harmony_dash.disclosure.small_values import is_plain
from harmony_dash.errors import QuestionError
from harmony_dash.stats.event_table import Ints
from harmony_dash.store.columns import as_integers, as_keys
from harmony_dash.store.conditions import Statement
from harmony_dash.store.event_tables import figure_conditions
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import COLUMN, key_sql
from harmony_dash.store.schema import enum_name

# The codes of all variables are packed into one integer, which is grouped faster than several columns. Most questions
# fit into 32 bits, which are grouped faster still.
_LARGEST_PATTERN: Final = 2**62
_LARGEST_SHORT_PATTERN: Final = 2**30
# Open codes such as trials have as many values as there are in the data; a figure of more groups is nobody's question.
_MOST_GROUPS: Final = 2**12
# grouping() packs one bit a column; half a machine word leaves room.
_GROUPING_SETS: Final = 32
# Stands among the variables of a pattern for the group; no variable is called that.
_GROUP: Final = ""


def fetch_effects(snapshot: Snapshot, question: Question, *, protected: Collection[Filter] = frozenset(),
                  figure: bool = True) -> Effects:
    """Count the disease's patients by which of the question's choices they have.

    Parameters
    ----------
    question : passed `check_closed`, and has the landmark it will be answered with.
    protected : filters of the question that may not be dropped, e.g. the countries of a grant.
    figure : False for questions that are answered by counts of the cohort alone; everybody is in the figure then.
        Such a question has no groups.

    Returns
    -------
    Effects, with at most one row per combination of group and of the choices the question names.

    Raises
    ------
    QuestionError for a question that is not closed. ValueError if a protected filter is not one of the question's:
    what is answered would not be restricted by it.
    """
    fixed = {canonical(item) for item in protected}
    if not fixed <= set(question.where):
        raise ValueError("a protected filter is not part of the question")
    asked = [item for item in question.where if item not in fixed]
    kept = tuple(item for item in question.where if item in fixed)
    selections, offered = close_filters(asked, snapshot.dictionary, snapshot.values_of)
    statement = Statement(question, snapshot.dictionary)
    base = statement.cohort(kept)
    terms, radix = _pattern_terms(statement, selections, offered)
    size = math.prod(radix.values())
    groups = len(snapshot.values_of(snapshot.dictionary[question.by])) if question.by else 0
    if groups >= _MOST_GROUPS:
        raise QuestionError(f"'{question.by}' has too many values to group by", where="by",
                            remedy="Choose a grouping with fewer groups.")
    if question.by:
        radix[_GROUP] = groups + 1
        terms.append(f"coalesce(enum_code({statement.column(question.by)})::BIGINT + 1, 0) * {size}")
        size *= groups + 1
    if figure:
        # Whether a group is recorded is told by the group itself: without groups such patients are in the figure.
        ungrouped = Statement(replace(question, by=None), snapshot.dictionary)
        place = " AND ".join(figure_conditions(ungrouped, late_entry=snapshot.late_entry))
        terms.append(f"CASE WHEN {place} THEN {size} ELSE 0 END")
    integer = "INTEGER" if size < _LARGEST_SHORT_PATTERN else "BIGINT"
    pattern = _sum_of(terms, integer)
    columns = snapshot.fetch_columns(
        f"SELECT pattern, count(*) AS n, {key_sql()} AS key FROM (SELECT {pattern} AS pattern, {COLUMN} FROM patient "
        f"WHERE {base}) GROUP BY pattern", statement.parameters)
    found = as_integers(columns["pattern"])
    codes = _unpack(found, radix)
    places = codes.pop(_GROUP, None)
    in_figure = found >= size if figure else np.ones(len(found), dtype=bool)
    n, keys = as_integers(columns["n"]), as_keys(columns["key"])
    if places is None:
        return Effects(question, kept, offered, selections, codes, in_figure, n, keys)
    return Effects(question, kept, offered, selections, codes, in_figure & (places >= 0), n, keys, places, in_figure)


def fetch_choice_effects(snapshot: Snapshot, question: Question, variables: Sequence[Variable]) -> dict[str, Effects]:
    """For each categorical variable, the effects of the filters on other variables, with its choices as the groups.

    One scan for all. The groups are numbered like the choices: "not recorded" is the one after the last value.

    Parameters
    ----------
    question : passed `check_closed`; only its disease and filters count.

    Raises
    ------
    QuestionError for a question that is not closed.
    """
    if not variables:
        return {}
    selections, offered = close_filters(question.where, snapshot.dictionary, snapshot.values_of)
    statement = Statement(question, snapshot.dictionary)
    base = statement.disease()
    terms, radix = _pattern_terms(statement, selections, offered)
    sizes = [len(snapshot.values_of(variable)) for variable in variables]
    names = [f"place_{number}" for number in range(len(variables))]
    places = ", ".join(f"coalesce(enum_code({statement.column(variable.name)})::BIGINT, {size}) AS {name}"
                       for name, variable, size in zip(names, variables, sizes, strict=True))
    effects: dict[str, Effects] = {}
    for start in range(0, len(variables), _GROUPING_SETS):
        batch = names[start : start + _GROUPING_SETS]
        listed = ", ".join(batch)
        sets = ", ".join(f"(pattern, {name})" for name in batch)
        columns = snapshot.fetch_columns(
            f"SELECT grouping({listed}) AS which, coalesce({listed}) AS place, pattern, count(*) AS n, "
            f"{key_sql()} AS key FROM (SELECT {_sum_of(terms, 'BIGINT')} AS pattern, {places}, {COLUMN} "
            f"FROM patient WHERE {base}) GROUP BY GROUPING SETS ({sets})", statement.parameters)
        which, keys = as_integers(columns["which"]), as_keys(columns["key"])
        place, pattern, n = (as_integers(columns[name]) for name in ("place", "pattern", "n"))
        everything = (1 << len(batch)) - 1
        for number, variable in enumerate(variables[start : start + _GROUPING_SETS]):
            rows = which == everything - (1 << (len(batch) - 1 - number))
            others = tuple(one for one in selections if variable.name not in one.variables)
            everybody = np.ones(int(rows.sum()), dtype=bool)
            effects[variable.name] = Effects(question, (), offered, others, _unpack(pattern[rows], radix), everybody,
                                             n[rows], keys[rows], place[rows], everybody)
    return effects


def _pattern_terms(statement: Statement, selections: Sequence[Selection], offered: Mapping[str, Choices],
                   ) -> tuple[list[str], dict[str, int]]:
    """SQL of the numbers that add up to a patient's pattern, and how many numbers each variable takes.

    Raises
    ------
    QuestionError if there are more patterns than a number can tell apart.
    """
    radix = {name: choices.missing + 2 for name, choices in offered.items()}
    if math.prod(radix.values()) >= _LARGEST_PATTERN // _MOST_GROUPS:
        raise QuestionError("the question has too many conditions", where="where", remedy="Remove some filters.")
    terms, unit = [], 1
    for name, choices in offered.items():
        terms.append(_code_sql(statement, choices, _named(selections, choices), unit))
        unit *= radix[name]
    return terms, radix


def _sum_of(terms: Sequence[str], integer: str) -> str:
    return " + ".join(f"({term})::{integer}" for term in terms) or "0"


def _named(selections: Collection[Selection], choices: Choices) -> Chosen:
    """The choices of a variable that have to be told apart: one that a selection asks for alone, else all of them."""
    return frozenset[int]().union(*(chosen if is_plain(selection) else choices.all for selection in selections
                                    for name, chosen in selection.chosen if name == choices.variable))


def _code_sql(statement: Statement, choices: Choices, named: Chosen, unit: int) -> str:
    """SQL of one more than the number of a patient's choice, times the unit; 0 for a choice that is not named."""
    column = statement.column(choices.variable)

    def code(choice: int) -> int:
        return (choice + 1) * unit if choice in named else 0

    cases = [f"WHEN {column} IS NULL THEN {code(choices.missing)}"]
    if choices.numeric:
        cases += [f"WHEN {column} < {statement.bind(edge)} THEN {code(band)}"
                  for band, edge in enumerate(choices.edges)]
        return f"CASE {' '.join(cases)} ELSE {code(len(choices.edges))} END"
    type_ = enum_name(statement.dictionary[choices.variable])
    recorded = choices.recorded & named
    # Values are compared one by one, so the shorter list is written out: of those named, or of those not.
    listed = recorded if 2 * len(recorded) <= choices.missing else choices.recorded - named
    cases += [f"WHEN {column} = {statement.bind(choices.values[choice])}::{type_} THEN {code(choice)}"
              for choice in sorted(listed)]
    rest = "0" if listed == recorded else f"(enum_code({column})::BIGINT + 1) * {unit}"
    return f"CASE {' '.join(cases)} ELSE {rest} END"


def _unpack(patterns: Ints, radix: Mapping[str, int]) -> dict[str, Ints]:
    codes, rest = {}, patterns
    for name, base in radix.items():
        codes[name] = rest % base - 1  # NONE_OF_THEM is one below the first choice
        rest = rest // base
    return codes
