"""The second step of signing in: the code, after the password was right.

What waits between the two steps is kept in the session of this websocket, on the server: a name, a number and a time,
and nothing secret. Nobody is signed in by it.
"""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.accounts import Account
from harmony_dash.access.sign_in import CodeStep, check_code
from harmony_dash.ui.session import this_address
from harmony_dash.ui.startup import Deployment

_STEP = "sign_in.code_step"
_FORM = "sign_in_code_form"
_FAILED = ("That code did not work. Wait for the next one and enter it. After five failed attempts there is a pause, "
           "which grows to a quarter of an hour.")
_LATE = "More than two minutes passed since you entered your password. Please enter it again."


def begin_code_step(deployment: Deployment, account: Account) -> None:
    """Remember that the password was right; the next run asks for the code."""
    st.session_state[_STEP] = CodeStep.after(account, now=deployment.now())


def is_code_step() -> bool:
    """Whether the person is between the two steps."""
    return _STEP in st.session_state


def show_code_step(deployment: Deployment) -> Account | None:
    """Ask for the code; the account after a right one."""
    step: CodeStep = st.session_state[_STEP]
    if step.is_over(deployment.now()):
        _leave_step()
        st.info(_LATE, icon=":material/info:")
        st.button("Enter the password again")
        return None
    with st.form(_FORM):
        st.subheader("Enter your code")
        st.write("Your password was right. Now enter the six digits that your authenticator app shows for this "
                 "dashboard.")
        code = st.text_input("Code", max_chars=7, placeholder="6 digits", autocomplete="one-time-code")
        sent = st.form_submit_button("Sign in", type="primary")
    if sent:
        account = check_code(deployment.access, step, code, address=this_address(), now=deployment.now())
        if account is not None:
            _leave_step()
            return account
        st.error(_FAILED, icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("No access to your device? Ask a data manager to reset your two-step sign-in.", width="content")
        st.button("Start again", type="tertiary", on_click=_leave_step)
    return None


def _leave_step() -> None:
    st.session_state.pop(_STEP, None)
