"""`synthesise`, `ingest`: data in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.anonymity import anonymity_json, anonymity_words
from harmony_dash.cli.command import add_command, deployment_of, print_json, say, say_changed
from harmony_dash.cli.quality import add_report_option, rehearse
from harmony_dash.errors import SettingsError

if TYPE_CHECKING:
    from harmony_dash.services.ingest import IngestReport


def add_synthesise(commands: Any) -> None:
    """The command `synthesise`."""
    parser = add_command(commands, "synthesise", _synthesise, store=False)
    parser.add_argument("--patients", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, required=True, metavar="S")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def _synthesise(options: argparse.Namespace) -> int:
    from harmony_dash.services.synthesis import write_synthetic_sources

    folders = write_synthetic_sources(options.patients, options.seed, options.out)
    if options.json:
        print_json({"patients": options.patients, "seed": options.seed, "folders": [str(path) for path in folders]})
    else:
        say(f"Wrote {len(folders)} synthetic sources with {options.patients:,} patients to {options.out}.")
    return 0


def add_ingest(commands: Any) -> None:
    """The command `ingest`."""
    parser = add_command(commands, "ingest", _ingest)
    parser.add_argument("folders", nargs="+", type=Path, metavar="SOURCE_DIR",
                        help="all sources of the snapshot: one that is not named is no longer served")
    parser.add_argument("--dictionary", type=Path, action="append", metavar="FILE",
                        help="a further dictionary file (repeatable)")
    parser.add_argument("--new-disclosure-key", action="store_true",
                        help="go on although the current snapshot was made with another disclosure key; counts are "
                             "rounded anew then, and people who know both roundings know more than either tells")
    parser.add_argument("--check-only", action="store_true",
                        help="for providers, before sending: report what would be found, with exact numbers and rows, "
                             "and publish nothing; needs neither a store nor accounts")
    add_report_option(parser)


def _ingest(options: argparse.Namespace) -> int:
    if options.check_only:
        return rehearse(options)
    if options.report is not None:
        raise SettingsError("--report goes with --check-only", remedy="After an ingest, run `quality --report DIR`.")
    from harmony_dash.services.ingest import AnonymityRefused, ingest_sources

    def progress(words: str, share: float) -> None:
        say(f"[{share:4.0%}] {words}")

    deployment = deployment_of(options)
    try:
        report = ingest_sources(deployment, OPERATOR, options.folders, progress=progress,
                                new_disclosure_key=options.new_disclosure_key)
    except AnonymityRefused as refused:
        _print_ingest(refused.report, options)
        raise
    say_changed(deployment)
    _print_ingest(report, options)
    if not options.json:
        say(f"Published snapshot {report.snapshot} with {report.patients:,} patients.")
    if report.left_out:
        say(f"No longer served: {', '.join(report.left_out)}. A snapshot holds the folders that one ingest names. To "
            "serve them too, ingest all folders together; to go back, run `snapshots --rollback ID`.")
    return 0


def _print_ingest(report: IngestReport, options: argparse.Namespace) -> None:
    if options.json:
        print_json({"snapshot": report.snapshot, "patients": report.patients, "history_lost": report.history_lost,
                    "left_out": list(report.left_out),
                    "sources": [
            {"source": s.source, "title": s.title, "read": s.read, "accepted": s.accepted,
             "quarantined": s.quarantined, "reasons": s.reasons, "warnings": s.warnings,
             "anonymity": anonymity_json(report.anonymity[s.source])} for s in report.sources]})
        return
    for source in report.sources:
        reasons = ", ".join(f"{reason} {n}" for reason, n in source.reasons.items())
        say(f"{source.source:24} read {source.read:>8,}  accepted {source.accepted:>8,}  "
             f"quarantined {source.quarantined:>6,}  {reasons}")
    say("Patients who share their quasi-identifiers, at the accepted grains (the worse figure of each):")
    for name, anonymity in report.anonymity.items():
        say(f"{name:24} {anonymity_words(anonymity)}")
    if report.history_lost:
        say("The snapshot before this one is damaged: the history of data quality begins anew.")
