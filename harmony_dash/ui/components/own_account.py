"""The account page's frame: a heading with a few words on the left, what one can do on the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from harmony_dash.access.accounts import Account
from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import ROLE_PERMISSIONS, Permission
from harmony_dash.errors import UserError
from harmony_dash.ui.components.text import escape_markdown, sentence
from harmony_dash.ui.theme import ROLE_LABELS

_DONE = "account.done"
_NAME_WIDTH = 128
# Streamlit leaves room above a heading, which would put it below the first line beside it.
_STYLE = "<style>[class*='st-key-account_heading'] h3 { padding-top: 0; }</style>"


def show_style() -> None:
    """Let the headings stand level with what is beside them; once a page."""
    st.html(_STYLE)


@contextmanager
def section(name: str, heading: str, words: str = "") -> Iterator[None]:
    """One part of the page; what the run before did in it is said first.

    Parameters
    ----------
    name : for `carry_out`.
    words : what this part is for, in a sentence or two.
    """
    left, right = st.columns([1, 2], gap="large")
    with left, st.container(key=f"account_heading_{name}", gap="xsmall"):
        st.subheader(heading, anchor=False)
        if words:
            st.caption(words)
    with right, st.container(key=f"account_{name}"):
        place, said = st.session_state.get(_DONE, ("", ""))
        if place == name:
            del st.session_state[_DONE]
            st.success(escape_markdown(said), icon=":material/check_circle:")
        yield


def carry_out(name: str, change: Callable[[], object], done: str) -> None:
    """Make a change, then draw the page anew and say so in the section; or say here why it was not made.

    Parameters
    ----------
    name : of the section.
    change : calls one service.
    done : what to say afterwards, a sentence.
    """
    try:
        change()
    except UserError as refused:
        show_refused(refused)
        return
    st.session_state[_DONE] = (name, done)
    st.rerun()


def show_refused(refused: UserError) -> None:
    """What is wrong and what to do next."""
    words = " ".join(sentence(part) for part in (refused.problem, refused.remedy) if part)
    st.error(escape_markdown(words), icon=":material/error:")


def show_person(actor: Actor, account: Account, questions: tuple[int, int]) -> None:
    """Who is signed in, as what, what that role may do, and how many questions are left today.

    Parameters
    ----------
    questions : how many were asked today, and how many may be.
    """
    for label, words in (("Name", account.name), ("Account name", account.username),
                         ("Role", ROLE_LABELS[actor.role]), ("You may", describe_role(actor)),
                         ("Questions today", describe_questions(*questions))):
        with st.container(horizontal=True, gap="small", wrap=False, vertical_alignment="top"):
            st.caption(label, width=_NAME_WIDTH)
            st.markdown(escape_markdown(words))


def describe_questions(asked: int, limit: int) -> str:
    """How many different questions were asked today, and what the limit means."""
    return (f"{asked:,} of {limit:,} different ones with protected results. Each change of a filter or a control "
            "asks a new one; those you asked today stay open, and the count starts anew at midnight UTC.")


def describe_role(actor: Actor) -> str:
    """What the actor's role may do, in the words of the permissions themselves."""
    may = [permission.value.replace("their own", "your own") for permission in Permission
           if permission in ROLE_PERMISSIONS[actor.role]]
    return f"{', '.join(may[:-1])} and {may[-1]}" if len(may) > 1 else "".join(may)


def local_moment(moment: datetime) -> str:
    """ "21 Nov 2026, 10:05" on the clock of the person's browser."""
    there = moment.astimezone(_time_zone())
    return f"{there.day} {there:%b %Y, %H:%M}"


def time_zone_words() -> str:
    """Whose clock the times are on."""
    return str(_time_zone())


def _time_zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):  # whatever the browser says
        return ZoneInfo("UTC")
