"""An expander that comes back as the person left it."""

from __future__ import annotations

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest


def draw() -> None:
    import streamlit as st

    from harmony_dash.ui.components.kept_expander import show_kept_expander
    from harmony_dash.ui.pins import begin_page

    begin_page("page")
    if st.session_state.get("is_away"):
        return
    box = show_kept_expander("More", key="more")
    st.text("open" if box.open else "closed")


def click(app: AppTest, *, to_open: bool) -> AppTest:
    """What the browser sends when somebody clicks the expander."""
    (box,) = app.get("expander")
    return app._run(WidgetStates(widgets=[WidgetState(id=box.proto.id, bool_value=to_open)]))


def shown(app: AppTest) -> str:
    assert not app.exception
    return str(app.text[0].value)


def test_it_is_closed_until_somebody_opens_it() -> None:
    app = AppTest.from_function(draw).run()
    assert shown(app) == "closed"
    assert shown(click(app, to_open=True)) == "open"
    assert shown(click(app, to_open=False)) == "closed"


@pytest.mark.parametrize("is_open", [True, False])
def test_it_comes_back_as_it_was_left(is_open: bool) -> None:
    app = click(AppTest.from_function(draw).run(), to_open=True)
    if not is_open:
        click(app, to_open=False)
    app.session_state["is_away"] = True
    app.run().run()
    app.session_state["is_away"] = False
    assert shown(app.run()) == ("open" if is_open else "closed")


def test_a_click_below_an_answer_that_is_just_going_away_is_not_lost() -> None:
    app = AppTest.from_function(draw).run()
    app.session_state["is_away"] = True
    assert not click(app, to_open=True).text
    app.session_state["is_away"] = False
    assert shown(app.run()) == "open"
