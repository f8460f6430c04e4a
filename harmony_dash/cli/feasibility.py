"""`feasibility`: whether a question can be asked of the current snapshot."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cohort.need import Need
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure.wording import format_count, format_part
from harmony_dash.errors import QuestionError

if TYPE_CHECKING:
    from harmony_dash.disclosure import Released
    from harmony_dash.disclosure.feasibility_results import FeasibilityResult
    from harmony_dash.stats.planning import Expectation


def add_feasibility(commands: Any) -> None:
    """The command `feasibility`."""
    parser = add_command(commands, "feasibility", _feasibility)
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
    from harmony_dash.services.planning import describe_follow_up, plan_precision

    if options.assumed is not None and not 0 < options.assumed < 100:
        raise QuestionError(f"{options.assumed:g} is not between 0 and 100", where="--assumed",
                            remedy="Write what you expect in per cent, e.g. 85.")
    known = tuple(name.strip() for name in options.known.split(",") if name.strip())
    need = Need(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where), known,
                options.horizon)
    released = ask_feasibility(require_store(deployment_of(options)), OPERATOR, need)
    result = released.value
    share = _choose_share(options.assumed, result)
    for note in result.notes:
        say(note)
    expected = plan_precision(released, share)
    if words := describe_follow_up(result, expected):
        say(words)
    if options.json:
        print_json(feasibility_as_json(released, expected))
        return 0
    _show_answer(released, expected)
    return 0


def _choose_share(assumed: float | None, result: FeasibilityResult) -> float:
    """The survival to plan with: as given in per cent, as published, or a guess that is said to be one."""
    from harmony_dash.services.planning import UNKNOWN_SHARE, describe_start, suggest_share

    if assumed is not None:
        return assumed / 100
    published = suggest_share(result.question)
    if published is not None:
        say(describe_start(result.question, published))
        return published.share
    say(f"Assumed: {100 * UNKNOWN_SHARE:.0f} %, because no published figure is known; give one with --assumed.")
    return UNKNOWN_SHARE


def _show_answer(released: Released[FeasibilityResult], expected: Expectation | None) -> None:
    result, minimum = released.value, released.scope.rules.minimum_cell
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
