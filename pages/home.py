"""Home: what is in this release, what may I do, how to read it."""

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.errors import UserError
from harmony_dash.services.release_info import describe_release
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.welcome import HOW_TO_READ, show_pages, show_release, show_snapshot
from harmony_dash.ui.guard import require
from harmony_dash.ui.registry import PAGES
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.VIEW_HOME)
st.title("Harmonised leukaemia cohorts")
try:
    info = describe_release(get_deployment(), actor)
except UserError as error:
    show_problem(error, heading="There are no data to show yet")
    st.stop()
show_snapshot(info)
left, right = st.columns(2, gap="large")
with left:
    st.subheader("In this release")
    show_release(info)
with right:
    st.subheader("What you can do")
    show_pages(actor, PAGES)
st.subheader("How to read the numbers")
st.markdown(HOW_TO_READ)
