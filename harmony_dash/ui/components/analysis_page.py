"""What every page with a view has in common: how it opens, what it could not do, and the cohort beside its answer."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import TooManyQuestions, UserError
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.release_info import describe_release
from harmony_dash.ui.components.cohort_panel import panel_variables, show_cohort_panel
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.survival_view import Setback, SurvivalView, forget_view, give_up_view


def open_page(deployment: Deployment, actor: Actor, show_view: Callable[[Deployment, Actor, ReleaseInfo], None],
              *forget_more: Callable[[], None]) -> None:
    """Show the page of a person who passed its guard, or why there are no data to show.

    Parameters
    ----------
    show_view : all of the page below its heading.
    forget_more : what the page keeps in the session besides the view; called, as the view is forgotten, if it breaks.
    """
    try:
        info = describe_release(deployment, actor)
    except UserError as error:
        show_problem(error)
        return
    try:
        show_view(deployment, actor, info)
    except Exception:
        # whatever broke here must not break the next run as well
        for forget in (forget_view, *forget_more):
            forget()
        raise


def show_setbacks(dictionary: Dictionary, setback: Setback | None, problem: UserError | None = None) -> None:
    """Why the page does not show the view, or the settings of its own, that a link asked for."""
    if setback:
        show_problem(setback.error, heading=setback.heading, dictionary=dictionary)
    if problem:
        show_problem(problem, heading="The link could not be read, so the page shows its first settings",
                     dictionary=dictionary)


def show_panel(deployment: Deployment, actor: Actor, info: ReleaseInfo, view: SurvivalView) -> None:
    """The cohort, in the sidebar; called last, because people look at the answer first and it has its own place."""
    variables = panel_variables(info, view.question)
    try:
        choices = count_choices(deployment, actor, view.question, variables.counted)
    except UserError as error:
        # whoever has asked enough for today keeps the view for tomorrow
        if not isinstance(error, TooManyQuestions) and give_up_view(info, error):
            st.rerun()
        show_problem(error)
        return
    with st.sidebar:
        show_cohort_panel(view, info, variables, choices)
