"""The way from an analysis to its export."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.ui.components.survival_view import SurvivalView, write_link
from harmony_dash.ui.registry import PAGES


def show_export_link(actor: Actor, view: SurvivalView, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """A link to the export page with the same question, for those who may export.

    Parameters
    ----------
    more : further parameters of the link, as `link_parameters` of a table gives them.
    """
    if not user_can(actor, Permission.EXPORT):
        return
    (page,) = [page for page in PAGES if page.permission is Permission.EXPORT]
    st.page_link(page.file, label="Export this", icon=page.icon, query_params=write_link(view) | dict(more))
