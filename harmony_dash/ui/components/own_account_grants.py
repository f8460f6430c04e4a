"""The person's grants: what each opens, and for how long."""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import GrantStatus
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.grants import GrantInfo, my_grants
from harmony_dash.ui.components.access_grant_card import days_colour, days_words, is_over, show_fact, status_words
from harmony_dash.ui.components.access_words import LEVELS, count_words, country_words, day_words, variable_label
from harmony_dash.ui.components.own_account import show_refused
from harmony_dash.ui.components.text import escape_markdown


def show_own_grants(deployment: Deployment, actor: Actor) -> None:
    """A card for each grant that is or will be of use; the others on a click."""
    try:
        grants = my_grants(deployment, actor)
    except UserError as refused:
        show_refused(refused)
        return
    dictionary = deployment.dictionary
    current = [grant for grant in grants if not is_over(grant)]
    for grant in current:
        show_own_grant(grant, dictionary)
    if not current:
        st.write("You are a member of no grant. You see protected results, as far as your role goes.")
    over = [grant for grant in grants if is_over(grant)]
    if over:
        with st.expander(f"{count_words(len(over), 'grant')} that {'is' if len(over) == 1 else 'are'} over"):
            for grant in over:
                show_own_grant(grant, dictionary)


def show_own_grant(grant: GrantInfo, dictionary: Dictionary) -> None:
    """One grant: its project, how long it still runs, and what it opens."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(grant.project)}**", width="content")
            st.badge(escape_markdown(grant.id), color="gray")
            if grant.status is GrantStatus.ACTIVE:
                left = "" if grant.days_left == 1 else " left"
                st.badge(f"{days_words(grant)}{left}", color=days_colour(grant))
            else:
                st.badge(escape_markdown(status_words(grant)), color="gray")
        st.markdown(escape_markdown(grant.purpose))
        for name, words in build_facts(grant, dictionary):
            show_fact(name, words)


def build_facts(grant: GrantInfo, dictionary: Dictionary) -> list[tuple[str, str]]:
    """What the grant opens, name and words."""
    facts = [("Level", LEVELS[grant.level]),
             ("Countries", country_words(grant.countries, dictionary) or "None any more"),
             ("Variables", ", ".join(variable_label(name, dictionary) for name in grant.variables)),
             ("Period", f"{day_words(grant.valid_from)} to {day_words(grant.valid_to)}, both days included")]
    if grant.end_reason:
        facts.append((status_words(grant), grant.end_reason))
    return facts
