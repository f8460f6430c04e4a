"""Can my question be asked? How many patients, where, what is lost and by what, and how sure an answer could be."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.charts.feasibility import build_country_figure, build_loss_figure, name_country_count, rank_losses
from harmony_dash.charts.flow import DIFFERS, build_flow_figure, build_source_flow_figure, name_stage
from harmony_dash.charts.numbers import NOTHING, format_count, format_part, name_time
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.closed_questions import MOST_CONDITIONS
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.headline import counts_failures
from harmony_dash.disclosure.policy import Level, too_few
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.disclosure.released import Released
from harmony_dash.errors import UserError
from harmony_dash.services import feasibility
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.feasibility import endpoints_of
from harmony_dash.services.planning import (
    UNKNOWN_SHARE,
    describe_follow_up,
    describe_start,
    plan_precision,
    suggest_share,
)
from harmony_dash.stats.planning import Expectation
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.coverage_files import show_feasibility_files
from harmony_dash.ui.components.feasibility_controls import PARAMETER, open_need, show_need
from harmony_dash.ui.components.problem import show_empty, show_problem
from harmony_dash.ui.components.survival_answer import FIGURE_CONFIG, is_dark
from harmony_dash.ui.components.survival_view import SurvivalView, write_link
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, sentence, tidy_units
from harmony_dash.ui.guard import require
from harmony_dash.ui.pins import pin
from harmony_dash.ui.registry import page_named

VIEWS = {"data": "Who is in the data", "question": "Can my question be asked?"}
_PARAMETER, _VIEW = "view", "coverage.view"
_QUIET = {**FIGURE_CONFIG, "displayModeBar": False}
_OPEN_NOTES = 2


def choose_view() -> str:
    """Which of the page's two views is open; the address holds it, by a word that stays when the label changes."""
    view = st.query_params.get(_PARAMETER) or st.session_state.get(_VIEW)
    view = view if view in VIEWS else next(iter(VIEWS))
    pin("coverage.view.control", view)
    chosen = str(st.segmented_control("View", list(VIEWS), required=True, key="coverage.view.control",
                                      format_func=VIEWS.__getitem__, label_visibility="collapsed",
                                      on_change=_take_view))
    st.session_state[_VIEW] = chosen
    if chosen != st.query_params.get(_PARAMETER, next(iter(VIEWS))):
        st.query_params[_PARAMETER] = chosen
    return chosen


def _take_view() -> None:
    """Before the page runs again, the address has to say what was clicked."""
    st.query_params[_PARAMETER] = st.session_state[_VIEW] = st.session_state["coverage.view.control"]
    if st.session_state[_VIEW] != "question":
        st.query_params.pop(PARAMETER, None)


def show_feasibility(deployment: Deployment, actor: Actor, info: ReleaseInfo, disease: str,
                     names: Mapping[str, str]) -> None:
    """Controls and answer; `names` turns country codes into words."""
    endpoints = endpoints_of(actor)
    need = open_need(info, disease, endpoints)
    show_need(need, info, endpoints, MOST_CONDITIONS[Level.PROTECTED])
    if len(endpoints) == 1:
        st.caption("Counted are patients followed for overall survival. Other endpoints are not offered to your role, "
                   "because the difference between two endpoints is an outcome.")
    try:
        with st.spinner("Counting patients"):
            released = feasibility.ask_feasibility(deployment, actor, need)
    except UserError as error:
        show_problem(error, dictionary=info.dictionary)
        return
    show_answer(released, names, may_ask=user_can(actor, Permission.VIEW_SURVIVAL))
    show_feasibility_files(actor, need)


def show_answer(released: Released[FeasibilityResult], names: Mapping[str, str], *, may_ask: bool) -> None:
    """The answer from its number of patients down to its methods."""
    result = released.value
    st.markdown(f"### {escape_markdown(tidy_units(result.title))}")
    show_chips(released.scope, synthetic=result.synthetic, snapshot=result.snapshot, curves=False,
               not_applied=[one.words for one in result.not_applied])
    _show_notes(result)
    if result.reason:
        show_empty("This question gets no answer", capital(result.reason))
    else:
        _show_expectation(released, may_ask=may_ask)
    left, right = st.columns(2, gap="large")
    with left:
        _show("How the patients came about", build_flow_figure(released, dark=is_dark()), "flow",
              build_steps_table(result), note="Behind each bar, the patients of the step before.")
    if result.reason:
        return
    with right:
        _show_losses(released)
    left, right = st.columns(2, gap="large")
    with left:
        _show("Where they are", build_country_figure(released, names=names, dark=is_dark()), "country",
              build_country_table(released, names),
              note=f"{DIFFERS} answers a slightly different question, see the notes. Countries in which too few meet "
                   "the question stand in the table alone.")
    with right:
        _show("Which sources they come from", build_source_flow_figure(released, dark=is_dark()), "source",
              build_source_table(result),
              note=f"Patients counted, of those accepted. – is a source for which the question gets no answer; "
                   f"{DIFFERS} is answered slightly differently there. In the table, registered includes the rows that "
                   "were refused, whatever their disease.")
    st.caption(escape_markdown(result.methods))


def _show_notes(result: FeasibilityResult) -> None:
    lines = [escape_markdown(sentence(tidy_units(note))) for note in result.notes]
    if len(lines) <= _OPEN_NOTES:
        for line in lines:
            st.caption(f":material/info: {line}")
        return
    with st.expander(f"{len(lines)} notes on what was not applied, and where", icon=":material/info:",
                     type="compact", key="feasibility.notes"):
        for line in lines:
            st.caption(line)


@st.fragment(key="feasibility_expectation")
def _show_expectation(released: Released[FeasibilityResult], *, may_ask: bool) -> None:
    """The headline numbers, the assumption they rest on, and the way to the answer.

    Moving the assumption redraws this and nothing else, so that nothing is asked again.
    """
    require(Permission.VIEW_COVERAGE)
    result = released.value
    horizon = result.question.horizon_days or 0
    endpoint, published = endpoint_named(result.question.endpoint), suggest_share(result.question)
    failures = counts_failures(endpoint)
    place = st.container(horizontal=True, gap="medium")
    start = UNKNOWN_SHARE if published is None else published.share
    what = "alive" if endpoint.name == "os" else f"{'with' if failures else 'without'} the event"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        share = st.slider(f"Assumed: {what} at {name_time(horizon)}, %", 1, 99, round(100 * start), width=360,
                          key=f"feasibility.share.{endpoint.name}.{published is None}.{start}")
        if may_ask:
            st.page_link(page_named("survival").file, label="Ask it on the Survival page", icon=":material/stairs:",
                         query_params=write_link(SurvivalView(result.question)))
    expected = plan_precision(released, share / 100)
    with place:
        for label, value in build_headline(released, expected, failures=failures):
            st.metric(label, value, width="content")
    st.caption(escape_markdown(" ".join(filter(None, (
        "Events and interval are planning figures from this assumption and the number of patients; no outcome of these "
        "data enters.", describe_start(result.question, published), describe_follow_up(result, expected),
        f"A curve is not drawn for {too_few(released.scope.rules)}.")))))


def build_headline(released: Released[FeasibilityResult], expected: Expectation | None, *, failures: bool,
                   ) -> list[tuple[str, str]]:
    """Patients, countries with a number, and what to expect."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    numbers = [("Patients", format_count(result.n, minimum)),
               ("Countries with a number", str(sum(one.n is not None for one in result.by_country)))]
    if expected is None:
        return [*numbers, ("Expected events", NOTHING), ("Expected 95 % interval", NOTHING)]
    ends = (1 - expected.upper, 1 - expected.lower) if failures else (expected.lower, expected.upper)
    low, high = (100 * end for end in ends)
    return [*numbers, ("Expected events", f"about {round_events(expected.events):,}"),
            ("Expected 95 % interval", f"{low:.0f}–{high:.0f} %" if high - low >= 2 else f"{low:.1f}–{high:.1f} %")]


def round_events(events: float) -> int:
    """A planning figure with no more digits than it can bear."""
    step = 1 if events < 20 else 5 if events < 100 else 10
    return step * round(events / step)


def _show_losses(released: Released[FeasibilityResult]) -> None:
    result = released.value
    if not result.losses:
        st.markdown("#### What loses patients")
        st.caption("Nothing has to be known that all but a few patients lack. Choose variables under “Must be known”.")
        return
    if rank_losses(result):
        _show("What loses patients", build_loss_figure(released, dark=is_dark()), "loss", build_loss_table(released),
              note="Of the patients who meet every filter. Combinations of too few patients are left out.")
    else:
        _show("What loses patients", None, "loss", build_loss_table(released),
              note="No variable loses enough patients to say so.")


def _show(heading: str, figure: object, key: str, table: pd.DataFrame, note: str) -> None:
    st.markdown(f"#### {heading}")
    if figure is not None:
        st.plotly_chart(figure, key=f"feasibility.{key}", theme=None, config=_QUIET,  # type: ignore[arg-type]
                        alt=f"{heading}. The table below has the same numbers.")
    st.caption(escape_markdown(note))
    twin = st.expander("View as table", key=f"feasibility.{key}.table", on_change="rerun")
    if twin.open:
        with twin:
            show_table(table, left=_LEFT, alt=heading)


_LEFT = ("Step", "Country", "Source", "Not known")


def build_steps_table(result: FeasibilityResult) -> pd.DataFrame:
    """One row a step."""
    return pd.DataFrame([(tidy_units(capital(step.label)), NOTHING if place == 0 else format_part(step.removed),
                          format_part(step.n)) for place, step in enumerate((*result.steps, result.not_followed))],
                        columns=["Step", "Removed", "Left"])


def build_country_table(released: Released[FeasibilityResult], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a country that takes part."""
    minimum = released.scope.rules.minimum_cell
    return pd.DataFrame([(names.get(one.country, one.country), name_country_count(one, minimum))
                         for one in released.value.by_country], columns=["Country", "Patients"])


def build_loss_table(released: Released[FeasibilityResult]) -> pd.DataFrame:
    """One row a variable, then one for each combination that may be told."""
    rows = [(one.label, format_part(one.lacking), format_part(one.only)) for one in released.value.losses]
    rows += [(" and ".join(one.labels), NOTHING, format_part(one.n)) for one in released.value.joint]
    return pd.DataFrame(rows, columns=["Not known", "In all", "While all else is"])


def build_source_table(result: FeasibilityResult) -> pd.DataFrame:
    """One row a source with its stages."""
    return pd.DataFrame([(one.title, name_stage(one.registered), name_stage(one.accepted),
                          name_stage(one.with_endpoint), name_stage(one.counted) + (DIFFERS if one.differs else ""))
                         for one in result.sources],
                        columns=["Source", "Registered", "Accepted", "Followed for the endpoint", "Counted"])
