"""The report: one HTML file that opens offline, asks for nothing from elsewhere, and prints on A4."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from harmony_dash.disclosure.wording import describe_protection
from harmony_dash.export.provenance import Occasion, Provenance
from harmony_dash.export.summary import Summary

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SVG: Final = re.compile(r"<svg.*</svg>", re.DOTALL)
_SIZE: Final = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_TALL = 1.25  # height over width
_METADATA: Final = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def write_report(summary: Summary, provenance: Provenance, occasion: Occasion, figure: bytes) -> bytes:
    """The report of a summary.

    Parameters
    ----------
    figure : SVG as `pictures` writes it, empty for none; its own metadata are left out, because the report has them.
    """
    page = _template().render(
        summary=summary, occasion=occasion, provenance=provenance, figure=_inline(figure), tall=_is_tall(figure),
        protection=describe_protection(summary.scope), made=f"{occasion.made:%d %B %Y, %H:%M} UTC")
    return page.encode()


def _is_tall(figure: bytes) -> bool:
    size = _SIZE.search(figure.decode())
    return size is not None and float(size[2]) > _TALL * float(size[1])


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html")


def _inline(figure: bytes) -> Markup:
    """The figure as a part of the page. Matplotlib wrote it, with every label as a path or escaped."""
    found = _SVG.search(figure.decode())
    return Markup(_METADATA.sub("", found.group())) if found else Markup("")  # noqa: S704
