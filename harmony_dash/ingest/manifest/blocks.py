"""Values of one block of a manifest; each reader names the line when it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmony_dash.dictionary.yaml_reader import LocatedDict
from harmony_dash.errors import SourceError
from harmony_dash.ingest.suggestions import suggest


def fail(block: LocatedDict, key: str | None, problem: str, remedy: str) -> SourceError:
    """The refusal of a key's value, or of the block itself, with the line it stands on."""
    return SourceError(problem, where=block.where(key), remedy=remedy)


def refuse_unknown_keys(block: LocatedDict, allowed: Sequence[str], of: str) -> None:
    """Raise for a key that nothing reads; it would be silently without effect."""
    for key in block:
        if key not in allowed:
            raise fail(block, key, f"'{key}' is not a key of {of or 'a source'}", suggest(key, allowed))


def _read_scalar(block: LocatedDict, key: str, value: Any) -> str:
    """Text of a YAML scalar; a fraction is refused because its spelling is lost (0.10 would become 0.1)."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        word = "true" if value else "false"
        raise fail(block, key, f"`{word}` is not text", f'Put quotes around it: "{word}".')
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise fail(block, key, "a number with a decimal point needs quotes to keep its spelling", 'Write e.g. "-9.0".')
    raise fail(block, key, f"'{key}' is empty or not a single value", "Write one value after the colon.")


def read_text(block: LocatedDict, key: str, *, required: bool = False) -> str:
    """The text of a key, empty where it is absent."""
    if key not in block:
        if required:
            raise fail(block, None, f"'{key}' is missing", f"Add `{key}: …`.")
        return ""
    return _read_scalar(block, key, block[key])


def read_optional(block: LocatedDict, key: str) -> str | None:
    """The text of a key, None where it is absent."""
    return read_text(block, key, required=True) if key in block else None


def read_words(block: LocatedDict, key: str) -> list[str]:
    """The list of a key as text, empty where it is absent."""
    if key not in block:
        return []
    value = block[key]
    if not isinstance(value, list):
        raise fail(block, key, f"'{key}' is not a list", f'Write `{key}: ["…", "…"]`.')
    return [_read_scalar(block, key, item) for item in value]


def read_number(block: LocatedDict, key: str) -> float | None:
    """The number of a key, None where it is absent."""
    if key not in block:
        return None
    value = block[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail(block, key, f"'{key}' is not a number", f"Write `{key}: 0.0001` with a decimal point, no unit.")
    return float(value)


def read_integer(block: LocatedDict, key: str, default: int, lowest: int) -> int:
    """The whole number of a key, not below the lowest."""
    value = block.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise fail(block, key, f"'{key}' is not a whole number from {lowest}",
                   f"Write e.g. `{key}: {max(lowest, 1)}`.")
    return int(value)


def read_map(block: LocatedDict, key: str) -> dict[str, str] | None:
    """Source values to codes, as text; None where the key is absent."""
    if key not in block:
        return None
    value = block[key]
    if not isinstance(value, LocatedDict) or not value:
        raise fail(block, key, f"'{key}' is not a map of source values to dictionary codes",
                   f"Write `{key}: {{m: M, w: F}}`.")
    result: dict[str, str] = {}
    for word, code in value.items():
        if word.strip() in result:
            raise fail(value, word, f"'{word.strip()}' is written twice", "Keep one of the two.")
        result[word.strip()] = _read_scalar(value, word, code)
    return result


def read_separators(block: LocatedDict) -> tuple[str | None, str | None]:
    """The decimal and the thousands separator, None where a block leaves them to others."""
    decimal, thousands = block.get("decimal"), block.get("thousands")
    if decimal is not None and decimal not in (".", ","):
        raise fail(block, "decimal", "the decimal separator is neither a point nor a comma", 'Write `decimal: ","`.')
    if thousands is not None and thousands not in (".", ",", " ", "'", "’", "\u00a0", "\u202f"):
        raise fail(block, "thousands", "the thousands separator is not a point, comma, space or apostrophe",
                   'Write `thousands: "."` or leave it out.')
    if thousands is not None and thousands == (decimal or "."):
        raise fail(block, "thousands", "the decimal and the thousands separator are the same", "Change one of them.")
    return decimal, thousands
