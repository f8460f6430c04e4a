"""A figure as SVG, PNG and PDF, without a browser, with the same bytes for the same figure and provenance."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import matplotlib
from matplotlib.figure import Figure

PNG_DPI: Final = 300
# Letters are drawn or embedded, so that a file looks the same everywhere; ids do not change from run to run; a dollar
# sign in a label is a dollar sign.
_STYLE: Final[Any] = {"font.family": ["DejaVu Sans"], "svg.fonttype": "path", "svg.hashsalt": "harmony_dash",
                 "pdf.fonttype": 42, "text.parse_math": False, "path.simplify": False}
# Settings and font caches of matplotlib belong to the process, and sessions are threads.
_DRAWING = threading.Lock()


class Picture(StrEnum):
    """A format of figures."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


def write_pictures(draw: Callable[[], Figure], wanted: frozenset[Picture], *, title: str, about: str, provenance: str,
                   ) -> dict[Picture, bytes]:
    """The figure in every wanted format.

    Parameters
    ----------
    draw : makes the figure.
    title, about : the question in words, and one line on where the figure comes from.
    provenance : JSON, for the formats that have room for it.
    """
    found: dict[Picture, bytes] = {}
    with _DRAWING, matplotlib.rc_context(_STYLE):
        figure = draw()
        for picture in sorted(wanted):
            content = io.BytesIO()
            figure.savefig(content, format=picture.value, dpi=PNG_DPI,
                           metadata=_metadata(picture, title, about, provenance))
            found[picture] = content.getvalue()
    return found


def _metadata(picture: Picture, title: str, about: str, provenance: str) -> dict[str, str | None]:
    match picture:
        case Picture.SVG:
            return {"Title": title, "Description": provenance, "Creator": about, "Date": None}
        case Picture.PNG:
            return {"Title": title, "Description": provenance, "Software": about}
        case Picture.PDF:
            return {"Title": title, "Subject": about, "Keywords": provenance, "Creator": "harmony_dash",
                    "CreationDate": None}
