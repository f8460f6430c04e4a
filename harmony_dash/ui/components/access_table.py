"""Tables of the access page: words that wrap, numbers to the right, a mark where something needs a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from harmony_dash.ui.components.text import escape_markdown

_ROOM = "16rem"


@dataclass(frozen=True)
class Mark:
    """A cell that stands out: a badge in one of Streamlit's colours, and words after it."""

    words: str
    colour: str
    after: str = ""


Cell = str | Mark


def show_rows(rows: Sequence[Mapping[str, Cell]], *, alt: str, right: Sequence[str] = (),
              whole: Sequence[str] = (), roomy: Sequence[str] = ()) -> None:
    """One table; all rows have the same columns.

    Parameters
    ----------
    alt : what the table tells, for those who do not see it.
    right : columns of numbers.
    whole : columns whose words stay on one line.
    roomy : columns of sentences, which are kept wide enough to read.
    """
    table = pd.DataFrame([{escape_markdown(name): _markdown(cell) for name, cell in row.items()} for row in rows])
    names = list(rows[0])
    numbers = [names.index(name) for name in right]
    aligned = {"text-align": "right !important"}
    styled = table.style.set_properties(subset=[table.columns[place] for place in numbers], **aligned)
    styled = styled.set_table_styles([
        *({"selector": f"th.col{place}", "props": list(aligned.items())} for place in numbers),
        *({"selector": f"td.col{names.index(name)}, td.col{names.index(name)} *",
           "props": [("white-space", "nowrap !important")]} for name in whole),
        *({"selector": f"td.col{names.index(name)}", "props": [("min-width", _ROOM)]} for name in roomy)])
    st.table(styled, border="horizontal", hide_index=True, alt=alt)


def _markdown(cell: Cell) -> str:
    if isinstance(cell, Mark):
        return f":{cell.colour}-badge[{escape_markdown(cell.words)}] {escape_markdown(cell.after)}".rstrip()
    return escape_markdown(cell)
