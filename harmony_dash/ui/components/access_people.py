"""The people: everybody with an account, and what a data manager may do about one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import GrantStatus
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.services.grants import GrantInfo
from harmony_dash.services.people import PersonRow
from harmony_dash.ui.components.access_person_dialogs import (
    show_clearing,
    show_disabling,
    show_enabling,
    show_new_password,
    show_new_person,
    show_new_role,
    show_second_factor_reset,
    show_sessions_end,
)
from harmony_dash.ui.components.access_words import NOTHING, count_words, moment_words, person_words
from harmony_dash.ui.components.html_table import Cell, Mark, show_rows
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.theme import ROLE_LABELS

_CHOSEN = "access.person"


def show_people(actor: Actor, people: Sequence[PersonRow], grants: Sequence[GrantInfo]) -> None:
    """The part of the page about people."""
    manages = user_can(actor, Permission.MANAGE_ACCOUNTS)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("You add people and look after their accounts. Every change is recorded, and most of them end the "
                   "person's sessions." if manages else
                   "You see who has an account. Changing one needs a data manager.", width="stretch")
        if manages and st.button("Add a person", key="access.person.add", icon=":material/person_add:",
                                 type="primary"):
            show_new_person()
    by_name = sorted(people, key=lambda person: person.name.casefold())
    show_rows([build_row(person, active_grants(person.username, grants)) for person in by_name],
              alt="People and their accounts", right=("Open sessions",), whole=("Last sign-in", "Active grants"))
    st.caption("Times are in UTC. Two-step sign-in asks for a code from the person's own device after the password.")
    if manages:
        _show_one(actor, {person.username: person for person in people})


def active_grants(username: str, grants: Sequence[GrantInfo]) -> list[str]:
    """Ids of the grants that are active for a person, oldest first."""
    return sorted(grant.id for grant in grants if grant.status is GrantStatus.ACTIVE and username in grant.members)


def build_row(person: PersonRow, grants: Sequence[str]) -> Mapping[str, Cell]:
    """One line of the table."""
    status: Cell = Mark("Disabled", "gray") if person.disabled else "Open"
    return {
        "Name": f"{person.name} (demonstration)" if person.demo and "demo" not in person.name.lower() else person.name,
        "Account": person.username, "Role": ROLE_LABELS[person.role], "Status": status,
        "Two-step sign-in": second_factor_words(person), "Last sign-in": moment_words(person.last_sign_in),
        "Open sessions": str(person.open_sessions), "Active grants": ", ".join(grants) or NOTHING}


def second_factor_words(person: PersonRow) -> str:
    """Whether signing in takes two steps, and whose affair that is."""
    if person.outside_identity:
        return "Identity provider"
    return "On" if person.second_factor else "Off"


def _show_one(actor: Actor, people: Mapping[str, PersonRow]) -> None:
    names = {username: person.name for username, person in people.items()}
    chosen = st.selectbox("Change an account", list(people), index=None, key=_CHOSEN,
                          placeholder="Choose a person", persist_state="session",
                          format_func=lambda name: person_words(name, names))
    if chosen not in people:
        return
    person = people[chosen]
    if person.username == actor.username:
        st.caption("This is your own account. Its password and two-step sign-in are on your Account page; anything "
                   "else needs another data manager.")
        return
    with st.container(border=True, key="access.person.card"):
        st.markdown(f"**{escape_markdown(person_words(person.username, names))}**, {ROLE_LABELS[person.role]}, "
                    f"{'disabled' if person.disabled else 'open'}, "
                    f"{count_words(person.open_sessions, 'open session')}")
        if person.outside_identity:
            st.caption("Signs in with an identity provider, which gives the role and checks the password.")
        with st.container(horizontal=True, gap="small"):
            for label, icon, show in _choose_actions(person):
                if st.button(label, key=f"access.person.{label}", icon=f":material/{icon}:"):
                    show(person)


def _choose_actions(person: PersonRow) -> list[tuple[str, str, Callable[[PersonRow], None]]]:
    """What can be done about a person: label, icon and dialog."""
    own_password = not person.outside_identity
    actions: list[tuple[bool, str, str, Callable[[PersonRow], None]]] = [
        (own_password, "Change role", "badge", show_new_role),
        (own_password, "New password", "password", show_new_password),
        (person.second_factor, "Reset two-step sign-in", "phonelink_erase", show_second_factor_reset),
        (own_password, "Clear failed attempts", "lock_open", show_clearing),
        (person.open_sessions > 0, "End all sessions", "logout", show_sessions_end),
        (not person.disabled, "Disable", "person_off", show_disabling),
        (person.disabled, "Enable", "person_check", show_enabling)]
    return [(label, icon, show) for offered, label, icon, show in actions if offered]
