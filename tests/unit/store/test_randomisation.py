"""Randomised patients are followed from the day of the draw, everybody in the arm that was drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.randomisation import (
    Randomisation,
    RandomisedSnapshot,
    count_followed,
    find_randomisations,
    find_randomised_strata,
)
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

ARMS = ("standard", "reduced")
BY_ARM = Question("ALL", "efs", by="rand_arm")
LOTS = Randomisation("lots", "Trial A", "lots", 300, 110, 30, (1.0, 1.0))


def make_randomised(n: int = 900, seed: int = 6) -> pd.DataFrame:
    """Trial A drew lots between day 20 and day 200, for whoever had no event yet; half of trial B did later."""
    frame, rng = make_patients(n, seed), np.random.default_rng(2)
    day = rng.integers(20, 200, n)
    first = frame.first_event_days.astype(float).fillna(np.inf).to_numpy()
    eligible = (first >= day) & (frame.efs_days.astype(int).to_numpy() >= day)
    inside = (frame.trial == "Trial A").to_numpy() & eligible
    later = (frame.trial == "Trial B").to_numpy() & eligible & (rng.random(n) < 0.5)
    drawn = np.where(rng.random(n) < 0.5, "reduced", "standard")
    frame["rand_id"] = np.where(inside, "lots", np.where(later, "more lots", None))  # type: ignore[call-overload]
    frame["rand_arm"] = np.where(inside | later, drawn, None)  # type: ignore[call-overload]
    frame["randomised"] = np.where(inside | later, "yes", "no")
    frame["rand_days"] = pd.array(np.where(inside | later, day, 0), dtype="Int32")
    frame.loc[~(inside | later), "rand_days"] = pd.NA
    frame["intensity_assigned"] = np.where(inside | later, drawn, "standard")
    frame.loc[((frame.trial == "Trial A") & ~inside).to_numpy(), "intensity_assigned"] = None
    return frame


def follow(snapshot: Snapshot, chance: Randomisation, endpoint: str = "efs") -> RandomisedSnapshot:
    return RandomisedSnapshot.of(snapshot, chance=chance, comparison="rand_id", trial="trial",
                                 endpoint=endpoint_named(endpoint))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return make_randomised()


@pytest.fixture(scope="module")
def snapshot(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("randomised"), frame=frame)


def test_each_randomised_comparison_has_its_day(frame: pd.DataFrame, snapshot: Snapshot) -> None:
    found = find_randomisations(snapshot, BY_ARM, "rand_id", "trial", ARMS)

    of_lots = frame[frame.rand_id == "lots"]
    day = of_lots.rand_days.astype(int)
    assert [one.label for one in found] == ["lots", "more lots"]
    assert found[0] == Randomisation("lots", "Trial A", "lots", len(of_lots), int(np.ceil(day.median())),
                                     int(np.quantile(day, 0.05, method="inverted_cdf")), (1.0, 1.0))
    assert (day < (found[0].first_day or 0)).mean() <= 0.05
    assert not find_randomisations(snapshot, BY_ARM, "rand_id", "trial", ("standard", "intensified"))


def test_trials_that_share_a_randomisation_are_comparisons_of_their_own(
        frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Patients of no recorded trial are in none, and each arm has its own share of known days."""
    shared = frame.copy()
    shared.loc[shared.rand_id.notna(), "rand_id"] = "lots"
    nowhere = (shared.rand_id.notna() & (shared.trial == "Trial A")).to_numpy() & (np.arange(len(shared)) % 5 == 0)
    shared.loc[nowhere, "trial"] = None
    reduced = shared[(shared.trial == "Trial B") & (shared.rand_arm == "reduced")].index
    shared.loc[reduced[::4], "rand_days"] = pd.NA
    store = make_store(tmp_path_factory.mktemp("shared"), frame=shared)

    found = find_randomisations(store, BY_ARM, "rand_id", "trial", ARMS)
    assert [(one.name, one.trial, one.label) for one in found] == [
        ("lots", "Trial A", "lots, Trial A"), ("lots", "Trial B", "lots, Trial B")]
    for one in found:
        behind = shared[(shared.trial == one.trial) & shared.rand_id.notna()]
        assert one.patients == len(behind)
        assert one.dated == tuple(behind[behind.rand_arm == arm].rand_days.notna().mean() for arm in ARMS)
        table = fetch_event_table(follow(store, one), BY_ARM).select_groups(ARMS)
        assert sum(table.patients) == int(behind.rand_days.notna().sum())


def test_a_trial_that_drew_lots_for_some_is_told_from_one_that_did_for_all(snapshot: Snapshot) -> None:
    found = find_randomised_strata(snapshot, BY_ARM, "intensity_assigned", "trial", ARMS)

    assert found == {"Trial A": True, "Trial B": False}
    assert not find_randomised_strata(snapshot, BY_ARM, "intensity_assigned", "trial", ("standard", "intensified"))


def test_a_question_without_arms_is_a_fault(snapshot: Snapshot) -> None:
    with pytest.raises(ValueError, match="arms"):
        find_randomisations(snapshot, replace(BY_ARM, by=None), "rand_id", "trial", ARMS)


@pytest.mark.parametrize("endpoint", ["efs", "os", "rfs", "relapse"])
def test_everybody_randomised_is_followed_from_the_day_of_the_draw(frame: pd.DataFrame, snapshot: Snapshot,
                                                                  endpoint: str) -> None:
    inside = follow(snapshot, LOTS, endpoint)
    table = fetch_event_table(inside, replace(BY_ARM, endpoint=endpoint)).select_groups(ARMS)

    behind = frame[frame.rand_id == "lots"]
    if endpoint in ("rfs", "relapse"):
        behind = behind[behind[f"{endpoint}_days"].notna() & (behind.cr_days <= behind.rand_days).fillna(False)]
        days = behind[f"{endpoint}_days"].astype(int) + behind.cr_days.astype(int) - behind.rand_days.astype(int)
    else:
        days = behind[f"{endpoint}_days"].astype(int) - behind.rand_days.astype(int)
    behind, days = behind[days >= 0], days[days >= 0]
    assert table.patients.tolist() == [int((behind.rand_arm == arm).sum()) for arm in ARMS]
    assert sum(table.patients) > 100
    left = table.censored + table.events.sum(axis=1)
    for place, arm in enumerate(ARMS):
        here = table.group == place
        assert np.repeat(table.day[here], left[here]).tolist() == sorted(days[behind.rand_arm == arm])
    assert count_followed(inside, BY_ARM, ARMS) == len(behind)


def test_only_what_had_happened_by_the_draw_is_known(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory,
                                                     ) -> None:
    """A later transplant is still none on the day of randomisation."""
    changed, rng = frame.copy(), np.random.default_rng(4)
    day = changed.rand_days.astype(float).fillna(0).to_numpy() + rng.integers(-40, 40, len(changed))
    changed["hsct_cr1"] = "yes"
    changed["hsct_days"] = pd.array(np.maximum(day, 1).astype(int), dtype="Int32")
    inside = follow(make_store(tmp_path_factory.mktemp("later"), frame=changed), LOTS)
    asked = replace(BY_ARM, where=(parse_filter("hsct_cr1=yes"),))

    behind = changed[(changed.rand_id == "lots") & (changed.hsct_days <= changed.rand_days).fillna(False)]
    assert sum(fetch_event_table(inside, asked).patients) == len(behind)
    assert 0 < len(behind) < int((changed.rand_id == "lots").sum())
