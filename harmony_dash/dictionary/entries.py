"""Lists that accompany the dictionary, in YAML files of a folder of their own: published comparisons, examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import DictionaryError

Entry = TypeVar("Entry")


def load_entries(folder: Path, read: Callable[[LocatedDict], tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """The entries of all files of a folder, in the order of the files; `read` makes those of one."""
    return tuple(entry for path in sorted(folder.glob("*.yaml"))
                 for entry in read(read_yaml(path, error=DictionaryError)))


def list_entries(document: LocatedDict, key: str, parts: frozenset[str],
                 is_sound: Callable[[LocatedDict], bool], remedy: str) -> tuple[LocatedDict, ...]:
    """The blocks listed under a key of one file.

    Parameters
    ----------
    parts : the keys each block has, no more and no fewer.
    is_sound : what else must hold for a block that has them; `remedy` says it in words.

    Raises
    ------
    DictionaryError with file and line for a block that lacks something or has too much.
    """
    blocks = document.get(key)
    if not isinstance(blocks, list):
        raise DictionaryError(f"'{key}' is not a list", where=document.file, remedy=f"List the {key} under it.")
    for block in blocks:
        if not isinstance(block, LocatedDict) or set(block) != parts or not is_sound(block):
            raise DictionaryError(f"an entry of '{key}' lacks a part, or has one too many",
                                  where=block.where() if isinstance(block, LocatedDict) else document.file,
                                  remedy=f"Give exactly {', '.join(sorted(parts))}, {remedy}.")
    return tuple(blocks)


def read_values(block: Mapping[Any, Any]) -> Mapping[str, tuple[str, ...]]:
    """Variable to values, as text."""
    return MappingProxyType({str(name): tuple(map(str, values)) for name, values in block.items()})
