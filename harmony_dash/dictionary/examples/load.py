"""Read the example questions from their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import DictionaryError

_KEYS = {"label", "about", "disease", "endpoint", "where", "strategy", "reference", "compared", "modifiers",
         "horizon_days"}


@dataclass(frozen=True)
class ExampleQuestion:
    """One question to start from.

    Attributes
    ----------
    label : a few words to choose it by.
    about : what to look for in the answer, whatever the data.
    disease, endpoint, strategy, reference, compared, modifiers, horizon_days : as in a what-if question.
    where : variable to the values of the patients it is about.
    """

    label: str
    about: str
    disease: str
    endpoint: str
    where: Mapping[str, tuple[str, ...]]
    strategy: str
    reference: str
    compared: str
    modifiers: tuple[str, ...]
    horizon_days: int


@cache
def load_examples() -> tuple[ExampleQuestion, ...]:
    """All examples, in the order of their files.

    Raises
    ------
    DictionaryError with file and line for an entry that lacks something or has too much.
    """
    return tuple(example for path in sorted(Path(__file__).parent.glob("*.yaml"))
                 for example in read_examples(read_yaml(path, error=DictionaryError)))


def read_examples(document: LocatedDict) -> tuple[ExampleQuestion, ...]:
    """The examples of one file."""
    entries = document.get("examples")
    if not isinstance(entries, list):
        raise DictionaryError("'examples' is not a list", where=document.file, remedy="List the questions under it.")
    return tuple(_read_example(entry, document) for entry in entries)


def _read_example(entry: Any, document: LocatedDict) -> ExampleQuestion:
    if not isinstance(entry, LocatedDict) or set(entry) != _KEYS or type(entry["horizon_days"]) is not int:
        where = document.file if not isinstance(entry, LocatedDict) else entry.where()
        raise DictionaryError("an example lacks a part, or has one too many", where=where,
                              remedy=f"Give exactly {', '.join(sorted(_KEYS))}, with whole days.")
    filters = {str(name): tuple(map(str, values)) for name, values in entry["where"].items()}
    return ExampleQuestion(
        str(entry["label"]), str(entry["about"]), str(entry["disease"]), str(entry["endpoint"]),
        MappingProxyType(filters), str(entry["strategy"]), str(entry["reference"]), str(entry["compared"]),
        tuple(map(str, entry["modifiers"])), entry["horizon_days"])
