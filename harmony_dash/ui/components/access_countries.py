"""Countries whose providers have withdrawn their data: the list, withdrawing one, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.grants import (
    WithdrawnCountry,
    list_withdrawn_countries,
    restore_country,
    withdraw_country,
)
from harmony_dash.ui.components.access_notice import carry_out, show_confirmation
from harmony_dash.ui.components.access_words import country_name
from harmony_dash.ui.components.html_table import show_rows
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import Deployment, get_deployment

_LONGEST_REASON = 300


def show_countries(deployment: Deployment, actor: Actor, dictionary: Dictionary) -> None:
    """What is withdrawn and why; data managers change it."""
    withdrawn = list_withdrawn_countries(deployment, actor)
    st.subheader("Withdrawn countries")
    st.caption("A provider may take its country's data back at any time. Its patients are then in no answer at all.")
    if withdrawn:
        show_rows([{"Country": country_name(one.country, dictionary), "Why": one.reason} for one in withdrawn],
                  alt="Withdrawn countries")
    else:
        st.markdown("No country is withdrawn.")
    if not user_can(actor, Permission.PROPOSE_GRANTS):
        return
    with st.container(horizontal=True):
        if st.button("Withdraw a country", key="access.withdraw", icon=":material/block:"):
            show_withdrawal(dictionary, withdrawn)
        if withdrawn and st.button("Restore a country", key="access.restore", icon=":material/undo:"):
            show_restoring(dictionary, withdrawn)


@st.dialog("Withdraw a country", width="medium", on_dismiss="rerun")
def show_withdrawal(dictionary: Dictionary, withdrawn: Sequence[WithdrawnCountry]) -> None:
    """A country's patients are shut out of every answer."""
    actor = require(Permission.PROPOSE_GRANTS)
    shut = {one.country for one in withdrawn}
    country = st.selectbox("Country", [code for code in dictionary["country"].values if code not in shut], index=None,
                           key="access.withdraw.country", placeholder="Choose a country",
                           format_func=lambda code: country_name(code, dictionary))
    name = country_name(country, dictionary) if country else ""
    st.error(escape_markdown(f"This shuts the patients of {name or 'this country'} out of every answer at once: for "
                             "everybody, on every page, under every grant. Nothing is deleted, and it can be taken "
                             "back."), icon=":material/block:")
    reason = st.text_input("Who asked for it, and why", key="access.withdraw.reason", max_chars=_LONGEST_REASON).strip()
    missing = "" if country and reason else "Choose a country, and say who asked for it."
    if show_confirmation(f"Withdraw {name}" if name else "Withdraw", key="withdraw", missing=missing):
        carry_out(lambda: withdraw_country(get_deployment(), actor, str(country), reason),
                  f"{name} is withdrawn. Its patients are in no answer any more.")


@st.dialog("Restore a country", on_dismiss="rerun")
def show_restoring(dictionary: Dictionary, withdrawn: Sequence[WithdrawnCountry]) -> None:
    """A withdrawal is taken back."""
    actor = require(Permission.PROPOSE_GRANTS)
    country = st.selectbox("Country", [one.country for one in withdrawn], key="access.restore.country",
                           format_func=lambda code: country_name(code, dictionary))
    name = country_name(country, dictionary)
    st.markdown(escape_markdown(f"The patients of {name} are in every answer again, for everybody and under every "
                                "grant that names the country."))
    reason = st.text_input("Who asked for it, and why", key="access.restore.reason", max_chars=_LONGEST_REASON).strip()
    if show_confirmation(f"Restore {name}", key="restore", missing="" if reason else "Say who asked for it."):
        carry_out(lambda: restore_country(get_deployment(), actor, country, reason),
                  f"{name} is restored. Its patients are in the answers again.")
