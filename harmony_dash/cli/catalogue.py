"""The commands: their names, what each does, and the module that knows how.

A module is imported when its command is asked for: all of them together bring most of the application along, and that
takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes
    ----------
    module : where in this package its function `add_…` is, named like the command.
    words : what it does, in the list of commands and in its own help.
    """

    name: str
    module: str
    words: str

    def add(self, commands: Any) -> None:
        """Import its module and have it add the command with all its options."""
        add: Callable[[Any], None] = getattr(import_module(f"harmony_dash.cli.{self.module}"),
                                             f"add_{self.name.replace('-', '_')}")
        add(commands)


_ALL = (
    Command("synthesise", "data", "Write synthetic source folders of any size."),
    Command("ingest", "data", "Check, harmonise and publish source folders as a snapshot."),
    Command("snapshots", "snapshots", "List the snapshots of a store, or go back to one."),
    Command("quality", "quality", "How good the data of each source are."),
    Command("coverage", "questions", "Who is in the current snapshot."),
    Command("feasibility", "feasibility",
            "How many patients a planned question has, where, and what it loses the others by."),
    Command("survival", "questions", "Curves, estimates and tests for one question."),
    Command("subgroups", "subgroups", "Outcome by the levels of many variables, one by one."),
    Command("what-if", "what_if", "What another treatment strategy would have changed."),
    Command("table-one", "descriptions", "Who is in a cohort, by group."),
    Command("outcome-map", "descriptions", "Outcome by two variables at once."),
    Command("export", "exports", "Write protected results to files with their provenance; list the receipts of "
                                 "exports; check a file."),
    Command("accounts", "accounts", "List and change accounts."),
    Command("grants", "grants", "List and change grants; to approve one takes two people on the Access page."),
    Command("audit", "audit", "Read the audit trail, newest first, or check it."),
    Command("backup", "backup", "Write snapshots, accounts, grants and the audit trail into one file, while the "
                                "application runs. The file holds patients, one a row."),
    Command("restore", "backup", "Build a deployment's folder from a backup, check all of it, and put it in its "
                                 "place, or leave nothing."),
    Command("settings", "reference", "Every setting with default and meaning, as Markdown; with --json also what the "
                                     "environment sets, except secrets."),
    Command("dictionary", "reference", "Every harmonised variable, as Markdown: the built-in ones and those of "
                                       "HARMONY_DICTIONARY."),
)
COMMANDS = {command.name: command for command in _ALL}
