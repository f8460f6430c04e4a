"""Access: who has an account, which grants are in force, and who saw what."""

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.errors import UserError
from harmony_dash.services.grants import list_all_grants
from harmony_dash.services.people import list_people
from harmony_dash.ui.components.access_grants import show_grants
from harmony_dash.ui.components.access_notice import show_done
from harmony_dash.ui.components.access_parts import GRANTS, PEOPLE, choose_part
from harmony_dash.ui.components.access_people import show_people
from harmony_dash.ui.components.access_trail import show_trail
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

actor = require(Permission.VIEW_ACCESS)
deployment = get_deployment()
st.title("Access")
part = choose_part()
show_done()
try:
    people, grants = list_people(deployment, actor), list_all_grants(deployment, actor)
    if part == PEOPLE:
        show_people(actor, people, grants)
    elif part == GRANTS:
        show_grants(deployment, actor, people, grants, deployment.dictionary)
    else:
        show_trail(deployment, actor, people, grants, deployment.dictionary)
except UserError as error:
    show_problem(error, heading="This cannot be shown now")
