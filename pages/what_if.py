"""What if: what would have happened had patients like these been given less, or more?"""

from functools import partial

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.what_if import ask_what_if
from harmony_dash.services.what_if_estimates import in_other_process
from harmony_dash.services.what_if_words import write_title
from harmony_dash.ui.components.analysis_page import open_page, show_panel, show_setbacks
from harmony_dash.ui.components.cohort_flow import show_active_filters
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.rights_control import choose_rights
from harmony_dash.ui.components.survival_answer import show_heading
from harmony_dash.ui.components.survival_view import SurvivalView, full_link, open_view, publish_link, read_opened_link
from harmony_dash.ui.components.what_if_answer import show_anchors, show_answer, show_limits, show_method_line
from harmony_dash.ui.components.what_if_asked import show_asked, show_notes, show_standing
from harmony_dash.ui.components.what_if_controls import show_controls
from harmony_dash.ui.components.what_if_examples import show_examples
from harmony_dash.ui.components.what_if_run import follow
from harmony_dash.ui.components.what_if_support import show_support
from harmony_dash.ui.components.what_if_verdict import show_verdict
from harmony_dash.ui.components.what_if_view import (
    PARAMETER,
    WhatIfSettings,
    build_question,
    forget_settings,
    open_settings,
    write_settings,
)
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

require(Permission.VIEW_SURVIVAL)


@st.fragment(key="what_if")
def show_page() -> None:
    """Controls and answer together: a click redraws them and nothing else."""
    actor = require(Permission.VIEW_SURVIVAL)
    open_page(get_deployment(), actor, show_view, forget_settings)


def show_view(deployment: Deployment, actor: Actor, info: ReleaseInfo) -> None:
    """The answer and the panel of the view to show now."""
    linked = read_opened_link([PARAMETER])
    view, setback = open_view(info)
    settings, problem = open_settings(view.question, info, linked)
    publish_link(view, write_settings(settings))
    show_heading(write_title(build_question(view.question, settings, info.dictionary), info.dictionary))
    with st.container():
        show_setbacks(info.dictionary, setback, problem)
    with st.container():
        show_active_filters(view, info.dictionary)
    show_examples(view, settings, info)
    show_controls(view, settings, info.dictionary)
    show_result(deployment, actor, info, view, settings)
    show_limits()
    show_panel(deployment, actor, info, view)


def show_result(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
                settings: WhatIfSettings) -> None:
    """What is asked, whether it may be asked, and what the data say."""
    with st.container():
        rights = choose_rights(deployment, actor)
    question = build_question(view.question, settings, info.dictionary)
    key = f"{info.snapshot} {question.fingerprint} {rights.level} {rights.grant}"
    try:
        answer = follow(key, partial(ask_what_if, deployment, actor, question, level=rights.level, grant=rights.grant,
                                     bootstrap=in_other_process))
    except UserError as error:
        show_problem(error, dictionary=info.dictionary)
        return
    if answer is None:
        return
    show_standing(answer)
    show_asked(answer)
    show_notes(answer.value)
    show_verdict(answer)
    show_support(answer)
    show_answer(answer)
    show_anchors(answer.value)
    show_method_line(answer.value, full_link(view, st.context.url or "", write_settings(settings)))


st.sidebar.container()  # a fragment may write to the sidebar only if the page did so first
show_page()
