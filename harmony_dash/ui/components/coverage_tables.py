"""The tables of who is in the data, as text that is ready to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from harmony_dash.charts.case_mix import countries_of, difference_text, rows_of
from harmony_dash.charts.completeness import NOT_SUPPLIED, NOT_SUPPLIED_IN_FULL, knows, share_text
from harmony_dash.charts.coverage import cross_cells, short_titles, values_shown
from harmony_dash.charts.numbers import NOTHING, TimeUnit, format_count, format_part, format_time
from harmony_dash.disclosure.coverage_changes import Change, CoverageChanges
from harmony_dash.disclosure.coverage_results import CoverageResult, Status
from harmony_dash.disclosure.released import Released

# Columns of words.
LEFT = ("Country", "Trial or registry", "Variable", "Source", "Provider", "Countries", "Diagnosed", "Period", "Value")


def build_count_table(released: Released[CoverageResult], by: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Patients by country or by trial."""
    cells = released.value.by_country if by == "country" else released.value.by_trial
    header = "Country" if by == "country" else "Trial or registry"
    return pd.DataFrame([(names.get(cell.labels[by], cell.labels[by]), format_part(cell.n))
                         for cell in cells], columns=[header, "Patients"])


def build_period_table(released: Released[CoverageResult]) -> pd.DataFrame:
    """Patients by period of diagnosis: all, and by source."""
    result = released.value
    titles = short_titles(result)
    rows = {period: {"Period": result.label_of("dx_period", period)} for period in values_shown(result, "dx_period")}
    for cell in (*result.table("dx_period"), *result.table("source", "dx_period")):
        row = rows.get(cell.labels["dx_period"])
        if row is not None:
            source = cell.labels.get("source", "")
            row[titles.get(source, source) if source else "All"] = format_part(cell.n)
    return pd.DataFrame(list(rows.values())).fillna("")


def build_cross_table(released: Released[CoverageResult], names: Mapping[str, str], columns: str = "trial",
                      ) -> pd.DataFrame:
    """Patients by country and one more variable, one row a pair."""
    result, shown = released.value, values_shown(released.value, columns)
    header = "Trial or registry" if columns == "trial" else "Value"
    return pd.DataFrame([(names.get(cell.labels["country"], cell.labels["country"]),
                          result.label_of(columns, cell.labels[columns]), format_part(cell.n))
                         for cell in cross_cells(result, columns) if cell.labels[columns] in shown],
                        columns=["Country", header, "Patients"])


def build_completeness_table(released: Released[CoverageResult], part: Status | None = None,
                             variables: Collection[str] = ()) -> pd.DataFrame:
    """Shares in per cent, variables down, sources across."""
    titles = short_titles(released.value)
    if len(set(titles.values())) < len(titles):
        titles = {}  # names tell apart what titles do not
    rows: dict[str, dict[str, str]] = {}
    for one in released.value.completeness:
        if (not variables or one.variable in variables) and (part is None or knows(one, part)):
            text = share_text(one, part)
            rows.setdefault(one.label, {"Variable": one.label})[f"{titles.get(one.source, one.source)}, %"] = (
                NOT_SUPPLIED_IN_FULL if text == NOT_SUPPLIED else text)
    return pd.DataFrame(list(rows.values())).fillna(NOTHING)


def build_case_mix_table(released: Released[CoverageResult], names: Mapping[str, str]) -> pd.DataFrame:
    """Standardised differences, values down, countries across."""
    countries = countries_of(released)
    return pd.DataFrame([{"Value": label, **{names.get(code, code): difference_text(cells[code], released) or NOTHING
                                             for code in countries}}
                         for label, cells in rows_of(released).items()])


def build_source_table(released: Released[CoverageResult], names: Mapping[str, str]) -> pd.DataFrame:
    """The sources: where from, how many accepted and refused, when diagnosed, how long followed."""
    return pd.DataFrame([(
        source.title, source.provider, ", ".join(names.get(code, code) for code in source.countries),
        _name_periods([released.value.label_of("dx_period", period) for period in source.dx_periods]),
        format_part(source.accepted), format_count(source.quarantined, released.scope.rules.minimum_cell),
        format_time(source.follow_up_median_days, TimeUnit.YEARS)) for source in released.value.sources],
        columns=["Source", "Provider", "Countries", "Diagnosed", "Accepted", "Refused", "Follow-up, years"])


def _name_periods(periods: Sequence[str]) -> str:
    """The first and the last of them."""
    return " to ".join(dict.fromkeys((periods[0], periods[-1]))) if periods else NOTHING


def build_change_table(released: Released[CoverageChanges], by: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Patients before and now, by source or by country; one that is new or gone has no number for the other."""
    changes = released.value.by_source if by == "source" else released.value.by_country
    return pd.DataFrame([(names.get(one.name, one.name), *change_texts(one)) for one in changes],
                        columns=[by.capitalize(), "Before", "Now", "Difference"])


def change_texts(one: Change) -> tuple[str, str, str]:
    """Before, now and the difference in words."""
    difference = one.difference
    words = "new" if one.is_new else "gone" if one.is_gone else NOTHING if difference is None else (
        f"{difference:+,}".replace("-", "−") if difference else "0")
    return (NOTHING if one.is_new else format_part(one.before), NOTHING if one.is_gone else format_part(one.now), words)
