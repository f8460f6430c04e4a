from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.charts.figures import build_figure

SPEC: dict[str, Any] = {"data": [{"type": "scatter", "x": [0, 1.5], "y": [1, None], "name": "girls"}],
                        "layout": {"height": 300, "annotations": [{"text": "5 years"}]}}
NUMBERS = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=5)


def revision_of(spec: dict[str, Any]) -> str:
    return str(build_figure(spec).layout.datarevision)


def changed(*place: Any, to: Any) -> dict[str, Any]:
    spec = copy.deepcopy(SPEC)
    part: Any = spec
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = to
    return spec


def test_the_same_figure_has_the_same_mark_and_is_left_as_it_is() -> None:
    before = copy.deepcopy(SPEC)
    assert revision_of(SPEC) == revision_of(copy.deepcopy(SPEC))
    assert before == SPEC


@pytest.mark.parametrize("other", [
    changed("data", 0, "x", 1, to=1.6), changed("data", 0, "y", 1, to=0.9), changed("data", 0, "name", to="boys"),
    changed("layout", "annotations", 0, "text", to="3 years"), {"data": [], "layout": SPEC["layout"]}])
def test_any_other_number_or_word_has_another_mark(other: dict[str, Any]) -> None:
    assert revision_of(other) != revision_of(SPEC)


@given(NUMBERS, NUMBERS)
def test_figures_share_a_mark_only_if_their_numbers_are_equal(first: list[float | None],
                                                              second: list[float | None]) -> None:
    marks = [revision_of(changed("data", 0, "y", to=numbers)) for numbers in (first, second)]
    assert (marks[0] == marks[1]) == (repr(first) == repr(second))


def test_arrays_are_marked_by_their_numbers() -> None:
    assert revision_of(changed("data", 0, "y", to=np.array([1.0, 2.0]))) == revision_of(
        changed("data", 0, "y", to=[1.0, 2.0]))


def test_what_no_browser_could_read_is_refused() -> None:
    with pytest.raises(TypeError, match="a figure holds a object"):
        build_figure(changed("data", 0, "name", to=object()))
