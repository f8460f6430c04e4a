"""The same Cox models as R; cox_reference.json is written by make_reference.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.stats.cox import CoxModel, fit_cox
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios
from harmony_dash.stats.interaction import compare_treatment_effect
from harmony_dash.stats.proportional_hazards import compare_effects_over_time
from harmony_dash.stats.shrinkage import shrink_effects
from tests.reference.cox_data import NAMES, SUBGROUPS, load_cox_cohort

RELATIVE = 1e-8
# R stops its steps a little before the maximum, which shows most in coefficients near 0.
ABSOLUTE = 1e-9
MODELS = ("marker", "marker_strata", "both", "both_strata", "both_strata_first", "product_strata", "late",
          "late_strata")


@cache
def expected_of(name: str) -> dict[str, Floats]:
    values = json.loads((Path(__file__).parent / "cox_reference.json").read_text())["values"][name]
    return {key: np.array([np.nan if x is None else x for x in row]) for key, row in values.items()}


def fit(name: str, model: str, ties: str) -> tuple[EventTable, CoxModel]:
    cohort = load_cox_cohort(name)
    table = cohort.table(strata="strata" in model, late=model.startswith("late"))
    design, names = cohort.design(arm=not model.startswith("marker"), product=model.startswith("product"))
    return table, fit_cox(table, design, names, cause="first" if model.endswith("first") else None, ties=ties,
                          events_per_parameter=0)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NAMES)
def test_cox_models_equal_r(name: str, model: str, ties: str) -> None:
    expected = expected_of(name)
    _, fitted = fit(name, model, ties)
    tests = fitted.likelihood_ratio_test, fitted.wald_test, fitted.score_test
    for part, mine in (("coef", fitted.coefficients), ("covariance", fitted.covariance.ravel()),
                       ("log_likelihood", [fitted.log_likelihood_null, fitted.log_likelihood]),
                       ("tests", [test.statistic for test in tests]), ("lower", fitted.lower),
                       ("upper", fitted.upper)):
        np.testing.assert_allclose(mine, expected[f"{ties}.{model}.{part}"], rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("scale", ["km", "identity"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NAMES)
def test_tests_of_proportional_hazards_equal_cox_zph(name: str, model: str, ties: str, scale: str) -> None:
    expected = expected_of(name)
    table, fitted = fit(name, model, ties)
    # R tests the arm, the marker and their product as terms with the columns of each together.
    terms = ["product" if ":" in column else column[:3] for column in fitted.names]
    for key, given in (("zph", None), ("zph_terms", terms)):
        test = compare_effects_over_time(table, fitted, transform=scale, terms=given)
        # Of one column R repeats the same number as the overall test.
        np.testing.assert_allclose([*(one.statistic for one in test.tests), test.overall.statistic],
                                   expected[f"{ties}.{model}.{key}.{scale}"], rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_hazard_ratios_of_the_levels_equal_r(name: str, strata: bool) -> None:
    expected, key = expected_of(name), "efron.marker_strata" if strata else "efron.marker"
    answer = estimate_hazard_ratios(load_cox_cohort(name).markers_alone(strata=strata), events_per_parameter=0)
    levels = answer.levels[1:]
    np.testing.assert_allclose([entry.log_ratio for entry in levels], expected[f"{key}.coef"], rtol=RELATIVE)
    np.testing.assert_allclose([entry.lower for entry in levels], expected[f"{key}.lower"], rtol=RELATIVE)
    np.testing.assert_allclose([entry.upper for entry in levels], expected[f"{key}.upper"], rtol=RELATIVE)
    assert answer.likelihood_ratio_test.statistic == pytest.approx(expected[f"{key}.tests"][0], rel=RELATIVE)
    assert answer.left_out == ()


@pytest.mark.parametrize("name", NAMES)
def test_interaction_within_trials_equals_r(name: str) -> None:
    cohort, expected = load_cox_cohort(name), expected_of(name)
    table = cohort.table(strata=True)
    split = [label.split("|") for label in table.groups]
    answer = compare_treatment_effect(table, [a for a, _ in split], [m for _, m in split],
                                      (cohort.arms[0], cohort.arms[1]), cohort.markers, events_per_parameter=0)
    assert (answer.patients, answer.events) == (expected["within.patients"][0], expected["within.events"][0])
    assert answer.test.statistic == pytest.approx(expected["within.statistic"][0], rel=RELATIVE, abs=ABSOLUTE)
    others, trials = len(answer.levels) - 1, len(answer.trials)
    covariance = expected["within.covariance"].reshape(2 * others + trials, -1)
    coefficients = expected["within.coef"]
    np.testing.assert_allclose(answer.log_ratio_of_ratios, coefficients[-others:], rtol=RELATIVE)
    np.testing.assert_allclose(answer.std_error, np.sqrt(np.diag(covariance))[-others:], rtol=RELATIVE)
    for position, effect in enumerate(answer.effects):
        contrast = np.zeros(len(coefficients))
        contrast[:trials] = answer.trial_weights
        if position:
            contrast[trials + others + position - 1] = 1
        assert effect.log_ratio == pytest.approx(contrast @ coefficients, rel=RELATIVE, abs=ABSOLUTE)
        assert effect.std_error == pytest.approx(np.sqrt(contrast @ covariance @ contrast), rel=RELATIVE)


@pytest.mark.parametrize("case", SUBGROUPS)
def test_shrunken_effects_equal_r(case: str) -> None:
    expected, shrunken = expected_of("effects"), shrink_effects(*SUBGROUPS[case])
    for part in ("tau_squared", "mean", "estimate", "std_error"):
        np.testing.assert_allclose(getattr(shrunken, part), expected[f"{case}.{part}"].squeeze(), rtol=1e-10,
                                   atol=1e-12)
