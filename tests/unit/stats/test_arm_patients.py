from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients, one_armed_strata

ROWS: dict[str, Any] = {"day": [3, 5, 8, 9], "cause": [1, 0, 2, 0], "arm": [0, 1, 1, 0],
                        "covariates": [[1.0, 7], [2, 8], [3, 9], [4, 10]], "names": ("age", "wbc"),
                        "arms": ("standard", "reduced"), "modifiers": ("wbc",), "stratum": [0, 0, 2, 2],
                        "strata": ("DE", "FR", "UK"), "causes": ("relapse", "death")}


def make(**changes: Any) -> ArmPatients:
    return ArmPatients.from_rows(**{**ROWS, **changes})


def test_the_outcome_design_holds_arm_covariates_and_products() -> None:
    patients = make()
    assert patients.outcome_names == ("reduced", "age", "wbc", "reduced × wbc")
    assert patients.outcome_design()[1].tolist() == [1, 2, 8, 8]
    assert patients.outcome_design(0)[1].tolist() == [0, 2, 8, 0]
    assert patients.outcome_design(1)[0].tolist() == [1, 1, 7, 7]


def test_the_adjusting_design_holds_an_indicator_of_each_stratum_with_patients_but_one() -> None:
    design, names = make().adjusting_design()
    assert names == ("age", "wbc", "UK")
    assert design[:, 2].tolist() == [0, 0, 1, 1]


def test_strata_that_used_one_arm_are_named() -> None:
    assert one_armed_strata(make()) == ()
    assert one_armed_strata(make(arm=[0, 0, 1, 0])) == ("DE",)


def test_weights_are_one_unless_given() -> None:
    assert make().weight.tolist() == [1, 1, 1, 1]
    assert make(weight=[1, 2, 3, 4]).weight.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("changes", "problem"), [
    ({"day": [3, 5, 8]}, "one value of everything"),
    ({"cause": [1, 0]}, "one value of everything"),
    ({"day": [3, 5, 8, 9.5]}, "whole"),
    ({"day": [3, 5, 8, -1]}, "whole"),
    ({"day": [3, 5, 8, np.nan]}, "whole"),
    ({"cause": [1, 0, 3, 0]}, "cause is not one of those named"),
    ({"arm": [0, 1, 2, 0]}, "arm is not one"),
    ({"stratum": [0, 0, 3, 0]}, "stratum is not one"),
    ({"covariates": [[1, 7], [2, np.nan], [3, 9], [4, 10]]}, "covariate is missing"),
    ({"weight": [1, 0, 1, 1]}, "weight is a positive number"),
    ({"names": ("age",)}, "one name"),
    ({"names": ("age", "age"), "modifiers": ()}, "one name"),
    ({"modifiers": ("sex",)}, "can change the effect"),
    ({"arm": [0, 0, 0, 0]}, "'reduced' has no patients"),
])
def test_rows_that_do_not_fit_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(StatisticsError, match=problem):
        make(**changes)
