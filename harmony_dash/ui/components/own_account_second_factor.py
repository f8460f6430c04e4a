"""Turning two-step sign-in on and off."""

from __future__ import annotations

import segno
import streamlit as st

from harmony_dash.access.accounts import Account
from harmony_dash.access.actor import Actor
from harmony_dash.access.totp import SecondFactorOffer
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.own_account import confirm_second_factor, start_second_factor, stop_second_factor
from harmony_dash.ui.components.own_account import carry_out, show_refused
from harmony_dash.ui.session import this_address

SECTION = "second_factor"
# The offer waits on the server, in the session of this tab, until it is confirmed or given up.
_OFFER = "account.second_factor_offer"
_QR_WIDTH = 208


def show_second_factor(deployment: Deployment, actor: Actor, account: Account) -> None:
    """What can be done next: begin, confirm, or turn off."""
    if account.outside_identity:
        st.write("You sign in through your organisation, which looks after the second step.")
    elif account.second_factor:
        st.session_state.pop(_OFFER, None)
        _show_on(deployment, actor)
    elif _OFFER in st.session_state:
        _show_offer(deployment, actor, st.session_state[_OFFER])
    else:
        _show_off(deployment, actor)


def build_qr_code(uri: str) -> str:
    """The address as a QR code in SVG; black on white in dark mode too, because not every app reads it otherwise.

    As text it travels inside the page. A picture file would lie at an address of its own for a while.
    """
    return str(segno.make(uri, error="m", micro=False).svg_inline(scale=4, border=4, dark="#000", light="#fff"))


def _show_off(deployment: Deployment, actor: Actor) -> None:
    st.badge("Off", color="gray")
    with st.form("account_second_factor_start"):
        current = st.text_input("Present password", type="password", autocomplete="current-password",
                                key="account.second_factor_password")
        sent = st.form_submit_button("Set up")
    if not sent:
        return
    if not current.strip():
        st.error("Enter your present password first.", icon=":material/error:")
        return
    try:
        st.session_state[_OFFER] = start_second_factor(deployment, actor, current.strip(), this_address())
    except UserError as refused:
        show_refused(refused)
        return
    st.rerun()


def _show_offer(deployment: Deployment, actor: Actor, offer: SecondFactorOffer) -> None:
    st.markdown("**1.** Scan this with an authenticator app on your phone, or type the key into it.")
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.image(build_qr_code(offer.uri), width=_QR_WIDTH)
        with st.container(width=360, gap="small"):
            st.caption("Key")
            st.code(group_key(offer.secret), language=None, wrap_lines=True)
            st.caption("Keep it to yourself. It is shown only now.")
    st.markdown("**2.** Enter the six digits that the app shows now.")
    with st.form("account_second_factor_confirm"):
        code = st.text_input("Code", max_chars=7, placeholder="6 digits", autocomplete="one-time-code",
                             key="account.second_factor_code")
        with st.container(horizontal=True):
            sent = st.form_submit_button("Turn on", type="primary")
            st.form_submit_button("Cancel", type="tertiary", on_click=_give_up)
    if sent:
        carry_out(SECTION, lambda: confirm_second_factor(deployment, actor, offer, code),
                  "Two-step sign-in is on. From now on you need your app to sign in. Your other sessions have ended.")


def _show_on(deployment: Deployment, actor: Actor) -> None:
    st.badge("On", icon=":material/verified_user:", color="green")
    with st.form("account_second_factor_stop"):
        code = st.text_input("Code", max_chars=7, placeholder="6 digits", autocomplete="one-time-code",
                             key="account.second_factor_off_code")
        sent = st.form_submit_button("Turn off")
    st.caption("If your device is lost, a data manager can turn it off for you.")
    if sent:
        carry_out(SECTION, lambda: stop_second_factor(deployment, actor, code, this_address()),
                  "Two-step sign-in is off. Your password alone signs you in.")


def group_key(secret: str) -> str:
    """The key in groups of four, which are easier to type."""
    return " ".join(secret[at: at + 4] for at in range(0, len(secret), 4))


def _give_up() -> None:
    st.session_state.pop(_OFFER, None)
