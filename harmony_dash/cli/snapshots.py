"""`snapshots`: which of the data are served."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, say, say_changed, show


def add_snapshots(commands: Any) -> None:
    """The command `snapshots`."""
    parser = add_command(commands, "snapshots", _snapshots)
    parser.add_argument("--rollback", metavar="ID", help="serve this snapshot again")
    parser.add_argument("--new-disclosure-key", action="store_true",
                        help="go back although that snapshot was made with another disclosure key; counts are rounded "
                             "anew then, and people who know both roundings know more than either tells")


def _snapshots(options: argparse.Namespace) -> int:
    from harmony_dash.services.snapshots import review_snapshots, roll_back_to

    deployment = deployment_of(options)
    if options.rollback:
        record = roll_back_to(deployment, OPERATOR, options.rollback,
                              new_disclosure_key=options.new_disclosure_key)
        say(f"Snapshot {record.snapshot} is served again.")
        say_changed(deployment)
    current, records = review_snapshots(deployment, OPERATOR)
    if records and not current:
        say("No snapshot is served, because the pointer to it is damaged or missing. Choose one of these with "
            "`snapshots --rollback ID`.")
    if options.json:
        print_json({"current": current, "snapshots": [
            {"snapshot": r.snapshot, "created": r.created, "patients": r.patients, "sources": r.sources,
             "synthetic": r.synthetic, "current": r.snapshot == current} for r in records]})
        return 0
    for record in records:
        mark = "*" if record.snapshot == current else " "
        kind = "synthetic" if record.synthetic else ""
        show(f"{mark} {record.snapshot}  {record.created}  {record.patients:>10,} patients  "
             f"{record.sources:>3} sources  {kind}")
    return 0
