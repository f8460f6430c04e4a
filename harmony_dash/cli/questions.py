"""`coverage`, `survival`: questions to the current snapshot."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.charts.ratios import format_group_ratio, name_ratio
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import describe_precision, format_limits, format_percent, precision_of
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError


def add_coverage(commands: Any) -> None:
    """The command `coverage`."""
    parser = add_command(commands, "coverage", _coverage)
    parser.add_argument("--disease", default="ALL", metavar="D")
    parser.add_argument("--exact", action="store_true", help="unprotected counts; recorded in the audit trail")


def _coverage(options: argparse.Namespace) -> int:
    from harmony_dash.services.coverage import review_changes, review_coverage
    from harmony_dash.services.coverage_json import changes_as_json, coverage_as_json

    deployment = require_store(deployment_of(options))
    level = Level.EXACT if options.exact else Level.PROTECTED
    released = review_coverage(deployment, OPERATOR, options.disease, level=level)
    result = released.value
    if options.json:
        changes = review_changes(deployment, OPERATOR, options.disease, level=level)
        print_json({"exact": options.exact, **coverage_as_json(released), "changes": changes_as_json(changes)})
        return 0
    show(f"{_count(result.n)} patients with {result.disease}, snapshot {result.snapshot}")
    for cell in result.by_country:
        show(f"  {cell.labels['country']:12} {_count(cell.n):>9}")
    return 0


def _count(n: int | None) -> str:
    return "hidden" if n is None else f"{n:,}"


def add_survival(commands: Any) -> None:
    """The command `survival`."""
    parser = add_command(commands, "survival", _survival)
    add_question(parser)
    parser.add_argument("--exact", action="store_true", help="unprotected results; recorded in the audit trail")


def add_question(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The options that make a survival question, and how it is answered."""
    parser.add_argument("--disease", required=required, metavar="D")
    parser.add_argument("--endpoint", required=required, metavar="E")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help='a filter, repeatable: "VAR=a,b", "VAR=lo..hi" (both ends included), "VAR=lo..<hi", '
                             '"VAR=?" (not recorded); "!=" negates')
    parser.add_argument("--by", metavar="VAR")
    parser.add_argument("--strata", metavar="VAR")
    parser.add_argument("--landmark", type=int, default=0, metavar="DAYS")
    parser.add_argument("--horizon", type=int, metavar="DAYS")
    parser.add_argument("--times", default="365,1096,1826", metavar="DAYS,DAYS")
    parser.add_argument("--interval", choices=[kind.value for kind in IntervalType], default="log-log")


def question_of(options: argparse.Namespace) -> Question:
    """The question that the options of `add_question` make."""
    return Question(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where), options.by,
                    options.strata, options.landmark, options.horizon)


def _survival(options: argparse.Namespace) -> int:
    from harmony_dash.services.survival import ask_survival
    from harmony_dash.services.survival_json import survival_as_json

    level = Level.EXACT if options.exact else Level.PROTECTED
    released = ask_survival(require_store(deployment_of(options)), OPERATOR, question_of(options), level=level,
                            interval=IntervalType(options.interval), days=parse_days(options.times))
    result = released.value
    for note in result.notes:
        say(note)
    if options.json:
        print_json(survival_as_json(released))
        return 0
    show(result.title)
    endpoint = endpoint_named(result.question.endpoint)
    for group in result.groups:
        events, precision = _count(group.events), precision_of(group.n, released.scope)
        ratio = f"  {name_ratio(endpoint)} {format_group_ratio(group, result)}" if result.reference else ""
        show(f"  {group.name:40} n {group.n:>8,}  events {events:>7}{ratio}")
        for at in headline_estimates(group, endpoint):
            if at.estimate is not None:
                limits = None if at.lower is None or at.upper is None else format_limits(at.lower, at.upper, precision)
                bounds = "" if limits is None else f"  ({limits})"
                show(f"    day {at.days:>5}  {format_percent(at.estimate, precision)}{bounds}"
                     f"  at risk {_count(at.at_risk)}")
    if off := describe_precision(result, released.scope):
        show(off)
    show(result.summary)
    show(result.methods)
    return 0


def parse_days(text: str) -> tuple[int, ...]:
    """Days from a list separated by commas; raises `QuestionError` for anything else."""
    try:
        days = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        days = ()
    if not days or min(days) < 0 or max(days) > 40_000:
        raise QuestionError(f"'{text[:40]}' is not a list of days", where="--times",
                            remedy="Write whole days separated by commas, e.g. 365,1826.")
    return days
