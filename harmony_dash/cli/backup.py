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
from harmony_dash.services.backup_archive import DATABASE, HEAD, STORE
from harmony_dash.settings import configured_access, configured_head, configured_store


def add_backup(commands: Any) -> None:
    """The command `backup`."""
    parser = add_command(commands, "backup", _backup, makes_access=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument("--with-keys", action="store_true",
                        help="put the keys in too; whoever has the file then has everything")


def _backup(options: argparse.Namespace) -> int:
    from harmony_dash.services.backup import make_backup

    report = make_backup(deployment_of(options), OPERATOR, options.file.absolute(),
                         with_keys=options.with_keys)
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
    if not manifest.snapshot:
        say("There is no snapshot in it, because nothing was published yet.")
    for snapshot in report.left_out:
        say(f"Snapshot {snapshot} is damaged and was left out; the current one is whole.")
    say(f"Wrote {options.file}: {report.bytes:,} bytes, read back and found right.")
    say("The keys are in it: keep it as you keep them." if options.with_keys else
        "The keys are not in it, and nothing can be restored without them: keep patient.key, disclosure.key and "
        "access.key elsewhere.")
    return 0


def add_restore(commands: Any) -> None:
    """The command `restore`."""
    parser = add_command(commands, "restore", _restore, store=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `backup` wrote")
    parser.add_argument("--into", type=Path, metavar="DIR",
                        help="a folder that is empty or not there yet (default: that of HARMONY_STORE and "
                             "HARMONY_ACCESS)")
    parser.add_argument("--keys", type=Path, metavar="DIR",
                        help="the folder with the key files, if neither the environment nor the backup holds the keys")


def _restore(options: argparse.Namespace) -> int:
    from harmony_dash.services.restore import restore_backup

    environment = dict(os.environ)
    folder = (options.into or _installed_folder(environment)).resolve()
    replaces = _installed(environment) == (folder / STORE, folder / DATABASE)
    head = configured_head(environment, command.PROJECT_ROOT).resolve()
    # the head in a folder that stays in use is none of the restored trail's business
    kept_elsewhere = not head.is_relative_to(folder) and (replaces or bool(environment.get("HARMONY_AUDIT_HEAD")))
    report = restore_backup(OPERATOR, options.file, folder, environment=environment, now=lambda: datetime.now(UTC),
                            keys_folder=options.keys, other_head=head if kept_elsewhere else None)
    manifest = report.manifest
    places = {"HARMONY_STORE": str(folder / STORE), "HARMONY_ACCESS": str(folder / DATABASE)}
    if not replaces:
        # with the head of the deployment in use, this trail would seem to be cut short
        places["HARMONY_AUDIT_HEAD"] = str(folder / HEAD)
    if options.json:
        print_json({"folder": str(folder), "created": manifest.created, "version": manifest.version,
                    "snapshot": manifest.snapshot, "trail": manifest.trail, "lost_entries": report.lost_entries,
                    **places})
    say(f"Restored the backup of {manifest.created} into {folder}: snapshot {manifest.snapshot or 'none'}, "
        f"{manifest.trail:,} entries of the audit trail, all as they were written. All sessions are ended.")
    if replaces:
        _say_lost(report.lost_entries, head)
    else:
        _say_apart(report.lost_entries, places)
    say("Passwords, second factors, roles, grants and withdrawals are those of that day: what was changed, withdrawn, "
        "ended or disabled since is open again. Look through accounts and grants before anybody signs in.")
    return 0


def _say_lost(entries: int, head: Path) -> None:
    if entries:
        say(f"{entries:,} entries of the audit trail are newer than the backup and lost. The application "
            f"will not start until {head} is moved away; keep it, and make the changes since then anew.")


def _say_apart(entries: int, places: dict[str, str]) -> None:
    say("The deployment in use is as it was. To look at the restored one: "
        + " ".join(f"{name}={place}" for name, place in places.items()))
    if entries:
        say(f"It lacks {entries:,} entries of the audit trail that are newer than the backup; they would be lost if it "
            "were served instead.")


def _installed(environment: dict[str, str]) -> tuple[Path, Path]:
    root = command.PROJECT_ROOT
    return configured_store(environment, root).resolve(), configured_access(environment, root).resolve()


def _installed_folder(environment: dict[str, str]) -> Path:
    """The folder that holds the installed store and access database under the names of a restored one."""
    store, access = _installed(environment)
    if (store, access) != (access.parent / STORE, access.parent / DATABASE):
        raise SettingsError("the store and the access database do not lie in one folder as `store` and `access.sqlite`",
                            where="--into", remedy="Name a new folder with --into, then point HARMONY_STORE and "
                                                   "HARMONY_ACCESS there.")
    return access.parent
