"""docs/data-quality.md says of every type of check what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harmony_dash.disclosure.quality_words import CATEGORIES
from harmony_dash.quality.types import TYPES, CheckType

TEXT = (Path(__file__).parents[3] / "docs" / "data-quality.md").read_text(encoding="utf-8")
PART = TEXT[TEXT.index("<!-- types: begin"):TEXT.index("<!-- types: end")]


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)
def test_every_type_is_described_as_the_code_has_it(kind: CheckType) -> None:
    entry = plain(PART[PART.index(f"**{kind.label}** (`{kind.name}`)"):])
    wanted = (f"- *What is counted.* {kind.definition} - *Limits.* {kind.limits} - *What to do.* {kind.remedy}")
    assert entry.removeprefix(f"**{kind.label}** (`{kind.name}`) ").startswith(plain(wanted))


def test_no_type_is_described_that_there_is_not() -> None:
    assert re.findall(r"^\*\*.*\*\* \(`(\w+)`\)$", PART, re.MULTILINE) == list(TYPES)
    assert re.findall(r"^### (.*)$", PART, re.MULTILINE) == [name for name, _ in CATEGORIES.values()]
