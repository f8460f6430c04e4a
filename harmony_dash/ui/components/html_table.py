"""Static tables as HTML: a browser draws them at once, where each cell of `st.table` is a document of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape as escape_html
from typing import Final

import streamlit as st

from harmony_dash.ui.components.text import readable

_WITH_INTERVAL: Final = re.compile(r"([^()]+) (\([^()]+\))")


@dataclass(frozen=True)
class Mark:
    """A cell that stands out: words on a coloured ground ("red", "orange", "green", "gray"), and words after it."""

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
    header = list(rows[0])
    if any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError("all rows of a table have the same columns")
    kinds = [" ".join(kind for kind, names in (("number", right), ("line", whole), ("roomy", roomy)) if name in names)
             for name in header]
    st.html(render_table(header, [[row[name] for name in header] for row in rows], kinds, alt=alt))


def render_table(header: Sequence[str], rows: Sequence[Sequence[Cell]], kinds: Sequence[str], *, alt: str = "",
                 colours: Sequence[str] = (), headings: Collection[int] = ()) -> str:
    """The table's markup; `theme.show_frame` says how it looks.

    Parameters
    ----------
    header, rows : plain text; whatever it holds is shown as it stands.
    kinds : of each column: "number" for digits of equal width to the right, "line" for words that stay on one line,
        "roomy" for sentences; several with blanks between them, or none.
    alt : what the table tells, for those who do not see it.
    colours : a colour for the first cell of each row, as CSS has it.
    headings : rows, by place, that name what the rows below them belong to.
    """
    classes = [f' class="{kind}"' if kind else "" for kind in kinds]
    parts = ['<div class="harmony-table"><table', f' aria-label="{_text(alt)}"' if alt else "", "><thead><tr>",
             *(f'<th scope="col"{kind}>{_text(name)}</th>' for name, kind in zip(header, classes, strict=True)),
             "</tr></thead><tbody>"]
    for number, row in enumerate(rows):
        parts.append("<tr>")
        for place, (cell, kind) in enumerate(zip(row, classes, strict=True)):
            style = ""
            if place == 0 and number < len(colours):
                style = f' style="color: {_text(colours[number])}; font-weight: 600"'
            elif place == 0 and number in headings:
                style = ' style="font-weight: 600"'
            words = _break_before_interval(cell) if "line" in kinds[place].split() else None
            parts.append(f"<td{kind}{style}>{words or _render_cell(cell)}</td>")
        parts.append("</tr>")
    parts.append("</tbody></table></div>")
    return "".join(parts)


def _text(text: str) -> str:
    return escape_html(readable(text))


def _break_before_interval(cell: Cell) -> str | None:
    """A number whose interval may go to the next line where there is little room, or None for anything else."""
    found = _WITH_INTERVAL.fullmatch(cell) if isinstance(cell, str) else None
    return None if found is None else f'{_text(found[1])} <span class="line">{_text(found[2])}</span>'


def _render_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return _text(cell)
    return f'<span class="mark {_text(cell.colour)}">{_text(cell.words)}</span> {_text(cell.after)}'.rstrip()
