"""Proposing a grant: what for, which patients and variables, how exactly, who, from when to when.

What has been filled in stays until it is sent or given up, also while another part of the page is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any

import streamlit as st

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.permissions import Permission
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services.grants import propose_grant
from harmony_dash.services.people import PersonRow
from harmony_dash.ui.components.access_notice import remember_done
from harmony_dash.ui.components.access_words import (
    LEVEL_EXPLANATIONS,
    LEVELS,
    count_words,
    country_name,
    list_words,
    person_words,
    sensitive_labels,
)
from harmony_dash.ui.components.text import escape_markdown, sentence
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

_OPEN, _ERRORS = "access.proposing", "access.proposal.errors"
_FIELDS = ("project", "purpose", "disease", "country", "variable", "level", "member", "valid_from", "valid_to")
# Parts of every grant by themselves; they are chosen in fields of their own.
_NOT_VARIABLES = ("country", "disease")
_LONGEST_NAME, _LONGEST_PURPOSE = 120, 1000
_USUAL_DAYS = 182
_MISSING = {
    "project": "Give the name that the committee knows.", "purpose": "Say in a sentence what the data are needed for.",
    "disease": "Choose at least one disease.", "country": "Choose at least one country.",
    "variable": "Choose at least one variable.", "member": "Choose at least one analyst.",
    "valid_from": "Choose the first day.", "valid_to": "Choose the last day."}


def is_proposing() -> bool:
    """Whether this session has the form open."""
    return bool(st.session_state.get(_OPEN))


def open_proposal() -> None:
    """Open an empty form."""
    close_proposal()
    st.session_state[_OPEN] = True


def close_proposal() -> None:
    """Close the form and forget what stands in it."""
    for name in (_OPEN, _ERRORS, *map(_key, _FIELDS)):
        st.session_state.pop(name, None)


@st.fragment(key="access_proposal")
def show_proposal(people: Sequence[PersonRow], dictionary: Dictionary) -> None:
    """The form; a choice redraws it and nothing else."""
    actor = require(Permission.PROPOSE_GRANTS)
    today = get_deployment().now().astimezone(UTC).date()
    with st.container(border=True, key="access_proposal"):
        st.subheader("Propose a grant")
        st.caption("It opens nothing until two people have approved it. Ask for what the purpose needs and no more: "
                   "what is left out cannot leak.")
        left, right = st.columns(2, gap="large")
        with left:
            _show_what_for()
            _show_members(people)
            _show_period(today)
        with right:
            _show_patients(dictionary)
            _show_variables(dictionary)
        _show_level()
        _show_error("")
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="access.proposal.cancel"):
                close_proposal()
                st.rerun()
            if st.button("Propose the grant", key="access.proposal.send", type="primary"):
                _send(actor)


def _show_what_for() -> None:
    st.text_input("Project", key=_key("project"), max_chars=_LONGEST_NAME, persist_state="session")
    _show_error("project")
    st.text_area("Purpose", key=_key("purpose"), max_chars=_LONGEST_PURPOSE, height=120, persist_state="session",
                 placeholder="What the data are needed for, in a sentence or two")
    _show_error("purpose")


def _show_members(people: Sequence[PersonRow]) -> None:
    analysts = {person.username: person.name for person in people
                if person.role is Role.ANALYST and not person.disabled}
    st.multiselect("Members", list(analysts), key=_key("member"), persist_state="session",
                   placeholder="Analysts with an open account", select_all=False,
                   format_func=lambda name: person_words(name, analysts))
    if not analysts:
        st.caption("There is no analyst with an open account yet. Add one under People first.")
    _show_error("member")


def _show_period(today: date) -> None:
    _default("valid_from", today)
    _default("valid_to", today + timedelta(days=_USUAL_DAYS - 1))
    first, last = st.columns(2)
    with first:
        st.date_input("First day", key=_key("valid_from"), min_value=today, format="YYYY-MM-DD",
                      persist_state="session")
        _show_error("valid_from")
    with last:
        st.date_input("Last day", key=_key("valid_to"), min_value=today, format="YYYY-MM-DD",
                      persist_state="session")
        _show_error("valid_to")
    begin, end = _value("valid_from"), _value("valid_to")
    if isinstance(begin, date) and isinstance(end, date) and end >= begin:
        st.caption(f"{count_words((end - begin).days + 1, 'day')}, of at most twelve months. A grant that runs out is "
                   "followed by a new proposal.")


def _show_patients(dictionary: Dictionary) -> None:
    diseases = list(dictionary.diseases)
    _default("disease", diseases if len(diseases) == 1 else [])
    st.multiselect("Diseases", diseases, key=_key("disease"), persist_state="session",
                   placeholder="Choose diseases",
                   format_func=lambda code: dictionary.diseases[code].label)
    _show_error("disease")
    countries = sorted(dictionary["country"].values, key=lambda code: country_name(code, dictionary))
    st.multiselect("Countries", countries, key=_key("country"), persist_state="session",
                   placeholder="Choose countries", wrap=True, select_all=False,
                   format_func=lambda code: country_name(code, dictionary))
    _show_error("country")


def variable_choices(dictionary: Dictionary, diseases: Sequence[str]) -> dict[str, Variable]:
    """The variables a grant on these diseases may open: the everyday ones first, then by section."""
    found = {variable.name: variable for disease in diseases for variable in dictionary.askable(disease)
             if variable.name not in _NOT_VARIABLES}
    return dict(sorted(found.items(), key=lambda item: not item[1].everyday))


def _show_variables(dictionary: Dictionary) -> None:
    choices = variable_choices(dictionary, _value("disease") or list(dictionary.diseases))
    everyday = [name for name, variable in choices.items() if variable.everyday]
    _default("variable", everyday)
    st.session_state[_key("variable")] = [name for name in _value("variable") if name in choices]
    st.multiselect("Variables", list(choices), key=_key("variable"), persist_state="session",
                   placeholder="Type to search, e.g. IKZF1", wrap=True, select_all=False,
                   format_func=lambda name: (f"{choices[name].section}: {choices[name].label}"
                                             if name in choices else name))
    _show_error("variable")
    sections = list(dict.fromkeys(variable.section for variable in choices.values()))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Start from", width="content")
        st.button("Everyday set", key="access.proposal.everyday", type="tertiary", icon=":material/star:",
                  on_click=_choose_variables, args=(everyday,), help="The variables people filter and group by most")
        st.caption("or add all of", width="content")
        for section in sections:
            members = [name for name, variable in choices.items() if variable.section == section]
            st.button(escape_markdown(section), key=f"access.proposal.section.{section}", type="tertiary",
                      icon=":material/add:", on_click=_add_variables, args=(members,))
    sensitive = sensitive_labels(_value("variable"), dictionary)
    if sensitive:
        st.caption(escape_markdown(f"Most telling about a person: {list_words(sensitive)}. Leave "
                                   f"{'it' if len(sensitive) == 1 else 'them'} out unless the purpose needs "
                                   f"{'it' if len(sensitive) == 1 else 'them'}."))


def _show_level() -> None:
    levels = list(LEVELS)
    st.radio("Level", levels, key=_key("level"), format_func=lambda level: LEVELS[level], persist_state="session",
             captions=[LEVEL_EXPLANATIONS[level] for level in levels])
    _show_error("level")


def _choose_variables(names: list[str]) -> None:
    st.session_state[_key("variable")] = names


def _add_variables(names: list[str]) -> None:
    _choose_variables(list(dict.fromkeys([*_value("variable"), *names])))


def _send(actor: Actor) -> None:
    """Send the proposal, or draw the form again with what is wrong beside each field."""
    errors = {field: words for field, words in _MISSING.items() if not _given(field)}
    if not errors:
        try:
            grant = propose_grant(get_deployment(), actor, _build_proposal())
        except UserError as refused:
            words = " ".join(sentence(part) for part in (refused.problem, refused.remedy) if part)
            errors = {refused.where if refused.where in _FIELDS else "": words}
        else:
            close_proposal()
            remember_done(f"{grant.id} is proposed. Two people have to approve it now.")
            st.rerun()
    st.session_state[_ERRORS] = errors
    st.rerun()


def _given(field: str) -> bool:
    value = _value(field)
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _build_proposal() -> GrantProposal:
    return GrantProposal(
        project=_value("project"), purpose=_value("purpose"), diseases=tuple(_value("disease")),
        countries=tuple(_value("country")), variables=tuple(_value("variable")), level=Level(_value("level")),
        members=tuple(_value("member")), valid_from=_value("valid_from"), valid_to=_value("valid_to"))


def _show_error(field: str) -> None:
    words = st.session_state.get(_ERRORS, {}).get(field, "")
    if words:
        st.markdown(f":red[:material/error: {escape_markdown(words)}]")


def _default(field: str, value: object) -> None:
    if _key(field) not in st.session_state:
        st.session_state[_key(field)] = value


def _value(field: str) -> Any:
    return st.session_state.get(_key(field))


def _key(field: str) -> str:
    return f"access.proposal.{field}"
