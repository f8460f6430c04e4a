"""Nothing small and nothing exact leaves with a comparison of treatments."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import RULES
from harmony_dash.disclosure.protect_what_if import protect_what_if
from harmony_dash.disclosure.results import RiskTable
from harmony_dash.disclosure.what_if_results import (
    AllocationCell,
    ComparedArm,
    ComparedPatients,
    Mark,
    Measure,
    Method,
    Status,
    WhatIfReason,
    WhatIfResult,
)
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import ask_survival
from tests.what_if_cohort import CLINICIAN, COHORT, ask, draw_cohort, open_house

RULE = RULES[Level.PROTECTED]
QUESTION = WhatIfQuestion(COHORT, horizon_days=1461, modifiers=("etv6_runx1",))
PROTECTED = Scope(Level.PROTECTED)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    frame = draw_cohort(3000, seed=11)
    rare = frame.trial == "Trial C"
    frame.loc[rare, "intensity_assigned"] = "standard"
    frame.loc[frame[rare].index[:4], "intensity_assigned"] = "reduced"
    return open_house(tmp_path_factory.mktemp("what_if"), frame)


@pytest.fixture(scope="module")
def result(deployment: Deployment) -> WhatIfResult:
    return ask(deployment, QUESTION, Level.PROTECTED)


def counts_of(value: Any) -> list[int]:
    """Every number of patients in a result."""
    if isinstance(value, tuple | list):
        return [n for one in value for n in counts_of(one)]
    if is_dataclass(value):
        named = [getattr(value, one.name) for one in fields(value)
                 if one.name in ("n", "events", "at_risk", "events_by_horizon")]
        return [n for n in named if isinstance(n, int)] + [
            n for one in fields(value) for n in counts_of(getattr(value, one.name))]
    return []


def test_every_count_is_a_multiple_of_five_and_none_is_small(result: WhatIfResult) -> None:
    counts = counts_of((result.allocation, result.patients, result.effects))

    assert len(counts) > 20
    assert all(n % RULE.rounding_base == 0 and n >= RULE.minimum_cell for n in counts)


def test_a_small_cell_is_hidden_and_not_to_be_had_by_subtraction(result: WhatIfResult) -> None:
    cells = {(cell.stratum, cell.arm): cell.n for cell in result.allocation}

    assert cells["Trial C", "reduced"] is None
    assert {cell.mark for cell in result.allocation if cell.stratum == "Trial C"} == {Mark.ONE}
    assert list(cells.values()).count(None) >= 2 or sum(arm.n or 0 for arm in result.patients[0].arms) % 5 == 0


def test_curves_are_read_on_the_quarterly_grid_and_never_exact(deployment: Deployment, result: WhatIfResult) -> None:
    exact = {(one.method, one.outcome, one.arm): one.curve for one in ask(deployment, QUESTION).curves}

    assert result.curves
    for one in result.curves:
        assert set(one.curve.days.astype(int)) <= set(GRID.tolist())
        shown, truth = one.curve, exact[one.method, one.outcome, one.arm]
        for place, day in enumerate(shown.days[1:], start=1):
            if day in truth.days:
                row = int(np.flatnonzero(truth.days == day)[0])
                assert abs(shown.estimate[place] - truth.estimate[row]) < 0.01
                assert shown.lower[place] <= truth.lower[row] + 1e-9
                assert shown.upper[place] >= truth.upper[row] - 1e-9


def test_differences_stand_on_steps_and_their_limits_go_outward(deployment: Deployment, result: WhatIfResult) -> None:
    exact = {(one.method, one.measure, one.outcome): one for one in ask(deployment, QUESTION).contrasts}

    assert len(result.contrasts) > 1
    for one in result.contrasts:
        truth = exact[one.method, one.measure, one.outcome]
        if one.measure is Measure.RESTRICTED_MEAN:
            assert one.estimate == round(one.estimate)
            continue
        assert one.lower is not None and one.upper is not None
        assert truth.lower is not None and truth.upper is not None
        assert one.estimate != truth.estimate
        assert one.lower <= truth.lower + 1e-9
        assert one.upper >= truth.upper - 1e-9


def test_diagnostics_are_not_exact_and_have_no_bin_of_a_few(deployment: Deployment, result: WhatIfResult) -> None:
    found, exact = result.diagnostics, ask(deployment, QUESTION).diagnostics

    assert found.arms and found.balance and found.missing
    truth = {one.name: one for one in exact.balance}
    assert all(one.before != truth[one.name].before for one in found.balance)
    assert all(abs(one.before - truth[one.name].before) < 0.05 for one in found.balance)
    assert all(one.after is None and abs(truth[one.name].after or 0) < (one.after_below or 9) for one in found.balance)
    assert all((one.fewest, one.winsorised, one.reach) == (0, 0, 0) for one in (*found.balance, *exact.balance))
    assert found.common_support in (0.8, 0.9) and exact.common_support not in (0.8, 0.9)
    for shown, known in zip(found.arms, exact.arms, strict=True):
        assert shown.effective_size < known.effective_size and shown.effective_size % 5 == 0
        assert known.largest_share < shown.largest_share and shown.largest_share in (0.1, 0.2)
    assert all(one.share is None or one.share not in {other.share for other in exact.missing} for one in found.missing)
    assert all(reason.value is None for reason in result.reasons)
    smallest = min(arm.n or 0 for arm in result.patients[0].arms)
    assert all(share is None or share * smallest > RULE.minimum_cell - RULE.rounding_base
               for one in found.propensity for share in one.shares)
    assert all(one.counts == (0, 0) for one in found.propensity)


def test_only_exact_methods_name_the_columns_of_models(deployment: Deployment, result: WhatIfResult) -> None:
    """Which values were joined tells which have hardly any events."""
    assert "columns reduced" in ask(deployment, QUESTION).methods
    assert "columns" not in result.methods
    assert "g-formula" in result.methods


def test_no_key_and_no_grid_leaves_at_any_level(deployment: Deployment, result: WhatIfResult) -> None:
    for one in (result, ask(deployment, QUESTION)):
        assert "KeyedCount" not in repr(one)
        assert all(arm.on_grid is None for patients in one.patients for arm in patients.arms)
        assert not any(isinstance(n, KeyedCount) for n in counts_of((one.allocation, one.patients, one.effects)))


def test_the_same_patients_in_other_words_get_the_same_numbers(deployment: Deployment, result: WhatIfResult) -> None:
    """A filter that everybody meets averages nothing out."""
    other = replace(QUESTION, cohort=replace(COHORT, where=(parse_filter("immunophenotype=B"),)))
    again = ask(deployment, other, Level.PROTECTED)

    assert again.contrasts == result.contrasts
    assert [cell.n for cell in again.allocation] == [cell.n for cell in result.allocation]


def plain_curves(result: WhatIfResult) -> dict[str, tuple[tuple[float, float], ...]]:
    """(day, estimate) of the plain curve of each arm."""
    return {one.arm: tuple(zip(one.curve.days, one.curve.estimate, strict=True)) for one in result.curves
            if one.method is Method.PLAIN}


def test_a_plain_curve_is_that_of_the_survival_page(tmp_path: Path) -> None:
    """The same patients have one curve, however it is asked for and whatever it is compared with."""
    frame = draw_cohort(2400, seed=4, choice=0.1)
    draws = np.random.default_rng(2).random(len(frame))
    frame["intensity_assigned"] = np.where(draws < 0.2, "reduced", np.where(draws < 0.6, "standard", "intensified"))
    house = open_house(tmp_path, frame)
    with_standard = ask(house, QUESTION, Level.PROTECTED)
    with_intensified = ask(house, replace(QUESTION, reference="intensified"), Level.PROTECTED)
    landmark = with_standard.question.cohort.landmark_days
    page = ask_survival(house, CLINICIAN, replace(COHORT, by="intensity_assigned", landmark_days=landmark)).value
    groups = {group.label["intensity_assigned"]: dict(zip(group.curve.days, group.curve.estimate, strict=True))
              for group in page.groups}

    for result, arms in ((with_standard, ("standard", "reduced")), (with_intensified, ("intensified", "reduced"))):
        curves = plain_curves(result)
        assert set(curves) == set(arms)
        for arm, points in curves.items():
            assert len(points) > 8
            assert all(groups[arm][day] == estimate for day, estimate in points)


def test_methods_share_the_steps_of_an_arm_so_that_agreeing_ones_are_one_reading(result: WhatIfResult) -> None:
    """Two readings differ by whole steps: nothing lies between them."""
    arms = {arm.arm: arm.n for arm in result.patients[0].arms}
    assert len(arms) == 2
    for name, n in arms.items():
        assert n is not None
        step = max(RULE.smallest_step, RULE.patients_per_step / n)
        curves = [one.curve for one in result.curves if (one.arm, one.outcome) == (name, "efs")]
        assert len(curves) == 4
        for other in curves[1:]:
            steps = (other.estimate - curves[0].estimate)[1:] / step
            assert np.allclose(steps, np.round(steps), atol=1e-6)


def test_differences_of_all_methods_stand_on_the_same_steps(result: WhatIfResult) -> None:
    smaller = min(arm.n or 0 for arm in result.patients[0].arms)
    step = 2 * max(RULE.smallest_step, RULE.patients_per_step / smaller)
    found = [one.estimate for one in result.contrasts if one.measure is Measure.SURVIVAL]
    assert len(found) == 4
    apart = (np.array(found) - found[0]) / step
    assert np.allclose(apart, np.round(apart), atol=1e-6)


# -- made by hand ------------------------------------------------------------------------------------------------------


def make_result(n: tuple[int, int, int, int], events: tuple[int, int, int, int]) -> WhatIfResult:
    """Two trials by two arms, refused for small cells."""
    cells = tuple(AllocationCell(stratum, stratum, arm, KeyedCount(n[place], 7919 * place + 1),
                                 KeyedCount(events[place], 104_729 * place + 3), Mark.BOTH, used=True)
                  for place, (stratum, arm) in enumerate(
                      [("A", "standard"), ("A", "reduced"), ("B", "standard"), ("B", "reduced")]))
    arms = tuple(ComparedArm(arm, arm, KeyedCount(sum(n[place::2]), place + 11),
                             KeyedCount(sum(events[place::2]), place + 13), KeyedCount(n[place], place + 17),
                             KeyedCount(events[place], place + 19),
                             RiskTable((0, 91), (KeyedCount(n[place], 5), KeyedCount(n[place], 5)),
                                       (KeyedCount(0, 0), KeyedCount(0, 0)), (KeyedCount(0, 0), KeyedCount(0, 0))))
                 for place, arm in enumerate(["standard", "reduced"]))
    reason = WhatIfReason("CELL_SMALL", "refused", "too few patients", "reduced", float(n[1]), 20.0, "more")
    return WhatIfResult(
        QUESTION, "", "snapshot", True, Status.REFUSED, (reason,), (), (("standard", "standard"),
                                                                        ("reduced", "reduced")),
        cells, False, None, (ComparedPatients("observed", "efs", "EFS", "", (arms[0], arms[1]), 91),))


SIZES = st.integers(0, 60)


@given(n=st.tuples(SIZES, SIZES, SIZES, SIZES), share=st.tuples(*[st.floats(0, 1)] * 4))
@settings(max_examples=60, deadline=None)
def test_whatever_the_counts_none_below_ten_is_shown_or_told(n: tuple[int, int, int, int],
                                                            share: tuple[float, float, float, float]) -> None:
    events = tuple(int(size * part) for size, part in zip(n, share, strict=True))
    shown = release(make_result(n, (events[0], events[1], events[2], events[3])), PROTECTED).value

    left = {(cell.stratum, cell.arm): cell for cell in shown.allocation}
    assert len(left) in (0, 2, 4)
    for place, key in enumerate([("A", "standard"), ("A", "reduced"), ("B", "standard"), ("B", "reduced")]):
        cell, size, hurt = left.get(key), n[place], events[place]
        if cell is None:
            continue
        assert cell.n is None or (size >= RULE.minimum_cell and cell.n % 5 == 0)
        assert cell.events is None or (hurt >= RULE.minimum_cell and size - hurt >= RULE.minimum_cell)
        if cell.n is None:
            assert cell.events is None
    assert shown.reasons[0].value is None
    assert shown.reasons[0].message == "fewer than 20 patients in the arm reduced"


def test_a_count_without_a_key_is_a_fault() -> None:
    bare = make_result((40, 40, 40, 40), (12, 12, 12, 12))
    cells = (replace(bare.allocation[0], n=40), *bare.allocation[1:])

    with pytest.raises(TypeError):
        protect_what_if(replace(bare, allocation=cells), PROTECTED)


def test_an_arm_below_the_limit_of_curves_carries_none(tmp_path: Path) -> None:
    frame = draw_cohort(900, seed=3, choice=0.1)
    less = np.random.default_rng(1).random(len(frame)) < 0.06
    frame["intensity_assigned"] = np.where(less, "reduced", "standard")
    result = ask(open_house(tmp_path, frame), QUESTION, Level.PROTECTED)

    assert result.status is Status.REFUSED
    assert not result.curves and not result.contrasts
    assert not result.diagnostics.balance
    assert Method.STANDARDISED not in {one.method for one in result.curves}
