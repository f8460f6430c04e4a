"""Data quality: what came in, what was refused and why, and can it be true?"""

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.errors import UserError
from harmony_dash.services.quality import ask_quality
from harmony_dash.services.release_info import describe_release
from harmony_dash.ui.components.access_notice import show_done
from harmony_dash.ui.components.problem import show_empty, show_problem
from harmony_dash.ui.components.quality_checks import show_checks
from harmony_dash.ui.components.quality_details import show_matrices, show_reasons, show_trend
from harmony_dash.ui.components.quality_overview import choose_source, show_heading, show_overview, show_tiles
from harmony_dash.ui.components.quality_sign_off import show_report, show_sign_off
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.VIEW_QUALITY)
deployment = get_deployment()
st.title("Data quality")
show_done()
try:
    with st.spinner("Reading the checks"):
        every = ask_quality(deployment, actor)
    show_heading(every)
    if not every.value.sources:
        show_empty("There is no source to show", "A source appears here once it is in the release and no country of it "
                                                 "is withdrawn.")
        st.stop()
    show_overview(every)
    source = choose_source(every.value.sources)
    with st.spinner("Reading the checks"):
        one = ask_quality(deployment, actor, source)
    show_tiles(one.value.sources[0])
    show_checks(one)
    show_trend(one)
    show_reasons(one)
    show_matrices(one, describe_release(deployment, actor).dictionary)
    show_sign_off(deployment, actor, one)
    show_report(source)
    st.caption(escape_markdown(one.value.methods))
except UserError as error:
    show_problem(error, heading="The checks cannot be shown now")
