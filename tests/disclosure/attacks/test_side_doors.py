"""Attack E through what is no filter: strata and groupings teach nothing, clocks and endpoints teach something.

The targets are alone in a group of country, sex and period in what the door asks about: in having left by day 42, in
having had no remission, in lacking a stratum. What they lack is known to the attacker; the secret is not. The figures
in the docstrings are those of all such targets (at most 100) of the 100,000 patients; the tests take eighteen of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.services.recorded_questions import RecordedQuestion, View, find_answered_sets
from harmony_dash.store.membership import fetch_bitmaps, find_close_pairs
from tests.disclosure.attacks import asking, side_doors
from tests.disclosure.attacks.asking import SCOPE, ask_about, like
from tests.disclosure.attacks.campaign import QUICK
from tests.disclosure.attacks.differencing import values_of
from tests.disclosure.attacks.population import World, alone_among, world_of_run
from tests.disclosure.attacks.verdict import Claims, judge_claims


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_of_run(tmp_path_factory)


def count_right(claims: Sequence[Claims]) -> int:
    return sum(one.says_yes if one.positive else one.says_no for one in claims)


def test_strata_say_nothing_about_anybody(world: World) -> None:
    """Of 100 targets 0 are claimed: with and without strata the answer is the same to the last digit."""
    claims = side_doors.through_strata(world, QUICK.doors)
    assert len(claims) == QUICK.doors
    assert not any(one.says_yes or one.says_no for one in claims)
    assert judge_claims("strata", claims).passed


def test_the_total_of_groups_says_nothing_about_somebody_in_none_of_them(world: World) -> None:
    """Of 100 targets 0 are claimed: the total is that of the figure without groups."""
    claims = side_doors.through_groups(world, QUICK.doors)
    assert len(claims) == QUICK.doors
    assert not any(one.says_yes or one.says_no for one in claims)
    assert judge_claims("groups", claims).passed


def test_coverage_tells_no_small_cell_from_an_empty_one(world: World) -> None:
    told, small = side_doors.through_coverage(world)
    assert small > 50
    assert told == 0


def test_a_total_and_its_only_part_tell_no_small_rest_from_an_empty_one() -> None:
    """The country has 60 to 64 patients of one kind and 0, 1, 2, 5 or 9 of another.

    What is seen of nobody is seen of one and two as well. A part that is larger than its total leaves fewer than five
    values, and is hidden.
    """
    pairs = {few: side_doors.through_totals(few) for few in (0, 1, 2, 5, 9)}
    differences = {few: {whole - part for whole, part in seen} for few, seen in pairs.items()}
    assert differences[0] == {0, 5}
    assert all({0, 5} <= differences[few] <= {0, 5, 10} for few in (1, 2))  # ten leaves 2 to 9
    assert all(len({few for few in pairs if pair in pairs[few]}) >= 2 for pair in pairs[0])


Attack = Callable[[World, int], Sequence[Claims]]


@pytest.mark.parametrize(("attack", "most"), [
    (side_doors.through_an_early_end, 8), (side_doors.through_endpoints, 6)])
def test_a_clock_and_an_endpoint_teach_no_more_than_the_documentation_says(
        world: World, attack: Attack, most: int) -> None:
    """A residual risk. The landmark teaches 11 of 24 targets, the endpoint 10 of 44 and the grouping 30 of 100.

    No claim is wrong, because the same patients have the same number and others have another. Nobody is learnt whose
    subgroup with or without the secret has fewer than 30 patients: there is then nothing to compare.
    """
    claims = attack(world, QUICK.doors)
    assert len(claims) == QUICK.doors
    assert count_right(claims) <= most


@pytest.mark.parametrize(("attack", "least"), [
    (side_doors.through_an_early_end, 0.9), (side_doors.through_endpoints, 0.9), (side_doors.through_groups, 0.9)])
def test_without_protection_the_same_attacks_learn_nearly_everybody(
        world: World, monkeypatch: pytest.MonkeyPatch, attack: Attack, least: float) -> None:
    monkeypatch.setattr(asking, "SCOPE", Scope(Level.EXACT))
    claims = attack(world, QUICK.doors)
    assert count_right(claims) >= least * len(claims)


@pytest.mark.parametrize(("attack", "column", "changes"), [
    (side_doors.through_an_early_end, "os_days", {"landmark_days": 42}),
    (side_doors.through_endpoints, "rfs_days", {"endpoint": "rfs"})])
def test_the_nightly_report_has_every_pair_of_figures_that_teaches(
        world: World, attack: Attack, column: str, changes: dict[str, Any]) -> None:
    """Whoever goes through the door leaves two questions that differ by one patient in one of their groups."""
    days = world.patients[column]
    special = (days.isna() | (days <= 42)).to_numpy(dtype=bool) if column == "os_days" else days.isna().to_numpy()
    rows = side_doors.choose(alone_among(world.patients, side_doors.WIDER, special), QUICK.doors)
    learnt = [int(row) for row, claims in zip(rows, attack(world, QUICK.doors), strict=True)
              if claims.says_yes or claims.says_no]
    assert learnt
    for row in learnt:
        rest = like(values_of(world, row, side_doors.WIDER))
        assert is_reported(world, ask_about(*rest), ask_about(*rest, **changes)), row


def is_reported(world: World, one: Question, other: Question) -> bool:
    """Whether the sets that two questions are answered from today are close to each other, as the report sees them."""
    sets = [answered for question in (one, other) for answered in find_answered_sets(
        RecordedQuestion(question.fingerprint, question.canonical_json, "", SCOPE.level, panel=False), question,
        View(world.snapshot)) if answered.figure]
    bitmaps = fetch_bitmaps(world.snapshot, sets)
    close = find_close_pairs(bitmaps, np.full(len(sets), SCOPE.rules.minimum_cell))
    return any(replace(sets[a].question, where=()) != replace(sets[b].question, where=()) for a, b in close)
