"""`subgroups`: which groups of patients do better or worse, asked of the current snapshot."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.charts.numbers import NOTHING, format_percent_interval
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS, SubgroupsQuestion
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.disclosure.subgroup_results import SubgroupRow, SubgroupVariable
from harmony_dash.disclosure.wording import format_p

NO_STRATA = "none"


def add_subgroups(commands: Any) -> None:
    """The command `subgroups`."""
    parser = add_command(commands, "subgroups", _subgroups)
    parser.add_argument("--disease", required=True, metavar="D")
    parser.add_argument("--endpoint", required=True, metavar="E")
    parser.add_argument("--variables", default="", metavar="VAR,VAR",
                        help="the variables; those the dictionary offers for the disease by default")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help="a filter as of `survival`, repeatable")
    parser.add_argument("--strata", default="trial", metavar="VAR",
                        help=f"compare within the values of this variable (default trial); {NO_STRATA} for no strata")
    parser.add_argument("--treatment", metavar="VAR", help="compare its effect between levels, within the strata")
    parser.add_argument("--arms", default="", metavar="A,B", help="its arms, the reference first; all by default")
    parser.add_argument("--landmark", type=int, default=0, metavar="DAYS")
    parser.add_argument("--at", type=int, default=FIVE_YEARS, metavar="DAYS", help="day of the estimates")
    parser.add_argument("--interval", choices=[kind.value for kind in IntervalType], default="log-log")
    parser.add_argument("--exact", action="store_true", help="unprotected results; recorded in the audit trail")


def _subgroups(options: argparse.Namespace) -> int:
    from harmony_dash.services.subgroups import ask_subgroups
    from harmony_dash.services.subgroups_json import subgroups_as_json

    cohort = Question(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where),
                      landmark_days=options.landmark)
    question = SubgroupsQuestion(
        cohort, split_names(options.variables), None if options.strata == NO_STRATA else options.strata,
        options.treatment, split_names(options.arms), options.at)
    released = ask_subgroups(require_store(deployment_of(options)), OPERATOR, question,
                             level=Level.EXACT if options.exact else Level.PROTECTED,
                             interval=IntervalType(options.interval))
    result = released.value
    for note in result.notes:
        say(note)
    if options.json:
        print_json(subgroups_as_json(released))
        return 0
    show(result.title)
    for variable in result.variables:
        show(f"{variable.label}{_test(variable)}")
        for row in variable.rows:
            show(f"  {row.name:44.44} n {_count(row.n):>8}  events {_count(row.events):>7}  "
                 f"{_estimate(row, released.scope):24} {_ratio(row)}")
    show(result.summary)
    show(result.methods)
    return 0


def split_names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _test(variable: SubgroupVariable) -> str:
    if variable.test is None:
        return f"  ({variable.reason})" if variable.reason else ""
    return f"  (p {format_p(variable.test.p)}{_q(variable.test.q)})"


def _count(n: int | None) -> str:
    return "hidden" if n is None else f"{n:,}"


def _estimate(row: SubgroupRow, scope: Scope) -> str:
    if row.at is None or row.n is None:
        return NOTHING
    return format_percent_interval(row.at.estimate, row.at.lower, row.at.upper, precision_of(row.n, scope))


def _ratio(row: SubgroupRow) -> str:
    if row.is_reference:
        return "1 (reference)"
    if row.hazard_ratio is None:
        return row.reason
    ratio = row.hazard_ratio
    return f"{ratio.ratio:.2f} ({ratio.lower:.2f}–{ratio.upper:.2f})  p {format_p(ratio.p)}{_q(row.q)}"


def _q(q: float | None) -> str:
    return "" if q is None else f", q {format_p(q)}"
