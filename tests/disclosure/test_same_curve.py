"""Curves that are the same by definition are released in one way, whatever endpoint they are asked for by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.protect_survival import curve_statistic
from harmony_dash.disclosure.results import Curve, GroupResult, IntervalType, SurvivalResult
from harmony_dash.services.survival import DEFAULT_DAYS, prepare_question
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.store.reader import Snapshot, Store
from tests.disclosure.house import samples_of_run

SCOPE = Scope(Level.PROTECTED)
EVENT_FREE = "event-free"
BY_DEFINITION = {"efs smn", "relapse trm"}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Store(samples_of_run(tmp_path_factory)).current()


def curves_of(group: GroupResult) -> Iterator[tuple[str, Curve]]:
    yield EVENT_FREE, group.curve
    yield from ((part.cause, part.curve) for part in group.cumulative_incidence)


def coinciding(exact: list[SurvivalResult]) -> Iterator[tuple[str, tuple[str, Curve], tuple[str, Curve]]]:
    """The released curves of endpoints that are one exact curve by definition, with the names of the endpoints."""
    shown = [release(result, SCOPE).value for result in exact]
    for (one, one_shown), (other, other_shown) in combinations(zip(exact, shown, strict=True), 2):
        names = f"{one.question.endpoint} {other.question.endpoint}"
        if names not in BY_DEFINITION:
            continue
        groups = {group.name: group for group in one_shown.groups}, {group.name: group for group in other_shown.groups}
        for here in one.groups:
            there = next((group for group in other.groups if group.name == here.name), None)
            if there is None or here.name not in groups[0] or here.name not in groups[1]:
                continue
            released = dict(curves_of(groups[0][here.name])), dict(curves_of(groups[1][here.name]))
            for name, curve in curves_of(here):
                for other_name, other_curve in curves_of(there):
                    if (name in released[0] and other_name in released[1]
                            and np.array_equal(curve.days, other_curve.days)
                            and np.array_equal(curve.estimate, other_curve.estimate)):
                        yield names, (name, released[0][name]), (other_name, released[1][other_name])


def check_alike(one: tuple[str, Curve], other: tuple[str, Curve]) -> None:
    """Alike after the first day, on which one endpoint shows a height of its own because it counts events there."""
    (name, curve), (other_name, other_curve) = one, other
    here, there = curve.days > curve.days[0], other_curve.days > other_curve.days[0]
    assert np.array_equal(curve.days[here], other_curve.days[there])
    # beside causes the event-free part gives way, but its upper limits stay where they were rounded to
    assert np.array_equal(curve.upper[here], other_curve.upper[there])
    if EVENT_FREE not in (name, other_name):
        assert np.array_equal(curve.estimate[here], other_curve.estimate[there])
        assert np.array_equal(curve.lower[here], other_curve.lower[there])


def test_endpoints_whose_curves_coincide_on_the_samples_are_released_alike(snapshot: Snapshot) -> None:
    found = set()
    for where in ((), ("sex=F",), ("immunophenotype=T",)):
        for by in (None, "sex", "country"):
            if by == "sex" and where:
                continue
            asked = Question("ALL", "os", tuple(map(parse_filter, where)), by)
            questions = [prepare_question(replace(asked, endpoint=endpoint), snapshot) for endpoint in ENDPOINTS]
            exact = [compute_survival(snapshot, question, question, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                      scope=SCOPE) for question in questions]
            for endpoints, one, other in coinciding(exact):
                check_alike(one, other)
                found.add(endpoints)
    assert found == BY_DEFINITION


def test_only_curves_that_are_the_same_by_definition_share_a_draw() -> None:
    drawn = {endpoint.name: curve_statistic(endpoint, "") for endpoint in ENDPOINTS.values()}
    assert drawn["efs"] == drawn["smn"] == drawn["efs_tf0"]
    assert drawn["relapse"] == drawn["trm"]
    assert len(set(drawn.values())) == len(drawn) - 3
    assert curve_statistic(ENDPOINTS["relapse"], "relapse") == curve_statistic(ENDPOINTS["trm"], "relapse")
