"""A data manager's word on a source, and the report for its provider."""

from __future__ import annotations

import secrets
from datetime import UTC

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.disclosure.quality_results import QualityResult
from harmony_dash.disclosure.released import Released
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.quality import LONGEST_WORDS, sign_off
from harmony_dash.services.quality_report import write_quality_report
from harmony_dash.ui.components.access_notice import remember_done, show_refused
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment


def show_sign_off(deployment: Deployment, actor: Actor, released: Released[QualityResult]) -> None:
    """What was signed off before, and the form for those who may."""
    result, source = released.value, released.value.sources[0]
    st.subheader("Sign-off")
    for one in source.signed:
        with st.container(border=True):
            st.markdown(escape_markdown(one.words))
            where = "this snapshot" if one.snapshot == result.snapshot else f"snapshot {one.snapshot}"
            st.caption(escape_markdown(f"{one.username}, {one.at[:10]}, for {where}"))
    if not user_can(actor, Permission.SIGN_OFF_QUALITY):
        if not source.signed:
            st.caption("No data manager has signed this source off yet.")
        return
    with st.form("quality.sign_off", clear_on_submit=True):
        words = st.text_area("What did you look at, and what is agreed with the provider?", max_chars=LONGEST_WORDS,
                             key="quality.words", help="It is recorded in the audit trail with your name and cannot be "
                                                       "changed. Write nothing about a single patient.")
        sent = st.form_submit_button("Sign off this source", icon=":material/verified:", type="primary")
    if sent:
        try:
            sign_off(deployment, actor, source.source, result.snapshot, words)
        except UserError as refused:
            show_refused(refused)
            return
        remember_done(f"You signed off {source.title}.")
        st.rerun()


@st.fragment(key="quality_report")
def show_report(source: str) -> None:
    """The report as files, made when they are asked for and only then."""
    actor = require(Permission.VIEW_QUALITY)
    st.subheader("Report for the provider")
    st.caption("The same checks, with what to do about each; protected as they are here. A provider gets exact numbers "
               "and row numbers by running `ingest --check-only` on their own files.")
    if not st.button("Prepare the report", key="quality.prepare", icon=":material/description:"):
        return
    deployment = get_deployment()
    try:
        with st.spinner("Writing the report"):
            page, table, further = write_quality_report(deployment, actor, source)
    except UserError as refused:
        show_refused(refused)
        return
    # the random part keeps two files of equal length apart in the server's memory
    name = f"quality-{source}-{deployment.now().astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with st.container(horizontal=True):
        st.download_button(f"Download {name}.html", page, file_name=f"{name}.html", mime="text/html",
                           key="quality.html", icon=":material/download:", on_click="ignore", type="primary")
        st.download_button(f"Download {name}.csv", table, file_name=f"{name}.csv", mime="text/csv", key="quality.csv",
                           icon=":material/table:", on_click="ignore")
        st.download_button("Reasons, risk groups and trend (ZIP)", further, file_name=f"{name}.zip",
                           mime="application/zip", key="quality.zip", icon=":material/folder_zip:", on_click="ignore",
                           help="The other tables of this page as CSV files.")
