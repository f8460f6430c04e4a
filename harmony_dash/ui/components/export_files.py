"""What an export will hold, its formats, the button that builds it, and the files to take along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.disclosure.released import Released
from harmony_dash.errors import UserError
from harmony_dash.export.files import Format
from harmony_dash.export.kinds import Looks, summarise
from harmony_dash.export.summary import Display
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.export_answers import ExportQuestion
from harmony_dash.services.exports import Export, make_export
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.survival_view import SurvivalView
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import escape_markdown

FORMAT_LABELS: Final = {
    Format.HTML: "Report (HTML)", Format.XLSX: "Excel", Format.CSV: "CSV with scripts", Format.PARQUET: "Parquet",
    Format.SVG: "Figure (SVG)", Format.PNG: "Figure (PNG)", Format.PDF: "Figure (PDF)"}
FIRST_FORMATS: Final = (Format.HTML, Format.XLSX, Format.CSV)
# Files with a button of their own; tables and scripts are of use together and come in the ZIP.
_SINGLE: Final = {"report.html": "Report", "tables.xlsx": "Excel workbook", "figure.svg": "Figure, SVG",
                  "figure.png": "Figure, PNG", "figure.pdf": "Figure, PDF"}
_STEPS: Final = {"numbers": "Computing the numbers", "figure": "Drawing the figure", "report": "Writing the report",
                 "workbook": "Writing the workbook", "tables": "Writing the tables", "archive": "Packing the files"}
_MADE = "export.made"


@dataclass(frozen=True)
class Order:
    """What is to be exported."""

    view: SurvivalView
    question: ExportQuestion
    grant: str
    formats: tuple[Format, ...]

    @property
    def looks(self) -> Looks:
        """How figure and tables show it."""
        return Looks(self.view.time_unit, self.view.all_causes)


@dataclass(frozen=True)
class _Made:
    """Files of this session, and what they answer."""

    order: Order
    username: str
    export: Export


def show_preview(released: Released[Any], view: SurvivalView) -> None:
    """The tables as the files will have them."""
    summary = summarise(released, Looks(view.time_unit, view.all_causes))
    first, *others = summary.displays
    _show_display(first)
    further = st.expander("All tables of the report", key="export.tables", on_change="rerun")
    if further.open:
        with further:
            for display in others:
                st.markdown(f"**{escape_markdown(display.title)}**")
                _show_display(display)
            st.caption(escape_markdown(summary.methods))


def _show_display(display: Display) -> None:
    show_table(pd.DataFrame(display.rows, columns=display.header), left=display.header[:display.words],
               alt=display.title)
    if display.note:
        st.caption(escape_markdown(display.note))


def choose_formats() -> tuple[Format, ...]:
    """Draw the choice and return it in the order of the list."""
    chosen = st.pills("Files", list(Format), selection_mode="multi", default=FIRST_FORMATS, key="export.formats",
                      format_func=lambda form: FORMAT_LABELS[form])
    return tuple(form for form in Format if form in chosen)


def show_build(deployment: Deployment, actor: Actor, order: Order) -> None:
    """The button, progress while it works, and the files once they are there."""
    if st.button("Build the files", type="primary", icon=":material/inventory_2:", key="export.build",
                 disabled=not order.formats):
        export = _build(deployment, actor, order)
        if export is not None:
            st.session_state[_MADE] = _Made(order, actor.username, export)
            st.rerun()  # the list of receipts has one more
    if not order.formats:
        st.caption("Choose at least one kind of file.")
    made: _Made | None = st.session_state.get(_MADE)
    if made is None:
        return
    if (made.order, made.username) != (order, actor.username):
        # files of another question beside this one would be taken for its own
        del st.session_state[_MADE]
        return
    show_files(made.export)


def _build(deployment: Deployment, actor: Actor, order: Order) -> Export | None:
    with st.status(_STEPS["numbers"]) as status:
        try:
            return make_export(deployment, actor, order.question, formats=order.formats,
                               interval=order.view.interval, looks=order.looks, grant=order.grant,
                               progress=lambda step: status.update(label=_STEPS[step]))
        except UserError as error:
            status.update(label="Nothing was exported", state="error")
            show_problem(error, heading="This cannot be exported as it stands")
            return None


def show_files(export: Export) -> None:
    """The receipt, and a button a file."""
    receipt, archive = export.saved.receipt, export.bundle.archive
    stem = archive.name.removesuffix(".zip")
    with st.container(border=True, key="export_files"):
        st.markdown(f"**Ready: receipt {receipt.number}**")
        st.caption(f"Audit entry {export.saved.audit_id}. The number stands in every file but the tables, so that "
                   "anybody can have a file checked.")
        with st.container(horizontal=True, gap="small"):
            st.download_button("Everything (ZIP)", archive.content, file_name=archive.name, mime=archive.media_type,
                               key="export.download.zip", icon=":material/folder_zip:", on_click="ignore",
                               type="primary")
            for file in export.bundle.files:
                if file.name in _SINGLE:
                    # the number in the name makes it another name each time
                    st.download_button(_SINGLE[file.name], file.content, file_name=f"{stem}-{file.name}",
                                       mime=file.media_type, key=f"export.download.{file.name}",
                                       icon=":material/download:", on_click="ignore")
