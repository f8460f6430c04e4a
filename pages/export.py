"""Export: a protected summary to take along, with its provenance and a receipt."""

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_question
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.exports import preview_export
from harmony_dash.ui.components.analysis_controls import show_analysis_controls, show_cause_control
from harmony_dash.ui.components.analysis_page import open_page, show_setbacks
from harmony_dash.ui.components.answer_notes import show_notes
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.cohort_flow import show_active_filters, show_flow
from harmony_dash.ui.components.export_files import Order, choose_formats, show_build, show_preview
from harmony_dash.ui.components.export_kinds import (
    Exported,
    link_parameters,
    open_kind,
    question_to_export,
    show_kind_control,
)
from harmony_dash.ui.components.export_panel import show_export_panel
from harmony_dash.ui.components.export_receipts import show_receipts
from harmony_dash.ui.components.problem import show_empty, show_problem
from harmony_dash.ui.components.rights_control import Rights, choose_rights
from harmony_dash.ui.components.subgroup_controls import show_controls, show_view_control
from harmony_dash.ui.components.subgroup_parts import show_answer_notes
from harmony_dash.ui.components.subgroup_view import SubgroupSettings, cohort_of, forget_settings, open_settings
from harmony_dash.ui.components.survival_answer import show_heading
from harmony_dash.ui.components.survival_view import SurvivalView, open_view, publish_link, read_opened_link
from harmony_dash.ui.components.withheld import show_withheld
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

require(Permission.EXPORT)


@st.fragment(key="export")
def show_export() -> None:
    """The question, what its files will hold, and the files."""
    actor = require(Permission.EXPORT)
    open_page(get_deployment(), actor, show_view, forget_settings)


def show_view(deployment: Deployment, actor: Actor, info: ReleaseInfo) -> None:
    """The controls and the export of the view to show now."""
    linked = read_opened_link()
    view, setback = open_view(info)
    kind = open_kind(linked)
    settings, problem = open_settings(view.question.disease, info.dictionary,
                                      linked if kind is Exported.TABLES else {})
    publish_link(view, link_parameters(settings) if kind is Exported.TABLES else {})
    heading = st.container()
    with heading:
        show_setbacks(info.dictionary, setback, problem)
    show_kind_control(kind)
    with st.container():
        show_active_filters(view, info.dictionary)
    if kind is Exported.TABLES:
        show_view_control(settings)
        show_controls(view, settings, info)
    else:
        show_analysis_controls(view, info.dictionary)
    with st.container():
        rights = choose_rights(deployment, actor, files=True)
    if kind is Exported.TABLES:
        show_table_answer(deployment, actor, info, view, settings, rights)
    else:
        show_answer(deployment, actor, info, view, rights)
    with st.sidebar:
        show_export_panel(view, info)


def show_answer(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView, rights: Rights) -> None:
    """What will be in the files, and the way to them."""
    try:
        with st.spinner("Counting patients"):
            released = preview_export(deployment, actor, view.question, interval=view.interval, grant=rights.grant)
    except UserError as error:
        show_heading(describe_question(view.question, info.dictionary))
        show_problem(error, heading="This cannot be exported as it stands")
        return
    show_heading(released.value.title)
    show_flow(released)
    with st.container():
        show_notes(released.value)
        show_cause_control(view)
    if not released.value.groups:
        show_empty("Too few patients to export anything",
                   "No group of this cohort is large enough to be shown.",
                   "Remove a filter, or choose a grouping with fewer groups.")
        return
    st.markdown("**What the files will hold**")
    show_preview(released, view)
    show_withheld(released)
    order = Order(view, view.question, rights.grant, choose_formats())
    show_build(deployment, actor, order)


def show_table_answer(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView,
                      settings: SubgroupSettings, rights: Rights) -> None:
    """The same for a table of the page of subgroups."""
    try:
        question = question_to_export(view, settings, info.dictionary)
        with st.spinner("Counting patients"):
            released = preview_export(deployment, actor, question, interval=view.interval, grant=rights.grant)
    except UserError as error:
        show_heading(describe_question(cohort_of(view.question), info.dictionary))
        show_problem(error, heading="This cannot be exported as it stands")
        return
    result = released.value
    show_heading(result.title)
    show_chips(released.scope, synthetic=result.synthetic, snapshot=result.snapshot)
    show_answer_notes(result.notes, "export.table_notes")
    st.markdown("**What the files will hold**")
    show_preview(released, view)
    show_build(deployment, actor, Order(view, question, rights.grant, choose_formats()))


st.title("Export")
st.caption("Protected summaries as files that say where their numbers come from. Exports are protected for everybody, "
           "also under a grant for exact results, and each has a receipt.")
st.sidebar.container()  # a fragment may write to the sidebar only if the page did so first
show_export()
st.divider()
show_receipts()
