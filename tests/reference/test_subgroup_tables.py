"""The table of subgroups, asked through the service, gives R's numbers; cox_reference.json is written by R."""

from __future__ import annotations

from math import erf, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, check_subgroups
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.services.subgroups import compute_subgroups
from tests.factories import make_patients, make_store
from tests.reference.cox_data import CoxCohort, load_cox_cohort
from tests.reference.test_cox_models import expected_of

# Enough events in every level and parameter for the table to show them; leukemia has 30 in all.
NAMES = ("gbsg2", "larynx", "lung", "made_up", "rossi")
ENOUGH_IN_EACH_ARM = ("gbsg2", "made_up")

DICTIONARY = """
dictionary: reference
variables:
  marker:
    label: Marker
    section: Reference
    type: code
  arm:
    label: Arm
    section: Reference
    type: code
"""


def ask(folder: Path, cohort: CoxCohort, *, strata: str | None, treatment: str | None = None) -> SubgroupsResult:
    """The exact table of one variable, the marker, over the patients of a reference cohort."""
    path = folder / "reference.yaml"
    path.write_text(DICTIONARY)
    n = len(cohort.day)
    frame = make_patients(n).assign(marker=cohort.marker, arm=cohort.arm, trial=cohort.trial,
                                    efs_days=pd.array(cohort.day, dtype="Int32"),
                                    efs_cause=pd.array((cohort.cause > 0).astype(int), dtype="Int32"))
    snapshot = make_store(folder / "store", dictionary=load_dictionary([path]), frame=frame)
    asked = SubgroupsQuestion(Question("ALL", "efs"), ("marker",), strata, treatment)
    question, scope = check_subgroups(asked, snapshot.dictionary), Scope(Level.EXACT)
    found = compute_subgroups(snapshot, question, asked, interval=IntervalType.LOG_LOG, scope=scope)
    return release(found, scope).value


@pytest.mark.parametrize("strata", [None, "trial"])
@pytest.mark.parametrize("name", NAMES)
def test_hazard_ratios_limits_and_tests_equal_r(tmp_path: Path, name: str, strata: str | None) -> None:
    expected, key = expected_of(name), "efron.marker_strata" if strata else "efron.marker"
    (variable,) = ask(tmp_path, load_cox_cohort(name), strata=strata).variables
    found = [row.hazard_ratio for row in variable.rows if row.hazard_ratio is not None]
    np.testing.assert_allclose([ratio.ratio for ratio in found], np.exp(expected[f"{key}.coef"]), rtol=1e-6)
    np.testing.assert_allclose([ratio.lower for ratio in found], expected[f"{key}.lower"], rtol=1e-6)
    np.testing.assert_allclose([ratio.upper for ratio in found], expected[f"{key}.upper"], rtol=1e-6)
    deviation = np.sqrt(np.diag(expected[f"{key}.covariance"].reshape(len(found), -1)))
    z = np.abs(expected[f"{key}.coef"]) / deviation
    from_r = [1 - erf(value / sqrt(2)) for value in z]
    np.testing.assert_allclose([ratio.p for ratio in found], from_r, rtol=1e-4, atol=1e-12)
    assert variable.test is not None
    assert variable.test.statistic == pytest.approx(expected[f"{key}.tests"][0], rel=1e-6)


@pytest.mark.parametrize("name", ENOUGH_IN_EACH_ARM)
def test_the_interaction_within_trials_equals_r(tmp_path: Path, name: str) -> None:
    expected = expected_of(name)
    (variable,) = ask(tmp_path, load_cox_cohort(name), strata="trial", treatment="arm").variables
    (interaction,) = variable.interactions
    assert interaction.test is not None
    assert interaction.test.statistic == pytest.approx(expected["within.statistic"][0], rel=1e-6)
    assert interaction.test.df == len(variable.rows) - 2  # one row is that of patients without a marker
