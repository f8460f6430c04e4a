"""Coverage: who is in the data, how complete it is, how long patients were followed."""

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.errors import StoreError, UserError
from harmony_dash.services.coverage import review_changes, review_coverage
from harmony_dash.services.release_info import describe_release
from harmony_dash.ui.components.coverage_answer import country_names, show_coverage, show_headline, show_methods
from harmony_dash.ui.components.coverage_changes import show_changes
from harmony_dash.ui.components.coverage_files import show_coverage_files
from harmony_dash.ui.components.feasibility import choose_view, show_feasibility
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.VIEW_COVERAGE)
deployment = get_deployment()
try:
    info = describe_release(deployment, actor)
    codes = list(info.diseases)
    disease = codes[0] if codes else "ALL"
    if len(codes) > 1:
        disease = st.segmented_control("Disease", codes, default=disease, required=True, key="disease",
                                       format_func=lambda code: escape_markdown(info.diseases[code].label),
                                       bind="query-params", persist_state="session")
    if codes and choose_view() == "question":
        show_feasibility(deployment, actor, info, disease, country_names(info.dictionary))
        st.stop()
    with st.spinner("Counting patients"):
        coverage = review_coverage(deployment, actor, disease)
except StoreError as error:
    show_problem(error, heading="There are no data to show now")
    st.stop()
except UserError as error:
    show_problem(error)
    st.stop()
show_headline(coverage, info.diseases[disease].label)
names = country_names(info.dictionary)
show_coverage(coverage, names)
try:
    show_changes(lambda: review_changes(deployment, actor, disease), names)
except UserError as error:
    show_problem(error)
show_coverage_files(actor, disease)
show_methods(coverage)
