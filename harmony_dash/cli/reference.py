"""`settings`, `dictionary`: what the manual says of them, printed from what the code goes by."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from harmony_dash.cli.command import add_command, print_json, show
from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.document import document_dictionary, row
from harmony_dash.dictionary.load import describe_dictionary
from harmony_dash.settings import configured_dictionary_files, describe_settings


def add_settings(commands: Any) -> None:
    """The command `settings`."""
    add_command(commands, "settings", _settings, store=False)


def _settings(options: argparse.Namespace) -> int:
    if options.json:
        print_json({"settings": [
            {"name": one.name, "field": name, "default": one.default, "meaning": one.meaning, "secret": one.secret,
             "is_set": bool(one.name and os.environ.get(one.name)),
             "value": None if one.secret else os.environ.get(one.name) if one.name else None}
            for name, one in describe_settings().items()]})
        return 0
    for line in settings_table():
        show(line)
    return 0


def settings_table() -> list[str]:
    """The lines of the table in docs/operations.md."""
    described = describe_settings()
    chosen = [row(f"`{one.name}`", one.default, f"{one.meaning}{' **Secret.**' if one.secret else ''}")
              for one in described.values() if one.name]
    fixed = [row(f"{name} (fixed)", one.default, one.meaning) for name, one in described.items() if not one.name]
    return [row("setting", "default", "meaning"), "|---|---|---|", *chosen, *fixed]


def add_dictionary(commands: Any) -> None:
    """The command `dictionary`."""
    parser = add_command(commands, "dictionary", _dictionary, store=False)
    parser.add_argument("--dictionary", type=Path, action="append", default=[], metavar="FILE",
                        help="a further dictionary file (repeatable)")


def _dictionary(options: argparse.Namespace) -> int:
    dictionary = load_dictionary((*configured_dictionary_files(os.environ), *options.dictionary))
    if options.json:
        print_json({"version": dictionary.version, **describe_dictionary(dictionary.diseases, dictionary.variables)})
        return 0
    for line in document_dictionary(dictionary):
        show(line)
    return 0
