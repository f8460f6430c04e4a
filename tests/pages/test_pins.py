"""Controls that show a value kept elsewhere, when people go from page to page."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

KEY = "cohort"


def draw() -> None:
    import streamlit as st

    from harmony_dash.ui.pins import begin_page, pin

    begin_page(st.session_state["page"])
    pin("cohort", st.session_state["view"])
    st.multiselect("Cohort", ["a", "b"], key="cohort")


def open_at(page: str, view: list[str]) -> AppTest:
    app = AppTest.from_function(draw)
    app.session_state["page"], app.session_state["view"] = page, view
    return app.run()


def was_told(app: AppTest) -> bool:
    """Whether the browser was told what the control shows."""
    told: Any = app.multiselect(key=KEY).proto
    return bool(told.set_value)


def test_a_control_is_told_its_value_once_and_not_again_on_the_same_page() -> None:
    app = open_at("survival", ["a"])
    assert was_told(app)
    assert not was_told(app.run())
    assert app.multiselect(key=KEY).value == ["a"]


def test_the_same_control_on_another_page_is_told_although_the_session_holds_the_value() -> None:
    app = open_at("survival", ["a"]).run()
    for page in ("subgroups", "survival", "subgroups"):
        app.session_state["page"] = page
        assert was_told(app.run())
        assert app.multiselect(key=KEY).value == ["a"]


def test_a_view_that_changed_elsewhere_is_told() -> None:
    app = open_at("survival", ["a"]).run()
    app.session_state["view"] = ["b"]
    assert was_told(app.run())
    assert app.multiselect(key=KEY).value == ["b"]
