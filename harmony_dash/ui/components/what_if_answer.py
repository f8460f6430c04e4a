"""What the data say: the differences first, then the curves, the methods beside one another, and published trials."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harmony_dash.charts.numbers import (
    HIDDEN,
    NOTHING,
    format_count,
    format_part,
    format_percent_interval,
    name_time,
)
from harmony_dash.charts.what_if_curves import build_strategy_figure, describe_strategies
from harmony_dash.charts.what_if_differences import (
    build_effects_figure,
    build_methods_figure,
    describe_effects,
    describe_methods,
)
from harmony_dash.charts.what_if_words import (
    contrast_of,
    describe_off,
    format_mean_difference,
    list_outcomes,
    outcome_label,
    patients_of,
    precision_of_curves,
)
from harmony_dash.disclosure.points import format_points, format_points_limits
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    RANDOMISED,
    ComparedArm,
    Measure,
    Method,
    Status,
    WhatIfResult,
)
from harmony_dash.disclosure.what_if_words import tell_horizon, tell_plain
from harmony_dash.ui.components.coverage_answer import QUIET_FIGURE
from harmony_dash.ui.components.kept_expander import show_kept_expander
from harmony_dash.ui.components.survival_answer import is_dark
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, sentence, tidy_units

_WHY = "Not shown because"
_CARD = 405  # two beside one another on a wide screen, one below the other on a narrow one
LIMITS = (
    "What would happen to one patient. The answer is an average over the patients of the cohort.",
    "That a difference was caused by treatment, where patients were not randomised. It is so only if everything that "
    "decided about treatment and bears on the outcome is adjusted for, and nobody can see in the data whether it is.",
    "What a protocol's label means elsewhere. Reduced, standard and intensified are relative within each trial.",
    "Late effects and quality of life. Less treatment may be worth a small loss, or not; no number here weighs them.",
    "That there is no difference. An interval that holds zero may also hold a difference that matters.",
)


def show_answer(released: Released[WhatIfResult]) -> None:
    """Everything that is estimated; nothing of a refused comparison, and grey curves of one between protocols."""
    result = released.value
    if result.between_protocol and result.curves:
        _show_between_protocols(released)
    elif result.primary is not None:
        st.markdown("#### What the data say")
        population = RANDOMISED if result.primary is Method.RANDOMISED else OBSERVED
        _show_headline(released, population)
        _show_curves(released, population)
        if population == RANDOMISED and contrast_of(result, Method.STANDARDISED, Measure.SURVIVAL,
                                                    result.question.cohort.endpoint):
            st.markdown("**Consistency: the adjusted comparison of all patients**")
            _show_curves(released, OBSERVED)
        _show_methods(released)
        _show_effects(released)
        _show_table(released)
    elif result.status is not Status.REFUSED:
        st.markdown(escape_markdown(tidy_units(result.summary)))
        if any(one.method is Method.RANDOMISED for one in result.contrasts):
            _show_methods(released)


def _show_between_protocols(released: Released[WhatIfResult]) -> None:
    st.markdown("#### What different protocols had")
    st.caption("In grey, because nothing here compares treatments: no trial used both, so these are different patients "
               "of different protocols, countries and years. There is no difference, no test and no number needed.")
    _show_curves(released, OBSERVED)


def _show_headline(released: Released[WhatIfResult], population: str) -> None:
    """The differences at the horizon, large, the trade-off beside the endpoint; then the numbers needed."""
    result = released.value
    outcomes = list_outcomes(result, population)
    (_, reference), (_, compared) = result.arms
    st.markdown(escape_markdown(tidy_units(build_headline(result))))
    st.caption(escape_markdown(f"{capital(compared)} minus {reference}, percentage points, 95 % interval"))
    for place, column in enumerate(st.columns(max(1, len(outcomes)), gap="small", border=True)):
        with column:
            _show_difference(released, outcomes[place], population, is_endpoint=place == 0)
    needed = [one for one in result.needed if one.method is result.primary]
    needed.sort(key=lambda one: one.outcome == outcomes[0])
    if needed:
        st.markdown("\n".join(f"- {escape_markdown(tidy_units(sentence(one.text)))}" for one in needed))
    if off := describe_off(released, outcomes[0], population):
        st.caption(escape_markdown(off))
    mean = contrast_of(result, result.primary, Measure.RESTRICTED_MEAN, outcomes[0])
    if mean is not None:
        words = format_mean_difference(mean, outward=released.scope.is_protected)
        st.markdown(escape_markdown(f"Mean time without an event up to {name_time(mean.days)}: {words} months."))


def build_headline(result: WhatIfResult) -> str:
    """The answer in a sentence or two: how large, how sure, and under which condition."""
    endpoint = result.question.cohort.endpoint
    main = contrast_of(result, result.primary, Measure.SURVIVAL, endpoint)
    if main is None:
        return result.summary
    (_, reference), (_, compared) = result.arms
    label = outcome_label(result, endpoint)
    size = f"{format_points(main.estimate)} points"
    if main.lower is not None and main.upper is not None:
        size += f" (95 % interval {format_points_limits(main.lower, main.upper)})"
    condition = ("as randomised" if result.primary is Method.RANDOMISED else
                 "if everything that decided about treatment and bears on the outcome is adjusted for")
    text = f"{label} at {name_time(main.days)} with {compared} instead of {reference} treatment: {size}, {condition}."
    if main.lower is not None and main.upper is not None and main.lower <= 0 <= main.upper:
        text += " The interval holds no difference: the data neither show one nor exclude one within it."
    return " ".join(filter(None, [text, tell_horizon(result)]))


def _show_difference(released: Released[WhatIfResult], outcome: str, population: str, *, is_endpoint: bool) -> None:
    result = released.value
    measure = Measure.SURVIVAL if is_endpoint else Measure.INCIDENCE
    contrast = contrast_of(result, result.primary, measure, outcome)
    label = outcome_label(result, outcome)
    if contrast is None:
        patients = patients_of(result, outcome, population)
        reason = (patients.reason if patients else "") or (
            "too few events to adjust for anything; the plain difference stands below"
            if contrast_of(result, Method.PLAIN, measure, outcome) else "too few patients to show")
        st.markdown(f"{escape_markdown(label)}\n\n### {NOTHING}")
        st.caption(escape_markdown(sentence(reason)))
        return
    st.markdown(f"{escape_markdown(label)} at {name_time(contrast.days)}\n\n"
                f"## {escape_markdown(format_points(contrast.estimate))}")
    if contrast.lower is not None and contrast.upper is not None:
        st.caption(escape_markdown(format_points_limits(contrast.lower, contrast.upper)))


def _show_curves(released: Released[WhatIfResult], population: str) -> None:
    figure = build_strategy_figure(released, population=population, dark=is_dark())
    st.plotly_chart(figure, key=f"what_if.curves.{population}", theme=None, config=QUIET_FIGURE, width="stretch",
                    alt=describe_strategies(released, population))
    if not released.value.between_protocol and population == OBSERVED:
        st.caption("Had all of these patients been treated the one way or the other. The band is the 95 % interval of "
                   "method A.")


def _show_methods(released: Released[WhatIfResult]) -> None:
    result = released.value
    st.markdown("**The methods beside one another**")
    st.plotly_chart(build_methods_figure(released, dark=is_dark()), key="what_if.methods", theme=None,
                    config=QUIET_FIGURE, width="stretch", alt=describe_methods(released))
    words = "Differences in percentage points with 95 % intervals. A, B and C rest on different models."
    st.caption(escape_markdown(words))
    main = contrast_of(result, result.primary, Measure.SURVIVAL, result.question.cohort.endpoint)
    for line in tell_plain(result, main) if main is not None else ():
        st.markdown(f":material/block: {escape_markdown(tidy_units(line))}")


def _show_effects(released: Released[WhatIfResult]) -> None:
    result = released.value
    if not result.effects:
        return
    st.markdown("**The difference by biomarker**")
    st.plotly_chart(build_effects_figure(released, dark=is_dark()), key="what_if.effects", theme=None,
                    config=QUIET_FIGURE, width="stretch", alt=describe_effects(released))
    st.caption("By method A, in percentage points of the outcome. Levels are looked at one by one and were not chosen "
               "beforehand: exploratory.")
    show_table(build_effects_table(released), left=("Biomarker", "Level", _WHY), alt="Patients and events by level")


def build_effects_table(released: Released[WhatIfResult]) -> pd.DataFrame:
    """One row a level: patients / events of each strategy, and why there is no difference."""
    minimum = released.scope.rules.minimum_cell
    (_, reference), (_, compared) = released.value.arms
    rows = []
    for one in released.value.effects:
        counts = [HIDDEN if arm.n is None else f"{format_count(arm.n, minimum)} / {format_part(arm.events)}"
                  for arm in (one.reference, one.compared)]
        rows.append((one.label, capital(one.name), *counts, capital(one.reason)))
    return pd.DataFrame(rows, columns=["Biomarker", "Level", capital(reference), capital(compared), _WHY])


def _show_table(released: Released[WhatIfResult]) -> None:
    twin = show_kept_expander("View as table", key="what_if.table")
    if twin.open:
        with twin:
            show_table(build_estimates(released), left=("Outcome", "Strategy", "Method"), alt="Estimates by strategy")


def build_estimates(released: Released[WhatIfResult]) -> pd.DataFrame:
    """One row an outcome, strategy and method: patients, events and at risk at the horizon, estimate with interval."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    rows = []
    for one in result.curves:
        patients = patients_of(result, one.outcome, one.population)
        arms: Sequence[ComparedArm] = patients.arms if patients else ()
        arm = next((arm for arm in arms if arm.arm == one.arm), None)
        if arm is None or not len(one.curve.days):
            continue
        rows.append({
            "Outcome": outcome_label(result, one.outcome), "Strategy": capital(arm.name), "Method": one.method.value,
            "Patients": format_count(arm.n, minimum), "Events": format_part(arm.events_by_horizon),
            "At risk": format_count(arm.at_risk, minimum),
            f"{capital(name_time(int(one.curve.days[-1])))}, %": format_percent_interval(
                float(one.curve.estimate[-1]), float(one.curve.lower[-1]), float(one.curve.upper[-1]),
                precision_of_curves(released, one.outcome, one.population), unit=False)})
    return pd.DataFrame(rows).fillna(NOTHING)


def show_anchors(result: WhatIfResult) -> None:
    """Published comparisons of the same strategies, beside the answer and not part of it."""
    if not result.anchors:
        return
    st.markdown("#### Published comparisons")
    with st.container(horizontal=True, gap="small"):
        for one in result.anchors:
            with st.container(border=True, width=_CARD):
                kind = "randomised" if one.randomised else "not randomised"
                st.markdown(f"**{escape_markdown(one.trial)}**: {escape_markdown(tidy_units(one.contrast))} ({kind})")
                lines = [f"In {one.population}.", *(sentence(line) for line in one.results)]
                st.markdown("\n".join(f"- {escape_markdown(tidy_units(line))}" for line in lines))
                st.caption(escape_markdown(one.citation))


def show_limits() -> None:
    """What a reader must not take from the page."""
    with st.expander("What this page cannot tell you", icon=":material/block:", key="what_if.limits"):
        st.markdown("\n".join(f"- {escape_markdown(line)}" for line in LIMITS))


def show_method_line(result: WhatIfResult, link: str) -> None:
    """The methods line, and what to take along: its text and a link to this view."""
    st.caption(escape_markdown(result.methods))
    with st.container(horizontal=True, gap="small"):
        with st.popover("Copy methods", icon=":material/content_copy:", type="tertiary"):
            st.code(f"{result.title}. {result.methods}", language=None, wrap_lines=True)
        with st.popover("Copy summary", icon=":material/content_copy:", type="tertiary"):
            st.code(result.summary, language=None, wrap_lines=True)
        with st.popover("Copy link", icon=":material/link:", type="tertiary"):
            st.code(link, language=None, wrap_lines=True)
            st.caption("Opens this view for anyone who may see it, with their own rights.")
