"""A released table of subgroups as tables for programs."""

from __future__ import annotations

from harmony_dash.disclosure.results import HazardRatio
from harmony_dash.disclosure.subgroup_results import Interval, LevelsTest, SubgroupRow, SubgroupsResult
from harmony_dash.export.cells import Cell
from harmony_dash.export.summary import Column, Kind, Table
from harmony_dash.export.survival_tables import SMALLEST_P, cohort_table

_VARIABLE = Column("variable", Kind.TEXT, "code of the variable")
_LEVEL = Column("level", Kind.TEXT, "code of the level; empty for patients without a value")
_NAME = Column("name", Kind.TEXT, "the level in words")
_OWN = Column("own_question", Kind.TEXT, "yes: these patients answer another question than the cohort (a dagger in the "
              "figure); the provenance names the condition")
_NOTE = Column("note", Kind.TEXT, "why a number is not there; empty where nothing is missing")
_RATIO = (Column("hr", Kind.NUMBER, "hazard ratio, with competing causes cause-specific"),
          Column("hr_lower", Kind.NUMBER, "lower 95 % confidence limit of the hazard ratio"),
          Column("hr_upper", Kind.NUMBER, "upper 95 % confidence limit of the hazard ratio"),
          Column("p", Kind.NUMBER, f"p-value of the hazard ratio (Wald){SMALLEST_P}"))
_TEST = (Column("statistic", Kind.NUMBER, "chi-squared statistic of the likelihood-ratio test"),
         Column("df", Kind.COUNT, "degrees of freedom"), Column("p", Kind.NUMBER, f"p-value{SMALLEST_P}"))


def subgroup_tables(result: SubgroupsResult) -> tuple[Table, ...]:
    """Levels, variables, the cohort's flow, and with a treatment its effect in levels and their difference."""
    tables = [_levels(result), _variables(result)]
    if result.question.treatment:
        tables += [_treatment(result), _interactions(result)]
    return (*tables, cohort_table(result.cohort))


def _levels(result: SubgroupsResult) -> Table:
    columns = (
        _VARIABLE, _LEVEL, _NAME,
        Column("kind", Kind.TEXT, "level; untested: no result of the test; missing: nothing recorded"),
        Column("patients", Kind.COUNT, "patients"),
        Column("events", Kind.COUNT, "events of the endpoint; with competing causes of the cause of interest"),
        Column("days", Kind.DAYS, "day of the estimate since the clock started"),
        Column("estimate", Kind.SHARE, "the endpoint's share on that day; with competing causes the cumulative "
                                       "incidence of the cause of interest"),
        Column("lower", Kind.SHARE, "lower 95 % confidence limit of the estimate"),
        Column("upper", Kind.SHARE, "upper 95 % confidence limit of the estimate"),
        Column("at_risk", Kind.COUNT, "patients still followed without an event on that day"),
        Column("reference", Kind.TEXT, "yes: the level that the others of the variable are compared with"), *_RATIO,
        Column("q", Kind.NUMBER, "p adjusted over all levels of the table by Benjamini and Hochberg"), _OWN, _NOTE)
    return Table("levels", "Levels", columns, tuple(
        (variable.variable, *_row(row)) for variable in result.variables for row in variable.rows))


def _row(row: SubgroupRow) -> tuple[Cell, ...]:
    at = (None,) * 5 if row.at is None else (row.at.days, row.at.estimate, row.at.lower, row.at.upper, row.at.at_risk)
    return (row.level, row.name, row.kind.value, row.n, row.events, *at, "yes" if row.is_reference else "no",
            *_ratio(row.hazard_ratio), row.q, _yes(row.own_question), row.reason)


def _ratio(ratio: HazardRatio | None) -> tuple[Cell, ...]:
    return (None,) * 4 if ratio is None else (ratio.ratio, ratio.lower, ratio.upper, ratio.p)


def _test(test: LevelsTest | None) -> tuple[Cell, ...]:
    return (None,) * 4 if test is None else (test.statistic, test.df, test.p, test.q)


def _interval(interval: Interval | None) -> tuple[Cell, ...]:
    return (None,) * 3 if interval is None else (interval.estimate, interval.lower, interval.upper)


def _variables(result: SubgroupsResult) -> Table:
    columns = (_VARIABLE, Column("label", Kind.TEXT, "the variable in words"),
               Column("reference", Kind.TEXT, "code of the level that the others are compared with"), *_TEST,
               Column("q", Kind.NUMBER, "p adjusted over all variables of the table by Benjamini and Hochberg"),
               Column("finding", Kind.TEXT, "what may be said of the variable"),
               Column("p_over_time", Kind.NUMBER, "p-value of the Grambsch–Therneau test of proportional hazards, "
                                                  f"small if hazard ratios change over time{SMALLEST_P}"), _NOTE)
    return Table("variables", "Variables", columns, tuple(
        (one.variable, one.label, one.reference, *_test(one.test), one.finding.value,
         None if one.over_time is None else one.over_time.p, one.reason) for one in result.variables))


def _treatment(result: SubgroupsResult) -> Table:
    columns = (
        _VARIABLE, _LEVEL, _NAME, Column("reference_arm", Kind.TEXT, "the arm that the other is compared with"),
        Column("compared_arm", Kind.TEXT, "the arm that is compared"),
        *(Column(f"{arm}_{what}", Kind.COUNT, f"{what} in the {arm} arm") for arm in ("reference", "compared")
          for what in ("patients", "events")), *_RATIO[:3],
        Column("shrunken", Kind.NUMBER, "the hazard ratio drawn towards the mean of all levels of the variable"),
        Column("shrunken_lower", Kind.NUMBER, "its lower 95 % limit"),
        Column("shrunken_upper", Kind.NUMBER, "its upper 95 % limit"),
        Column("difference", Kind.NUMBER, "of the endpoint's share on the day of the estimates, compared minus "
                                          "reference arm"),
        Column("difference_lower", Kind.NUMBER, "its lower 95 % confidence limit"),
        Column("difference_upper", Kind.NUMBER, "its upper 95 % confidence limit"),
        Column("difference_trials", Kind.COUNT, "trials that the difference is made of"), _OWN, _NOTE)
    return Table("treatment", "Treatment within levels", columns, tuple(
        (variable.variable, row.level, row.name, one.reference.arm, one.compared.arm, one.reference.n,
         one.reference.events, one.compared.n, one.compared.events, *_interval(one.hazard_ratio),
         *_interval(one.shrunken), *_interval(one.difference), one.difference_trials,
         _yes(row.own_question), one.reason)
        for variable in result.variables for row in variable.rows for one in row.by_treatment))


def _interactions(result: SubgroupsResult) -> Table:
    columns = (
        _VARIABLE, Column("reference_arm", Kind.TEXT, "the arm that the other is compared with, in words"),
        Column("compared_arm", Kind.TEXT, "the arm that is compared, in words"), *_TEST,
        Column("q", Kind.NUMBER, "p adjusted over all interactions of the table by Benjamini and Hochberg"),
        Column("trials", Kind.COUNT, "trials with patients of both arms"),
        Column("trials_agree", Kind.TEXT, "whether two of three trials point the same way; empty if too few tell"),
        Column("assess_credibility", Kind.TEXT, "whether its credibility should be assessed (ICEMAN)"),
        Column("finding", Kind.TEXT, "what may be said of it"), _NOTE)
    return Table("interactions", "Differences of the treatment's effect", columns, tuple(
        (variable.variable, one.reference, one.compared, *_test(one.test), one.trials,
         "" if one.trials_agree is None else _yes(one.trials_agree), _yes(one.assess_credibility), one.finding.value,
         one.reason) for variable in result.variables for one in variable.interactions))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
