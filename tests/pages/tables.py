"""The tables of a page, as a browser would read them."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
from streamlit.testing.v1 import AppTest


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def tables_of(page: AppTest) -> list[pd.DataFrame]:
    """The tables in the order of the page, each cell as the text that is read."""
    return [read_table(element.proto.body) for element in page.get("html") if "<table" in element.proto.body]


def read_table(body: str) -> pd.DataFrame:
    """One table of the page from its markup."""
    reader = _Reader()
    reader.feed(body)
    header, *rows = reader.rows
    return pd.DataFrame(rows, columns=header)
