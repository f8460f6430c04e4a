"""What every command shares: its options, the deployment it works on, and how it prints."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harmony_dash.errors import StoreError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import read_settings

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def add_command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], description: str,
                *, store: bool = True) -> argparse.ArgumentParser:
    """A command with what all have: `--json` and, unless it needs none, `--store`."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    if store:
        parser.add_argument("--store", type=Path, metavar="DIR", help="the store's folder (default HARMONY_STORE)")
    return parser


def deployment_of(options: argparse.Namespace) -> Deployment:
    """The deployment that the environment and the options name."""
    environment = dict(os.environ)
    store = getattr(options, "store", None)
    if store is not None:
        environment["HARMONY_STORE"] = str(store.absolute())
        if not environment.get("HARMONY_ACCESS"):
            # keys and the head of the trail lie beside their database, so another store's are never mistaken for them
            environment["HARMONY_ACCESS"] = str(store.absolute() / "access.sqlite")
    settings = read_settings(environment, PROJECT_ROOT)
    extra = tuple(getattr(options, "dictionary", None) or ())
    return open_deployment(replace(settings, dictionary_files=settings.dictionary_files + extra))


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def say(text: str) -> None:
    """Words for the person, on stderr."""
    print(text, file=sys.stderr)


def require_store(deployment: Deployment) -> Deployment:
    """The deployment, if its store holds a snapshot."""
    if deployment.store.is_empty:
        raise StoreError("the store holds no snapshot yet", where=str(deployment.settings.store),
                         remedy="Run `python -m harmony_dash ingest SOURCE_DIR… --store DIR` first.")
    return deployment
