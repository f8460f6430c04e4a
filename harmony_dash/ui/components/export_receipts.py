"""The receipts of exports: a person's own, and everybody's for the steering committee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import pandas as pd
import streamlit as st

from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.access.receipts import SavedReceipt
from harmony_dash.errors import UserError
from harmony_dash.services.receipts import review_receipts
from harmony_dash.ui.components.problem import show_problem
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

_SHOWN, _STEP = "export.receipts.shown", 10
_SHORT = 12


@st.fragment(key="export_receipts")
def show_receipts() -> None:
    """The newest receipts, and more on demand."""
    actor = require(Permission.EXPORT)
    everybody = user_can(actor, Permission.READ_AUDIT)
    st.subheader("Receipts" if everybody else "My receipts")
    shown = int(st.session_state.get(_SHOWN, _STEP))
    try:
        found = review_receipts(get_deployment(), actor, limit=shown + 1)
    except UserError as error:
        show_problem(error, heading="The receipts cannot be shown now")
        return
    if not found:
        st.caption("Nothing was exported yet." if everybody else "You have not exported anything yet.")
        return
    show_table(build_receipts(found[:shown], everybody=everybody), left=("Receipt", "Made (UTC)", "Who", "Question",
                                                                        "Files", "Data SHA-256"), alt="Receipts")
    st.caption("Whoever runs the server can check a file: python -m harmony_dash export --verify FILE.")
    if len(found) > shown:
        st.button("Show more", key="export.receipts.more", on_click=_show_more, icon=":material/expand_more:")


def build_receipts(receipts: Sequence[SavedReceipt], *, everybody: bool) -> pd.DataFrame:
    """One row a receipt; who made it stands there only where that is not always the same person."""
    rows = []
    for saved in receipts:
        receipt = saved.receipt
        row = {"Receipt": receipt.number, "Made (UTC)": f"{receipt.made.astimezone(UTC):%Y-%m-%d %H:%M}"}
        if everybody:
            row["Who"] = receipt.username
        rows.append(row | {
            "Question": receipt.title, "Files": ", ".join(kinds_of(saved)), "Data SHA-256":
            f"{receipt.data_sha256[:_SHORT]}…", "Audit entry": f"{saved.audit_id:,}"})
    return pd.DataFrame(rows)


def kinds_of(saved: SavedReceipt) -> tuple[str, ...]:
    """What kinds of files there are, by the end of their names, each once."""
    ends = dict.fromkeys(file.name.rpartition(".")[2] for file in saved.receipt.files)
    return tuple(end for end in ends if end not in ("json", "zip", "py", "R"))


def _show_more() -> None:
    st.session_state[_SHOWN] = int(st.session_state.get(_SHOWN, _STEP)) + _STEP
