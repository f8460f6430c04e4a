"""The dictionary as a page of the manual."""

from __future__ import annotations

from collections.abc import Iterable

from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable, VariableType

_HEADING = """\
# The data dictionary

Every harmonised variable: what a source may supply, what is computed, and what a question may ask for. This page is
printed by `python -m harmony_dash dictionary > docs/dictionary.md`; the definitions stand in
`harmony_dash/dictionary/*.yaml`."""
_KNOWN = {
    TimePoint.BASELINE: "at diagnosis", TimePoint.DAY_8: "day 8", TimePoint.DAY_15: "day 15",
    TimePoint.END_OF_INDUCTION: "end of induction", TimePoint.END_OF_CONSOLIDATION: "end of consolidation",
    TimePoint.LATER: "later, no fixed day", TimePoint.OUTCOME: "outcome"}
_TYPES = {
    VariableType.CATEGORY: "category", VariableType.YES_NO: "yes or no", VariableType.CODE: "code, open list",
    VariableType.INTEGER: "whole number", VariableType.NUMBER: "number", VariableType.DAYS: "days",
    VariableType.IDENTIFIER: "identifier"}


def document_dictionary(dictionary: Dictionary) -> list[str]:
    """The lines of the page, in Markdown: one table a disease and section, one row a variable."""
    lines = [*_HEADING.splitlines(), "", f"Version {dictionary.version}, {len(dictionary.variables)} variables."]
    owners = sorted({variable.diseases for variable in dictionary.variables.values()}, key=sorted)
    for diseases in owners:
        lines += ["", f"## {_disease_heading(dictionary, diseases)}"]
        owned = [variable for variable in dictionary.variables.values() if variable.diseases == diseases]
        for section in dict.fromkeys(variable.section for variable in owned):
            lines += ["", f"### {section}", "", row("variable", "type", "values", "known", "meaning"),
                      "|---|---|---|---|---|"]
            lines += [_variable_row(variable) for variable in owned if variable.section == section]
    return lines


def row(*cells: str) -> str:
    """One row of a table in Markdown; a bar in a text does not end its cell."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _disease_heading(dictionary: Dictionary, diseases: Iterable[str]) -> str:
    labels = [dictionary.diseases[code].label for code in sorted(diseases)]
    return ", ".join(labels) or "Every disease"


def _variable_row(variable: Variable) -> str:
    unit = variable.unit if variable.type is not VariableType.DAYS else ""
    kind = f"{_TYPES[variable.type]}{f', {unit}' if unit else ''}"
    return row(f"`{variable.name}`", kind, _values(variable), _KNOWN[variable.measured], _meaning(variable))


def _values(variable: Variable) -> str:
    if variable.values and variable.type is not VariableType.YES_NO:
        return ", ".join(f"`{value}`" if value == label else f"`{value}` {label}"
                         for value, label in variable.values.items())
    if variable.lower is not None or variable.upper is not None:
        return f"{_number(variable.lower)} to {_number(variable.upper)}"
    return ""


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _meaning(variable: Variable) -> str:
    codes = ", ".join(f"{system} {code}" for system, code in variable.codes.items())
    marks = [mark for mark, holds in (
        ("required", variable.required), ("computed, never supplied", bool(variable.derived)),
        ("not kept with the patient", not variable.kept), ("quasi-identifier", variable.quasi_identifier),
        ("highly sensitive", variable.sensitive == "high"), ("definition not yet checked", not variable.verified),
    ) if holds]
    sentences = [variable.label, variable.definition, codes, ", ".join(marks).capitalize()]
    return " ".join(text if text.endswith(".") else f"{text}." for text in sentences if text)
