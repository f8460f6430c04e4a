"""YAML as people write it by hand: safe, with line numbers, without the traps of YAML 1.1.

`NO` stays the country code of Norway (only `true` and `false` are booleans), a key written twice is an error
instead of the last one winning, and tags, anchors and aliases are refused: a mapping file needs none of them
and they are how a small file becomes an attack.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from harmony_dash.errors import UserError

MAX_YAML_BYTES = 200_000
MAX_DEPTH = 20
MAX_TOKENS = 100_000
LARGEST_NUMBER = 1e15

# NUL ends a text for some programs, and a lone surrogate cannot be written as UTF-8; escapes can make both.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_OPENING = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken,
            yaml.FlowSequenceStartToken)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class LocatedDict(dict[str, Any]):
    """A mapping that remembers the file and the line of each of its keys (1-based)."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def where(self, key: str | None = None) -> str:
        """`file:line` of a key, or of the mapping itself."""
        return f"{self.file}:{self.lines.get(key, self.line) if key is not None else self.line}"


class _Loader(yaml.SafeLoader):
    pass


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (
        "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
# YAML 1.1 reads 1:30 as ninety and 010 as eight; plain decimal numbers are all a mapping needs.
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)$"), list("-+.0123456789"))


def read_yaml(path: Path, *, error: type[UserError], name: str | None = None) -> LocatedDict:
    """Read one YAML file whose top level is a mapping.

    Parameters
    ----------
    path : the file.
    error : the class of error to raise, so that a broken dictionary and a broken source read differently.
    name : how the file is called in messages; its own name by default, so that no server path is shown.

    Returns
    -------
    LocatedDict with plain str, int, float, bool, None, lists and nested LocatedDicts.

    Raises
    ------
    `error`, with file and line, on unreadable or oversized files, bad syntax, tabs, duplicate keys, tags,
    anchors, deep nesting, numbers and characters that nothing else can hold, and anything but a mapping at the top.
    """
    shown = name or path.name
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_YAML_BYTES + 1)
    except FileNotFoundError:
        raise error("the file does not exist", where=shown, remedy=f"Add {shown} to the folder.") from None
    except OSError as problem:
        raise error(f"the file cannot be read ({(problem.strerror or 'unknown cause').lower()})", where=shown,
                    remedy="Correct that and try again.") from None
    if len(raw) > MAX_YAML_BYTES:
        raise error(f"the file has more than {MAX_YAML_BYTES:,} bytes", where=shown,
                    remedy="A mapping is short text; is this a data file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise error("the file is not UTF-8", where=f"{shown}:{line}", remedy="Save it as UTF-8.") from None
    node = _compose(text, shown, error)
    if not isinstance(node, yaml.MappingNode):
        raise error("the file does not hold a mapping of keys to values", where=f"{shown}:1",
                    remedy="Write `key: value` lines.")
    return _build_mapping(node, shown, error)


def _compose(text: str, shown: str, error: type[UserError]) -> yaml.Node | None:
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        _check_tokens(loader, shown, error)
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as problem:  # a control character; it has a position and no mark
        line = text.count("\n", 0, problem.position) + 1
        what = problem.reason
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        what = getattr(problem, "problem", None) or "it cannot be parsed"
    except (ValueError, OverflowError, RecursionError):  # an escape or a version number beyond all bounds
        line = loader.line + 1 if loader is not None else 1
        what = "a number or the nesting is beyond all bounds"
    raise error(f"not valid YAML ({what})", where=f"{shown}:{line}",
                remedy="Check indentation (spaces, no tabs), colons and quotes on this line and the one before.")


def _check_tokens(loader: _Loader, shown: str, error: type[UserError]) -> None:
    """Refuse, before anything is built, what a mapping never needs and what would keep the parser busy."""
    depth = 0
    tokens = 0
    while loader.check_token():
        token = loader.get_token()  # type: ignore[no-untyped-call]
        where = f"{shown}:{token.start_mark.line + 1}"
        if isinstance(token, yaml.TagToken | yaml.AnchorToken | yaml.AliasToken):
            kind = "tag" if isinstance(token, yaml.TagToken) else "anchor or alias"
            raise error(f"a YAML {kind} is not allowed here", where=where,
                        remedy="Write the value itself; quote text that starts with !, & or *.")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            raise error(f"the nesting is deeper than {MAX_DEPTH} levels", where=where,
                        remedy="A mapping needs four or five; look for brackets that are never closed.")
        tokens += 1
        if tokens > MAX_TOKENS:
            raise error(f"the file has more than {MAX_TOKENS:,} keys, values and signs", where=where,
                        remedy="A mapping is short text; is this a data file?")


def _build_mapping(node: yaml.MappingNode, shown: str, error: type[UserError]) -> LocatedDict:
    result = LocatedDict(shown, node.start_mark.line + 1)
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise error("a key is not plain text", where=f"{shown}:{line}", remedy="Write `key: value`.")
        key = str(key_node.value)
        _refuse_unwritable(key, f"{shown}:{line}", error)
        if key in result:
            raise error(f"'{key}' is written twice (first on line {result.lines[key]})", where=f"{shown}:{line}",
                        remedy="Keep one of the two.")
        result[key] = _build(value_node, shown, error)
        result.lines[key] = line
    return result


def _build(node: yaml.Node, shown: str, error: type[UserError]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, shown, error)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, shown, error) for item in node.value]
    where = f"{shown}:{node.start_mark.line + 1}"
    try:
        value = _SCALARS.construct_object(node)
    except (yaml.YAMLError, ValueError):  # a lone = or <<; an integer of thousands of digits
        raise error("the value cannot be read", where=where, remedy="Put it in quotes if it is text.") from None
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise error(f"the number is beyond {LARGEST_NUMBER:g}", where=where, remedy="Put it in quotes if it is text.")
    if isinstance(value, str):
        _refuse_unwritable(value, where, error)
    return value


def _refuse_unwritable(text: str, where: str, error: type[UserError]) -> None:
    if _UNWRITABLE.search(text):
        raise error("a text holds a NUL character or half of a surrogate pair", where=where,
                    remedy="Remove the escape (\\0, \\ud800) that makes it.")


_SCALARS = _Loader("")
