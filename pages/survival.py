"""Survival: how do patients like these do?"""

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_question
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import ask_survival
from harmony_dash.ui.components.analysis_controls import show_analysis_controls, show_cause_control
from harmony_dash.ui.components.analysis_page import open_page, show_panel, show_setbacks
from harmony_dash.ui.components.answer_notes import show_notes
from harmony_dash.ui.components.cohort_flow import show_active_filters, show_flow
from harmony_dash.ui.components.export_link import show_export_link
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.rights_control import choose_rights
from harmony_dash.ui.components.survival_answer import (
    show_figure,
    show_heading,
    show_methods,
    show_numbers,
)
from harmony_dash.ui.components.survival_view import Setback, SurvivalView, open_view, publish_link
from harmony_dash.ui.components.withheld import show_withheld
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

require(Permission.VIEW_SURVIVAL)


@st.fragment(key="survival")
def show_analysis() -> None:
    """Controls and answer together: a click redraws them and nothing else."""
    actor = require(Permission.VIEW_SURVIVAL)
    open_page(get_deployment(), actor, show_view)


def show_view(deployment: Deployment, actor: Actor, info: ReleaseInfo) -> None:
    """The answer and the panel of the view to show now."""
    view, setback = open_view(info)
    publish_link(view)
    show_answer(deployment, actor, info, view, setback)
    show_panel(deployment, actor, info, view)


def show_answer(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
                setback: Setback | None) -> None:
    """Everything right of the panel."""
    # Parts that come and go have a place of their own, so that the others keep theirs.
    heading, chips = st.container(), st.container()
    with heading:
        show_setbacks(info.dictionary, setback)
    with chips:
        show_active_filters(view, info.dictionary)
    show_analysis_controls(view, info.dictionary)
    with st.container():
        rights = choose_rights(deployment, actor)
    try:
        with st.spinner("Counting patients"):
            answer = ask_survival(deployment, actor, view.question, interval=view.interval, level=rights.level,
                                  grant=rights.grant)
    except UserError as error:
        with heading:
            show_heading(describe_question(view.question, info.dictionary))
        show_problem(error, dictionary=info.dictionary)
        return
    with heading:
        show_heading(answer.value.title)
    show_flow(answer)
    with st.container():
        show_notes(answer.value)
        show_cause_control(view)
    show_figure(answer, view)
    show_withheld(answer)
    show_numbers(answer, view)
    show_methods(answer, view)
    show_export_link(actor, view)


st.sidebar.container()  # a fragment may write to the sidebar only if the page did so first
show_analysis()
