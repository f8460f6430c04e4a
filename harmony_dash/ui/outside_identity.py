"""Signing in through an identity provider, on the sign-in page: the button, and what comes back.

Streamlit hands over what the provider said in `st.user`. It is read here once and nowhere else: no page and no service
asks `st.user` who somebody is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from harmony_dash.access.outside_identity import admit_identity
from harmony_dash.access.sessions import SignInMethod
from harmony_dash.access.sign_in import issue_ticket
from harmony_dash.errors import AccessRefused
from harmony_dash.ui.browser_scripts import run_establish
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.hosts import is_same_origin
from harmony_dash.ui.outside_settings import OutsideSignIn, outside_sign_in
from harmony_dash.ui.session import LOGIN_FAILED, this_browser, this_login
from harmony_dash.ui.startup import Deployment

_OUTCOME_KEY = "outside_identity_outcome"
_FAILED = "Signing in with your organisation did not work. Nothing was opened; please try again."


@dataclass(frozen=True)
class _Outcome:
    """What became of one proof, kept for the reruns of this websocket: the proof itself counts once only."""

    proof: str
    ticket: str = ""
    refusal: str = ""


def show_outside_sign_in(deployment: Deployment) -> bool:
    """Show the button, or what became of the person's proof; True while their session is being opened."""
    way = outside_sign_in()
    if way is None:
        return False
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is True:
        outcome = _outcome(deployment, way, claims)
        if outcome.ticket:
            run_establish(outcome.ticket)
            st.caption("Signing you in …")
            return True
        st.error(escape_markdown(outcome.refusal), icon=":material/error:")
    elif this_login() == LOGIN_FAILED:
        st.error(_FAILED, icon=":material/error:")
    if not is_same_origin(way.origin, st.context.headers.get("Host") or ""):
        # the provider sends people back to one address only, and cookies do not follow them to another
        st.caption(f"Your organisation's sign-in works at {way.origin} only.")
    else:
        # As a callback, because the form's cookie reader reruns the page soon after it is drawn: a press that arrives
        # just before would be lost with the run that it began.
        st.button(way.label, icon=":material/domain:", type="primary", key="outside_sign_in", width="stretch",
                  on_click=st.login)
    return False


def _outcome(deployment: Deployment, way: OutsideSignIn, claims: Mapping[str, object]) -> _Outcome:
    """Spend the proof, or repeat what became of it."""
    proof = hashlib.sha256(json.dumps(claims, sort_keys=True, default=str).encode()).hexdigest()
    kept = st.session_state.get(_OUTCOME_KEY)
    if isinstance(kept, _Outcome) and kept.proof == proof:
        return kept
    outcome = _spend(deployment, way, claims, proof)
    st.session_state[_OUTCOME_KEY] = outcome
    return outcome


def _spend(deployment: Deployment, way: OutsideSignIn, claims: Mapping[str, object], proof: str) -> _Outcome:
    browser = this_browser()
    try:
        account = admit_identity(deployment.access, claims, rules=way.rules, browser=browser, binding=this_login(),
                                 now=deployment.now())
    except AccessRefused as refused:
        return _Outcome(proof, refusal=refused.message)
    # A second factor is the provider's business.
    return _Outcome(proof, ticket=issue_ticket(deployment.access, account, browser=browser, now=deployment.now(),
                                               method=SignInMethod.IDENTITY_PROVIDER))
