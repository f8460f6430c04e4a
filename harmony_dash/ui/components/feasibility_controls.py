"""What is planned: the endpoint, the horizon, what must be known, and the filters, kept in the address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from harmony_dash.charts.numbers import name_time
from harmony_dash.cohort.endpoints import ENDPOINTS, endpoint_named
from harmony_dash.cohort.filters import OneOf, variables_of
from harmony_dash.cohort.need import Need
from harmony_dash.cohort.question import Question, check_question, question_from_json
from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.cohort_filters import chosen_values, with_values
from harmony_dash.ui.components.cohort_panel import explain_variable
from harmony_dash.ui.components.survival_view import LONGEST_LINK, check_against_data
from harmony_dash.ui.components.text import capital, escape_markdown
from harmony_dash.ui.pins import pin

_NEED, _LINK, _OPEN = "feasibility.need", "feasibility.link", "feasibility.filters"
PARAMETER = "need"
HORIZONS = (365, 731, 1096, 1826, 3653)
FIRST_FILTERS = ("age_group", "country", "immunophenotype")
FIRST_KNOWN = ("cyto_group", "mrd_group")


def first_need(info: ReleaseInfo, disease: str) -> Need:
    """What the page starts with: children, and of them what risk groups are made of."""
    names = {variable.name for variable in info.dictionary.askable(disease)}
    children = (OneOf("age_group", ("1-9", "10-17")),) if "age_group" in names else ()
    return Need(disease, "os", children, tuple(name for name in FIRST_KNOWN if name in names))


def open_need(info: ReleaseInfo, disease: str, endpoints: Sequence[str]) -> Need:
    """The need to show now: that of the address, else the session's, else the first one."""
    text = st.query_params.get(PARAMETER, "")
    need: Need | None = st.session_state.get(_NEED)
    if text and text != st.session_state.get(_LINK):
        try:
            need = read_need(text, info)
        except QuestionError:
            need = None
            st.warning("The link could not be read, so the page shows its first question.", icon=":material/link_off:")
    if need is None or need.disease != disease:
        need = first_need(info, disease)
    if need.endpoint not in endpoints:
        need = replace(need, endpoint=endpoints[0])
    st.session_state[_NEED] = need
    st.session_state[_LINK] = write_need(need)
    if st.query_params.get(PARAMETER) != st.session_state[_LINK]:
        st.query_params[PARAMETER] = st.session_state[_LINK]
    return need


def write_need(need: Need) -> str:
    """The need as the address holds it."""
    question = replace(_as_written(need), horizon_days=need.horizon_days)
    return json.dumps({**question.to_json(), "known": list(need.known)}, sort_keys=True, separators=(",", ":"))


def read_need(text: str, info: ReleaseInfo) -> Need:
    """The need of an address.

    Raises
    ------
    QuestionError for anything this version cannot read, or this release does not hold.
    """
    try:
        value = json.loads(text) if len(text) <= LONGEST_LINK else None
    except (ValueError, RecursionError):
        value = None
    known = value.pop("known", []) if isinstance(value, dict) else []
    question = question_from_json(value)
    if not isinstance(known, list) or not all(isinstance(name, str) for name in known):
        raise QuestionError("the link does not hold a question this version can read")
    check_question(question, info.dictionary)
    check_against_data(question, info)
    need = Need(question.disease, question.endpoint, question.where, tuple(known), question.horizon_days or 1826)
    need.as_question(info.dictionary)
    return need


def plannable(dictionary: Dictionary, disease: str) -> dict[str, Variable]:
    """Variables that can be asked for: those of the patient and of the treatment planned, not of where they are kept.

    What becomes known only during follow-up cannot be asked for without looking at follow-up.
    """
    able = [v for v in dictionary.askable(disease) if (v.is_categorical or v.bands)
            and v.measured is not TimePoint.LATER and v.name not in ("disease", "source", "provider")]
    return {v.name: v for v in sorted(able, key=lambda v: not v.everyday)}


def show_need(need: Need, info: ReleaseInfo, endpoints: Sequence[str], most: int) -> None:
    """Draw the controls; they change the session's need.

    Parameters
    ----------
    endpoints : those the person may plan with.
    most : how many conditions a question may have.
    """
    variables = plannable(info.dictionary, need.disease)
    labels = {name: _words(variable) for name, variable in variables.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _select("Endpoint", "endpoint", list(endpoints), need.endpoint, lambda name: ENDPOINTS[name].label,
                help=endpoint_named(need.endpoint).definition, width=260,
                disabled=len(endpoints) == 1)
        horizons = sorted({*HORIZONS, need.horizon_days})
        _select("Horizon", "horizon_days", horizons, need.horizon_days, lambda day: capital(name_time(day)), width=130)
        _show_known(need, labels)
    used = [name for item in need.where for name in variables_of(item)]
    opened = st.session_state.setdefault(_OPEN, list(FIRST_FILTERS))
    shown = [name for name in variables if name in {*opened, *used} and variables[name].is_categorical]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for name in shown:
            _show_filter(need, variables[name], info)
        with st.popover("More filters", icon=":material/filter_alt:"):
            _show_search(shown, {name: label for name, label in labels.items() if variables[name].is_categorical})
    st.caption(f"A question has at most {most} conditions: filters, and variables that must be known.")


def _words(variable: Variable) -> str:
    return variable.label if variable.everyday else f"{variable.section}: {variable.label}"


def _show_known(need: Need, labels: Mapping[str, str]) -> None:
    key = "feasibility.known"
    pin(key, [name for name in need.known if name in labels])

    def changed() -> None:
        _change(known=tuple(name for name in st.session_state[key] if name in labels))

    st.multiselect("Must be known", list(labels), key=key, on_change=changed, format_func=lambda name: labels[name],
                   placeholder="Nothing in particular", select_all=False, width=520,
                   help="Only patients of whom all of these are known are counted. A test that failed or was not done "
                        "is not known.")


def _show_filter(need: Need, variable: Variable, info: ReleaseInfo) -> None:
    key = f"feasibility.where.{variable.name}"
    question = _as_written(need)
    pin(key, list(chosen_values(question, variable.name)))
    values = list(variable.values or info.code_values.get(variable.name, ()))

    def changed() -> None:
        wanted = tuple(value for value in st.session_state[key] if value in values)
        _change(where=with_values(question, variable.name, wanted).where)

    st.multiselect(escape_markdown(variable.label), values, key=key, on_change=changed, placeholder="Any",
                   format_func=variable.label_of, help=explain_variable(variable), select_all=False, width=250)


def _show_search(shown: Sequence[str], labels: Mapping[str, str]) -> None:
    key = "feasibility.search"
    pin(key, list(shown))

    def changed() -> None:
        wanted = [name for name in st.session_state[key] if name in labels]
        st.session_state[_OPEN] = wanted
        need: Need = st.session_state[_NEED]
        _change(where=tuple(item for item in need.where if set(variables_of(item)) <= set(wanted)))

    st.multiselect("Filter by", list(labels), key=key, on_change=changed, format_func=lambda name: labels[name],
                   select_all=False)


def _as_written(need: Need) -> Question:
    return Question(need.disease, need.endpoint, need.where)


def _select(label: str, field: str, options: list[Any], value: Any, words: Callable[[Any], str], **kwargs: Any) -> None:
    key = f"feasibility.{field}"
    pin(key, value)

    def changed() -> None:
        if st.session_state[key] in options:
            _change(**{field: st.session_state[key]})

    st.selectbox(label, options, key=key, format_func=words, on_change=changed, **kwargs)


def _change(**changes: Any) -> None:
    st.session_state[_NEED] = replace(st.session_state[_NEED], **changes)
