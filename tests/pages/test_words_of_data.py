"""Labels, names and messages that come from data are text on every page, never markup."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.disclosure.release_info import DiseaseInfo
from harmony_dash.errors import StoreError
from harmony_dash.ui.incidents import note_error
from tests.pages.fakes import FakeHouse
from tests.pages.test_survival_page import OpenPage

EVIL = "**x** https://evil.example :red[y]"


def show_error() -> None:
    from harmony_dash.errors import StoreError
    from harmony_dash.ui.incidents import note_error
    note_error(StoreError("**x** https://evil.example :red[y]"))


def show_name() -> None:
    from harmony_dash.access.actor import Actor, Role
    from harmony_dash.ui.theme import show_top_row
    show_top_row(Actor("tester", Role.CLINICIAN, "s", "**x** https://evil.example :red[y]"), synthetic=False)


def is_plain(text: str) -> bool:
    return "://" not in text.replace("\\", "") and "\\*\\*x" in text and ":red[" not in text.replace("\\:", "")


def test_the_message_of_an_error_is_plain_text() -> None:
    page = AppTest.from_function(show_error).run()
    assert is_plain(page.error[0].value)


def test_the_name_of_a_person_is_plain_text() -> None:
    page = AppTest.from_function(show_name).run()
    assert not page.exception
    assert is_plain(page.markdown[0].value)


def test_the_label_of_a_disease_is_plain_text(house: FakeHouse, open_page: OpenPage) -> None:
    house.diseases["AML"] = DiseaseInfo(EVIL, 10, 1, 1)
    page = open_page("coverage")
    assert not page.exception
    assert is_plain(next(option.content for option in page.button_group[0].proto.options if "evil" in option.content))


def test_an_error_is_noted_once_and_streamlit_shows_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("streamlit.error", lambda text, **_: shown.append(text))
    assert note_error(StoreError("no snapshot"))
    assert len(shown) == 1
