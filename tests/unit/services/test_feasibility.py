"""What a planned question counts as known, and what it counts as a loss."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.cohort.filters import Filter, Not, OneOf
from harmony_dash.cohort.need import Need
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.feasibility import ask_feasibility
from tests.disclosure.house import STEERING, open_house
from tests.factories import make_patients, make_store

TESTS = np.array(["del", "nodel", "failed", "not_done", None], dtype=object)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """4000 patients, of whom a tenth has a failed test, a tenth none, and of a tenth nothing is known."""
    folder = Path(tmp_path_factory.mktemp("feasibility"))
    frame = make_patients(4000)
    frame["cna_ikzf1"] = np.random.default_rng(5).choice(TESTS, len(frame), p=[0.3, 0.4, 0.1, 0.1, 0.1])
    frame["dx_period"] = np.where(np.arange(len(frame)) % 2, "2010-2014", "2020-2024")
    make_store(folder / "store", frame=frame)
    return open_house(folder)


def ask(house: Deployment, *where: Filter, known: tuple[str, ...] = ("cna_ikzf1",), horizon: int = 1826,
        ) -> FeasibilityResult:
    return ask_feasibility(house, STEERING, Need("ALL", "os", where, known, horizon)).value


def test_what_must_be_known_and_is_filtered_has_a_result_and_is_no_loss(house: Deployment) -> None:
    asked = ask(house, OneOf("cna_ikzf1", ("del", "failed", "not_done")))
    plain = ask(house, OneOf("cna_ikzf1", ("del",)), known=())
    assert asked.n == plain.n
    assert asked.losses == ()
    assert "failed" not in asked.title.lower()


def test_a_value_that_is_not_wanted_is_not_a_value_that_is_not_known(house: Deployment) -> None:
    asked = ask(house, Not(OneOf("cna_ikzf1", ("nodel",))), known=("cna_ikzf1", "cyto_group"))
    assert [one.variable for one in asked.losses] == ["cyto_group"]
    assert not any("known" in step.label and "IKZF1" in step.label for step in asked.steps)
    assert asked.n == ask(house, OneOf("cna_ikzf1", ("del",)), known=("cyto_group",)).n


def test_a_failed_test_is_a_loss_where_nothing_is_filtered(house: Deployment) -> None:
    (loss,) = ask(house).losses
    assert abs((loss.lacking or 0) - 1200) <= 60


def test_follow_up_that_cannot_reach_the_horizon_is_told_with_the_answer(house: Deployment) -> None:
    late = OneOf("dx_period", ("2010-2014", "2020-2024"))
    assert "end of 2024" in ask(house, late, known=()).too_short
    assert ask(house, OneOf("dx_period", ("2010-2014",)), known=()).too_short == ""
    assert ask(house, known=(), horizon=3653).too_short == ""


# -- follow-up ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_period(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Alive and followed for 1000 to 2000 days if diagnosed in 2015-2019, for 2000 to 4000 if before; twelve later."""
    folder = Path(tmp_path_factory.mktemp("periods"))
    frame = make_patients(4000)
    frame["dx_period"] = np.where(np.arange(len(frame)) % 2, "2010-2014", "2015-2019")
    frame.loc[frame.index[:12], "dx_period"] = "2020-2024"
    late = (frame["dx_period"] == "2015-2019").to_numpy()
    frame["os_cause"] = np.int8(0)
    frame["os_days"] = np.where(late, np.linspace(1000, 2000, len(frame)), np.linspace(2000, 4000, len(frame))
                                ).astype(np.int32)
    make_store(folder / "store", frame=frame)
    return open_house(folder)


@pytest.mark.parametrize(("where", "days"), [
    (OneOf("dx_period", ("2015-2019",)), 1500), (OneOf("dx_period", ("2010-2014",)), 3000),
    (OneOf("dx_period", ("2010-2014", "2015-2019")), 2000)])
def test_periods_of_diagnosis_are_planned_with_the_follow_up_of_their_patients(
        by_period: Deployment, where: Filter, days: int) -> None:
    result = ask(by_period, where, known=())
    assert result.follow_up_median_days == pytest.approx(days, abs=31)
    assert "these periods" in result.follow_up_of
    with_more = ask(by_period, where, OneOf("sex", ("F",)), known=())
    assert with_more.follow_up_median_days == result.follow_up_median_days


def test_the_follow_up_of_too_few_patients_is_cut_by_the_calendar_and_not_told(by_period: Deployment) -> None:
    everybody = ask(by_period, known=(), horizon=365)
    few = ask(by_period, OneOf("dx_period", ("2020-2024",)), known=(), horizon=365)
    middle_to_snapshot = (date(2026, 11, 21) - date(2022, 7, 2)).days
    assert few.follow_up_median_days == pytest.approx(min(middle_to_snapshot, everybody.follow_up_median_days or 0),
                                                      abs=31)
    assert few.follow_up_of.startswith("the time from the middle of these periods")
    assert everybody.follow_up_of == "the median of all patients"
