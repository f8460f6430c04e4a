from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.server import Server, copy_project, start_server

# A page that fails with a value in the message, and one that a download hangs on.
FAILING_PAGE = """
from harmony_dash.access.permissions import Permission
from harmony_dash.ui.guard import require

require(Permission.VIEW_COVERAGE)
raise RuntimeError("patient P-4711 select secret from outcome")
"""
DOWNLOAD_PAGE = """
import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.ui.guard import require

require(Permission.VIEW_HOME)
st.write("MARKER-OF-HOME")
st.download_button("Take it", b"released", file_name="released.csv")


@st.fragment
def show_part():
    require(Permission.VIEW_HOME)
    st.write("MARKER-OF-PART")
    st.button("Again")


show_part()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A warm server with one page that fails (coverage) and one with a download and a fragment (home)."""
    folder: Path = tmp_path_factory.mktemp("server")
    root = copy_project(folder / "project", {"coverage": FAILING_PAGE, "home": DOWNLOAD_PAGE})
    with start_server(folder / "data", root=root) as running:
        yield running
