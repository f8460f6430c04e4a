"""Native values of a sheet or a typed column as text."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any


def write_cell(value: Any, decimal: str = ".") -> str | None:
    """Text of a native cell: no float noise (0.30000000000000004 is 0.3), dates in ISO form; None if it has none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value:
            return ""
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
        return text.replace(".", decimal) if decimal != "." else text
    if isinstance(value, datetime):
        midnight = value.time() == time(0) and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return None
