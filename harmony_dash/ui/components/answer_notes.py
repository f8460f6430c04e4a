"""In what an answer differs from its question: one quiet line over the figure, the words behind it, and the dagger."""

from __future__ import annotations

import streamlit as st

from harmony_dash.charts.names import DAGGER
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.results import SurvivalResult, Unapplied
from harmony_dash.disclosure.wording import differing_groups
from harmony_dash.ui.components.text import escape_markdown, join_words, sentence, tidy_units

# So many notes stand in the open; more would push the figure down.
MOST_OPEN = 2
_KINDS = {"not applied": "Not applied", "left out": "Left out, too few patients", "taken in": "Taken in with them"}


def describe_unapplied(result: SurvivalResult) -> tuple[str, ...]:
    """Each difference in a short sentence, with the groups it is about."""
    return tuple(_describe(one) for one in result.not_applied)


def _describe(one: Unapplied) -> str:
    where = f" (in {join_words(one.groups)})" if one.groups else ""
    return f"{_KINDS[one.kind]}: {tidy_units(one.words)}{where}"


def build_notes_line(result: SurvivalResult) -> str:
    """What the notes are about: "2 filters were not applied in some groups", "3 notes on this answer"."""
    filters = [one for one in result.not_applied if one.kind == "not applied"]
    values = [one for one in result.not_applied if one.kind != "not applied"]
    parts = []
    if filters:
        n = len({one.words for one in filters})
        parts.append(f"{n} filters were not applied" if n > 1 else "1 filter was not applied")
    if values:
        parts.append("values with few patients were left out or taken in")
    if not parts:
        return f"{len(result.notes)} notes on this answer"
    where = " in some groups" if all(one.groups for one in result.not_applied) else ""
    return " and ".join(parts) + where


def show_notes(result: SurvivalResult) -> None:
    """What was done to the question on the way, before anybody reads the figure."""
    lines = [escape_markdown(sentence(tidy_units(note))) for note in result.notes]
    if not result.not_applied and len(lines) <= MOST_OPEN:
        for line in lines:
            st.caption(f":material/info: {line}")
        return
    with st.expander(f"{build_notes_line(result)} – details", icon=":material/info:", type="compact",
                     key="survival.notes"):
        for line in lines:
            st.caption(line)


def explain_dagger(result: SurvivalResult) -> str:
    """What the dagger behind a group's name means; empty where no group has one."""
    groups = differing_groups(result)
    if not groups:
        return ""
    words = [_describe(one) for one in result.not_applied if set(one.groups) & set(groups)]
    named = {name for one in result.not_applied for name in one.groups}
    # What was left out everywhere else could be applied in these.
    words += [f"Answered as asked: {join_words(apart)}"] if (
        apart := [name for name in groups if name not in named]) else []
    return f"{DAGGER} These patients answer a slightly different question. {'; '.join(words)}."


def describe_compared(result: SurvivalResult) -> str:
    """Which groups the tests compare, where they are not all that are drawn."""
    if not result.compared or set(result.compared) >= {group.name for group in result.groups}:
        return ""
    return f"compares {join_words(result.compared)}"


def explain_ratios(result: SurvivalResult) -> str:
    """What the column of hazard ratios is, with a space before it; empty where there is none."""
    if not result.reference:
        return ""
    cause = ", with other causes censored" if endpoint_named(result.question.endpoint).competing else ""
    strata = f", within {result.question.strata}" if result.question.strata else ""
    return f" HR is the hazard ratio against {result.reference} over all follow-up (Cox model{strata}{cause})."


def explain_no_test(result: SurvivalResult) -> str:
    """Why several groups are drawn and no test is given."""
    if result.not_applied and len(result.compared) < 2:
        return "No test is shown, because the groups answer different questions."
    if endpoint_named(result.question.endpoint).competing:
        return ("No test is shown: too few events, a withheld group would have taken part, or patients came under "
                "observation after the start of the clock, which Gray's test does not allow for.")
    return "No test is shown: too few events, or a withheld group would have taken part."

