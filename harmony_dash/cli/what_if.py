"""`what-if`: what another treatment strategy would have changed, asked of the current snapshot."""

from __future__ import annotations

import argparse
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cli.subgroups import split_names
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.points import format_points, format_points_limits
from harmony_dash.disclosure.what_if_results import AllocationCell, Measure, WhatIfResult
from harmony_dash.errors import QuestionError


def add_what_if(commands: Any) -> None:
    """The command `what-if`."""
    parser = add_command(commands, "what-if", _what_if)
    parser.add_argument("--disease", required=True, metavar="D")
    parser.add_argument("--endpoint", default="efs", metavar="E", help="os, efs or rfs (default efs)")
    parser.add_argument("--treatment", default="intensity_assigned", metavar="VAR",
                        help="the variable whose values are the strategies (default intensity_assigned)")
    parser.add_argument("--compare", default="reduced,standard", metavar="A,B",
                        help="the strategy of interest and the one it is compared with (default reduced,standard)")
    parser.add_argument("--adjust", default="", metavar="VAR,VAR",
                        help="what decided about treatment; what the dictionary names by default")
    parser.add_argument("--modifiers", default="", metavar="VAR,VAR", help="biomarkers to give the difference by")
    parser.add_argument("--where", action="append", default=[], metavar='"VAR=a,b"',
                        help="a filter as of `survival`, repeatable")
    parser.add_argument("--strata", default="trial", metavar="VAR", help="compare within its values (default trial)")
    parser.add_argument("--landmark", type=int, default=0, metavar="DAYS")
    parser.add_argument("--time", type=int, default=FIVE_YEARS, metavar="DAYS", help="day of the answer")
    parser.add_argument("--replicates", type=int, default=200, metavar="N", help="of the bootstrap (default 200)")
    parser.add_argument("--exact", action="store_true", help="unprotected results; recorded in the audit trail")


def _what_if(options: argparse.Namespace) -> int:
    from harmony_dash.services.what_if import ask_what_if
    from harmony_dash.services.what_if_json import what_if_as_json

    arms = split_names(options.compare)
    if len(arms) != 2:
        raise QuestionError("two strategies are compared", where="--compare",
                            remedy="Write --compare reduced,standard.")
    if not 20 <= options.replicates <= 5_000:
        raise QuestionError("a bootstrap has 20 to 5,000 replicates", where="--replicates", remedy="Choose 200.")
    cohort = Question(options.disease, options.endpoint, tuple(parse_filter(text) for text in options.where),
                      landmark_days=options.landmark)
    question = WhatIfQuestion(cohort, options.treatment, arms[1], arms[0], options.strata,
                              split_names(options.adjust), split_names(options.modifiers), options.time)
    released = ask_what_if(require_store(deployment_of(options)), OPERATOR, question,
                           level=Level.EXACT if options.exact else Level.PROTECTED, replicates=options.replicates)
    for note in released.value.notes:
        say(note)
    if options.json:
        print_json(what_if_as_json(released))
    else:
        _show(released.value)
    return 0


def _show(result: WhatIfResult) -> None:
    show(result.title)
    for heading, words in result.estimand:
        show(f"  {heading}: {words}")
    show(f"Status: {result.status}")
    for reason in result.reasons:
        needed = f" Needed: {reason.needed}." if reason.needed else ""
        show(f"  {reason.code} ({reason.severity}): {reason.message}.{needed}")
    for cell in result.allocation:
        show(f"  {cell.name:32.32} {cell.arm:12.12} {_counts(cell):30} {cell.mark}")
    for one in result.contrasts:
        unit, scale = ("days", 1) if one.measure is Measure.RESTRICTED_MEAN else ("points", 100)
        limits = "" if one.lower is None or one.upper is None else (
            f" ({scale * one.lower:+.1f} to {scale * one.upper:+.1f})")
        name = f"{one.method} ({one.randomisation})" if one.randomisation else one.method
        show(f"  {name:11} {one.outcome:12} {one.measure}: {scale * one.estimate:+.1f} {unit}{limits}")
    for effect in result.effects:
        found = effect.difference
        text = effect.reason if found is None else (
            f"{format_points(found.estimate)} points ({format_points_limits(found.lower, found.upper)})")
        show(f"  {effect.label}: {effect.name}: {text}")
    show(result.summary)
    for anchor in result.anchors:
        show(f"Published: {anchor.trial}, {anchor.contrast}: {'; '.join(anchor.results)} ({anchor.citation})")
    show(result.methods)


def _counts(cell: AllocationCell) -> str:
    return (f"n {'hidden' if cell.n is None else f'{cell.n:,}':>8}  "
            f"events {'hidden' if cell.events is None else f'{cell.events:,}':>7}")
