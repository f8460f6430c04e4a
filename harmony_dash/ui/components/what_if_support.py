"""How far the data support the answer: overlap, balance, weights, what is missing, and what would overturn it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harmony_dash.charts.numbers import NOTHING, format_count, format_part, format_share
from harmony_dash.charts.what_if_support import (
    build_balance_figure,
    build_overlap_figure,
    describe_balance,
    describe_common_support,
    describe_overlap,
)
from harmony_dash.charts.what_if_words import patients_of
from harmony_dash.disclosure.points import format_points
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_diagnostics import ArmDiagnostics
from harmony_dash.disclosure.what_if_results import OBSERVED, WhatIfResult
from harmony_dash.stats.refusal import Thresholds
from harmony_dash.ui.components.coverage_answer import QUIET_FIGURE
from harmony_dash.ui.components.kept_expander import show_kept_expander
from harmony_dash.ui.components.survival_answer import is_dark
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown

_LIMITS = Thresholds()


def has_support(result: WhatIfResult) -> bool:
    """Whether there is anything to show."""
    found = result.diagnostics
    return bool(found.arms or found.propensity or found.balance or found.missing)


def show_support(released: Released[WhatIfResult]) -> None:
    """The diagnostics, drawn when they are opened."""
    result = released.value
    if not has_support(result):
        return
    box = show_kept_expander("How far the data support this", icon=":material/query_stats:", key="what_if.support")
    if box.open:
        with box:
            _show_pictures(released)
            _show_arms(released)
            _show_sensitivity(result)
            _show_missing(result)


def _show_pictures(released: Released[WhatIfResult]) -> None:
    found, dark = released.value.diagnostics, is_dark()
    if found.propensity:
        st.markdown("**Could everybody have had either strategy?**")
        figure = build_overlap_figure(released, dark=dark)
        st.plotly_chart(figure, key="what_if.overlap", theme=None, config=QUIET_FIGURE, width="stretch",
                        alt=describe_overlap(released))
        st.caption(escape_markdown("Share of each arm by its probability of the strategy asked about, given what is "
                                   "adjusted for. Bars of few patients are left out. "
                                   f"{describe_common_support(found)}".rstrip()))
    if found.balance:
        st.markdown("**In what do the arms differ?**")
        st.plotly_chart(build_balance_figure(released, dark=dark), key="what_if.balance", theme=None,
                        config=QUIET_FIGURE, width="stretch", alt=describe_balance(released))
        st.caption(escape_markdown(describe_weights(released.value)))


def describe_weights(result: WhatIfResult) -> str:
    """What the balance is measured with, and where method C weighs otherwise."""
    is_bound = any(one.after is None for one in result.diagnostics.balance)
    after = "the bar after it, between limits of the verdict" if is_bound else "filled after it"
    text = (f"Hollow before weighing, {after} (inverse probability weights, stabilised and not truncated). Left of the "
            "dashed line at 0.1 the arms count as alike.")
    if is_bound:
        text += " Where one patient could tell, only limits are given, and the ten highest and lowest values are cut."
    if result.diagnostics.weights == "overlap" and result.primary is not None:
        text += " Method C weighs by overlap instead, because few patients could have been in either arm."
    return text


def _show_arms(released: Released[WhatIfResult]) -> None:
    table = build_arms_table(released)
    if len(table):
        show_table(table, left=("Strategy",), alt="Weights, patients at risk and events by strategy")


def build_arms_table(released: Released[WhatIfResult]) -> pd.DataFrame:
    """One row an arm: effective size, largest weight, and at risk and events at the horizon."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    found = {one.arm: one for one in result.diagnostics.arms}
    patients = patients_of(result, result.question.cohort.endpoint, OBSERVED)
    rows = []
    for arm in patients.arms if patients else ():
        weighed = found.get(arm.arm) or found.get(arm.name)
        rows.append({
            "Strategy": capital(arm.name), "Patients": format_count(arm.n, minimum),
            "Effective size": NOTHING if weighed is None else _effective_size(weighed),
            "Largest weight, %": NOTHING if weighed is None else _largest_weight(weighed),
            "Events by horizon": format_part(arm.events_by_horizon),
            "At risk at horizon": format_count(arm.at_risk, minimum)})
    return pd.DataFrame(rows)


def _effective_size(arm: ArmDiagnostics) -> str:
    """The size, or a limit that it reaches."""
    if arm.bounds and not arm.effective_size:
        return f"< {_LIMITS.effective_size.refused:g}"
    return f"{'≥ ' if arm.bounds else ''}{arm.effective_size:,.0f}"


def _largest_weight(arm: ArmDiagnostics) -> str:
    """The share in per cent, or a limit that it stays below."""
    if arm.bounds and arm.largest_share >= 1:
        return f"≥ {100 * (_LIMITS.largest_share.refused or 0):.2g}"
    return f"{'< ' if arm.bounds else ''}{100 * arm.largest_share:.2g}"


def _show_sensitivity(result: WhatIfResult) -> None:
    found = result.diagnostics
    if found.e_value is not None:
        st.markdown(escape_markdown(
            f"E-value {found.e_value.estimate:.2f} (limit {found.e_value.limit:.2f}): something not recorded would "
            "have to be tied to both strategy and event by a risk ratio of that size to explain the difference away."))
    if found.sensitivity:
        table = pd.DataFrame([(one.left_out, format_points(one.estimate), format_points(one.change))
                              for one in found.sensitivity],
                             columns=["If this had not been recorded", "Difference, points", "Change, points"])
        show_table(table, left=("If this had not been recorded",), alt="The difference without a confounder")


def _show_missing(result: WhatIfResult) -> None:
    if not result.diagnostics.missing:
        return
    table = pd.DataFrame([(one.label, _share(one.share), one.method) for one in result.diagnostics.missing],
                         columns=["Not always known", "Missing, %", "What was done"])
    show_table(table, left=("Not always known", "What was done"), alt="Missing values and how they were treated")


def _share(share: float | None) -> str:
    """A share in per cent; few and nearly all are not told apart."""
    return "few or nearly all" if share is None else format_share(share)
