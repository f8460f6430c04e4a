from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.store.distributions import fetch_distributions
from tests.factories import make_patients, make_store


def test_medians_quartiles_and_the_mean_of_values_drawn_in_are_numpys(tmp_path: Path) -> None:
    frame = make_patients(500, seed=2)
    frame.loc[frame.index < 30, "age_dx_years"] = None
    frame.loc[40, "age_dx_years"] = 109.0
    snapshot = make_store(tmp_path, frame=frame)
    question = Question("ALL", "os", (parse_filter("sex=F"),))
    found = fetch_distributions(snapshot, question, [snapshot.dictionary["age_dx_years"]])["age_dx_years"]
    ages = frame.age_dx_years[(frame.sex == "F") & frame.age_dx_years.notna()].to_numpy()
    assert found.n == len(ages)
    assert [found.lower, found.median, found.upper] == pytest.approx(np.quantile(ages, [0.25, 0.5, 0.75]).tolist())
    drawn = np.clip(ages, *np.quantile(ages, [0.01, 0.99]))
    assert (found.mean, found.deviation) == (pytest.approx(drawn.mean()), pytest.approx(drawn.std(ddof=1)))


def test_nobody_has_no_distribution(tmp_path: Path) -> None:
    snapshot = make_store(tmp_path, 50)
    question = Question("ALL", "os", (parse_filter("age_group=60+"),))
    found = fetch_distributions(snapshot, question, [snapshot.dictionary["age_dx_years"]])["age_dx_years"]
    assert (found.n, found.median, found.mean) == (0, None, None)
