"""Attacks on comparisons of treatments: two questions that differ by nothing but what should tell of nobody.

The target is known to be alone in a country or to be the only one with a value; a secret of theirs is not.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import Method, WhatIfResult
from tests.what_if_cohort import COHORT, ask, draw_cohort, open_house

POSITIVE = replace(COHORT, where=(parse_filter("etv6_runx1=pos"),))
QUESTION = WhatIfQuestion(POSITIVE, horizon_days=1096)


def patients_in(result: WhatIfResult) -> Any:
    """All that tells who is compared: counts, totals, plain curves and plain differences."""
    return (result.allocation, [[(arm.n, arm.events, arm.at_risk, arm.events_by_horizon) for arm in one.arms]
                                for one in result.patients],
            [tuple(one.curve.estimate.round(9)) for one in result.curves if one.method is Method.PLAIN],
            [one for one in result.contrasts if one.method is Method.PLAIN])


def hide_somebody(frame: pd.DataFrame, *, secret: str, alone_in: str | None) -> pd.DataFrame:
    """A patient who was at risk on the landmark, alone in a country (or without one), has the secret value."""
    rng = np.random.default_rng(3)
    frame["country"] = rng.choice(["DE", "FR"], len(frame))
    target = frame.index[frame.efs_days > 400][0]
    frame.loc[target, "country"] = alone_in
    frame.loc[target, "etv6_runx1"] = secret
    frame.loc[target, "cyto_group"] = "good" if secret == "pos" else "intermediate"
    return frame


@pytest.mark.parametrize("secret", ["pos", "neg"])
@pytest.mark.parametrize("alone_in", ["NL", None])
def test_strata_take_nobody_out_of_a_comparison(tmp_path: Path, secret: str, alone_in: str | None) -> None:
    """Within trials and within countries the same patients are compared, whatever is known of somebody."""
    frame = hide_somebody(draw_cohort(2200, seed=1, choice=0.3), secret=secret, alone_in=alone_in)
    house = open_house(tmp_path, frame)
    for level in (Level.PROTECTED, Level.EXACT):
        by_trial, by_country = (ask(house, replace(QUESTION, strata=strata), level) for strata in ("trial", "country"))
        assert patients_in(by_trial)[2]
        assert patients_in(by_trial) == patients_in(by_country)


def with_one_more(frame: pd.DataFrame, band: str, arm: str) -> pd.DataFrame:
    """The same patients, one of them with a value that nobody else has."""
    more = frame.copy()
    target = more.index[(more.efs_days > 400) & (more.intensity_assigned == arm)][0]
    more.loc[target, "mrd_eoi_band"] = band
    return more


@pytest.mark.parametrize("arm", ["reduced", "standard"])
def test_diagnostics_do_not_tell_a_value_of_one_from_a_value_of_nobody(tmp_path: Path, arm: str) -> None:
    frame = draw_cohort(2600, seed=7, choice=0.3)
    frame.loc[np.random.default_rng(8).random(len(frame)) < 0.3, "mrd_eoi_band"] = "undetectable"
    question = WhatIfQuestion(COHORT, horizon_days=1096)
    found = [ask(open_house(tmp_path / str(place), one), question, Level.PROTECTED)
             for place, one in enumerate((frame, with_one_more(frame, ">=1%", arm)))]
    nobody, one = (result.diagnostics for result in found)

    assert nobody.balance and nobody.missing
    assert [balance.name for balance in one.balance] == [balance.name for balance in nobody.balance]
    assert [missing.label for missing in one.missing] == [missing.label for missing in nobody.missing]
    assert [reason.where for reason in found[0].reasons] == [reason.where for reason in found[1].reasons]


@pytest.mark.parametrize(("has", "shown"), [(1, False), (3, False), (9, False), (20, True)])
def test_a_covariate_of_a_few_patients_of_an_arm_is_not_in_the_balance(tmp_path: Path, has: int, shown: bool) -> None:
    """Of a mean difference to two digits the number of the few could be worked out."""
    frame = draw_cohort(1500, seed=2, choice=0.05)
    frame["intensity_assigned"] = "standard"
    less = frame.index[frame.efs_days > 100][:120]
    frame.loc[less, "intensity_assigned"] = "reduced"
    frame["trial"] = np.where(np.arange(len(frame)) % 2, "Trial A", "Trial B")
    frame.loc[less, "sex"] = "M"
    frame.loc[less[:has], "sex"] = "F"
    asked = WhatIfQuestion(COHORT, adjust=("mrd_eoi_band", "cyto_group", "sex"), horizon_days=1096)
    result = ask(open_house(tmp_path, frame), asked, Level.PROTECTED)

    names = [one.name for one in result.diagnostics.balance]
    assert names
    assert any(name.startswith("Sex") for name in names) is shown
    assert not any(one.where.startswith("Sex") for one in result.reasons) or shown


def in_three_trials(n: int = 3000, seed: int = 4) -> pd.DataFrame:
    """Treatment makes no difference in two trials; the third one, which reduced it for the worst, is another matter."""
    frame = draw_cohort(n, seed, effect=0.0, choice=0.2)
    third = frame.trial == "Trial C"
    worse = third & (frame.intensity_assigned == "reduced") & (np.arange(n) % 3 > 0)
    for name in ("efs", "rfs", "os"):
        frame.loc[worse & (frame[f"{name}_cause"] == 0), [f"{name}_days", f"{name}_cause"]] = [400, 1]
    frame["country"] = np.where(third, "NL", np.where(np.arange(n) % 2, "DE", "FR"))
    frame["age_group"] = np.where(third, "40-59", "1-9")
    for trial, group, few in (("Trial A", "40-59", 3), ("Trial B", "40-59", 3), ("Trial C", "1-9", 4)):
        frame.loc[frame.index[frame.trial == trial][:few], "age_group"] = group
    return frame


@pytest.mark.parametrize("chosen", ["trial=Trial A,Trial B", "country=DE,FR", "age_group=1-9"])
def test_a_trial_that_a_filter_leaves_out_does_not_come_back(tmp_path: Path, chosen: str) -> None:
    """Among those compared the filter excludes hardly anybody, which is no reason to let everybody in."""
    house = open_house(tmp_path, in_three_trials())
    question = WhatIfQuestion(replace(COHORT, where=(parse_filter(chosen),)), horizon_days=1096)
    exact, protected = (ask(house, question, level) for level in (Level.EXACT, Level.PROTECTED))
    for result in (exact, protected):
        assert {cell.stratum for cell in result.allocation if cell.used} == {"Trial A", "Trial B"}
    main = [next(one for one in result.contrasts if one.method is Method.STANDARDISED and one.outcome == "efs")
            for result in (exact, protected)]
    assert abs(main[0].estimate - main[1].estimate) < 0.02
    everybody = ask(house, WhatIfQuestion(COHORT, horizon_days=1096))
    assert all(one.estimate < main[0].estimate - 0.03 for one in everybody.contrasts
               if one.method is Method.STANDARDISED and one.outcome == "efs" and one.measure is main[0].measure)


@pytest.mark.parametrize("secret", ["pos", "neg"])
def test_levels_are_of_those_compared_whatever_a_filter_does_elsewhere(tmp_path: Path, secret: str) -> None:
    """The one Dutch patient among those compared has a biomarker that a filter for other countries would tell."""
    frame = draw_cohort(2200, seed=6, choice=0.2)
    frame["country"] = np.where(np.arange(len(frame)) % 2, "DE", "FR")
    third = frame.index[frame.trial == "Trial C"]
    for name, arm, patients in (("Trial C", "reduced", third[::2]), ("Trial D", "standard", third[1::2])):
        frame.loc[patients, ["trial", "intensity_assigned"]] = [name, arm]
        frame.loc[patients[:60], ["country", "etv6_runx1"]] = ["NL", "pos"]
    less = frame.index[~frame.index.isin(third) & (frame.intensity_assigned == "reduced") & (frame.efs_days > 400)]
    frame.loc[less[:1], ["country", "etv6_runx1"]] = ["NL", secret]
    house = open_house(tmp_path, frame)
    asked = WhatIfQuestion(COHORT, horizon_days=1096, modifiers=("etv6_runx1",))
    elsewhere_out = replace(asked, cohort=replace(COHORT, where=(parse_filter("country=DE,FR"),)))
    with_all, without = (ask(house, question, Level.PROTECTED) for question in (asked, elsewhere_out))
    assert any(one.difference is not None for one in with_all.effects)
    assert with_all.effects == without.effects
    assert with_all.patients == without.patients


@pytest.mark.parametrize("secret", ["pos", "neg"])
@pytest.mark.parametrize("late", [1, 40])
def test_whoever_came_late_is_not_compared_and_tells_nothing(tmp_path: Path, secret: str, late: int) -> None:
    frame = draw_cohort(2200, seed=6, choice=0.2)
    came = frame.index[frame.efs_days > 1200][:late]
    frame["entry_days"] = pd.array(np.zeros(len(frame), dtype=int), dtype="Int32")
    frame.loc[came, "entry_days"] = 800
    frame.loc[came, "etv6_runx1"] = secret
    house = open_house(tmp_path, frame)
    alone = open_house(tmp_path / "alone", frame.drop(came))
    for level in (Level.PROTECTED, Level.EXACT):
        of_all, of_others = (ask(one, QUESTION, level) for one in (house, alone))
        assert of_all.patients == of_others.patients and of_all.contrasts == of_others.contrasts
        assert any("came under observation" in note for note in of_all.notes)
