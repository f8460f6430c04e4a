"""Questions to start from, as long as the person has not asked one of their own."""

from __future__ import annotations

import streamlit as st

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import check_question
from harmony_dash.cohort.what_if_question import WhatIfQuestion, check_what_if
from harmony_dash.dictionary.examples import ExampleQuestion, load_examples
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.survival_view import (
    SurvivalView,
    check_against_data,
    current_view,
    first_view,
    move_to_disease,
    replace_view,
)
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.components.what_if_view import WhatIfSettings, build_question, fit_settings, set_settings
from harmony_dash.ui.pins import pin

_KEY = "what_if.example"


def show_examples(view: SurvivalView, settings: WhatIfSettings, info: ReleaseInfo) -> None:
    """The examples that this release can be asked, while the page shows its first question or one of them."""
    examples = list_examples(view, info)
    asked = build_question(view.question, settings, info.dictionary)
    shown = next((label for label, example in examples.items() if _question(example, view, info) == asked), None)
    if not examples or (shown is None and asked != _first_question(info)):
        return
    pin(_KEY, shown)

    def changed() -> None:
        example = examples.get(st.session_state[_KEY])
        if example is not None:
            opened, chosen = open_example(example, current_view(), info)
            replace_view(opened)
            set_settings(chosen)

    st.pills("Questions to start from", list(examples), key=_KEY, on_change=changed)
    if shown is not None:
        st.caption(escape_markdown(examples[shown].about))


def list_examples(view: SurvivalView, info: ReleaseInfo) -> dict[str, ExampleQuestion]:
    """Label to example, of those whose disease, variables and values the release has."""
    return {example.label: example for example in load_examples() if _can_be_asked(example, view, info)}


def open_example(example: ExampleQuestion, view: SurvivalView, info: ReleaseInfo,
                 ) -> tuple[SurvivalView, WhatIfSettings]:
    """The view and the settings that ask it."""
    where = tuple(OneOf(name, values) for name, values in example.where.items())
    moved = move_to_disease(view, example.disease, info.dictionary)
    return (moved.with_question(endpoint=example.endpoint, where=where, landmark_days=0, horizon_days=None),
            WhatIfSettings(example.strategy, example.reference, example.compared, modifiers=example.modifiers,
                           horizon_days=example.horizon_days))


def _question(example: ExampleQuestion, view: SurvivalView, info: ReleaseInfo) -> WhatIfQuestion:
    opened, settings = open_example(example, view, info)
    return build_question(opened.question, settings, info.dictionary)


def _first_question(info: ReleaseInfo) -> WhatIfQuestion:
    first = first_view(info).question
    return build_question(first, fit_settings(WhatIfSettings(), first.disease, info.dictionary), info.dictionary)


def _can_be_asked(example: ExampleQuestion, view: SurvivalView, info: ReleaseInfo) -> bool:
    try:
        opened, settings = open_example(example, view, info)
        check_question(opened.question, info.dictionary)
        check_against_data(opened.question, info)
        check_what_if(build_question(opened.question, settings, info.dictionary), info.dictionary)
    except QuestionError:
        return False
    return True
