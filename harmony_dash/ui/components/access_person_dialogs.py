"""Adding a person and changing an account: each dialog says first what will happen.

A dialog is a script run of its own, so each one asks anew who is looking before it shows anything.
"""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.accounts import ACCOUNT_ROLES
from harmony_dash.access.actor import Role
from harmony_dash.access.demo import new_passphrase
from harmony_dash.access.passwords import MINIMUM_CHARACTERS
from harmony_dash.access.permissions import Permission
from harmony_dash.services.people import (
    PersonRow,
    add_person,
    change_person_role,
    clear_person_attempts,
    disable_person,
    enable_person,
    end_person_sessions,
    reset_person_second_factor,
    set_person_password,
)
from harmony_dash.ui.components.access_notice import carry_out, show_confirmation
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment
from harmony_dash.ui.theme import ROLE_LABELS

ROLE_EXPLANATIONS = {
    Role.CLINICIAN: "Asks survival questions; sees protected results.",
    Role.STEERING: "Approves grants and reads the audit trail; sees no outcomes.",
    Role.ANALYST: "Asks survival questions; exact numbers only under a grant.",
    Role.DATA_MANAGER: "Looks after people, grants and sources; sees no outcomes."}
_LONGEST_NAME = 120


@st.dialog("Add a person", on_dismiss="rerun")
def show_new_person() -> None:
    """A new account, with its first password."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    name = st.text_input("Name", key="access.new.name", max_chars=_LONGEST_NAME,
                         help="As colleagues know the person").strip()
    username = st.text_input("Account name", key="access.new.username", max_chars=64,
                             help="Lower-case letters, digits, dots, hyphens; the person signs in with it").strip()
    role = _ask_role(None)
    password = _ask_password("access.new.password")
    missing = "" if name and username and role and password else "Fill in all four fields."
    if show_confirmation("Add the person", key="new", missing=missing):
        carry_out(lambda: add_person(get_deployment(), actor, username=username, name=name, role=Role(str(role)),
                                     password=password), f"{name} can sign in as {username.lower()}.")


@st.dialog("Change the role", on_dismiss="rerun")
def show_new_role(person: PersonRow) -> None:
    """Another role, from the next sign-in on."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{person.name} is {_a(person.role)} now."))
    role = _ask_role(person.role)
    st.markdown(escape_markdown(f"{_ends_sessions(person)} The new role counts from the next sign-in."))
    if show_confirmation("Change the role", key="role", missing="" if role else "Choose a role."):
        carry_out(lambda: change_person_role(get_deployment(), actor, person.username, Role(str(role))),
                  f"{person.name} is {_a(Role(str(role)))} now.")


@st.dialog("New password", on_dismiss="rerun")
def show_new_password(person: PersonRow) -> None:
    """A password in place of one that was forgotten or got about."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    password = _ask_password("access.password")
    st.markdown(escape_markdown(f"{_ends_sessions(person)} The old password stops working at once."))
    if show_confirmation("Set the password", key="password", missing="" if password else "Enter a password."):
        carry_out(lambda: set_person_password(get_deployment(), actor, person.username, password),
                  f"{person.name} has a new password.")


@st.dialog("Reset two-step sign-in", on_dismiss="rerun")
def show_second_factor_reset(person: PersonRow) -> None:
    """For somebody whose device is lost."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{person.name} can then sign in with the password alone. Make sure it is really them "
                                f"who asks. {_ends_sessions(person)} They can turn it on again on their Account page."))
    if show_confirmation("Reset", key="factor"):
        carry_out(lambda: reset_person_second_factor(get_deployment(), actor, person.username),
                  f"{person.name} signs in with the password alone now.")


@st.dialog("Clear failed attempts", on_dismiss="rerun")
def show_clearing(person: PersonRow) -> None:
    """For somebody whom wrong passwords have locked out."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{person.name} can try to sign in again at once. If it was not them who tried, "
                                "somebody may be guessing their password."))
    if show_confirmation("Clear", key="attempts"):
        carry_out(lambda: clear_person_attempts(get_deployment(), actor, person.username),
                  f"{person.name} can try to sign in again.")


@st.dialog("End all sessions", on_dismiss="rerun")
def show_sessions_end(person: PersonRow) -> None:
    """The person has to sign in again everywhere."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{_ends_sessions(person)} They can sign in again."))
    if show_confirmation("End the sessions", key="sessions"):
        carry_out(lambda: end_person_sessions(get_deployment(), actor, person.username),
                  f"All sessions of {person.name} have ended.")


@st.dialog("Disable the account", on_dismiss="rerun")
def show_disabling(person: PersonRow) -> None:
    """Nobody signs in to it any more."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{_ends_sessions(person)} Nobody can sign in as {person.username} until the account "
                                "is enabled again. What was recorded of it stays."))
    if show_confirmation("Disable the account", key="disable"):
        carry_out(lambda: disable_person(get_deployment(), actor, person.username),
                  f"The account of {person.name} is disabled.")


@st.dialog("Enable the account", on_dismiss="rerun")
def show_enabling(person: PersonRow) -> None:
    """The account is open again, with the password and the grants it had."""
    actor = require(Permission.MANAGE_ACCOUNTS)
    st.markdown(escape_markdown(f"{person.name} can sign in again with the password they had, as "
                                f"{_a(person.role)}, and use the grants that are still in force for them."))
    if show_confirmation("Enable the account", key="enable"):
        carry_out(lambda: enable_person(get_deployment(), actor, person.username),
                  f"The account of {person.name} is open again.")


def _ask_role(present: Role | None) -> Role | None:
    roles = [role for role in ACCOUNT_ROLES if role is not present]
    return st.radio("Role" if present is None else "New role", roles, index=None, key="access.role",
                    format_func=lambda role: ROLE_LABELS[role], captions=[ROLE_EXPLANATIONS[role] for role in roles])


def _ask_password(key: str) -> str:
    """A password typed in, or a passphrase that can be read out."""
    password: str = st.text_input(
        "Password", key=key, type="password", autocomplete="new-password", on_change=_forget_suggestion, args=(key,),
        help=f"At least {MINIMUM_CHARACTERS} characters; four or five unrelated words do well")
    st.button("Suggest a passphrase", key=f"{key}.suggest", type="tertiary", icon=":material/casino:",
              on_click=_suggest, args=(key,))
    if password and st.session_state.get(f"{key}.suggested"):
        st.code(password, language=None)
    st.caption("Pass it on in person or by telephone. It can be changed on the Account page.")
    return password


def _suggest(key: str) -> None:
    st.session_state[key] = new_passphrase()
    st.session_state[f"{key}.suggested"] = True


def _forget_suggestion(key: str) -> None:
    st.session_state[f"{key}.suggested"] = False


def _ends_sessions(person: PersonRow) -> str:
    """What happens to the person's open windows."""
    number = f" ({person.open_sessions} open)" if person.open_sessions else ""
    return f"This ends all sessions of {person.name}{number}."


def _a(role: Role) -> str:
    words = ROLE_LABELS[role].lower()
    return {"steering committee": "a member of the steering committee"}.get(
        words, f"{'an' if words[0] in 'aeiou' else 'a'} {words}")
