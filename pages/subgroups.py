"""Subgroups: which groups of patients do better or worse, and does a treatment work differently in them?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_question
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.outcome_map import ask_outcome_map
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.table_one import ask_table_one
from harmony_dash.ui.components.analysis_page import open_page, show_panel, show_setbacks
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.cohort_flow import show_active_filters, show_flow_of
from harmony_dash.ui.components.export_kinds import link_parameters
from harmony_dash.ui.components.export_link import show_export_link
from harmony_dash.ui.components.methods_line import show_method_line
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.rights_control import Rights, choose_rights
from harmony_dash.ui.components.subgroup_controls import show_controls, show_view_control
from harmony_dash.ui.components.subgroup_descriptions import show_map, show_table_one
from harmony_dash.ui.components.subgroup_levels import show_levels
from harmony_dash.ui.components.subgroup_parts import show_answer_notes, show_limits
from harmony_dash.ui.components.subgroup_view import (
    PARAMETERS,
    Shown,
    SubgroupSettings,
    build_question,
    cohort_of,
    comparisons_before,
    forget_settings,
    note_comparisons,
    open_settings,
    write_settings,
)
from harmony_dash.ui.components.survival_answer import show_heading
from harmony_dash.ui.components.survival_view import SurvivalView, full_link, open_view, publish_link, read_opened_link
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

require(Permission.VIEW_SURVIVAL)


@st.fragment(key="subgroups")
def show_page() -> None:
    """Controls and answer together: a click redraws them and nothing else."""
    actor = require(Permission.VIEW_SURVIVAL)
    open_page(get_deployment(), actor, show_view, forget_settings)


def show_view(deployment: Deployment, actor: Actor, info: ReleaseInfo) -> None:
    """The answer and the panel of the view to show now."""
    linked = read_opened_link(PARAMETERS)
    view, setback = open_view(info)
    settings, problem = open_settings(view.question.disease, info.dictionary, linked)
    publish_link(view, write_settings(settings))
    heading, chips = st.container(), st.container()
    with heading:
        show_setbacks(info.dictionary, setback, problem)
    with chips:
        show_active_filters(view, info.dictionary)
    show_view_control(settings)
    show_controls(view, settings, info)
    with st.container():
        rights = choose_rights(deployment, actor)
    show_answer = ANSWERS[settings.shown]
    try:
        show_answer(deployment, actor, info, view, settings, rights, heading)
    except UserError as error:
        with heading:
            show_heading(describe_question(cohort_of(view.question), info.dictionary))
        show_problem(error, dictionary=info.dictionary)
    else:
        show_export_link(actor, view, link_parameters(settings))
    show_limits()
    show_panel(deployment, actor, info, view)


def answer_levels(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
                  settings: SubgroupSettings, rights: Rights, heading: Any) -> None:
    """Many variables, one by one."""
    question = build_question(view.question, settings, info.dictionary)
    table = f"{question.fingerprint} {rights.grant}"
    with st.spinner("Comparing levels"):
        answer = ask_subgroups(deployment, actor, question, interval=view.interval, level=rights.level,
                               grant=rights.grant, comparisons_before=comparisons_before(table))
    result = answer.value
    note_comparisons(table, result.comparisons)
    with heading:
        show_heading(result.title)
    show_flow_of(result.cohort, answer.scope)
    show_answer_notes(result.notes, "subgroups.notes")
    show_levels(answer, view, settings)
    show_method_line(result.title, result.methods, link_to(view, settings))


def answer_map(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
               settings: SubgroupSettings, rights: Rights, heading: Any) -> None:
    """Two variables at once."""
    question = replace(cohort_of(view.question), by=settings.rows)
    with st.spinner("Counting patients"):
        answer = ask_outcome_map(deployment, actor, question, columns=settings.columns, at_days=settings.at_days,
                                 interval=view.interval, level=rights.level, grant=rights.grant)
    result = answer.value
    with heading:
        show_heading(result.title)
    show_chips(answer.scope, synthetic=result.synthetic, snapshot=result.snapshot)
    show_answer_notes(result.notes, "subgroups.map_notes")
    show_map(answer)
    show_method_line(result.title, result.methods, link_to(view, settings))


def answer_characteristics(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
                           settings: SubgroupSettings, rights: Rights, heading: Any) -> None:
    """Who these patients are."""
    question = replace(cohort_of(view.question), by=settings.by or None)
    with st.spinner("Counting patients"):
        answer = ask_table_one(deployment, actor, question, settings.variables, level=rights.level, grant=rights.grant)
    result = answer.value
    with heading:
        show_heading(result.title)
    show_chips(answer.scope, synthetic=result.synthetic, snapshot=result.snapshot, curves=False)
    show_answer_notes(result.notes, "subgroups.table_notes")
    show_table_one(answer)
    show_method_line(result.title, result.methods, link_to(view, settings))


def link_to(view: SurvivalView, settings: SubgroupSettings) -> str:
    """The address of this view."""
    return full_link(view, st.context.url or "", write_settings(settings))


ANSWERS: dict[Shown, Callable[..., None]] = {
    Shown.LEVELS: answer_levels, Shown.MAP: answer_map, Shown.CHARACTERISTICS: answer_characteristics}

st.sidebar.container()  # a fragment may write to the sidebar only if the page did so first
show_page()
