"""The controls of the what-if page: outcome, strategies, horizon in one row, the rest in a popover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from harmony_dash.charts.numbers import name_time
from harmony_dash.cohort.endpoints import ENDPOINTS, endpoint_named
from harmony_dash.cohort.what_if_question import MOST_ADJUSTED, MOST_MODIFIERS, check_what_if, default_adjustment
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.analysis_controls import show_landmark_control
from harmony_dash.ui.components.survival_view import SurvivalView, current_view, set_view
from harmony_dash.ui.components.text import capital
from harmony_dash.ui.components.what_if_view import (
    WhatIfSettings,
    build_question,
    cohort_of,
    comparable_endpoints,
    current_settings,
    list_adjustable,
    list_arms,
    list_modifiers,
    list_strata,
    list_strategies,
    offered_adjustment,
    set_settings,
    with_strategy,
)
from harmony_dash.ui.pins import pin

HORIZONS = (731, 1096, 1826, 2557, 3653)


def show_controls(view: SurvivalView, settings: WhatIfSettings, dictionary: Dictionary) -> None:
    """The controls in one row."""
    disease = view.question.disease
    strategies = list_strategies(dictionary, disease)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _show_endpoint(view)
        if settings.strategy in strategies:
            _show_arms(settings, strategies[settings.strategy])
        _select("At", "horizon", sorted({*HORIZONS, settings.horizon_days}), settings.horizon_days,
                lambda day: capital(name_time(day)), lambda day: _with(horizon_days=day), width=110,
                help="The day of the answer, counted from where the clock starts.")
        _show_adjustment(view, settings, dictionary)
        with st.popover("More", icon=":material/tune:", help="Strategy, strata, biomarkers and landmark"):
            if strategies:
                _select("Strategies are values of", "strategy", list(strategies), settings.strategy,
                        lambda name: _label(strategies, name),
                        lambda name: with_strategy(current_settings(), name, dictionary))
            strata = list_strata(dictionary, disease)
            _select("Compared within", "strata", list(strata), settings.strata, lambda name: _label(strata, name),
                    lambda name: _with(strata=name),
                    help="Patients are compared with those of the same trial, and of the same country if you choose "
                         "it. Who is compared hangs on the trials alone.")
            _show_modifiers(view, settings, dictionary)
            show_landmark_control(view, _needed_landmark(view, settings, dictionary))


def _show_endpoint(view: SurvivalView) -> None:
    key, chosen = "what_if.endpoint", cohort_of(view.question).endpoint
    pin(key, chosen)

    def changed() -> None:
        if st.session_state[key] in comparable_endpoints():
            set_view(current_view().with_question(endpoint=st.session_state[key]))

    st.selectbox("Outcome", comparable_endpoints(), key=key, on_change=changed, width=215,
                 format_func=lambda name: ENDPOINTS[name].label,
                 help=f"{endpoint_named(chosen).definition} Relapse and death in remission are always shown beside it.")


def _show_arms(settings: WhatIfSettings, variable: Variable) -> None:
    values = list_arms(variable)
    for label, name, chosen, other in (("What if", "compared", settings.compared, settings.reference),
                                       ("Instead of", "reference", settings.reference, settings.compared)):
        _select(label, name, sorted({*values, chosen}, key=[*values, chosen].index), chosen,
                lambda value: capital(variable.label_of(value)), _arm_setter(name, other), width=135,
                help="As labelled by each protocol, relative within its trial." if name == "compared" else None)


def _arm_setter(name: str, other: str) -> Callable[[Any], WhatIfSettings]:
    """A change of one arm; choosing the other one's value swaps the two."""
    def change(value: str) -> WhatIfSettings:
        settings = current_settings()
        if value == other:
            return replace(settings, reference=settings.compared, compared=settings.reference)
        return replace(settings, reference=value) if name == "reference" else replace(settings, compared=value)
    return change


def _show_adjustment(view: SurvivalView, settings: WhatIfSettings, dictionary: Dictionary) -> None:
    """The adjustment variables behind a button that says how many there are."""
    able = list_adjustable(dictionary, view.question.disease, settings)
    chosen = [name for name in offered_adjustment(view.question, settings, dictionary) if name in able]
    usual = default_adjustment(cohort_of(view.question), dictionary)

    def change(names: Sequence[str]) -> WhatIfSettings:
        # the usual ones stay open, so that they follow the cohort
        return _with(adjust=() if set(names) == set(usual) else tuple(names))

    with st.popover(f"Adjusted for {len(chosen)}", icon=":material/balance:",
                    help="What decided about treatment and also bears on the outcome"):
        _many("Adjusted for", "adjust", able, chosen, change, most=MOST_ADJUSTED)
        st.caption("Without minimal residual disease and cytogenetics no comparison is answered, where the cohort has "
                   "patients that they are measured in.")
        st.button("Those of the dictionary", key="what_if.usual", type="tertiary", disabled=not settings.adjust,
                  on_click=lambda: set_settings(_with(adjust=())))


def _show_modifiers(view: SurvivalView, settings: WhatIfSettings, dictionary: Dictionary) -> None:
    able = list_modifiers(dictionary, view.question.disease, settings)
    chosen = [name for name in build_question(view.question, settings, dictionary).modifiers if name in able]
    _many("Difference by", "modifiers", able, chosen, lambda names: _with(modifiers=tuple(names)),
          most=MOST_MODIFIERS, help="Biomarkers in whose levels the difference is given as well.")


def _needed_landmark(view: SurvivalView, settings: WhatIfSettings, dictionary: Dictionary) -> int:
    """The day the clock starts on if no landmark is chosen."""
    question = build_question(view.question, settings, dictionary)
    try:
        asked = check_what_if(replace(question, cohort=replace(question.cohort, landmark_days=0)), dictionary)
    except QuestionError:
        return 0
    return asked.cohort.landmark_days


def _label(variables: dict[str, Variable], name: str) -> str:
    return variables[name].label if name in variables else name


def _with(**changes: Any) -> WhatIfSettings:
    return replace(current_settings(), **changes)


def _many(label: str, name: str, able: dict[str, Variable], chosen: Sequence[str],
          change: Callable[[Sequence[str]], WhatIfSettings], *, most: int, help: str | None = None) -> None:
    key = f"what_if.{name}"
    pin(key, list(chosen))
    st.multiselect(label, list(able), key=key, format_func=lambda one: _label(able, one), max_selections=most,
                   select_all=False, placeholder="None", help=help, width=520,
                   on_change=lambda: set_settings(change([one for one in st.session_state[key] if one in able])))


def _select(label: str, name: str, options: list[Any], value: Any, words: Callable[[Any], str],
            change: Callable[[Any], WhatIfSettings], **kwargs: Any) -> None:
    key = f"what_if.{name}"
    pin(key, value)

    def changed() -> None:
        if st.session_state[key] in options:
            set_settings(change(st.session_state[key]))

    st.selectbox(label, options, key=key, format_func=words, on_change=changed, **kwargs)
