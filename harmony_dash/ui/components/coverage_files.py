"""The tables of the Coverage page as files, for those who may export.

What writes files takes seconds to import, and most who look at the page want none: it is imported with the first file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.cohort.need import Need
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

if TYPE_CHECKING:
    from harmony_dash.services.exports import Export

_WHAT = ("Report, workbook and CSV of the tables on this page, with their provenance and a receipt. They hold the "
         "protected numbers, as they stand here.")


def show_coverage_files(actor: Actor, disease: str) -> None:
    """The tables of who is in the data."""
    def make(deployment: Deployment, who: Actor) -> Export:
        from harmony_dash.services.planning_exports import export_coverage

        return export_coverage(deployment, who, disease)

    if user_can(actor, Permission.EXPORT):
        _show_button("coverage", make)


def show_feasibility_files(actor: Actor, need: Need) -> None:
    """The tables of whether a question can be asked."""
    def make(deployment: Deployment, who: Actor) -> Export:
        from harmony_dash.services.planning_exports import export_feasibility

        return export_feasibility(deployment, who, need)

    if user_can(actor, Permission.EXPORT):
        _show_button("feasibility", make)


@st.fragment(key="coverage_files")
def _show_button(key: str, make: Callable[[Deployment, Actor], Export]) -> None:
    """Files are made when they are asked for and only then: each time there is a receipt."""
    actor = require(Permission.EXPORT)
    if not st.button("Export these tables", key=f"{key}.export", icon=":material/download:", help=_WHAT):
        return
    try:
        with st.spinner("Writing the files"):
            export = make(get_deployment(), actor)
    except UserError as error:
        show_problem(error, heading="The tables cannot be exported now")
        return
    from harmony_dash.ui.components.export_files import show_files

    show_files(export)
