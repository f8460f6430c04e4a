"""The page that everybody meets who has not signed in, whatever address they asked for."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import streamlit as st
import streamlit_authenticator
from streamlit_authenticator.controllers import AuthenticationController

from harmony_dash.access.accounts import Account
from harmony_dash.access.demo import DemoAccount
from harmony_dash.access.sessions import SessionState, SignInMethod
from harmony_dash.access.sign_in import check_password, issue_ticket
from harmony_dash.errors import AccessRefused
from harmony_dash.ui.browser_scripts import run_establish
from harmony_dash.ui.farewell import said_on_leaving
from harmony_dash.ui.outside_identity import show_outside_sign_in
from harmony_dash.ui.session import is_this_machine, this_address, this_browser
from harmony_dash.ui.sign_in_code import begin_code_step, is_code_step, show_code_step
from harmony_dash.ui.startup import Deployment
from harmony_dash.ui.theme import ROLE_LABELS, show_sign_in_frame, show_synthetic_badge

_FIELDS = {"Form name": "Sign in", "Username": "Account name", "Password": "Password", "Login": "Sign in"}
# One text for every cause: a wrong name, a wrong password, a disabled account and a pause look the same from outside.
_FAILED = ("Signing in did not work. Check the account name and the password. After five failed attempts there is a "
           "pause, which grows to a quarter of an hour. After a hundred it lasts until a data manager ends it, or a "
           "day has passed without a further attempt.")
_ENDED = {
    SessionState.IDLE: "You were signed out because nothing happened for a while.",
    SessionState.EXPIRED: "Your session reached its longest allowed time. Please sign in again.",
    SessionState.ACCOUNT_CHANGED: "Your account was changed, which ended your session. Please sign in again.",
    SessionState.ENDED: "You are signed out.",
    SessionState.CLOCK_CHANGED: "The clock of the server was changed, so your session cannot go on. Please sign in "
                                "again.",
}


def show_sign_in(deployment: Deployment, state: SessionState) -> None:
    """Show the form and, after a right password, send the browser to fetch its session."""
    with st.container(key="sign_in"):
        show_sign_in_frame()
        st.write("Survival and subgroup analysis over harmonised leukaemia cohorts, for members of the project.")
        if is_code_step():
            _sign_in(deployment, show_code_step(deployment), SignInMethod.PASSWORD_AND_CODE)
            return
        why = said_on_leaving() or _ENDED.get(state)
        if why:
            st.info(why, icon=":material/info:")
        if show_outside_sign_in(deployment):
            return
        account = _show_form(deployment)
        if account is not None and account.second_factor:
            # nobody is signed in yet, and the library's form has to come back if the second step fails
            st.session_state["authentication_status"] = None
            begin_code_step(deployment, account)
            st.rerun()
        _sign_in(deployment, account, SignInMethod.PASSWORD)
        st.caption("For research. Results describe groups of patients and are no advice on the treatment of any one "
                   "of them. Every sign-in and every question is recorded.")
        if is_this_machine() and deployment.demo_accounts:
            _show_demo_accounts(deployment.demo_accounts)


def _sign_in(deployment: Deployment, account: Account | None, method: SignInMethod) -> None:
    """Send the browser to fetch its session, if somebody has proved who they are."""
    if account is None:
        return
    try:
        ticket = issue_ticket(deployment.access, account, browser=this_browser(), now=deployment.now(), method=method)
    except AccessRefused:  # the account was given a second factor a moment ago
        st.error(_FAILED, icon=":material/error:")
        return
    run_establish(ticket)
    st.caption("Signing you in …")


def _show_form(deployment: Deployment) -> Account | None:
    """Draw streamlit-authenticator's form around our own check; the account after a right password.

    The library draws the form and calls the check, and nothing else of it is used: it reads and sets no cookie, keeps
    no accounts, and no password hash reaches it.
    """
    if not this_browser():
        st.info("This page needs its cookie. Reload the page; if this text stays, allow cookies for this site.")
        return None
    accepted: list[Account] = []
    authenticator = _Form()
    model = authenticator.authentication_controller.authentication_model
    model.check_credentials = _build_check(deployment, model.credentials, accepted)
    authenticator.login(fields=_FIELDS, key="sign_in_form")
    if accepted:
        return accepted[0]
    if st.session_state.get("authentication_status") is False:
        st.error(_FAILED, icon=":material/error:")
    return None


class _NoCookies:
    """In the place of what reads and sets the library's cookie."""

    def get_cookie(self) -> None:
        """There is none."""

    def set_cookie(self) -> None:
        """None is set."""


class _Form(streamlit_authenticator.Authenticate):
    """The library's form alone.

    Its own constructor also puts a component into the page that reads the browser's cookies, which nothing here uses,
    and for which Streamlit has the first visitor wait for pandas.
    """

    def __init__(self) -> None:
        self.path = None
        self.attrs = {"login_sleep_time": 0}
        self.cookie_controller = _NoCookies()
        self.authentication_controller = AuthenticationController({"usernames": {}}, auto_hash=False,
                                                                  secret_key=secrets.token_hex(32))


def _build_check(deployment: Deployment, credentials: dict[str, dict[str, dict[str, object]]],
                 accepted: list[Account]) -> Callable[[str, str], bool]:
    """The check that the form calls, in place of the library's: it counts first and takes equal time for all names."""
    def check(username: str, password: str) -> bool:
        account = check_password(deployment.access, username, password, address=this_address(), now=deployment.now())
        if account is None:
            return False
        accepted.append(account)
        credentials["usernames"][username] = {"name": account.name}  # the library looks its name up next
        return True

    return check


def _show_demo_accounts(accounts: tuple[DemoAccount, ...]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Demonstration accounts**", width="content")
            show_synthetic_badge()
        st.caption("They exist because this server can be reached from this machine only and every patient in it is "
                   "made up. They are shut as soon as either changes.")
        # st.table would have the first visitor wait for pandas
        rows = [f"| {ROLE_LABELS[account.role]} | `{account.username}` | `{account.passphrase}` |"
                for account in accounts]
        st.markdown("\n".join(["| Role | Account name | Password |", "|---|---|---|", *rows]))
