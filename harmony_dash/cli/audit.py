"""`audit`: reading the audit trail, proving that it is as it was written, and reviewing what was asked."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import Decision, RecordedEvent
from harmony_dash.access.head import Head, parse_head
from harmony_dash.access.verification import HeadFile, Verification
from harmony_dash.cli.command import (
    add_command,
    add_part,
    deployment_of,
    print_json,
    require_store,
    say,
    say_changed,
    show,
)
from harmony_dash.errors import StoreError, UserError
from harmony_dash.services import audit_trail
from harmony_dash.services.audit_trail import TrailFilters
from harmony_dash.services.differencing import Asking, DifferencingReport, review_differencing


def add_audit(commands: Any) -> None:
    """The command `audit`."""
    parser = add_command(commands, "audit", _list, makes_access=False)
    parser.add_argument("--user", metavar="ACCOUNT")
    parser.add_argument("--action", dest="event", metavar="ACTION", help='e.g. "survival"')
    parser.add_argument("--decision", choices=[decision.value for decision in Decision])
    parser.add_argument("--grant", metavar="ID")
    parser.add_argument("--snapshot", metavar="ID")
    parser.add_argument("--since", metavar="DAY", help="2026-11-21, or 2026-11-21T09:30, in UTC")
    parser.add_argument("--until", metavar="DAY", help="a day is taken to its end, a moment is not included")
    parser.add_argument("--contains", metavar="TEXT", help="a text in the question, such as the name of a variable")
    parser.add_argument("--limit", type=int, default=50, metavar="N")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all of them to a new file instead")
    actions = parser.add_subparsers(dest="part", metavar="PART")
    check = add_part(actions, "verify", _verify, "check every row; exit code 2 if one is not as it was written")
    check.add_argument("--head", type=Path, metavar="FILE", help="a head that `audit head` wrote earlier")
    add_part(actions, "head", _head, "print the newest link, to be kept where nobody can change it")
    review = add_part(actions, "differencing", _differencing,
                      "list questions answered about nearly the same patients, and who keeps asking about the same")
    review.add_argument("--days", type=int, default=1, metavar="N",
                        help="whole days (UTC) before today; today so far is always looked at (default 1)")
    add_part(actions, "accept-clock", _accept_clock,
             "say that the clock is right, although the trail holds later moments")


def _list(options: argparse.Namespace) -> int:
    filters = TrailFilters(
        username=options.user, action=options.event, grant=options.grant, snapshot=options.snapshot,
        decision=Decision(options.decision) if options.decision else None,
        since=_moment(options.since, "--since") if options.since else None,
        until=_moment(options.until, "--until", whole_day=True) if options.until else None, contains=options.contains)
    deployment = deployment_of(options)
    if options.csv is not None:
        _write_new(options.csv, audit_trail.trail_as_csv(deployment, OPERATOR, filters))
        say(f"Wrote {options.csv}.")
        return 0
    events = audit_trail.read_trail(deployment, OPERATOR, filters, limit=options.limit)
    if options.json:
        print_json({"events": [_event_json(event) for event in events]})
        return 0
    for row in events:
        event = row.event
        show("  ".join(part for part in (
            f"{row.id:>7}", f"{row.at:%Y-%m-%d %H:%M:%S}", f"{event.username or '-':20}", f"{event.decision.value:8}",
            event.action, event.grant, event.level, event.reason, event.question) if part))
    return 0


def _verify(options: argparse.Namespace) -> int:
    head = _read_head(options.head) if options.head else None
    found = audit_trail.verify_trail(deployment_of(options), OPERATOR, head)
    if options.json:
        print_json({"intact": found.intact, "rows": found.rows, "rows_before_chain": found.old_rows,
                    "broken": {"id": found.broken.id, "fault": found.broken.fault.value} if found.broken else None,
                    "newest": _head_json(found.newest), "head_file": found.head_file.value,
                    "times_without_head": found.times_without_head})
    for warning in _warnings(found):
        say(warning)
    if found.broken is not None:
        raise StoreError(f"the audit trail is not as it was written: {found.broken.words}; "
                         f"{found.rows:,} rows before it are", where="audit",
                         remedy="Keep a copy of the access database for whoever investigates, then restore a backup.")
    say(f"The audit trail is as it was written: {found.rows:,} rows, {found.old_rows:,} of them older than the chain.")
    return 0


def _warnings(found: Verification) -> list[str]:
    words = {
        HeadFile.BEHIND: "The head file names an older row than the newest: it could not be written lately.",
        HeadFile.MISSING: "The head file is missing; rows that were cut off with it would not show.",
        HeadFile.NONE: "No head file is kept; rows that were cut off would not show."}
    warnings = [words[found.head_file]] if found.head_file in words else []
    if found.times_without_head:
        warnings.append(f"The head file was missing {found.times_without_head} times when the database was opened (see "
                        "`audit --action 'audit head missing'`); compare with a head kept elsewhere: --head FILE.")
    return warnings


def _head(options: argparse.Namespace) -> int:
    head = audit_trail.export_head(deployment_of(options), OPERATOR)
    if options.json:
        print_json(_head_json(head))
    else:
        show(head.text)
    return 0


def _differencing(options: argparse.Namespace) -> int:
    report = review_differencing(require_store(deployment_of(options)), OPERATOR, days=options.days)
    if options.json:
        print_json(_report_json(report))
    else:
        for line in _report_lines(report):
            show(line)
    together = sum(1 for pair in report.pairs if pair.same_people)
    say(f"{report.questions:,} protected questions of {report.people:,} people since {report.since:%Y-%m-%d} (UTC), "
        f"put to snapshot {report.snapshot}: {len(report.pairs):,} pairs about nearly the same patients, {together:,} "
        f"of them asked by one person; {len(report.not_compared):,} not compared; {len(report.alarms):,} alarms.")
    return 0


def _report_lines(report: DifferencingReport) -> list[str]:
    lines = []
    if report.not_compared:
        lines.append(f"WARNING  {len(report.not_compared):,} answers were not compared, or not in full; they stand at "
                     "the end with the reason")
    for alarm in report.alarms:
        lines.append(f"ALARM  {alarm.username} asked {alarm.questions:,} questions on {alarm.day} around: "
                     f"{'; '.join(alarm.conditions)}")
    for pair in report.pairs:
        whose = f"both asked by {', '.join(pair.same_people)}" if pair.same_people else "asked by different people"
        lines.append(f"PAIR  differ by fewer than {pair.fewer_than} patients, {whose}")
        lines += [f"    {_asking_words(asking)}" for asking in pair.one]
        lines.append("  and")
        lines += [f"    {_asking_words(asking)}" for asking in pair.other]
    lines += [f"NOT COMPARED  {_asking_words(one.asking)}: {one.why}" for one in report.not_compared]
    return lines


def _asking_words(asking: Asking) -> str:
    more = f", {asking.times:,} times until {asking.last:%Y-%m-%d %H:%M}" if asking.times > 1 else ""
    return f"{asking.words} [{asking.fingerprint}], {asking.username} {asking.first:%Y-%m-%d %H:%M}{more}"


def _report_json(report: DifferencingReport) -> dict[str, object]:
    return {
        "since": report.since.isoformat(), "until": report.until.isoformat(), "snapshot": report.snapshot,
        "questions": report.questions, "people": report.people,
        "pairs": [{"same_people": list(pair.same_people), "differ_by_fewer_than": pair.fewer_than,
                   "one": [_asking_json(asking) for asking in pair.one],
                   "other": [_asking_json(asking) for asking in pair.other]} for pair in report.pairs],
        "not_compared": [{**_asking_json(one.asking), "why": one.why} for one in report.not_compared],
        "alarms": [{"username": alarm.username, "day": alarm.day.isoformat(), "questions": alarm.questions,
                    "conditions": list(alarm.conditions)} for alarm in report.alarms]}


def _asking_json(asking: Asking) -> dict[str, object]:
    return {"question": asking.words, "fingerprint": asking.fingerprint, "grant": asking.grant,
            "username": asking.username, "first": asking.first.isoformat(), "last": asking.last.isoformat(),
            "times": asking.times}


def _accept_clock(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    was_behind = audit_trail.accept_clock(deployment, OPERATOR)
    if options.json:
        print_json({"was_behind": was_behind})
    say("The clock is accepted as it is." if was_behind else "The clock was not behind; this is recorded all the same.")
    say_changed(deployment)
    return 0


def _moment(text: str, option: str, *, whole_day: bool = False) -> datetime:
    """A day or a moment; UTC unless it says otherwise."""
    try:
        if len(text) == len("2026-11-21"):
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            return datetime.combine(day, time(), UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"'{text[:40]}' is not a day", where=option, remedy="Write it as 2026-11-21.") from None


def _read_head(path: Path) -> Head:
    try:
        return parse_head(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as problem:
        raise UserError(f"the file cannot be read ({problem.strerror})", where="--head") from None


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there: the trail is no reason to lose another file."""
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(content)
    except OSError as problem:
        raise UserError(f"the file cannot be made ({problem.strerror})", where="--csv",
                        remedy="Name a file that is not there yet.") from None


def _event_json(row: RecordedEvent) -> dict[str, object]:
    event = row.event
    return {"id": row.id, "at": row.at.isoformat(), "username": event.username, "role": event.role,
            "session": event.session, "grant": event.grant, "action": event.action, "question": event.question,
            "snapshot": event.snapshot, "level": event.level, "n": event.n, "decision": event.decision.value,
            "reason": event.reason, "mac": row.mac}


def _head_json(head: Head) -> dict[str, object]:
    return {"id": head.id, "at": head.at, "mac": head.mac, "seal": head.seal}
