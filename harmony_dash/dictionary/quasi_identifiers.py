"""Which variables could tell somebody who a patient is, and how finely they are kept and asked for.

A quasi-identifier is something an acquaintance knows without the data, such as a person's country, age and sex. None of
them names anybody; together they may fit one patient only.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from harmony_dash.dictionary.model import Dictionary, Variable, VariableType


def quasi_identifiers(dictionary: Dictionary) -> tuple[Variable, ...]:
    """The variables declared `quasi_identifier`, in the order of the dictionary."""
    return tuple(v for v in dictionary.variables.values() if v.quasi_identifier)


def kept_form(dictionary: Dictionary) -> tuple[str, ...]:
    """The columns of the quasi-identifiers as the store keeps them: age as the number it came as."""
    return tuple(v.name for v in quasi_identifiers(dictionary))


def generalised_form(dictionary: Dictionary) -> tuple[str, ...]:
    """The same in the groups a protected question can ask for, all of them at once: age as its group."""
    return _coarse(quasi_identifiers(dictionary))


def accepted_grains(dictionary: Dictionary) -> tuple[tuple[str, ...], ...]:
    """The combinations of groups that were accepted as fine enough: of variables that stand in for each other, one.

    Country and, `instead_of` it, period of diagnosis give two grains: with the country and with the period.
    """
    choices: dict[str, list[Variable]] = {}
    for variable in quasi_identifiers(dictionary):
        choices.setdefault(variable.instead_of or variable.name, []).append(variable)
    return tuple(_coarse(chosen) for chosen in product(*choices.values()))


def _coarse(variables: tuple[Variable, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v.generalise_to or v.name for v in variables))


def find_contradiction(variable: Variable, variables: Mapping[str, Variable]) -> tuple[str, str] | None:
    """What is wrong with a variable's declaration as a quasi-identifier and what to do, None if nothing is."""
    if not variable.quasi_identifier:
        if variable.generalise_to or variable.instead_of:
            return ("it has `generalise_to` or `instead_of` without being a quasi-identifier",
                    "Add `quasi_identifier: true` or remove them.")
        return None
    if not variable.kept or variable.type is VariableType.IDENTIFIER:
        return "a quasi-identifier is a variable that is kept and can be asked for", "Remove `quasi_identifier`."
    coarse = variables.get(variable.generalise_to)
    if variable.generalise_to and (coarse is None or not coarse.is_categorical or not coarse.kept):
        return (f"it is generalised to '{variable.generalise_to}', which is not a category that is kept",
                "Name an existing category.")
    if not variable.is_categorical and coarse is None:
        return ("a quasi-identifier that is a number needs a category to stand for it",
                "Add `generalise_to: …`, as `age_group` does for age.")
    other = variables.get(variable.instead_of)
    if variable.instead_of and (other is None or other is variable or not other.quasi_identifier or other.instead_of):
        return (f"it stands in for '{variable.instead_of}', which is not another quasi-identifier",
                "Name a variable with `quasi_identifier: true` and no `instead_of` of its own.")
    return None
