"""The same Cox models as R on published cohorts. The data live outside the repository; see shared_data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import compare_nested, fit_cox
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios
from harmony_dash.stats.interaction import compare_treatment_effect
from harmony_dash.stats.proportional_hazards import compare_effects_over_time
from tests.reference.shared_data import Row, load_reference, load_shared, needs_shared, read_rows

pytestmark = needs_shared

RELATIVE = 1e-7
# R stops at its default tolerance; its coefficients are within 2e-8 of the maximum.
ABSOLUTE = 5e-8
Columns = dict[str, Callable[[Row], float]]


def is_(column: str, value: str) -> Callable[[Row], float]:
    return lambda row: float(row[column] == value)


def number(column: str) -> Callable[[Row], float]:
    return lambda row: float(row[column])


EBMT3: Columns = {"tcd": is_("tcd", "TCD"), "mismatch": is_("drmatch", "Gender mismatch"),
                  "20-40": is_("age", "20-40"), ">40": is_("age", ">40"), "AML": is_("dissub", "AML"),
                  "CML": is_("dissub", "CML")}
AMLSG: Columns = {"age": number("AOD"), "female": is_("gender", "2"), "npm1": number("NPM1"),
                  "itd": number("FLT3_ITD")}
BMT137: Columns = {"AMLhigh": is_("group", "3"), "AMLlow": is_("group", "2"), "fab": number("z8")}
MODELS: dict[str, tuple[str, str, str, Columns, str]] = {
    "gehan": ("gehan", "gehan", "cox_efron", {"control": is_("treat", "control")}, ""),
    "gehan, Breslow": ("gehan", "gehan", "cox_breslow", {"control": is_("treat", "control")}, ""),
    "myeloid": ("myeloid", "myeloid", "cox_efron", {"B": is_("trt", "B"), "male": is_("sex", "m")}, ""),
    "ebmt3": ("ebmt3", "ebmt3", "cox_efron", EBMT3, ""),
    "ebmt3, Breslow": ("ebmt3", "ebmt3", "cox_breslow", EBMT3, ""),
    "ebmt3 by age": ("ebmt3", "ebmt3", "cox_strat_agecl",
                     {key: EBMT3[key] for key in ("tcd", "mismatch", "AML", "CML")}, "age"),
    "ebmt1, age a number": ("ebmt1", "ebmt1", "cox_efron",
                            {"Low": is_("score", "Low risk"), "Medium": is_("score", "Medium risk"),
                             "age": number("age")}, ""),
    "bmt137 by hospital": ("bmt137", "bmt137", "cox_categorical_strat", BMT137, "z9"),
    "amlsg by study, age a number": ("amlsg", "amlsg_raw", "cox_strat_study", AMLSG, "Study"),
}


def pattern_table(day: Sequence[int] | Any, event: Sequence[int] | Any, values: Floats,
                  stratum: Sequence[str] | None = None, entry: Any = None) -> tuple[EventTable, Floats]:
    """Return a table with one group for each distinct row of values, and those rows."""
    patterns, of = np.unique(values, axis=0, return_inverse=True)
    table = EventTable.from_patients(day, event, group=of.ravel(), stratum=stratum, entry=entry,
                                     groups=[str(g) for g in range(len(patterns))])
    return table, patterns


def read_model(name: str) -> tuple[EventTable, Floats, list[str], dict[str, Any]]:
    cohort_name, file, key, columns, stratum = MODELS[name]
    cohort, rows = load_shared(cohort_name), read_rows(file)
    values = np.array([[column(row) for column in columns.values()] for row in rows])
    table, patterns = pattern_table(cohort.day, cohort.cause > 0, values,
                                    [row[stratum] for row in rows] if stratum else None)
    reference = load_reference("amlsg" if file == "amlsg_raw" else file)[key]
    order = [list(columns).index(term) for term in _terms(reference["terms"], list(columns))]
    return table, patterns[:, order], [list(columns)[j] for j in order], reference


def _terms(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Return our names in R's order; R writes the variable before the level."""
    if len(theirs) == 1:
        return list(ours)
    return [max((one for one in ours if term.replace("factor(sex)m", "male").endswith(one)), key=len)
            for term in theirs]


@pytest.mark.parametrize("name", MODELS)
def test_published_cox_models_equal_r(name: str) -> None:
    table, design, names, expected = read_model(name)
    model = fit_cox(table, design, names, ties=expected["ties"], events_per_parameter=0)
    assert (model.patients, model.events) == (expected["n"], expected["events"])
    sign = 1.0
    if name.startswith("gehan"):
        sign = float(np.sign(expected["coef"][0]) * np.sign(model.coefficients[0]))  # R's reference is the control
    np.testing.assert_allclose(sign * model.coefficients, expected["coef"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(model.std_error, expected["se_model"], rtol=RELATIVE)
    np.testing.assert_allclose([model.log_likelihood_null, model.log_likelihood], expected["loglik"], rtol=1e-10)
    for test, key in ((model.likelihood_ratio_test, "lrt"), (model.score_test, "score")):
        assert test.statistic == pytest.approx(expected[key][0], rel=RELATIVE)
        assert (test.df, test.p) == (expected[key][1], pytest.approx(expected[key][2], rel=1e-5))
    if sign > 0:
        np.testing.assert_allclose(model.lower, expected["lower"], rtol=RELATIVE, atol=ABSOLUTE)
        np.testing.assert_allclose(model.upper, expected["upper"], rtol=RELATIVE, atol=ABSOLUTE)
    if "zph_km" in expected:
        test = compare_effects_over_time(table, model)
        np.testing.assert_allclose([*(one.statistic for one in test.tests), test.overall.statistic],
                                   expected["zph_km"]["chisq"], rtol=1e-6, atol=1e-8)


def test_the_printed_coefficients_of_gehan_are_reproduced() -> None:
    published = load_reference("gehan")["published"]
    for ties in ("efron", "breslow"):
        cohort = load_shared("gehan")
        table, design = pattern_table(cohort.day, cohort.cause, np.array([[float(g != "6-MP")] for g in cohort.group]))
        assert round(abs(fit_cox(table, design, ["arm"], ties=ties).coefficients[0]), 3) == published[
            f"cox_coef_{ties}"]


def test_platelet_recovery_of_ebmt3_gives_the_printed_coefficients_of_the_tutorial() -> None:
    expected, rows = load_reference("ebmt3")["mstate_tutorial_transition1"], read_rows("ebmt3")
    columns: Columns = {"ALL": is_("dissub", "ALL"), "CML": is_("dissub", "CML"), "20-40": EBMT3["20-40"],
                        ">40": EBMT3[">40"], "mismatch": EBMT3["mismatch"], "tcd": EBMT3["tcd"]}
    day = [round(min(float(row["prtime"]), float(row["rfstime"])) * 1_000_000) for row in rows]
    table, design = pattern_table(day, [int(row["prstat"]) for row in rows],
                                  np.array([[column(row) for column in columns.values()] for row in rows]))
    model = fit_cox(table, design, list(columns), ties="breslow")
    np.testing.assert_allclose(model.coefficients, expected["coef"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(model.std_error, expected["se"], rtol=RELATIVE)
    np.testing.assert_allclose(model.coefficients, expected["printed_coef"], rtol=0, atol=1e-6)


def test_late_entry_at_platelet_recovery_equals_r() -> None:
    expected = load_reference("bmt137")["left_truncated"]["cox"]
    rows = [r for r in read_rows("bmt137") if r["dp"] == "1" and int(r["tp"]) < int(r["t2"])]
    values = np.array([[float(r["z10"]), float(r["z1"]), float(r["z8"])] for r in rows])
    table, design = pattern_table([int(r["t2"]) for r in rows], [int(r["d3"]) for r in rows], values,
                                  entry=[int(r["tp"]) for r in rows])
    model = fit_cox(table, design, ["mtx", "age", "fab"])
    np.testing.assert_allclose(model.coefficients, expected["coef"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(model.std_error, expected["se_model"], rtol=RELATIVE)
    assert model.score_test.statistic == pytest.approx(expected["score"][0], rel=RELATIVE)


def test_a_covariate_that_is_constant_within_hospitals_is_refused() -> None:
    cohort, rows = load_shared("bmt137"), read_rows("bmt137")
    table, design = pattern_table(cohort.day, cohort.cause > 0, np.array([[float(r["z10"])] for r in rows]),
                                  [r["z9"] for r in rows])
    with pytest.raises(StatisticsError, match="'mtx' never differs between patients of one stratum"):
        fit_cox(table, design, ["mtx"])


def test_a_level_in_which_everybody_died_has_a_hazard_ratio_all_the_same() -> None:
    answer = estimate_hazard_ratios(load_shared("uci_bmt_children").grouped())
    lymphoma = next(entry for entry in answer.levels if entry.level == "lymphoma")
    assert (lymphoma.patients, lymphoma.events, lymphoma.not_estimable) == (9, 9, "")
    assert 1 < lymphoma.lower < lymphoma.ratio < lymphoma.upper < 100


def amlsg_atra() -> tuple[EventTable, list[str], list[str]]:
    """Return the table by ATRA and NPM1 of the three trials, and both labels of each group."""
    rows = read_rows("amlsg_raw")
    table = EventTable.from_patients([int(r["OS"]) for r in rows], [int(r["Status"]) for r in rows],
                                     group=[f"{r['ATRA_arm']}|{r['NPM1']}" for r in rows],
                                     stratum=[r["Study"] for r in rows])
    return table, [g[0] for g in table.groups], [g[-1] for g in table.groups]


def test_the_interaction_of_atra_and_npm1_within_trials_equals_r() -> None:
    expected = load_reference("amlsg")["atra_npm1_within_trial"]
    table, arm, marker = amlsg_atra()
    answer = compare_treatment_effect(table, arm, marker, ("0", "1"), ("0", "1"))
    assert (answer.patients, answer.events) == (expected["model"]["n"], expected["model"]["events"]) == (913, 527)
    assert answer.left_out_trials == (("AMLHD98A", "no patients in the arm 1"),)
    assert answer.test.statistic == pytest.approx(expected["lrt"]["chisq"], rel=1e-6)
    assert (answer.test.df, round(answer.test.statistic, 3), round(answer.test.p, 3)) == (1, 0.378, 0.539)
    np.testing.assert_allclose(answer.log_ratio_of_ratios, expected["model"]["coef"][3], rtol=1e-6)
    np.testing.assert_allclose(answer.std_error, expected["model"]["se_model"][3], rtol=1e-6)
    base, in_0704 = expected["model"]["coef"][:2]
    assert answer.effects[0].log_ratio == pytest.approx(base + answer.trial_weights[1] * in_0704, rel=1e-6)


def test_without_treatment_by_trial_information_from_between_the_trials_leaks_in() -> None:
    expected = load_reference("amlsg")["atra_npm1_interaction"]
    table, arm, marker = amlsg_atra()
    treated, marked = np.array([a == "1" for a in arm]), np.array([m == "1" for m in marker])
    design = np.column_stack([treated, marked, treated & marked])
    full = fit_cox(table, design, ["atra", "npm1", "product"])
    test = compare_nested(full, fit_cox(table, design[:, :2], ["atra", "npm1"]))
    np.testing.assert_allclose(full.coefficients, expected["model"]["coef"], rtol=RELATIVE, atol=ABSOLUTE)
    assert test.statistic == pytest.approx(expected["lrt"]["chisq"], rel=1e-6)
    assert (round(test.statistic, 3), round(test.p, 3)) == (2.342, 0.126)


def test_atra_within_each_risk_group_equals_r() -> None:
    rows = [row for row in read_rows("amlsg_raw") if row["M_Risk"]]
    for risk, expected in load_reference("amlsg")["atra_by_eln"].items():
        chosen = [row for row in rows if row["M_Risk"] == risk]
        table = EventTable.from_patients([int(r["OS"]) for r in chosen], [int(r["Status"]) for r in chosen],
                                         group=[r["ATRA_arm"] for r in chosen])
        entry = estimate_hazard_ratios(table, "0").levels[1]
        assert entry.log_ratio == pytest.approx(expected["coef"][0], rel=RELATIVE, abs=ABSOLUTE)
        assert (entry.lower, entry.upper) == (pytest.approx(expected["lower"][0], rel=RELATIVE),
                                              pytest.approx(expected["upper"][0], rel=RELATIVE))
