"""May it be asked? The verdict with its reasons; a refusal is a page of its own, not an error."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.charts.numbers import format_count, format_part
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import ComparedArm, Method, Status, WhatIfReason, WhatIfResult
from harmony_dash.ui.components.text import capital, escape_markdown, sentence, tidy_units

# Codes whose numbers say how far from the limit the data are; of the others the message says all.
_MEASURED = ("POSITIVITY", "BALANCE", "MODEL_DEPENDENT", "NO_CONFOUNDERS")
_UNITS = {"MODEL_DEPENDENT": " standard errors apart"}


def show_verdict(released: Released[WhatIfResult]) -> None:
    """Answered, answered with caution, or refused, and why."""
    result = released.value
    st.markdown("#### May it be asked of these data?")
    if result.status is Status.REFUSED:
        _show_refusal(released)
        return
    refused = [one for one in result.reasons if one.severity == "refused"]
    amber = [one for one in result.reasons if one.severity != "refused"]
    if result.primary is Method.RANDOMISED:
        st.success("Yes: patients were allocated at random, and they are compared as randomised.",
                   icon=":material/casino:")
    elif result.status is Status.ANSWERED:
        st.success("Yes: both strategies were used where they are compared, and the arms can be made alike in what is "
                   "adjusted for.", icon=":material/check_circle:")
    if refused:
        st.warning(f"**The adjusted comparison of all patients is refused**\n\n{_list_reasons(refused)}",
                   icon=":material/block:")
    if amber:
        st.warning(f"**Read with caution**\n\n{_list_reasons(amber)}", icon=":material/warning:")


def _show_refusal(released: Released[WhatIfResult]) -> None:
    """What is missing, how many patients there are, and what would be needed."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    refused = [one for one in result.reasons if one.severity == "refused"]
    others = [one for one in result.reasons if one.severity != "refused"]
    with st.container(border=True, key="what_if.refused"):
        heading = ("A comparison between protocols, not between treatments" if result.between_protocol
                   else "No answer is given")
        st.markdown(f"**:material/block: {heading}**")
        st.markdown("The data do not carry this comparison. An answer would look like any other and be wrong more "
                    "often than it says.")
        st.markdown(f"**Why**\n\n{_list_reasons(refused)}")
        sizes = [_describe_size(arm, minimum) for patients in result.patients[:1] for arm in patients.arms]
        if sizes:
            st.markdown("**What there is**\n\n" + _as_list(sizes))
        needed = list(dict.fromkeys(one.needed for one in refused if one.needed))
        if needed:
            st.markdown("**What would be needed**\n\n" + _as_list([sentence(words) for words in needed]))
        if others:
            st.markdown(f"**Also to be read with caution**\n\n{_list_reasons(others)}")


def _describe_size(arm: ComparedArm, minimum: int) -> str:
    text = f"{capital(arm.name)}: {format_count(arm.n, minimum)} patients"
    return text if arm.n is None or arm.events is None else f"{text}, {format_part(arm.events)} events"


def _list_reasons(reasons: Sequence[WhatIfReason]) -> str:
    return "\n".join(f"- {escape_markdown(tidy_units(sentence(words)))} `{code}`"
                     for code, words in describe_reasons(reasons))


def _as_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escape_markdown(tidy_units(line))}" for line in lines)


def describe_reasons(reasons: Sequence[WhatIfReason]) -> list[tuple[str, str]]:
    """(code, words): what one rule says of several arms or covariates stands in one line, with what was found of each.

    Where what was found tells more than the message, it stands beside its limit.
    """
    lines: dict[tuple[str, str, float | None], list[str]] = {}
    for one in reasons:
        message = one.message.removesuffix(f" ({one.where})")
        measured = one.code in _MEASURED and one.value is not None and bool(one.threshold)
        found = _number(one.value) + _UNITS.get(one.code, "") if measured and one.value is not None else ""
        about = one.where if message != one.message else ""
        limit = one.threshold if measured else None
        lines.setdefault((one.code, message, limit), []).append(" ".join(filter(None, (about, found))))
    words = []
    for (code, message, limit), parts in lines.items():
        about = ", ".join(dict.fromkeys(filter(None, parts)))
        end = f" (limit {_number(limit)})" if limit is not None else ""
        words.append((code, f"{message}: {about}{end}" if about else f"{message}{end}"))
    return words


def _number(value: float) -> str:
    """Large ones whole, small ones with two digits."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{abs(value):.2g}"
