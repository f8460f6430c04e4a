"""Read the example questions from their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harmony_dash.dictionary.entries import list_entries, load_entries, read_values
from harmony_dash.dictionary.yaml_reader import LocatedDict

_PARTS = frozenset({"label", "about", "disease", "endpoint", "where", "strategy", "reference", "compared", "modifiers",
                    "horizon_days"})


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
    return load_entries(Path(__file__).parent, read_examples)


def read_examples(document: LocatedDict) -> tuple[ExampleQuestion, ...]:
    """The examples of one file."""
    return tuple(_read_example(block) for block in list_entries(
        document, "examples", _PARTS, lambda block: type(block["horizon_days"]) is int, "with whole days"))


def _read_example(block: LocatedDict) -> ExampleQuestion:
    return ExampleQuestion(
        str(block["label"]), str(block["about"]), str(block["disease"]), str(block["endpoint"]),
        read_values(block["where"]), str(block["strategy"]), str(block["reference"]), str(block["compared"]),
        tuple(map(str, block["modifiers"])), block["horizon_days"])
