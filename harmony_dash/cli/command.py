"""What every command shares: its options, the deployment it works on, and how it prints.

What is printed may hold what people typed: names, purposes, reasons. A terminal obeys control characters, and other
signs turn the line around or hide a part of it, so `show`, `say` and `print_json` write all of them as escapes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harmony_dash.cli.catalogue import COMMANDS
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.settings import configured_access, configured_store, read_settings
from harmony_dash.store.causes import readable_os_errors

if TYPE_CHECKING:
    from harmony_dash.services.deployment import Deployment

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_JSON_HELP = "print one JSON document on stdout"
_STORE_HELP = "the store's folder (default HARMONY_STORE)"
_OWN_ACCESS = "access.sqlite"
# Unicode's line and paragraph separator; the other signs that end a line are control characters.
_SEPARATORS = ("Zl", "Zp")


def add_command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], *, store: bool = True,
                makes_access: bool = True) -> argparse.ArgumentParser:
    """A command with what all have: `--json` and, unless it needs none, `--store`.

    Parameters
    ----------
    makes_access : whether it may make an access database where there is none. What looks after people must not: a
        withdrawal that is written into a new file, which no server reads, goes nowhere.
    """
    words = COMMANDS[name].words
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run, makes_access=makes_access)
    parser.add_argument("--json", action="store_true", help=_JSON_HELP)
    if store:
        parser.add_argument("--store", type=Path, metavar="DIR", help=_STORE_HELP)
    return parser


def add_part(parts: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    """One part of a command; `--json` and `--store` may stand before or after its name."""
    description = f"{words[0].upper()}{words[1:]}."
    part: argparse.ArgumentParser = parts.add_parser(name, help=words, description=description)
    part.set_defaults(run=run)
    # without a default of its own: that would overwrite what stood before the name
    part.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=_JSON_HELP)
    part.add_argument("--store", type=Path, metavar="DIR", default=argparse.SUPPRESS, help=_STORE_HELP)
    return part


def deployment_of(options: argparse.Namespace, *, first_account: bool = False) -> Deployment:
    """The deployment that the environment and the options name.

    The installed store goes with the installed access database and keys, however it is named. A store of its own has
    its own beside it, unless the environment names others.

    Parameters
    ----------
    first_account : make the installed access database, with keys, even if the command makes none otherwise: a server
        that is being installed has none yet.

    Raises
    ------
    SettingsError if the command would have to make an access database, and may not.
    """
    from harmony_dash.services.deployment import open_deployment

    environment = dict(os.environ)
    store, installed = getattr(options, "store", None), configured_store(environment, PROJECT_ROOT)
    if store is not None and not _is_same(store, installed):
        environment["HARMONY_STORE"] = str(store.absolute())
        if not environment.get("HARMONY_ACCESS"):
            # keys and the head of the trail lie beside their database, so another store's are never mistaken for them
            environment["HARMONY_ACCESS"] = str(_own_access(store, options))
    access = configured_access(environment, PROJECT_ROOT)
    if not (options.makes_access or first_account or _is_there(access)):
        raise SettingsError("there is no access database, so there is no deployment here", where=str(access),
                            remedy="Set HARMONY_STORE and HARMONY_ACCESS as the server has them.")
    settings = read_settings(environment, PROJECT_ROOT)
    _warn_of_stray_access(installed / _OWN_ACCESS, settings.access_database)
    extra = tuple(getattr(options, "dictionary", None) or ())
    return open_deployment(replace(settings, dictionary_files=settings.dictionary_files + extra))


def _own_access(store: Path, options: argparse.Namespace) -> Path:
    """The access database beside a store of its own."""
    access = store.absolute() / _OWN_ACCESS
    if not (options.makes_access or _is_there(access)):
        raise SettingsError("there is no access database beside this store", where=str(access),
                            remedy="Leave out --store for the installed deployment, or set HARMONY_ACCESS to the "
                                   "database that the server uses.")
    return access


def _warn_of_stray_access(stray: Path, access: Path) -> None:
    """Earlier versions wrote here when `--store` named the installed store; no server ever read it."""
    if stray.exists() and not _is_same(stray, access):
        say(f"Note: {stray} is not the access database of this deployment. Accounts, grants and withdrawals in it have "
            "no effect: make them again, then move the file away.")


def _is_there(access: Path) -> bool:
    with readable_os_errors("the access database cannot be looked for"):
        return access.exists()


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def is_text(argument: str) -> bool:
    """Whether an argument can be written as UTF-8; Python keeps other bytes of a command line as halves of pairs."""
    return not any("\ud800" <= sign <= "\udfff" for sign in argument)


def printable(text: str) -> str:
    r"""The text with every sign that a terminal may obey or hide as an escape, such as `\x1b` or `\u202e`."""
    return "".join(sign if _is_harmless(sign) else _escape(sign) for sign in text)


def _is_harmless(sign: str) -> bool:
    category = unicodedata.category(sign)
    return not category.startswith("C") and category not in _SEPARATORS


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def show(line: str) -> None:
    """One line of the answer, on stdout."""
    print(printable(line))


def print_json(value: Any) -> None:
    """One JSON document on stdout; what `printable` would escape is escaped as JSON does it."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    # the only line ends that the document itself has; those in a text are escaped already
    safe = "".join(sign if sign == "\n" or _is_harmless(sign) else json.dumps(sign)[1:-1] for sign in text)
    sys.stdout.write(f"{safe}\n")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints hold no sign that a terminal obeys: they repeat what was typed."""

    def error(self, message: str) -> NoReturn:
        """Usage and complaint on stderr, and exit code 2."""
        super().error(printable(message))


def say(line: str) -> None:
    """One line for the person, on stderr."""
    print(printable(line), file=sys.stderr)


def say_changed(deployment: Deployment) -> None:
    """Say which access database holds the change: it is of no use in one that the server does not read."""
    say(f"Written to the access database {deployment.settings.access_database}.")


def require_store(deployment: Deployment) -> Deployment:
    """The deployment, if its store holds a snapshot."""
    if deployment.store.is_empty:
        raise StoreError("the store holds no snapshot yet", where=str(deployment.settings.store),
                         remedy="Run `python -m harmony_dash ingest SOURCE_DIR… --store DIR` first.")
    return deployment
