"""The command line: parsing, calling one service, printing. JSON goes to stdout, words to stderr.

Exit codes: 0 done, 2 the user's input is at fault (one clear message), 1 a bug.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from harmony_dash import __version__
from harmony_dash.cli.accounts import add_accounts
from harmony_dash.cli.audit import add_audit
from harmony_dash.cli.backup import add_backup, add_restore
from harmony_dash.cli.command import is_text, say
from harmony_dash.cli.data import add_ingest, add_snapshots, add_synthesise
from harmony_dash.cli.descriptions import add_outcome_map, add_table_one
from harmony_dash.cli.exports import add_export
from harmony_dash.cli.feasibility import add_feasibility
from harmony_dash.cli.grants import add_grants
from harmony_dash.cli.quality import add_quality
from harmony_dash.cli.questions import add_coverage, add_survival
from harmony_dash.cli.reference import add_dictionary, add_settings
from harmony_dash.cli.subgroups import add_subgroups
from harmony_dash.cli.what_if import add_what_if
from harmony_dash.errors import UserError

_COMMANDS = (add_synthesise, add_ingest, add_snapshots, add_quality, add_coverage, add_feasibility, add_survival,
             add_subgroups, add_what_if, add_table_one, add_outcome_map, add_export, add_accounts, add_grants,
             add_audit, add_backup, add_restore, add_settings, add_dictionary)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    if not all(map(is_text, arguments)):
        say("harmony_dash: an argument is not text: its bytes are not UTF-8. Type it anew, or rename the file.")
        return 2
    options = build_parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except UserError as problem:
        say(f"harmony_dash: {problem.message}")
        return 2
    except BrokenPipeError:
        return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="harmony_dash", description="Survival over harmonised leukaemia cohorts.")
    parser.add_argument("--version", action="version", version=f"harmony_dash {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser
