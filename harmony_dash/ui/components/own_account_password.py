"""Changing one's own password."""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.accounts import Account
from harmony_dash.access.actor import Actor
from harmony_dash.access.passwords import MAXIMUM_BYTES, MINIMUM_CHARACTERS
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.own_account import change_own_password
from harmony_dash.ui.components.own_account import show_refused
from harmony_dash.ui.farewell import leave_for_sign_in_page
from harmony_dash.ui.session import this_address

_CHANGED = "Your password was changed, and all your sessions have ended. Sign in with the new password."


def show_password(deployment: Deployment, actor: Actor, account: Account) -> None:
    """The form; after a change the person finds themselves on the sign-in page, which says why."""
    if account.outside_identity:
        st.write("You sign in through your organisation. Change your password there.")
        return
    if account.demo:
        st.write("This is a demonstration account. Its password stands on the sign-in page and cannot be changed.")
        return
    with st.form("account_password"):
        current = st.text_input("Present password", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password",
                            help=f"From {MINIMUM_CHARACTERS} characters to {MAXIMUM_BYTES} bytes. There are no rules "
                                 "about capitals, digits or signs.")
        again = st.text_input("New password again", type="password", autocomplete="new-password")
        sent = st.form_submit_button("Change password", type="primary")
    if not sent:
        return
    # the sign-in form takes spaces at both ends away
    current = current.strip()
    if not current or not new:
        st.error("Fill in the present password and the new one.", icon=":material/error:")
    elif new != again:
        st.error("The two new passwords differ. Enter the new password again.", icon=":material/error:")
    else:
        _change(deployment, actor, current, new)


def _change(deployment: Deployment, actor: Actor, current: str, new: str) -> None:
    try:
        change_own_password(deployment, actor, current, new, this_address())
    except UserError as refused:
        show_refused(refused)
        return
    leave_for_sign_in_page(_CHANGED)
    st.rerun()
