"""A released survival result as tables for programs."""

from __future__ import annotations

from collections.abc import Iterator

from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.headline import headline_curve, headline_estimates
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import Curve, EstimateAt, GroupResult, SurvivalResult
from harmony_dash.export.cells import Cell
from harmony_dash.export.summary import Column, Kind, Table

EVENT_FREE = "event_free"

_GROUP = Column("group", Kind.TEXT, "the group, or all patients")
_CURVE = Column("curve", Kind.TEXT, f"code of the curve: the endpoint, a competing cause, or {EVENT_FREE} for freedom "
                                    "from every cause")
_CURVE_LABEL = Column("curve_label", Kind.TEXT, "what the curve is, in words")
_DAYS = Column("days", Kind.DAYS, "days since the clock started (see the question)")
_LOWER = Column("lower", Kind.SHARE, "lower 95 % confidence limit")
_UPPER = Column("upper", Kind.SHARE, "upper 95 % confidence limit")
SMALLEST_P = "; protected results give 0.001 for anything smaller"


def survival_tables(released: Released[SurvivalResult]) -> tuple[Table, ...]:
    """Groups, estimates, curves, numbers at risk, comparisons and the cohort's flow."""
    result = released.value
    endpoint = endpoint_named(result.question.endpoint)
    return (_groups(result, endpoint), _estimates(result, endpoint), _curves(result, endpoint), _at_risk(result),
            _comparisons(result, endpoint), cohort_table(result))


def curves_of(group: GroupResult, endpoint: Endpoint) -> Iterator[tuple[str, str, Curve, tuple[EstimateAt, ...]]]:
    """Code, words, curve and estimates: the endpoint's own; with competing causes each cause, then the rest."""
    if not endpoint.competing:
        curve = headline_curve(group, endpoint)
        if curve is not None:
            yield endpoint.name, endpoint.label, curve, headline_estimates(group, endpoint)
        return
    for cause in group.cumulative_incidence:
        yield cause.cause, f"cumulative incidence of {cause.label}", cause.curve, cause.at
    yield EVENT_FREE, "free of every cause", group.curve, group.at


def _groups(result: SurvivalResult, endpoint: Endpoint) -> Table:
    columns = (
        _GROUP, Column("value", Kind.TEXT, "the code of the group, empty without a grouping"),
        Column("patients", Kind.COUNT, "patients in the group"),
        Column("events", Kind.COUNT, "events of the endpoint; with competing causes of the cause of interest"),
        Column("reference", Kind.TEXT, "the group that hazard ratios are against; empty where there are none"),
        Column("hr", Kind.NUMBER, "hazard ratio against the reference over all follow-up (Cox model); with competing "
                                  "causes cause-specific"),
        Column("hr_lower", Kind.NUMBER, "lower 95 % confidence limit of the hazard ratio"),
        Column("hr_upper", Kind.NUMBER, "upper 95 % confidence limit of the hazard ratio"),
        Column("hr_p", Kind.NUMBER, f"p-value of the hazard ratio (Wald){SMALLEST_P}"),
        Column("median_days", Kind.DAYS, "median time to the event; none beyond the horizon or with competing causes"),
        Column("median_lower_days", Kind.DAYS, "lower 95 % confidence limit of the median"),
        Column("median_upper_days", Kind.DAYS, "upper 95 % confidence limit of the median"),
        Column("rmst_until_day", Kind.DAYS, "the day up to which the restricted mean counts"),
        Column("rmst_days", Kind.DAYS, "restricted mean time without the event: the area under the curve"),
        Column("rmst_se_days", Kind.NUMBER, "its standard error"),
        Column("follow_up_median_days", Kind.DAYS, "median follow-up (reverse Kaplan–Meier)"),
        Column("withheld", Kind.TEXT, "why nothing is shown of the group; empty for the others"))
    rows: list[tuple[Cell, ...]] = []
    for group in result.groups:
        # with competing causes they would be those of freedom from every cause, which nobody asked for
        single = not endpoint.competing
        mean = group.restricted_mean if single else None
        median = (group.median_days, group.median_lower_days, group.median_upper_days) if single else (None,) * 3
        rows.append((group.name, _code(group.label), group.n, group.events, result.reference,
                     *_ratio(group), *median,
                     *((None,) * 3 if mean is None else (mean.tau_days, mean.days, mean.se)),
                     group.follow_up_median_days, ""))
    rows += [(group.name, _code(group.label), *(None,) * 14, group.reason) for group in result.withheld]
    return Table("groups", "Groups", columns, tuple(rows))


def _ratio(group: GroupResult) -> tuple[float | None, ...]:
    ratio = group.hazard_ratio
    return (None,) * 4 if ratio is None else (ratio.ratio, ratio.lower, ratio.upper, ratio.p)


def _estimates(result: SurvivalResult, endpoint: Endpoint) -> Table:
    columns = (_GROUP, _CURVE, _CURVE_LABEL, _DAYS, Column("estimate", Kind.SHARE, "the curve read off on that day"),
               _LOWER, _UPPER, Column("at_risk", Kind.COUNT, "patients still followed without an event"))
    return Table("estimates", "Estimates at the chosen times", columns, tuple(
        (group.name, code, words, at.days, at.estimate, at.lower, at.upper, at.at_risk)
        for group in result.groups for code, words, _, ats in curves_of(group, endpoint) for at in ats))


def _curves(result: SurvivalResult, endpoint: Endpoint) -> Table:
    columns = (_GROUP, _CURVE, _CURVE_LABEL, _DAYS,
               Column("estimate", Kind.SHARE, "the curve on that day; between two days it is drawn straight"),
               _LOWER, _UPPER)
    return Table("curves", "Curves", columns, tuple(
        (group.name, code, words, int(day), *values)
        for group in result.groups for code, words, curve, _ in curves_of(group, endpoint)
        for day, *values in zip(curve.days.tolist(), curve.estimate.tolist(), curve.lower.tolist(),
                                curve.upper.tolist(), strict=True)))


def _at_risk(result: SurvivalResult) -> Table:
    columns = (_GROUP, _DAYS, Column("at_risk", Kind.COUNT, "patients still followed without an event"),
               Column("events", Kind.COUNT, "events of every cause up to and including the day"),
               Column("censored", Kind.COUNT, "patients whose follow-up had ended without an event by then"))
    return Table("at_risk", "Numbers at risk", columns, tuple(
        (group.name, *row) for group in result.groups
        for row in zip(group.risk_table.days, group.risk_table.at_risk, group.risk_table.events,
                       group.risk_table.censored, strict=True)))


def _comparisons(result: SurvivalResult, endpoint: Endpoint) -> Table:
    columns = (
        Column("comparison", Kind.TEXT, "which comparison"),
        Column("group", Kind.TEXT, "the group compared; empty where all groups are"),
        Column("reference", Kind.TEXT, "the group it is compared with"),
        Column("cause", Kind.TEXT, "the competing cause that is compared"),
        Column("statistic", Kind.NUMBER, "chi-squared statistic"), Column("df", Kind.COUNT, "degrees of freedom"),
        Column("p", Kind.NUMBER, f"p-value{SMALLEST_P}"),
        Column("p_holm", Kind.NUMBER, f"p-value adjusted for all pairs by Holm's method{SMALLEST_P}"),
        Column("until_day", Kind.DAYS, "the day up to which restricted means count"),
        Column("difference_days", Kind.DAYS, "restricted mean of the group minus that of the reference"),
        Column("lower_days", Kind.DAYS, "lower 95 % confidence limit of the difference"),
        Column("upper_days", Kind.DAYS, "upper 95 % confidence limit of the difference"))
    tests = [*([result.log_rank] if result.log_rank else []), *result.gray,
             *([result.over_time] if result.over_time else [])]
    rows: list[tuple[Cell, ...]] = [(test.label, "", "", test.cause, test.statistic, test.df, test.p, *(None,) * 5)
                                    for test in tests]
    rows += [("pairwise log-rank test", first, second, "", None, None, p, holm, *(None,) * 4)
             for first, second, p, holm in result.pairwise]
    if not endpoint.competing:
        rows += [("difference of restricted means", one.group, one.reference, "", None, None, one.p, None,
                  one.tau_days, one.days, one.lower, one.upper) for one in result.restricted_mean_differences]
    return Table("comparisons", "Comparisons", columns, tuple(rows))


def cohort_table(result: SurvivalResult) -> Table:
    """How the cohort came about, step by step."""
    columns = (Column("kind", Kind.TEXT, "disease, filter, not counted, withheld, or in the figure"),
               Column("step", Kind.TEXT, "what happened, in words"),
               Column("removed", Kind.COUNT, "patients it took away"), Column("left", Kind.COUNT, "patients after it"))
    rows: list[tuple[Cell, ...]] = [("filter" if place else "disease", step.label, step.removed, step.n)
                                    for place, step in enumerate(result.attrition)]
    rows += [("not counted", one.reason, one.n, None) for one in result.exclusions]
    rows += [("withheld", f"{group.name}: {group.reason}", None, None) for group in result.withheld]
    rows.append(("in the figure", "patients shown", None, result.n))
    return Table("cohort", "How the cohort came about", columns, tuple(rows))


def _code(label: object) -> str:
    return next(iter(label.values()), "") if isinstance(label, dict) else ""
