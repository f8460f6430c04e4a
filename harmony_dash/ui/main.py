"""The script that Streamlit runs for every address: who is this, which pages are theirs, run the one they asked for."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import user_can
from harmony_dash.access.sessions import SessionState
from harmony_dash.ui.browser_scripts import run_end
from harmony_dash.ui.first_start import first_start, show_first_start
from harmony_dash.ui.guard import require
from harmony_dash.ui.pins import begin_page
from harmony_dash.ui.preload import FOR_PAGES, FOR_SIGN_IN, FORM_DRAWN, begin_preload, preload
from harmony_dash.ui.registry import PAGES, PageEntry
from harmony_dash.ui.session import check_this_session, end_this_session
from harmony_dash.ui.startup import Deployment, get_deployment
from harmony_dash.ui.theme import PRODUCT, configure_page, show_frame, show_top_row


def build_page(entry: PageEntry, actor: Actor) -> st.Page:
    """The page for somebody who may see it; for anybody else, at the same address, its refusal alone.

    The file of a page that is refused is not even registered, and it would refuse by itself.
    """
    if user_can(actor, entry.permission):
        return st.Page(entry.file, title=entry.title, icon=entry.icon, url_path=entry.url_path,
                       default=entry.is_start)
    return st.Page(lambda: _refuse(entry), title=entry.title, url_path=entry.url_path,
                   visibility="hidden")


def _refuse(entry: PageEntry) -> None:
    require(entry.permission)


def show_alone(show: Callable[[], None]) -> None:
    """Run one page at every address."""
    st.navigation([st.Page(show, title=PRODUCT, url_path=entry.url_path, default=entry.is_start) for entry in PAGES],
                  position="hidden").run()


def show_sign_in_page(deployment: Deployment, state: SessionState) -> None:
    """Import the sign-in form and show it; who is signed in does without."""
    preload(FOR_SIGN_IN)
    from harmony_dash.ui.sign_in import show_sign_in

    show_sign_in(deployment, state)


def main() -> None:
    """Run the page."""
    deployment = get_deployment()
    session = check_this_session(deployment)
    configure_page(wide=session.actor is not None)
    if first_start().running:
        show_alone(show_first_start)
        return
    if session.actor is None:
        # every address shows the sign-in page, so that a link works again right after signing in
        show_alone(lambda: show_sign_in_page(deployment, session.state))
        begin_preload(FOR_PAGES, FORM_DRAWN)
        return
    show_frame()
    page = st.navigation([build_page(entry, session.actor) for entry in PAGES], position="top")
    if show_top_row(session.actor, synthetic=deployment.all_synthetic):
        end_this_session(deployment)
        run_end()
        st.stop()
    preload(FOR_PAGES)
    begin_page(page.url_path)
    page.run()


main()
