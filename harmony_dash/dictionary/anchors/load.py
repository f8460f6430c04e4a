"""Read the published comparisons from their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harmony_dash.dictionary.entries import list_entries, load_entries, read_values
from harmony_dash.dictionary.yaml_reader import LocatedDict

_PARTS = frozenset({"trial", "disease", "strategy", "strategies", "contrast", "population", "randomised", "where",
                    "never", "results", "citation"})


@dataclass(frozen=True)
class PublishedAnchor:
    """One published comparison.

    Attributes
    ----------
    trial, contrast, population, citation : in words.
    disease : disease code.
    strategy : the variables whose values were compared.
    strategies : the two values compared, in any order.
    randomised : whether patients were allocated at random.
    where : variable to the values among its patients.
    never : variable to values that none of its patients has.
    results : the published numbers in words.
    """

    trial: str
    disease: str
    strategy: frozenset[str]
    strategies: frozenset[str]
    contrast: str
    population: str
    randomised: bool
    where: Mapping[str, tuple[str, ...]]
    never: Mapping[str, tuple[str, ...]]
    results: tuple[str, ...]
    citation: str


@cache
def load_anchors() -> tuple[PublishedAnchor, ...]:
    """All anchors, in the order of their files.

    Raises
    ------
    DictionaryError with file and line for an entry that lacks something or has too much.
    """
    return load_entries(Path(__file__).parent, read_anchors)


def read_anchors(document: LocatedDict) -> tuple[PublishedAnchor, ...]:
    """The anchors of one file."""
    return tuple(_read_anchor(block) for block in list_entries(
        document, "anchors", _PARTS, lambda block: len(block["strategies"]) == 2, "with two strategies"))


def _read_anchor(block: LocatedDict) -> PublishedAnchor:
    return PublishedAnchor(
        str(block["trial"]), str(block["disease"]), frozenset(map(str, block["strategy"])),
        frozenset(map(str, block["strategies"])), str(block["contrast"]), str(block["population"]),
        bool(block["randomised"]), read_values(block["where"]), read_values(block["never"]),
        tuple(map(str, block["results"])), str(block["citation"]))
