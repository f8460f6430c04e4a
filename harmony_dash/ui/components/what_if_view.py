"""What the what-if page asks besides the cohort, which it shares with the survival page.

Like the cohort, these settings are the one truth: controls show and change them, the address bar holds them, and a link
or a visit to another page brings them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import (
    RANDOMISATION,
    TRIAL,
    WhatIfQuestion,
    default_adjustment,
    what_if_from_json,
)
from harmony_dash.dictionary.model import UNTESTED, Dictionary, Variable, VariableType
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.survival_view import LONGEST_LINK

FIRST_STRATEGY = "intensity_assigned"
FIRST_ENDPOINT = "efs"
# Recent trials are not followed for five years, and one of them refuses the whole question; see `LATE_RELAPSES`.
FIRST_HORIZON = 1096
STRATA = ("trial", "country", "provider")
# Known to change what less treatment does; the first one there is for the disease.
FIRST_MODIFIERS = ("cyto_group", "subtype")
PARAMETER = "ask"
_TREATMENT = "Treatment"  # the dictionary's section
_SETTINGS = "what_if.settings"
_FIELDS = ("strategy", "reference", "compared", "strata", "adjust", "modifiers", "horizon_days")


@dataclass(frozen=True)
class WhatIfSettings:
    """What is compared, how, and when; see `WhatIfQuestion`. `modifiers` of None are those the disease starts with."""

    strategy: str = FIRST_STRATEGY
    reference: str = "standard"
    compared: str = "reduced"
    strata: str = "trial"
    adjust: tuple[str, ...] = ()
    modifiers: tuple[str, ...] | None = None
    horizon_days: int = FIRST_HORIZON


def comparable_endpoints() -> tuple[str, ...]:
    """The endpoints that strategies are compared by; relapse and death in remission always stand beside them."""
    return tuple(one.name for one in ENDPOINTS.values()
                 if not (one.competing or one.shown_as_failure or one.counts_on_day_zero))


def cohort_of(question: Question) -> Question:
    """The patients of the shared question, without what compares them on the survival page."""
    endpoint = question.endpoint if question.endpoint in comparable_endpoints() else FIRST_ENDPOINT
    return replace(question, endpoint=endpoint, by=None, strata=None, horizon_days=None)


def build_question(question: Question, settings: WhatIfSettings, dictionary: Dictionary) -> WhatIfQuestion:
    """The comparison to ask for."""
    modifiers = settings.modifiers if settings.modifiers is not None else first_modifiers(question.disease, dictionary)
    taken = (settings.strategy, settings.strata, TRIAL)
    return WhatIfQuestion(cohort_of(question), settings.strategy, settings.reference, settings.compared,
                          settings.strata, tuple(name for name in settings.adjust if name not in taken),
                          tuple(name for name in modifiers if name not in taken), settings.horizon_days)


def list_strategies(dictionary: Dictionary, disease: str) -> dict[str, Variable]:
    """What can be compared as a strategy."""
    return {variable.name: variable for variable in dictionary.askable(disease)
            if variable.is_categorical and variable.section == _TREATMENT and variable.name != RANDOMISATION
            and variable.type is not VariableType.CODE}


def list_arms(strategy: Variable) -> list[str]:
    """The values of a strategy that can be compared."""
    return [value for value in strategy.values if value not in UNTESTED]


def list_strata(dictionary: Dictionary, disease: str) -> dict[str, Variable]:
    """Within what strategies can be compared."""
    return {variable.name: variable for variable in dictionary.askable(disease) if variable.name in STRATA}


def list_adjustable(dictionary: Dictionary, disease: str, settings: WhatIfSettings) -> dict[str, Variable]:
    """What can be adjusted for: everything but origin and treatment."""
    return {variable.name: variable for variable in dictionary.askable(disease)
            if (variable.is_categorical or variable.is_numeric) and variable.section != _TREATMENT
            and variable.name not in ("disease", TRIAL, settings.strata)}


def list_modifiers(dictionary: Dictionary, disease: str, settings: WhatIfSettings) -> dict[str, Variable]:
    """In whose levels the difference can be given."""
    return {name: variable for name, variable in list_adjustable(dictionary, disease, settings).items()
            if variable.is_categorical and variable.type is not VariableType.CODE}


def first_modifiers(disease: str, dictionary: Dictionary) -> tuple[str, ...]:
    """The biomarker whose levels are shown first."""
    names = {variable.name for variable in dictionary.askable(disease) if variable.is_categorical}
    return tuple(name for name in FIRST_MODIFIERS if name in names)[:1]


def offered_adjustment(question: Question, settings: WhatIfSettings, dictionary: Dictionary) -> tuple[str, ...]:
    """What is adjusted for now: the chosen variables, or those of the dictionary."""
    return settings.adjust or default_adjustment(cohort_of(question), dictionary)


def fit_settings(settings: WhatIfSettings, disease: str, dictionary: Dictionary) -> WhatIfSettings:
    """The settings without what does not exist for the disease."""
    strategies = list_strategies(dictionary, disease)
    fitted = settings
    if strategies:
        name = settings.strategy if settings.strategy in strategies else next(iter(strategies))
        fitted = with_strategy(settings, name, dictionary)
    strata = list_strata(dictionary, disease)
    names = list_adjustable(dictionary, disease, fitted)
    kept = None if fitted.modifiers is None else tuple(name for name in fitted.modifiers if name in names)
    return replace(fitted, strata=fitted.strata if fitted.strata in strata else next(iter(strata), fitted.strata),
                   adjust=tuple(name for name in fitted.adjust if name in names), modifiers=kept)


def with_strategy(settings: WhatIfSettings, name: str, dictionary: Dictionary) -> WhatIfSettings:
    """The settings with another strategy, comparing its first two values where it has not the same ones."""
    values = list_arms(dictionary[name])
    if {settings.reference, settings.compared} <= set(values):
        return replace(settings, strategy=name)
    first = "standard" if "standard" in values else next(iter(values), "")
    return replace(settings, strategy=name, reference=first, compared=next((v for v in values if v != first), ""))


# -- the link ------------------------------------------------------------------------------------------------------


def write_settings(settings: WhatIfSettings) -> dict[str, str]:
    """The settings as one parameter of the address; nothing where they are those of the first visit."""
    first = WhatIfSettings()
    found = {name: list(value) if isinstance(value := getattr(settings, name), tuple) else value for name in _FIELDS
             if getattr(settings, name) != getattr(first, name)}
    return {PARAMETER: json.dumps(found, sort_keys=True, separators=(",", ":"))} if found else {}


def read_settings(parameters: Mapping[str, str], question: Question, dictionary: Dictionary) -> WhatIfSettings:
    """The settings that a link holds.

    Raises
    ------
    QuestionError on anything this version cannot read, and on a variable that cannot be used so.
    """
    text = parameters.get(PARAMETER, "")
    if not text:
        return WhatIfSettings()
    try:
        value = json.loads(text) if len(text) <= LONGEST_LINK else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "cohort" in value:
        raise QuestionError("the link does not hold settings this version can read",
                            remedy="Open the page without the link and set the controls.")
    # what a link leaves out is that of the first visit
    asked = what_if_from_json({"horizon_days": FIRST_HORIZON, **value, "cohort": cohort_of(question).to_json()})
    settings = WhatIfSettings(asked.strategy, asked.reference, asked.compared, asked.strata, asked.adjust,
                              asked.modifiers if "modifiers" in value else None, asked.horizon_days)
    disease = question.disease
    allowed = ((list_strategies(dictionary, disease), (settings.strategy,)),
               (list_strata(dictionary, disease), (settings.strata,)),
               (list_adjustable(dictionary, disease, settings), settings.adjust),
               (list_modifiers(dictionary, disease, settings), settings.modifiers or ()))
    wrong = [name for able, names in allowed for name in names if name not in able]
    if not wrong:  # an arm stands in the heading, so it must be a word of the dictionary
        arms = list_arms(dictionary[settings.strategy])
        wrong = [arm for arm in (settings.reference, settings.compared) if arm not in arms]
    if wrong:
        raise QuestionError(f"'{wrong[0][:40]}' cannot be used in a comparison of strategies", where="link",
                            remedy="Choose the variables on the page.")
    return settings


# -- the session ---------------------------------------------------------------------------------------------------


def open_settings(question: Question, info: ReleaseInfo, linked: Mapping[str, str],
                  ) -> tuple[WhatIfSettings, QuestionError | None]:
    """The settings to show now: those of a link just opened, else the session's; and why a link's were given up."""
    problem = None
    if linked:
        try:
            set_settings(read_settings(linked, question, info.dictionary))
        except QuestionError as error:
            problem = error
            set_settings(WhatIfSettings())
    settings = fit_settings(st.session_state.get(_SETTINGS, WhatIfSettings()), question.disease, info.dictionary)
    set_settings(settings)
    return settings, problem


def current_settings() -> WhatIfSettings:
    """The session's settings, for callbacks of controls."""
    settings: WhatIfSettings = st.session_state[_SETTINGS]
    return settings


def set_settings(settings: WhatIfSettings) -> None:
    """Make these the session's settings."""
    st.session_state[_SETTINGS] = settings


def forget_settings() -> None:
    """Start anew in the next run."""
    st.session_state.pop(_SETTINGS, None)
