from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure import Level, Scope
from harmony_dash.services.level_comparison import compare_levels
from harmony_dash.stats.event_table import EventTable

EXACT, PROTECTED = Scope(Level.EXACT), Scope(Level.PROTECTED)
EFS, RELAPSE = endpoint_named("efs"), endpoint_named("relapse")


def draw(sizes: dict[str, int], *, seed: int = 1, strata: dict[str, str] | None = None, causes: int = 1) -> EventTable:
    """Levels of given sizes; about half of the patients have an event."""
    rng = np.random.default_rng(seed)
    group = [level for level, n in sizes.items() for _ in range(n)]
    return EventTable.from_patients(
        rng.integers(1, 400, len(group)), rng.integers(0, causes + 1, len(group)), group=group, groups=tuple(sizes),
        stratum=[(strata or {}).get(level, "shared") for level in group],
        causes=EFS.causes if causes == 1 else RELAPSE.causes)


def test_the_first_level_with_enough_events_is_the_reference() -> None:
    found = compare_levels(draw({"tiny": 4, "b": 80, "c": 80}), EFS, EXACT)
    assert found.reference == "b"
    assert found.ratios is not None
    assert found.ratios.left_out == ("tiny",)


def test_a_level_that_is_never_beside_the_others_is_not_the_reference() -> None:
    found = compare_levels(draw({"infants": 60, "b": 80, "c": 80}, strata={"infants": "their own"}), EFS, EXACT)
    assert found.reference == "b"
    assert found.ratios is not None
    assert found.ratios.left_out == ("infants",)


@pytest.mark.parametrize("untested", ["failed", "not_done", "indeterminate", ""])
def test_patients_who_were_not_tested_take_no_part(untested: str) -> None:
    found = compare_levels(draw({untested: 90, "neg": 80, "pos": 80}), EFS, EXACT)
    assert found.ratios is not None
    assert [entry.level for entry in found.ratios.levels] == ["neg", "pos"]


def test_where_results_leave_protected_small_levels_move_no_other_ratio() -> None:
    with_few = draw({"a": 100, "b": 100, "few": 12}, seed=3)
    without = with_few.select_groups(["a", "b"])
    found, alone = (compare_levels(table, EFS, PROTECTED) for table in (with_few, without))
    assert found.ratios is not None and alone.ratios is not None
    assert [entry.ratio for entry in found.ratios.levels] == [entry.ratio for entry in alone.ratios.levels]
    assert compare_levels(with_few, EFS, EXACT).ratios is not None


def test_a_level_in_which_nearly_everybody_has_had_the_event_is_left_out_where_results_leave_protected() -> None:
    table = draw({"a": 100, "b": 100, "worst": 40}, seed=3)
    worst = table.group == 2
    events = table.events + np.where(worst, table.censored, 0)[:, None]
    table = EventTable.from_counts(table.groups, table.strata, table.causes, table.group, table.stratum, table.day,
                                   np.where(worst, 0, table.censored), events)
    found, exact = compare_levels(table, EFS, PROTECTED), compare_levels(table, EFS, EXACT)
    assert found.ratios is not None and exact.ratios is not None
    assert [entry.level for entry in found.ratios.levels] == ["a", "b"]
    assert exact.ratios.left_out == ()


def test_parameters_need_ten_events_each_where_results_leave_protected() -> None:
    sizes = {f"level {k}": 22 for k in range(6)}
    table = draw(sizes, seed=5)
    assert (table.event_counts[:, 0] >= 5).all()
    assert compare_levels(table, EFS, EXACT).ratios is not None
    found = compare_levels(table, EFS, PROTECTED)
    left = 0 if found.ratios is None else len(found.ratios.levels) - len(found.ratios.left_out) - 1
    assert found.ratios is None or found.ratios.events >= 10 * left


def test_causes_that_compete_are_censored() -> None:
    table = draw({"a": 150, "b": 150}, causes=3)
    found = compare_levels(table, RELAPSE, EXACT)
    censored = EventTable.from_counts(table.groups, table.strata, ("event",), table.group, table.stratum, table.day,
                                      table.censored + table.events[:, 1:].sum(axis=1), table.events[:, :1])
    alone = compare_levels(censored, EFS, EXACT)
    assert found.ratios is not None and alone.ratios is not None
    assert found.ratios.levels[1].ratio == alone.ratios.levels[1].ratio
    assert found.ratios.cause == "relapse"


@pytest.mark.parametrize("scope", [EXACT, PROTECTED])
def test_nothing_to_compare_is_said_in_words(scope: Scope) -> None:
    for sizes in ({"a": 100}, {"a": 100, "b": 3}, {"failed": 50, "": 50}):
        found = compare_levels(draw(sizes), EFS, scope)
        assert found.ratios is None
        assert "events or more" in found.reason


def test_why_a_protected_comparison_fails_tells_no_count() -> None:
    table = draw({"a": 60, "b": 60}, strata={"a": "one", "b": "two"})
    assert compare_levels(table, EFS, PROTECTED).reason == "too few events to compare levels"
    assert "no level can be compared" in compare_levels(table, EFS, EXACT).reason
