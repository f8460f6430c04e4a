"""Tables as markup: what a cell holds is shown as it stands, and is never markup itself."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from harmony_dash.ui.components.html_table import Mark, render_table, show_rows
from tests.pages.tables import read_table, tables_of

HOSTILE = ("<script>alert(1)</script>", "</td></tr></table><img src=x onerror=alert(1)>", '" onmouseover="x', "&lt;10",
           "<10", "**bold** :red[x] $x$ [a](javascript:1)")


# NUL cannot be sent; its own test says what becomes of it.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.tuples(TEXT, TEXT))
def test_any_text_comes_out_as_it_went_in(rows: list[tuple[str, str]], header: tuple[str, str]) -> None:
    read = read_table(render_table(header, rows, ["number line", "number"], alt="Anything"))
    assert [tuple(row) for row in [list(read.columns), *read.to_numpy().tolist()]] == [header, *rows]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    body = render_table([text], [[text], [Mark(text, text, text)]], [""], alt=text, colours=[text])
    tags = {part.split(">")[0].split()[0] for part in body.split("<")[1:]}
    assert tags == {"div", "table", "thead", "tr", "th", "/th", "/tr", "/thead", "tbody", "td", "/td", "span", "/span",
                    "/tbody", "/table", "/div"}
    assert body.count('"') % 2 == 0 and ' onmouseover="' not in body


def test_an_interval_may_go_to_the_next_line_and_stays_in_one_piece() -> None:
    body = render_table(["a", "b"], [["93.1 (91.4–94.5)", "93.1 (91.4–94.5)"], ["<1 (<b>–2)", "1 (2) (3)"]],
                        ["number line", "number"])
    assert '<td class="number line">93.1 <span class="line">(91.4–94.5)</span></td>' in body
    assert '<td class="number">93.1 (91.4–94.5)</td>' in body
    assert '<td class="number line">&lt;1 <span class="line">(&lt;b&gt;–2)</span></td>' in body
    assert '<td class="number">1 (2) (3)</td>' in body


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", '{"a":"\udfff"}'])
def test_what_no_browser_can_be_sent_does_not_take_the_table_away(text: str) -> None:
    body = render_table([text], [[text], [Mark(text, "red", text)]], [""], alt=text)
    assert "\ufffd" in body and body.encode()


def test_a_row_in_another_order_stands_under_its_headings() -> None:
    def page() -> None:
        from harmony_dash.ui.components.html_table import show_rows
        show_rows([{"a": "1", "b": "2"}, {"b": "4", "a": "3"}], alt="Two")

    (table,) = tables_of(AppTest.from_function(page).run())
    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_rows_of_different_columns_are_an_error() -> None:
    with pytest.raises(ValueError, match="same columns"):
        show_rows([{"a": "1"}, {"a": "3", "b": "4"}], alt="Two")


def test_a_row_that_is_too_short_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        render_table(["a", "b"], [["1"]], ["", ""])


def test_kinds_colours_headings_and_marks_are_in_the_markup() -> None:
    body = render_table(["Group", "n"], [["all", "1,234"], ["one", Mark("few", "red", "and why")]],
                        ["", "number line"], alt="Groups", colours=["#0072B2"], headings=[1])
    assert '<table aria-label="Groups">' in body
    assert '<td style="color: #0072B2; font-weight: 600">all</td><td class="number line">1,234</td>' in body
    assert '<td style="font-weight: 600">one</td>' in body
    assert '<span class="mark red">few</span> and why</td>' in body


def test_a_page_shows_numbers_right_and_long_words_wrapped() -> None:
    def page() -> None:
        import pandas as pd

        from harmony_dash.ui.components.tables import show_table
        show_table(pd.DataFrame({"Group": ["a"], "n": ["<10"], "Why": ["x" * 30]}), alt="Groups")

    shown = AppTest.from_function(page).run()
    assert not shown.exception
    pd.testing.assert_frame_equal(tables_of(shown)[0], pd.DataFrame({"Group": ["a"], "n": ["<10"], "Why": ["x" * 30]}))
    body = shown.get("html")[0].proto.body
    assert '<th scope="col">Group</th><th scope="col" class="number line">n</th><th scope="col" class="number">' in body
