"""From a plain description to Plotly's figure, marked so that the browser draws it once."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import plotly.graph_objects as go


def build_figure(spec: dict[str, Any]) -> go.Figure:
    """The figure of a description, without Plotly's check of every property, which takes longer than all the rest.

    Streamlit hands each new figure to Plotly twice. `datarevision` tells Plotly that the second one holds the data of
    the first; without it the arrays count as new ones, and everything is drawn again. It is made from the whole
    content, so that other data never pass for those already drawn. Plotly looks at it for lists only: arrays that
    travel as bytes are always drawn again.

    Parameters
    ----------
    spec : `data`, a list of traces, and `layout`, of plain values.
    """
    content = json.dumps(spec, sort_keys=True, default=_as_list).encode()
    revision = hashlib.blake2b(content, digest_size=8).hexdigest()
    return go.Figure({**spec, "layout": {**spec["layout"], "datarevision": revision}}, _validate=False)


def _as_list(array: Any) -> Any:
    """An array, or one of its numbers, as what JSON knows; anything else has no place in a figure."""
    if hasattr(array, "tolist"):
        return array.tolist()
    raise TypeError(f"a figure holds a {type(array).__name__}")
