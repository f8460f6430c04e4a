"""The command line: parsing, calling one service, printing. JSON goes to stdout, words to stderr.

Exit codes: 0 done, 2 the user's input is at fault (one clear message), 1 a bug.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from harmony_dash import __version__
from harmony_dash.cli.catalogue import COMMANDS
from harmony_dash.cli.command import Parser, is_text, say
from harmony_dash.errors import UserError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    if not all(map(is_text, arguments)):
        say("harmony_dash: an argument is not text: its bytes are not UTF-8. Type it anew, or rename the file.")
        return 2
    # argparse before Python 3.13 takes "--" away from behind the equals sign and hands on an empty list
    empty = next((name for name, _, value in (word.partition("=") for word in arguments if word.startswith("--"))
                  if value == "--"), None)
    if empty is not None:
        say(f"harmony_dash: {empty} has no value. Write it behind the equals sign; '--' is none.")
        return 2
    options = build_parser(only=_command_in(arguments)).parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except UserError as problem:
        say(f"harmony_dash: {problem.message}")
        return 2
    except BrokenPipeError:
        return 0


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands.

    Parameters
    ----------
    only : the command that is asked for; the others are then listed without their options, which it would take seconds
        to import. None for all with their options.
    """
    parser = Parser(prog="harmony_dash", description="Survival over harmonised leukaemia cohorts.")
    parser.add_argument("--version", action="version", version=f"harmony_dash {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        if only in (None, command.name):
            command.add(commands)
        else:
            commands.add_parser(command.name, help=command.words)
    return parser


def _command_in(arguments: Sequence[str]) -> str:
    """The first word that is no option, because no option before the command takes a value; empty without one."""
    return next((word for word in arguments if not word.startswith("-")), "")
