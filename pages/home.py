"""Home: where to start, what is in this release and what is new, what may I do, how to read it."""

import streamlit as st

from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.errors import UserError
from harmony_dash.services.grants import list_all_grants, my_grants
from harmony_dash.services.release_info import describe_release
from harmony_dash.services.snapshots import review_snapshots
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.starting_points import (
    describe_release_before,
    list_starts,
    show_own_work,
    show_starts,
)
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.components.welcome import HOW_TO_READ, show_pages, show_release, show_snapshot
from harmony_dash.ui.guard import require
from harmony_dash.ui.registry import PAGES
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.VIEW_HOME)
deployment = get_deployment()
st.title("Harmonised leukaemia cohorts")
try:
    info = describe_release(deployment, actor)
    snapshots = review_snapshots(deployment, actor)[1]
    own = my_grants(deployment, actor)
    approves = user_can(actor, Permission.APPROVE_GRANTS)
    waiting = sum(grant.may_approve for grant in list_all_grants(deployment, actor)) if approves else 0
except UserError as error:
    show_problem(error, heading="There are no data to show yet")
    st.stop()
show_snapshot(info)
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Where to start")
    show_starts(list_starts(actor, info))
    st.subheader("Your grants")
    show_own_work(own, waiting)
with right:
    st.subheader("In this release")
    show_release(info)
    st.caption(escape_markdown(describe_release_before(info.snapshot, snapshots)))
st.subheader("All pages")
show_pages(actor, PAGES)
st.subheader("How to read the numbers")
st.markdown(HOW_TO_READ)
