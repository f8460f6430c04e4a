"""`backup`, `restore`: everything a deployment needs as one file, and from that file to a folder."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli import command
from harmony_dash.cli.command import add_command, deployment_of, print_json, say, show
from harmony_dash.errors import SettingsError
from harmony_dash.services.backup_archive import DATABASE
from harmony_dash.settings import configured_access, configured_head, configured_store


def add_backup(commands: Any) -> None:
    """The command `backup`."""
    parser = add_command(commands, "backup", _backup, "Write snapshots, accounts, grants and the audit trail into one "
                         "file, while the application runs. The file holds patients, one a row.", makes_access=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument("--with-keys", action="store_true",
                        help="put the keys in too; whoever has the file then has everything")


def _backup(options: argparse.Namespace) -> int:
    from harmony_dash.services.backup import make_backup

    report = make_backup(deployment_of(options), OPERATOR, options.file.absolute(), with_keys=options.with_keys)
    manifest = report.manifest
    if options.json:
        print_json({"file": str(options.file), "bytes": report.bytes, "created": manifest.created,
                    "version": manifest.version, "snapshot": manifest.snapshot, "trail": manifest.trail,
                    "keys": options.with_keys, "left_out": list(report.left_out),
                    "parts": [{"name": part.name, "bytes": part.bytes, "sha256": part.sha256}
                              for part in manifest.parts]})
    else:
        for part in manifest.parts:
            show(f"{part.sha256}  {part.bytes:>12,}  {part.name}")
    for snapshot in report.left_out:
        say(f"Snapshot {snapshot} is damaged and was left out; the current one is whole.")
    say(f"Wrote {options.file}: {report.bytes:,} bytes, read back and found right.")
    say("The keys are in it: keep it as you keep them." if options.with_keys else
        "The keys are not in it, and nothing can be restored without them: keep patient.key, disclosure.key and "
        "access.key elsewhere.")
    return 0


def add_restore(commands: Any) -> None:
    """The command `restore`."""
    parser = add_command(commands, "restore", _restore, "Build a deployment's folder from a backup, check all of it, "
                         "and put it in its place, or leave nothing.", store=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `backup` wrote")
    parser.add_argument("--into", type=Path, metavar="DIR",
                        help="a folder that is empty or not there yet (default: that of HARMONY_STORE and "
                             "HARMONY_ACCESS)")
    parser.add_argument("--keys", type=Path, metavar="DIR",
                        help="the folder with the key files, if neither the environment nor the backup holds the keys")


def _restore(options: argparse.Namespace) -> int:
    from harmony_dash.services.restore import STORE, restore_backup

    environment = dict(os.environ)
    folder = options.into or _installed_folder(environment)
    head = configured_head(environment, command.PROJECT_ROOT)
    report = restore_backup(OPERATOR, options.file, folder, environment=environment, now=lambda: datetime.now(UTC),
                            keys_folder=options.keys, other_head=None if head.is_relative_to(folder) else head)
    manifest = report.manifest
    store, access = report.folder / STORE, report.folder / DATABASE
    if options.json:
        print_json({"folder": str(report.folder), "created": manifest.created, "version": manifest.version,
                    "snapshot": manifest.snapshot, "trail": manifest.trail, "lost_entries": report.lost_entries,
                    "HARMONY_STORE": str(store), "HARMONY_ACCESS": str(access)})
    say(f"Restored the backup of {manifest.created} into {report.folder}: snapshot {manifest.snapshot or 'none'}, "
        f"{manifest.trail:,} entries of the audit trail, all as they were written. All sessions are ended.")
    if report.lost_entries:
        say(f"{report.lost_entries:,} entries of the audit trail are newer than the backup and lost. The application "
            f"will not start until {head} is moved away; keep it, and make the changes since then anew.")
    if _installed(environment) != (store, access):
        say(f"Point the application there: HARMONY_STORE={store} HARMONY_ACCESS={access}")
    say("What was withdrawn, ended or disabled since that day is open again: look through accounts and grants before "
        "you start the application.")
    return 0


def _installed(environment: dict[str, str]) -> tuple[Path, Path]:
    root = command.PROJECT_ROOT
    return configured_store(environment, root).resolve(), configured_access(environment, root).resolve()


def _installed_folder(environment: dict[str, str]) -> Path:
    """The folder that holds the installed store and access database under the names of a restored one."""
    store, access = _installed(environment)
    if (store, access) != (access.parent / "store", access.parent / DATABASE):
        raise SettingsError("the store and the access database do not lie in one folder as `store` and `access.sqlite`",
                            where="--into", remedy="Name a new folder with --into, then point HARMONY_STORE and "
                                                   "HARMONY_ACCESS there.")
    return access.parent
