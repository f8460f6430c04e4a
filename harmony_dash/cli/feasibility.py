"""`feasibility`: whether a question can be asked of the current snapshot."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cohort.need import Need
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure.wording import format_count, format_part
from harmony_dash.errors import QuestionError


def add_feasibility(commands: Any) -> None:
    """The command `feasibility`."""
    parser = add_command(commands, "feasibility", _feasibility,
                         "How many patients a planned question has, where, and what it loses the others by.")
    parser.add_argument("--disease", default="ALL", metavar="D")
    parser.add_argument("--endpoint", default="os", metavar="E")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help="a filter, repeatable, as of `survival`")
    parser.add_argument("--known", default="", metavar="VAR,VAR", help="variables that must be known")
    parser.add_argument("--horizon", type=int, default=1826, metavar="DAYS")
    parser.add_argument("--assumed", type=float, metavar="PER_CENT",
                        help="expected per cent at the horizon, without the event (with it for incidences); default "
                             "a published figure where one fits")


def _feasibility(options: argparse.Namespace) -> int:
    from harmony_dash.services.feasibility import ask_feasibility
    from harmony_dash.services.feasibility_json import feasibility_as_json
    from harmony_dash.services.planning import (
        UNKNOWN_SHARE,
        describe_follow_up,
        describe_start,
        plan_precision,
        suggest_share,
    )

    if options.assumed is not None and not 0 < options.assumed < 100:
        raise QuestionError(f"{options.assumed:g} is not between 0 and 100", where="--assumed",
                            remedy="Write what you expect in per cent, e.g. 85.")
    known = tuple(name.strip() for name in options.known.split(",") if name.strip())
    need = Need(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where), known,
                options.horizon)
    released = ask_feasibility(require_store(deployment_of(options)), OPERATOR, need)
    result, published = released.value, suggest_share(released.value.question)
    if options.assumed is not None:
        share = options.assumed / 100
    elif published is not None:
        share = published.share
        say(describe_start(result.question, published))
    else:
        share = UNKNOWN_SHARE
        say(f"Assumed: {100 * share:.0f} %, because no published figure is known; give one with --assumed.")
    for note in result.notes:
        say(note)
    expected = plan_precision(released, share)
    if words := describe_follow_up(result, expected):
        say(words)
    if options.json:
        print_json(feasibility_as_json(released, expected))
        return 0
    minimum = released.scope.rules.minimum_cell
    show(result.title)
    if result.reason:
        show(f"No answer: {result.reason}.")
    for step in (*result.steps, result.not_followed):
        show(f"  {step.label:60.60} {format_part(step.n):>9}")
    for one in result.by_country:
        if one.answered:
            show(f"  {one.country:12} {format_count(one.n, minimum):>9}{' †' if one.differs else ''}")
    for loss in result.losses:
        show(f"  {loss.label:40.40} not known of {format_part(loss.lacking)}, it alone of {format_part(loss.only)}")
    if expected is not None:
        low, middle, high = (100 * value for value in (expected.lower, expected.survival, expected.upper))
        show(f"  about {expected.events:.0f} events by day {expected.horizon_days}, 95 % interval {low:.1f}–{high:.1f} "
             f"% around a survival of {middle:.1f} %")
    show(result.methods)
    return 0
