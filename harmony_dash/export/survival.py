"""A released survival result, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.survival.words import describe_survival
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult, Unapplied
from harmony_dash.export.print_survival import draw_survival
from harmony_dash.export.summary import Summary
from harmony_dash.export.survival_displays import survival_displays
from harmony_dash.export.survival_tables import survival_tables

SCRIPTS = ("recompute.py", "recompute.R")


def summarise_survival(released: Released[SurvivalResult], *, time_unit: TimeUnit, all_causes: bool) -> Summary:
    """Tables, words and figure of a survival result."""
    result, question = released.value, released.value.question
    return Summary(
        kind=question.endpoint, title=result.title, question=question.to_json(),
        question_json=question.canonical_json, fingerprint=question.fingerprint, snapshot=result.snapshot,
        synthetic=result.synthetic, scope=released.scope, n=result.n, text=result.summary, methods=result.methods,
        notes=result.notes, not_applied=conditions_not_applied(result.not_applied), tables=survival_tables(released),
        displays=survival_displays(released, time_unit),
        draw=lambda footer: draw_survival(released, footer, time_unit=time_unit, all_causes=all_causes),
        alt=describe_survival(released), scripts=SCRIPTS, compared=result.compared)


def conditions_not_applied(not_applied: Sequence[Unapplied]) -> tuple[str, ...]:
    """What was asked for and is not in the answer, or the other way round, in words."""
    return tuple(f"{one.words}: {one.kind}{f' in {names}' if (names := ', '.join(one.groups)) else ''}"
                 for one in not_applied)
