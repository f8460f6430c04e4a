"""What is different from the snapshot before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from harmony_dash.disclosure.coverage_changes import CoverageChanges
from harmony_dash.disclosure.released import Released
from harmony_dash.ui.components.coverage_tables import LEFT, build_change_table
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import escape_markdown

_ROUNDED = "Differences are those of the two numbers shown. Up to eight patients of each are rounding."


def show_changes(fetch: Callable[[], Released[CoverageChanges]], names: Mapping[str, str]) -> None:
    """An expander; the earlier snapshot is only read when it is opened."""
    section = st.expander("What changed since the snapshot before", key="coverage.changes", on_change="rerun")
    if not section.open:
        return
    with section:
        with st.spinner("Reading the earlier snapshot"):
            released = fetch()
        changes = released.value
        if not changes.before:
            st.markdown(escape_markdown(changes.reason))
            return
        which = f"Snapshot {changes.before} of {changes.before_created[:10]}, and {changes.snapshot}."
        st.caption(escape_markdown(f"{which} {_ROUNDED}" if released.scope.is_protected else which))
        for by in ("source", "country"):
            show_table(build_change_table(released, by, names if by == "country" else {}), left=LEFT,
                       alt=f"Patients by {by} before and now")
        st.markdown(escape_markdown(describe_variables(changes)))


def describe_variables(changes: CoverageChanges) -> str:
    """Variables that are new, gone or defined differently, in words."""
    kinds = (("New variables", changes.variables_new), ("Variables no longer there", changes.variables_gone),
             ("Defined differently", changes.variables_changed))
    parts = [f"{words}: {', '.join(labels)}." for words, labels in kinds if labels]
    return " ".join(parts) or "The variables are the same."
