"""Groups that are not in the figure: which, why, and what would help; and the answer that holds no group at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.policy import Rules, too_few
from harmony_dash.disclosure.protect_survival import GIVES_AWAY
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.services.late_entry import why_withheld
from harmony_dash.ui.components.cohort_flow import build_flow_table, withheld_by_reason
from harmony_dash.ui.components.survival_view import current_view, set_view
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, join_words, tidy_units

MOST_NAMES = 6  # the flow's table has them all


def show_withheld(released: Released[SurvivalResult]) -> None:
    """The groups and causes that are not in the figure, why, and what would help."""
    result, rules = released.value, released.scope.rules
    if result.withheld and result.groups:
        lines = [f"Not shown: {names} ({reason}). {remedy_for(reason, rules)}" for names, reason in
                 describe_withheld(result)]
        st.caption("  \n".join(escape_markdown(tidy_units(line.strip())) for line in lines))
    missing = describe_missing_causes(released)
    if missing:
        st.caption(f"Not drawn: {escape_markdown(missing)}.")


def show_too_few(released: Released[SurvivalResult]) -> None:
    """An answer without a figure: what was asked, why there is none, what to do, and where the patients went."""
    result = released.value
    with st.container(border=True, key="empty"):
        st.markdown("**Too few patients to show a curve**")
        st.caption(f"You asked for: {escape_markdown(tidy_units(result.title))}.")
        for names, reason in describe_withheld(result):
            st.markdown(escape_markdown(tidy_units(f"{capital(names)}: {reason}.")))
        st.markdown(f"**What you can do**\n{_list_steps(result)}")
        if result.question.by:
            st.button("Show all patients together", key="empty.together", icon=":material/merge:",
                      on_click=_ask_without_groups)
        if result.attrition:
            st.caption("Where the patients went")
            # The groups stand above, each with its reason.
            flow = build_flow_table(replace(result, withheld=()))
            show_table(flow, left=("Step",), alt="How the cohort came about")


def _ask_without_groups() -> None:
    set_view(current_view().with_question(by=None))


def _list_steps(result: SurvivalResult) -> str:
    steps = []
    if result.question.where:
        steps.append("Remove the filter that matters least, or choose more values in it.")
    if result.question.by:
        steps.append("Choose a grouping with fewer groups, or none.")
    steps.append("Ask whoever prepares projects for a grant, if your question needs exactly these patients.")
    return "\n".join(f"- {escape_markdown(step)}" for step in steps)


def remedy_for(reason: str, rules: Rules) -> str:
    """What to do about a group that is not shown; empty where the reason says so itself."""
    few = too_few(rules)
    remedies = {few: "Remove a filter, or choose a grouping with fewer groups.",
                why_withheld(few, rules, late_entry=True):
                    "Remove a filter, choose a grouping with fewer groups, or ask for the group alone.",
                GIVES_AWAY: "Choose a grouping with fewer groups."}
    return remedies.get(reason, "")


def describe_withheld(result: SurvivalResult) -> list[tuple[str, str]]:
    """Each reason with the groups it applies to in words; of many only the first are named."""
    return [(list_names(names), reason) for reason, names in withheld_by_reason(result).items()]


def list_names(names: Sequence[str]) -> str:
    """Names in a row; of many only the first."""
    rest = len(names) - MOST_NAMES
    return join_words([*names[:MOST_NAMES], f"{rest} more"] if rest > 0 else names)


def describe_missing_causes(released: Released[SurvivalResult]) -> str:
    """Competing causes with too few events for a curve, by group: "death in a and b (fewer than 10 events)"."""
    result, rules = released.value, released.scope.rules
    endpoint = endpoint_named(result.question.endpoint)
    if not endpoint.competing:
        return ""
    parts = []
    for cause, label in zip(endpoint.causes, endpoint.cause_labels, strict=True):
        names = [group.name for group in result.groups if cause not in {c.cause for c in group.cumulative_incidence}]
        if names:
            parts.append(f"{label} in {list_names(names)}")
    return f"{'; '.join(parts)} (fewer than {rules.minimum_events} events)" if parts else ""
