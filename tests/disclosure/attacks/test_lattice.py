"""Attack B with the eighty targets of figure D3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.disclosure.selections import close_filters
from tests.disclosure.attacks import lattice
from tests.disclosure.attacks.asking import Asker, ask_about, see_counts
from tests.disclosure.attacks.campaign import QUICK, attack_lattice
from tests.disclosure.attacks.population import World, unique_targets, world_of_run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_of_run(tmp_path_factory)


def test_a_lattice_around_a_patient_leaves_a_weak_signal(world: World) -> None:
    verdict = attack_lattice(world, QUICK.around_lattice[0])
    assert verdict.passed, verdict


def test_one_scan_answers_as_the_scan_of_each_question_does(world: World) -> None:
    everything = lattice.fetch_everything(world)
    row = int(unique_targets(world, 1)[0])
    for _, where in list(lattice.lattice_of(world, row))[::9]:
        selections, _ = close_filters(where, world.snapshot.dictionary, world.snapshot.values_of)
        shared = replace(everything, selections=selections, question=replace(everything.question, where=where))
        assert lattice.count_point(world, shared) == lattice.count_point(world, lattice.fetch_panel(world, where))


def test_figures_tell_the_counts_of_the_panel_or_none(world: World) -> None:
    row = int(unique_targets(world, 1)[0])
    asker, compared = Asker(world), 0
    for _, where in list(lattice.lattice_of(world, row))[1::10]:
        result = asker.ask(ask_about(*where))
        panel = lattice.count_point(world, lattice.fetch_panel(world, where))
        for value in (lattice.YES, lattice.NO):
            # Everybody here has the endpoint, so that the group in the figure is the one that the panel counts.
            for n in see_counts(result, value):
                assert n == panel[value][0]
                compared += 1
    assert compared > 5


def test_least_squares_finds_the_target_in_exact_counts() -> None:
    # Every cell holds ten patients but for the target's, which holds one, with the secret.
    equations = []
    for wanted in np.ndindex(*(3,) * len(lattice.KNOWN)):
        point = tuple(lattice.VALUE - place for place in wanted)
        for secret in (lattice.YES, lattice.NO, None):
            cells = lattice._sum_of(point, secret)
            equations.append(lattice.Equation(cells, cells, int(_sizes()[cells].sum())))
    assert lattice.solve(equations, "asked") == pytest.approx(1, abs=1e-6)


def _sizes() -> np.ndarray:
    sizes = np.full(2 * 2 ** len(lattice.KNOWN), 10)
    yes, no = np.flatnonzero(np.tile((lattice._FIELDS == lattice.VALUE).all(axis=1), 2))
    sizes[yes], sizes[no] = 1, 0
    return sizes


@pytest.mark.parametrize(("positives", "negatives", "expected"), [
    ([2.0, 3.0], [0.0, 1.0], 1.0), ([0.0], [1.0], 0.0), ([1.0, 1.0], [1.0], 0.5), ([0.0, 2.0], [1.0], 0.5)])
def test_the_auc_counts_ties_as_half(positives: Sequence[float], negatives: Sequence[float], expected: float) -> None:
    assert lattice.auc(positives, negatives) == expected
