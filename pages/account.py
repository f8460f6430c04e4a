"""Account: who am I here, where am I signed in, how do I sign in, which grants do I have?"""

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.errors import UserError
from harmony_dash.services.budget import count_today
from harmony_dash.services.own_account import describe_own_account
from harmony_dash.ui.components.own_account import section, show_person, show_style
from harmony_dash.ui.components.own_account_grants import show_own_grants
from harmony_dash.ui.components.own_account_password import show_password
from harmony_dash.ui.components.own_account_second_factor import SECTION as SECOND_FACTOR
from harmony_dash.ui.components.own_account_second_factor import show_second_factor
from harmony_dash.ui.components.own_account_sessions import SECTION as SESSIONS
from harmony_dash.ui.components.own_account_sessions import show_sessions
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.MANAGE_OWN_ACCOUNT)
show_style()
st.title("Account")
deployment = get_deployment()
try:
    account = describe_own_account(deployment, actor)
except UserError as error:
    show_problem(error, heading="Your account cannot be shown")
    st.stop()
with section("person", "You", "Your role decides what you may do. A data manager looks after it."):
    show_person(actor, account, count_today(deployment, actor))
st.divider()
with section("grants", "Your grants", "A grant opens certain variables of certain countries to its members, for a "
                                      "certain time."):
    show_own_grants(deployment, actor)
st.divider()
with section(SESSIONS, "Where you are signed in", "If you do not recognise one of these, end it and change your "
                                                  "password."):
    show_sessions(deployment, actor)
st.divider()
with section("password", "Password", "At least 15 characters. Four or five unrelated words are strong and easy to keep "
                                     "in mind. Changing it ends all your sessions, this one too."):
    show_password(deployment, actor, account)
st.divider()
with section(SECOND_FACTOR, "Two-step sign-in", "Besides your password, signing in then needs a code from an app on "
                                                "your phone, so that a stolen password is not enough."):
    show_second_factor(deployment, actor, account)
