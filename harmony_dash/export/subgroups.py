"""A released table of subgroups, ready to be written."""

from __future__ import annotations

from harmony_dash.charts.forest_lines import ForestLines, list_level_lines, list_treatment_lines
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.export.print_forest import draw_forest
from harmony_dash.export.subgroup_tables import subgroup_tables
from harmony_dash.export.summary import Display, Summary
from harmony_dash.export.survival import conditions_not_applied
from harmony_dash.export.survival_displays import display_flow

SCRIPTS = ("recompute_tables.py",)


def summarise_subgroups(released: Released[SubgroupsResult]) -> Summary:
    """Tables, words and forest plots of a table of subgroups."""
    result, question = released.value, released.value.question
    plots = [("Levels against their reference", list_level_lines(released)), *(
        (f"{compared} against {reference}, within {question.strata}", list_treatment_lines(released, place))
        for place, (reference, compared) in enumerate(_arms(result)))]
    displays = [*(_display(title, lines, result) for title, lines in plots), display_flow(result.cohort)]
    return Summary(
        kind=f"{question.cohort.endpoint} subgroups", title=result.title, question=question.to_json(),
        question_json=question.canonical_json, fingerprint=question.fingerprint, snapshot=result.snapshot,
        synthetic=result.synthetic, scope=released.scope, n=result.cohort.n, text=result.summary,
        methods=result.methods, notes=result.notes, not_applied=conditions_not_applied(result.cohort),
        tables=subgroup_tables(result), displays=tuple(display for display in displays if display.rows),
        draw=lambda footer: draw_forest(plots, result.title, footer), alt=_describe(result), scripts=SCRIPTS)


def _arms(result: SubgroupsResult) -> list[tuple[str, str]]:
    """Reference and compared arm of every comparison of the treatment."""
    found = next((variable.interactions for variable in result.variables if variable.interactions), ())
    return [(one.reference, one.compared) for one in found]


def _display(title: str, lines: ForestLines, result: SubgroupsResult) -> Display:
    note = (f"q is adjusted over the {result.comparisons} comparisons of this table. The words behind a hazard ratio's "
            "place say why there is none.")
    return Display(title, ("Variable and level", *lines.columns[1:]), tuple(line.cells for line in lines.lines),
                   note=note)


def _describe(result: SubgroupsResult) -> str:
    """The figure in words."""
    compared = sum(row.hazard_ratio is not None for variable in result.variables for row in variable.rows)
    return (f"Forest plot of {len(result.variables)} variables with {compared} hazard ratios, each against the "
            f"reference level of its variable. {result.summary}")
