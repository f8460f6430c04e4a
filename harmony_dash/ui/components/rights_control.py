"""How exactly, and under which grant, the answer is given; only people with a grant have the choice."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.disclosure import Level
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.grants import GrantInfo, usable_grants
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.pins import pin

_CHOSEN, _KEY = "rights.grant", "rights.control"
_NO_GRANT = "none"
_FEW_DAYS = 14


@dataclass(frozen=True)
class Rights:
    """What the person asks for: a level, and the grant to ask under (empty for none)."""

    level: Level = Level.PROTECTED
    grant: str = ""


def choose_rights(deployment: Deployment, actor: Actor, *, files: bool = False) -> Rights:
    """Draw the choice for whoever has one, and return what is chosen.

    A grant that is over in the meantime is given up with a word about it; the answer is a protected one then. With
    `files`, the choice is for an export, which is protected also under a grant for exact results, and says so.
    """
    grants = {grant.id: grant for grant in usable_grants(deployment, actor)}
    chosen = st.session_state.get(_CHOSEN, "")
    if chosen and chosen not in grants:
        st.session_state[_CHOSEN] = chosen = ""
        st.warning("The grant you were using is over or was changed. Answers are protected ones now; your account page "
                   "says more.", icon=":material/event_busy:")
    if not grants:
        return Rights()
    pin(_KEY, chosen or _NO_GRANT)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Answers", [_NO_GRANT, *grants], key=_KEY, required=True, label_visibility="collapsed",
            format_func=lambda name: "Protected" if name == _NO_GRANT else _name(grants[name], files),
            on_change=lambda: _choose(grants))
        if chosen:
            _show_grant(grants[chosen], files)
    return Rights(grants[chosen].level, chosen) if chosen else Rights()


def _choose(grants: dict[str, GrantInfo]) -> None:
    value = st.session_state[_KEY]
    st.session_state[_CHOSEN] = value if value in grants else ""


def _name(grant: GrantInfo, files: bool) -> str:
    level = "Exact" if grant.level is Level.EXACT and not files else "Protected"
    return escape_markdown(f"{level}, {grant.project} ({grant.id})")


def _show_grant(grant: GrantInfo, files: bool) -> None:
    """Until when the grant runs, what it covers, and what exact numbers are not for."""
    days = "last day" if grant.days_left == 1 else f"{grant.days_left} days left"
    st.badge(days, icon=":material/key:", color="orange" if grant.days_left <= _FEW_DAYS else "gray",
             help=escape_markdown(f"{grant.id} runs to {grant.valid_to}. It covers {', '.join(grant.variables)}."))
    if grant.level is Level.EXACT and files:
        st.caption("Files hold protected numbers, also under a grant for exact ones.")
    elif grant.level is Level.EXACT:
        st.caption("Exact numbers stay on this screen: do not copy them out of it.")
