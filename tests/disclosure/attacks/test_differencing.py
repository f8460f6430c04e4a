"""Attacks A and E at a size for every push: figures D2 and those of the side doors. All of it: see `__main__`."""

from __future__ import annotations

import pytest
from scipy.stats import fisher_exact

from harmony_dash.disclosure import Level, Scope
from tests.disclosure.attacks import asking, differencing, side_doors
from tests.disclosure.attacks.asking import Asker
from tests.disclosure.attacks.campaign import PATIENTS, QUICK
from tests.disclosure.attacks.population import NO, YES, World, unique_targets, world_of_run
from tests.disclosure.attacks.verdict import Claims, judge_claims


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_of_run(tmp_path_factory)


@pytest.fixture(scope="module")
def asker(world: World) -> Asker:
    """Who asks about the same targets again has the same answers."""
    return Asker(world)


def test_nobody_is_learnt_by_leaving_out_the_category_they_are_alone_in(world: World, asker: Asker) -> None:
    claims = differencing.attack(world, unique_targets(world, QUICK.differencing), asker=asker)
    verdict = judge_claims("A", claims)
    assert verdict.passed, verdict


def test_pairs_that_are_explained_look_alike_with_and_without_the_secret(world: World, asker: Asker) -> None:
    """What a verdict leaves out must be no hiding place: it may not tell those who have the secret from the others."""
    rows = [int(row) for row in unique_targets(world, PATIENTS)]
    seen: dict[bool, list[tuple[bool, bool]]] = {}
    for positive in (True, False):
        seen[positive] = []
        for row in [row for row in rows if world.is_positive(row) == positive][:12]:
            seen[positive] += [(differencing.differs(asker, pair, YES), differencing.differs(asker, pair, NO))
                               for pair in differencing.pairs_of(world, row) if differencing.is_explained(asker, pair)]
    assert min(map(len, seen.values())) > 30
    for claim in ((True, False), (False, True)):
        table = [[patterns.count(claim), len(patterns) - patterns.count(claim)] for patterns in seen.values()]
        assert fisher_exact(table).pvalue > 0.05, (claim, table)


def test_the_attack_learns_nearly_everybody_from_exact_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SCOPE", Scope(Level.EXACT))
    claims = differencing.attack(world, unique_targets(world, 6))
    assert len(claims) > 0
    assert all(one.says_yes == one.positive and one.says_no != one.positive for one in claims)


def test_nor_by_the_counts_of_the_panel(world: World) -> None:
    verdict = judge_claims("panel", side_doors.through_panel(world, unique_targets(world, QUICK.panel)))
    assert verdict.passed, verdict


def test_nor_by_another_clock_horizon_stratum_or_endpoint(world: World) -> None:
    verdict = judge_claims("clock", side_doors.through_landmarks(world, unique_targets(world, QUICK.landmarks)))
    assert verdict.passed, verdict


def test_nor_by_which_of_two_conditions_was_not_applied(world: World) -> None:
    claims = side_doors.through_order(world, 3 * QUICK.doors)
    assert len(claims) > 20
    verdict = judge_claims("order", claims)
    assert verdict.passed, verdict


def test_a_verdict_fails_on_one_negative_and_on_claims_better_than_chance() -> None:
    assert not judge_claims("", [Claims(positive=False, says_yes=False, says_no=True)]).passed
    right, wrong = Claims(positive=True, says_yes=True, says_no=False), Claims(False, True, False)
    assert judge_claims("", [right] * 3 + [wrong] * 7).passed
    assert not judge_claims("", [right] * 8 + [wrong] * 2).passed


def test_a_note_about_one_group_is_seen_for_that_group_alone(world: World, asker: Asker) -> None:
    row = int(unique_targets(world, 1)[0])
    pair = next(differencing.pairs_of(world, row))
    result = asker.ask(pair.without)
    assert result is not None
    words = world.snapshot.dictionary["cna_ikzf1"].label_of(YES)
    assert asking.see_notes(result, words, pair.expected) == frozenset()
