"""The command line: parsing, calling one service, printing. JSON goes to stdout, words to stderr.

Exit codes: 0 done, 2 the user's input is at fault (one clear message), 1 a bug.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harmony_dash import __version__
from harmony_dash.access.accounts import (
    change_role,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError, StoreError, UserError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import read_settings

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parser = _build_parser()
    options = parser.parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except UserError as problem:
        print(f"harmony_dash: {problem.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="harmony_dash", description="Survival over harmonised leukaemia cohorts.")
    parser.add_argument("--version", action="version", version=f"harmony_dash {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_synthesise(commands)
    _add_ingest(commands)
    _add_snapshots(commands)
    _add_coverage(commands)
    _add_survival(commands)
    _add_accounts(commands)
    return parser


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], description: str,
             *, store: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    if store:
        parser.add_argument("--store", type=Path, metavar="DIR", help="the store's folder (default HARMONY_STORE)")
    return parser


def _deployment(options: argparse.Namespace) -> Deployment:
    settings = read_settings(os.environ, PROJECT_ROOT)
    store = getattr(options, "store", None)
    if store is not None:
        access = settings.access_database if os.environ.get("HARMONY_ACCESS") else store / "access.sqlite"
        settings = replace(settings, store=store, access_database=access)
    extra = tuple(getattr(options, "dictionary", None) or ())
    return open_deployment(replace(settings, dictionary_files=settings.dictionary_files + extra))


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


# -- synthesise ---------------------------------------------------------------------------------------------------


def _add_synthesise(commands: Any) -> None:
    parser = _command(commands, "synthesise", _synthesise, "Write synthetic source folders of any size.", store=False)
    parser.add_argument("--patients", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, required=True, metavar="S")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def _synthesise(options: argparse.Namespace) -> int:
    from harmony_dash.services.synthesis import write_synthetic_sources

    folders = write_synthetic_sources(options.patients, options.seed, options.out)
    if options.json:
        _print_json({"patients": options.patients, "seed": options.seed, "folders": [str(path) for path in folders]})
    else:
        _say(f"Wrote {len(folders)} synthetic sources with {options.patients:,} patients to {options.out}.")
    return 0


# -- ingest and snapshots -----------------------------------------------------------------------------------------


def _add_ingest(commands: Any) -> None:
    parser = _command(commands, "ingest", _ingest, "Check, harmonise and publish source folders as a snapshot.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="SOURCE_DIR")
    parser.add_argument("--dictionary", type=Path, action="append", metavar="FILE",
                        help="a further dictionary file (repeatable)")


def _ingest(options: argparse.Namespace) -> int:
    from harmony_dash.services.ingest import ingest_sources

    def progress(words: str, share: float) -> None:
        _say(f"[{share:4.0%}] {words}")

    report = ingest_sources(_deployment(options), OPERATOR, options.folders, progress=progress)
    if options.json:
        _print_json({"snapshot": report.snapshot, "patients": report.patients, "sources": [
            {"source": s.source, "title": s.title, "read": s.read, "accepted": s.accepted,
             "quarantined": s.quarantined, "reasons": s.reasons, "warnings": s.warnings} for s in report.sources]})
        return 0
    for source in report.sources:
        reasons = ", ".join(f"{reason} {n}" for reason, n in source.reasons.items())
        _say(f"{source.source:24} read {source.read:>8,}  accepted {source.accepted:>8,}  "
             f"quarantined {source.quarantined:>6,}  {reasons}")
    _say(f"Published snapshot {report.snapshot} with {report.patients:,} patients.")
    return 0


def _add_snapshots(commands: Any) -> None:
    parser = _command(commands, "snapshots", _snapshots, "List the snapshots of a store, or go back to one.")
    parser.add_argument("--rollback", metavar="ID", help="serve this snapshot again")


def _snapshots(options: argparse.Namespace) -> int:
    from harmony_dash.services.snapshots import review_snapshots, roll_back_to

    deployment = _deployment(options)
    if options.rollback:
        record = roll_back_to(deployment, OPERATOR, options.rollback)
        _say(f"Snapshot {record.snapshot} is served again.")
    current, records = review_snapshots(deployment, OPERATOR)
    if options.json:
        _print_json({"current": current, "snapshots": [
            {"snapshot": r.snapshot, "created": r.created, "patients": r.patients, "sources": r.sources,
             "synthetic": r.synthetic, "current": r.snapshot == current} for r in records]})
        return 0
    for record in records:
        mark = "*" if record.snapshot == current else " "
        kind = "synthetic" if record.synthetic else ""
        print(f"{mark} {record.snapshot}  {record.created}  {record.patients:>10,} patients  "
              f"{record.sources:>3} sources  {kind}")
    return 0


# -- coverage and survival ----------------------------------------------------------------------------------------


def _add_coverage(commands: Any) -> None:
    parser = _command(commands, "coverage", _coverage, "Who is in the current snapshot.")
    parser.add_argument("--disease", default="ALL", metavar="D")
    parser.add_argument("--exact", action="store_true", help="unprotected counts; recorded in the audit trail")


def _coverage(options: argparse.Namespace) -> int:
    from harmony_dash.services.coverage import review_coverage

    deployment = _require_store(_deployment(options))
    level = Level.EXACT if options.exact else Level.PROTECTED
    result = review_coverage(deployment, OPERATOR, options.disease, level=level).value
    if options.json:
        _print_json({
            "snapshot": result.snapshot, "disease": result.disease, "exact": options.exact, "n": result.n,
            "by_country": [{**cell.labels, "n": cell.n} for cell in result.by_country],
            "by_trial": [{**cell.labels, "n": cell.n} for cell in result.by_trial],
            "by_country_and_trial": [{**cell.labels, "n": cell.n} for cell in result.by_country_and_trial],
            "sources": [{"source": s.source, "title": s.title, "countries": list(s.countries),
                         "accepted": s.accepted, "quarantined": s.quarantined,
                         "follow_up_median_days": s.follow_up_median_days} for s in result.sources],
            "completeness": [{"source": c.source, "variable": c.variable, "share": c.share}
                             for c in result.completeness],
            "follow_up_median_days": result.follow_up_median_days, "methods": result.methods})
        return 0
    print(f"{_count(result.n)} patients with {result.disease}, snapshot {result.snapshot}")
    for cell in result.by_country:
        print(f"  {cell.labels['country']:12} {_count(cell.n):>9}")
    return 0


def _count(n: int | None) -> str:
    return "hidden" if n is None else f"{n:,}"


def _require_store(deployment: Deployment) -> Deployment:
    if deployment.store.is_empty:
        raise StoreError("the store holds no snapshot yet", where=str(deployment.settings.store),
                         remedy="Run `python -m harmony_dash ingest SOURCE_DIR… --store DIR` first.")
    return deployment


def _add_survival(commands: Any) -> None:
    parser = _command(commands, "survival", _survival, "Curves, estimates and tests for one question.")
    parser.add_argument("--disease", required=True, metavar="D")
    parser.add_argument("--endpoint", required=True, metavar="E")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help='a filter, repeatable: "VAR=a,b", "VAR=lo..hi" (both ends included), "VAR=lo..<hi", '
                             '"VAR=?" (not recorded); "!=" negates')
    parser.add_argument("--by", metavar="VAR")
    parser.add_argument("--strata", metavar="VAR")
    parser.add_argument("--landmark", type=int, default=0, metavar="DAYS")
    parser.add_argument("--horizon", type=int, metavar="DAYS")
    parser.add_argument("--times", default="365,1096,1826", metavar="DAYS,DAYS")
    parser.add_argument("--interval", choices=[kind.value for kind in IntervalType], default="log-log")
    parser.add_argument("--exact", action="store_true", help="unprotected results; recorded in the audit trail")


def _survival(options: argparse.Namespace) -> int:
    from harmony_dash.services.survival import ask_survival
    from harmony_dash.services.survival_json import survival_as_json

    question = Question(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where),
                        options.by, options.strata, options.landmark, options.horizon)
    level = Level.EXACT if options.exact else Level.PROTECTED
    released = ask_survival(_require_store(_deployment(options)), OPERATOR, question, level=level,
                            interval=IntervalType(options.interval), days=_parse_days(options.times))
    result = released.value
    for note in result.notes:
        _say(note)
    if options.json:
        _print_json(survival_as_json(released))
        return 0
    print(result.title)
    for group in result.groups:
        events = _count(group.events)
        print(f"  {group.name:40} n {group.n:>8,}  events {events:>7}")
        for at in group.at:
            if at.estimate is not None:
                bounds = "" if at.lower is None or at.upper is None else f"  ({at.lower:.4f}–{at.upper:.4f})"
                print(f"    day {at.days:>5}  {at.estimate:.4f}{bounds}  at risk {_count(at.at_risk)}")
    print(result.summary)
    print(result.methods)
    return 0


def _parse_days(text: str) -> tuple[int, ...]:
    try:
        days = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        days = ()
    if not days or min(days) < 0 or max(days) > 40_000:
        raise QuestionError(f"'{text[:40]}' is not a list of days", where="--times",
                            remedy="Write whole days separated by commas, e.g. 365,1826.")
    return days


# -- accounts -----------------------------------------------------------------------------------------------------


def _add_accounts(commands: Any) -> None:
    parser = _command(commands, "accounts", _list_accounts, "List and change accounts.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    roles = [role.value for role in Role if role is not Role.OPERATOR]
    add = actions.add_parser("add", help="create an account; the password is asked for, or read from stdin")
    add.add_argument("username")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=roles)
    add.set_defaults(run=_add_account)
    role = actions.add_parser("role", help="change the role of an account; its sessions end")
    role.add_argument("username")
    role.add_argument("role", choices=roles)
    role.set_defaults(run=_change_role)
    for name, run, words in (("password", _set_password, "set a new password; its sessions end"),
                             ("disable", _disable, "shut an account; its sessions end"),
                             ("enable", _enable, "open a disabled account")):
        action = actions.add_parser(name, help=words)
        action.add_argument("username")
        action.set_defaults(run=run)


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


def _list_accounts(options: argparse.Namespace) -> int:
    accounts = list_accounts(_deployment(options).access)
    if options.json:
        _print_json({"accounts": [{"username": a.username, "name": a.name, "role": a.role.value,
                                   "disabled": a.disabled} for a in accounts]})
        return 0
    for account in accounts:
        print(f"{account.username:24} {account.role.value:14} {'disabled' if account.disabled else 'open':9} "
              f"{account.name}")
    return 0


def _add_account(options: argparse.Namespace) -> int:
    deployment = _deployment(options)
    create_account(deployment.access, username=options.username, name=options.name, role=Role(options.role),
                   password=_read_password(), by=OPERATOR, now=deployment.now())
    _say(f"Account {options.username} created.")
    return 0


def _change_role(options: argparse.Namespace) -> int:
    deployment = _deployment(options)
    change_role(deployment.access, options.username, Role(options.role), by=OPERATOR, now=deployment.now())
    _say(f"Account {options.username} is now {options.role}.")
    return 0


def _set_password(options: argparse.Namespace) -> int:
    deployment = _deployment(options)
    set_password(deployment.access, options.username, _read_password(), by=OPERATOR, now=deployment.now())
    _say(f"Password of {options.username} changed.")
    return 0


def _disable(options: argparse.Namespace) -> int:
    deployment = _deployment(options)
    disable_account(deployment.access, options.username, by=OPERATOR, now=deployment.now())
    _say(f"Account {options.username} is disabled.")
    return 0


def _enable(options: argparse.Namespace) -> int:
    deployment = _deployment(options)
    enable_account(deployment.access, options.username, by=OPERATOR, now=deployment.now())
    _say(f"Account {options.username} is open.")
    return 0
