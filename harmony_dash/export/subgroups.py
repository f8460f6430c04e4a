"""A released table of subgroups, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.charts.forest_lines import ForestLines, list_level_lines, list_treatment_lines
from harmony_dash.charts.names import DAGGER
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.disclosure.subgroup_words import describe_tests
from harmony_dash.export.print_forest import draw_forest
from harmony_dash.export.subgroup_tables import subgroup_tables
from harmony_dash.export.summary import Display, Summary
from harmony_dash.export.survival import conditions_not_applied
from harmony_dash.export.survival_displays import display_flow

SCRIPTS = ("recompute_tables.py",)
OTHER_QUESTION = (f"{DAGGER} These patients answer another question than the cohort: a condition was left out or "
                  "altered for them, or kept for them alone. The notes name it.")


def summarise_subgroups(released: Released[SubgroupsResult]) -> Summary:
    """Tables, words and forest plots of a table of subgroups."""
    result, question = released.value, released.value.question
    plots = [("Levels against their reference", list_level_lines(released)), *(
        (f"{compared} against {reference}, within {question.strata}", list_treatment_lines(released, place))
        for place, (reference, compared) in enumerate(_arms(result)))]
    dagger = (OTHER_QUESTION,) if any(row.own_question for one in result.variables for row in one.rows) else ()
    displays = [*(_display(title, lines, result, dagger) for title, lines in plots), display_flow(result.cohort)]
    return Summary(
        kind=f"{question.cohort.endpoint} subgroups", title=result.title, question=question.to_json(),
        question_json=question.canonical_json, fingerprint=question.fingerprint, snapshot=result.snapshot,
        synthetic=result.synthetic, scope=released.scope, n=result.cohort.n, text=result.summary,
        methods=result.methods, notes=result.notes, not_applied=conditions_not_applied(result.not_applied),
        tables=subgroup_tables(result), displays=tuple(display for display in displays if display.rows),
        draw=lambda footer: draw_forest(plots, result.title, (*dagger, *footer)), alt=_describe(result),
        scripts=SCRIPTS)


def _arms(result: SubgroupsResult) -> list[tuple[str, str]]:
    """Reference and compared arm of every comparison of the treatment."""
    found = next((variable.interactions for variable in result.variables if variable.interactions), ())
    return [(one.reference, one.compared) for one in found]


def _display(title: str, lines: ForestLines, result: SubgroupsResult, dagger: Sequence[str]) -> Display:
    note = (f"q is adjusted over the tests of this table, {describe_tests(result)}, each kind by itself. The words "
            "behind a hazard ratio's place say why there is none.")
    return Display(title, ("Variable and level", *lines.columns[1:]), tuple(line.cells for line in lines.lines),
                   note=" ".join([note, *dagger]))


def _describe(result: SubgroupsResult) -> str:
    """The figure in words."""
    compared = sum(row.hazard_ratio is not None for variable in result.variables for row in variable.rows)
    return (f"Forest plot of {len(result.variables)} variables with {compared} hazard ratios, each against the "
            f"reference level of its variable. {result.summary}")
