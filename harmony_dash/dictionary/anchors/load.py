"""Read the published comparisons from their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import DictionaryError

_KEYS = {"trial", "disease", "strategy", "strategies", "contrast", "population", "randomised", "where", "never",
         "results", "citation"}


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
    return tuple(anchor for path in sorted(Path(__file__).parent.glob("*.yaml"))
                 for anchor in read_anchors(read_yaml(path, error=DictionaryError)))


def read_anchors(document: LocatedDict) -> tuple[PublishedAnchor, ...]:
    """The anchors of one file."""
    entries = document.get("anchors")
    if not isinstance(entries, list):
        raise DictionaryError("'anchors' is not a list", where=document.file, remedy="List the comparisons under it.")
    return tuple(_read_anchor(entry, document) for entry in entries)


def _read_anchor(entry: Any, document: LocatedDict) -> PublishedAnchor:
    if not isinstance(entry, LocatedDict) or set(entry) != _KEYS or len(entry["strategies"]) != 2:
        where = document.file if not isinstance(entry, LocatedDict) else f"{entry.file}:{entry.line}"
        raise DictionaryError("an anchor lacks a part, or has one too many", where=where,
                              remedy=f"Give exactly {', '.join(sorted(_KEYS))}, with two strategies.")
    return PublishedAnchor(
        str(entry["trial"]), str(entry["disease"]), frozenset(map(str, entry["strategy"])),
        frozenset(map(str, entry["strategies"])), str(entry["contrast"]), str(entry["population"]),
        bool(entry["randomised"]), _values(entry["where"]), _values(entry["never"]),
        tuple(map(str, entry["results"])), str(entry["citation"]))


def _values(entry: Mapping[Any, Any]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({str(name): tuple(str(value) for value in values) for name, values in entry.items()})
