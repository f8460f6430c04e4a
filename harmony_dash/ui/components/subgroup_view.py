"""What the page of subgroups shows besides the cohort, which it shares with the survival page.

Like the cohort, these settings are the one truth: controls show and change them, the address bar holds them, and a link
or a visit to another page brings them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import streamlit as st

from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS, MOST_VARIABLES, SubgroupsQuestion, default_variables
from harmony_dash.dictionary.model import Dictionary, Variable, VariableType
from harmony_dash.errors import QuestionError
from harmony_dash.services.outcome_map import COLUMNS, ROWS
from harmony_dash.ui.components.survival_view import first_grouping

TREATMENTS = "Treatment"  # the dictionary's section
_TRIAL, _NO_STRATA = "trial", "none"
_LATEST_DAY = 40_000
_SETTINGS, _SEEN = "subgroups.settings", "subgroups.seen"


class Shown(StrEnum):
    """What the page shows of the cohort."""

    LEVELS = "levels"
    MAP = "map"
    CHARACTERISTICS = "characteristics"


@dataclass(frozen=True)
class SubgroupSettings:
    """The settings of all three views.

    Attributes
    ----------
    variables : of the table of levels; empty for those the dictionary offers for the cohort.
    strata, treatment, arms, at_days : as of `SubgroupsQuestion`.
    effect : which of the compared arms the forest plot shows the effect of, from 1; 0 for outcomes by level.
    rows, columns : of the map.
    by : whose values make the columns of the characteristics; empty for what the disease starts with.
    """

    shown: Shown = Shown.LEVELS
    variables: tuple[str, ...] = ()
    strata: str | None = _TRIAL
    treatment: str | None = None
    arms: tuple[str, ...] = ()
    at_days: int = FIVE_YEARS
    effect: int = 1
    rows: str = ROWS
    columns: str = COLUMNS
    by: str = ""


def cohort_of(question: Question) -> Question:
    """The patients of the shared question, without what compares them on the survival page."""
    return replace(question, by=None, strata=None, horizon_days=None)


def build_question(question: Question, settings: SubgroupSettings, dictionary: Dictionary) -> SubgroupsQuestion:
    """The table of levels to ask for; what stratifies or treats is not looked at as a biomarker as well."""
    cohort = cohort_of(question)
    names = settings.variables or default_variables(cohort, dictionary)
    chosen = tuple(name for name in names if name not in (settings.strata, settings.treatment))
    arms = settings.arms if settings.treatment and len(settings.arms) > 1 else ()
    return SubgroupsQuestion(cohort, chosen, settings.strata, settings.treatment, arms, settings.at_days)


def list_variables(dictionary: Dictionary, disease: str) -> dict[str, Variable]:
    """What can be looked at by level."""
    return {variable.name: variable for variable in dictionary.askable(disease)
            if variable.is_categorical and variable.name != "disease"}


def list_treatments(dictionary: Dictionary, disease: str) -> dict[str, Variable]:
    """What can be compared as a treatment; a code has too many values to be arms."""
    return {name: variable for name, variable in list_variables(dictionary, disease).items()
            if variable.section == TREATMENTS and variable.type is not VariableType.CODE}


def fit_settings(settings: SubgroupSettings, disease: str, dictionary: Dictionary) -> SubgroupSettings:
    """The settings without what does not exist for the disease."""
    names = list_variables(dictionary, disease)
    grouping = first_grouping(dictionary, disease) or ""
    treatment = settings.treatment if settings.treatment in list_treatments(dictionary, disease) else None
    return replace(
        settings, variables=tuple(name for name in settings.variables if name in names),
        strata=settings.strata if settings.strata in names else None, treatment=treatment,
        arms=settings.arms if treatment else (), rows=settings.rows if settings.rows in names else grouping,
        columns=settings.columns if settings.columns in names else next(iter(names), ""),
        by=settings.by if settings.by in names else grouping)


# -- the link ------------------------------------------------------------------------------------------------------


PARAMETERS: Final = ("view", "variables", "within", "treatment", "arms", "at", "effect", "rows", "columns", "by")


def write_settings(settings: SubgroupSettings) -> dict[str, str]:
    """The settings as parameters of the address; only what differs from the defaults, and the group of Table 1."""
    first = SubgroupSettings()
    found = {"view": settings.shown.value, "variables": ",".join(settings.variables),
             "within": settings.strata or _NO_STRATA, "treatment": settings.treatment or "",
             "arms": ",".join(settings.arms), "at": str(settings.at_days), "effect": str(settings.effect),
             "rows": settings.rows, "columns": settings.columns, "by": settings.by}
    usual = {"view": first.shown.value, "within": _TRIAL, "at": str(FIVE_YEARS), "effect": str(first.effect),
             "rows": first.rows, "columns": first.columns}
    return {key: value for key, value in found.items() if value and value != usual.get(key)}


def read_settings(parameters: Mapping[str, str], disease: str, dictionary: Dictionary) -> SubgroupSettings:
    """The settings that a link holds.

    Raises
    ------
    QuestionError on anything this version cannot read, and on a variable that there is not for the disease.
    """
    shown, day, effect = parameters.get("view", Shown.LEVELS), parameters.get("at", ""), parameters.get("effect", "1")
    names, within = _split(parameters.get("variables", "")), parameters.get("within", _TRIAL)
    numbers_fit = all(text.isascii() and text.isdigit() and len(text) < 6 for text in (day or "1", effect))
    if shown not in set(Shown) or not numbers_fit or len(names) > MOST_VARIABLES or len(set(names)) < len(names):
        raise _UNREADABLE
    if not 1 <= int(day or FIVE_YEARS) <= _LATEST_DAY:
        raise _UNREADABLE
    treatment = parameters.get("treatment") or None
    settings = SubgroupSettings(
        Shown(shown), names, None if within == _NO_STRATA else within, treatment, _split(parameters.get("arms", "")),
        int(day or FIVE_YEARS), int(effect), parameters.get("rows", ROWS), parameters.get("columns", COLUMNS),
        parameters.get("by", ""))
    known = list_variables(dictionary, disease)
    wrong = [name for name in names if name not in known]
    if treatment is not None and treatment not in list_treatments(dictionary, disease):
        wrong.append(treatment)
    if wrong:
        raise QuestionError(f"there is no such variable to look at as '{wrong[0][:40]}'", where="variables",
                            remedy="Choose the variables on the page.")
    return settings


_UNREADABLE = QuestionError("the link does not hold settings this version can read",
                            remedy="Open the page without the link and set the controls.")


def _split(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


# -- the session ---------------------------------------------------------------------------------------------------


def open_settings(disease: str, dictionary: Dictionary, linked: Mapping[str, str],
                  ) -> tuple[SubgroupSettings, QuestionError | None]:
    """The settings to show now: those of a link just opened, else the session's; and why a link's were given up."""
    problem = None
    if linked:
        try:
            set_settings(read_settings(linked, disease, dictionary))
        except QuestionError as error:
            problem = error
            set_settings(SubgroupSettings())
    settings = fit_settings(st.session_state.get(_SETTINGS, SubgroupSettings()), disease, dictionary)
    set_settings(settings)
    return settings, problem


def current_settings() -> SubgroupSettings:
    """The session's settings, for callbacks of controls."""
    settings: SubgroupSettings = st.session_state[_SETTINGS]
    return settings


def set_settings(settings: SubgroupSettings) -> None:
    """Make these the session's settings."""
    st.session_state[_SETTINGS] = settings


def forget_settings() -> None:
    """Start anew in the next run."""
    st.session_state.pop(_SETTINGS, None)


def comparisons_before(table: str) -> int:
    """How many comparisons the tables held that were opened in this session before this one first was."""
    total = 0
    for name, comparisons in st.session_state.get(_SEEN, {}).items():
        if name == table:
            break
        total += comparisons
    return total


def note_comparisons(table: str, comparisons: int) -> None:
    """Remember how many comparisons a table held."""
    st.session_state.setdefault(_SEEN, {})[table] = comparisons
