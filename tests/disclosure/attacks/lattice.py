"""Attack B: an insider asks the whole lattice {value, all, not that value} of four fields and the secret.

The answers are sums of 32 cells, of which two hold the target and nobody else: one if the secret is yes, the other if
it is no. Least squares weighs all of them at once, so that rounding averages out as far as it can. The counts are those
beside the choices of the panel: 81 questions tell 243 counts, from ten patients on, where figures need thirty.

Thousands of questions are asked here, so they share one scan: the effects of every combination of choices, from which
the rule and the rounding make each answer. A test compares such answers with those of a scan for the question alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from harmony_dash.cohort.filters import Filter, variables_of
from harmony_dash.disclosure.effects import Effects
from harmony_dash.disclosure.group_effects import apply_rule_by_choice
from harmony_dash.disclosure.low_effect import Answerable, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.rounding import release_count
from harmony_dash.disclosure.selections import close_filters, list_choices
from harmony_dash.store.effects import fetch_choice_effects
from tests.disclosure.attacks.asking import SCOPE, ask_about, is_not, is_one_of
from tests.disclosure.attacks.differencing import values_of
from tests.disclosure.attacks.population import KNOWN, NO, SECRET, YES, World

# What is asked of a field: its value, everything, or everything but its value.
VALUE, ALL, NOT = 1, 0, -1
# How much more certain it is that the target exists than any count is.
_CERTAIN = 100.0

Cells = NDArray[np.bool_]
Point = dict[str | None, tuple[int | None, tuple[Filter, ...]]]
_FIELDS = np.array(list(product((VALUE, NOT), repeat=len(KNOWN))))


@dataclass(frozen=True)
class Equation:
    """A count somebody was shown, and the sum of cells that they take it for.

    `asked` is the sum by what they asked; `answered` leaves out the conditions that the notes of a figure with the same
    filters say were not applied.
    """

    asked: Cells
    answered: Cells
    count: int


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """How often a score of a positive is above one of a negative; 0.5 is nothing learnt."""
    gaps = np.subtract.outer(positives, negatives)
    return float((np.sign(np.where(np.abs(gaps) < 1e-9, 0, gaps)) + 1).mean() / 2)


def attack(world: World, targets: Sequence[int]) -> dict[str, float]:
    """The AUC of the two readings of the same answers."""
    scores: dict[str, tuple[list[float], list[float]]] = {"asked": ([], []), "answered": ([], [])}
    everything, answers = fetch_everything(world), dict[tuple[Filter, ...], Point]()
    for row in targets:
        equations = list(ask_lattice(world, int(row), everything, answers))
        for reading, (positives, negatives) in scores.items():
            score = solve(equations, reading)
            (positives if world.is_positive(int(row)) else negatives).append(score)
    return {reading: auc(*both) for reading, both in scores.items()}


def solve(equations: Sequence[Equation], reading: str) -> float:
    """How much likelier the target is in the cell of yes than in the cell of no, by least squares, no cell negative."""
    rows = [np.asarray(getattr(one, reading), dtype=float) for one in equations]
    # The attacker knows that the target is in the data, and nobody like them.
    target = np.tile((_FIELDS == VALUE).all(axis=1), 2).astype(float)
    found = lsq_linear(np.array([*rows, _CERTAIN * target]),
                       np.array([*(float(one.count) for one in equations), _CERTAIN]), bounds=(0, np.inf)).x
    yes, no = np.flatnonzero(target)
    return float(found[yes] - found[no])


def fetch_everything(world: World) -> Effects:
    """The patients by every combination of the choices of the four fields, with the secret as their group."""
    every = tuple(is_one_of(name, *world.snapshot.values_of(world.snapshot.dictionary[name])) for name in KNOWN)
    return fetch_panel(world, every)


def fetch_panel(world: World, where: tuple[Filter, ...]) -> Effects:
    """The scan behind the panel's counts of the secret."""
    question = replace(ask_about(*where), by=None)
    return fetch_choice_effects(world.snapshot, question, [world.snapshot.dictionary[SECRET]])[SECRET]


def ask_lattice(world: World, row: int, everything: Effects, answers: dict[tuple[Filter, ...], Point],
                ) -> Iterator[Equation]:
    """What is shown of every question of the lattice; nothing where a count is withheld.

    `answers` are those to questions that another target's lattice has too; they grow.
    """
    for wanted, where in lattice_of(world, row):
        if where not in answers:
            selections, _ = close_filters(where, world.snapshot.dictionary, world.snapshot.values_of)
            effects = replace(everything, selections=selections, question=replace(everything.question, where=where))
            answers[where] = count_point(world, effects)
        for secret, (count, applied) in answers[where].items():
            if count is not None:
                left = {name for item in applied for name in variables_of(item)}
                answered = tuple(want if name in left else ALL for want, name in zip(wanted, KNOWN, strict=True))
                yield Equation(_sum_of(wanted, secret), _sum_of(answered, secret), count)


def lattice_of(world: World, row: int) -> Iterator[tuple[tuple[int, ...], tuple[Filter, ...]]]:
    """Every point of the lattice with its filters."""
    known = values_of(world, row)
    for wanted in product((VALUE, ALL, NOT), repeat=len(KNOWN)):
        yield wanted, tuple(is_one_of(name, value) if want == VALUE else is_not(name, value)
                            for want, (name, value) in zip(wanted, known.items(), strict=True) if want != ALL)


def count_point(world: World, effects: Effects) -> Point:
    """The counts of one point, by secret and (None) in all, each with the conditions that were applied to it."""
    choices = list_choices(world.snapshot.dictionary[SECRET],
                           world.snapshot.values_of(world.snapshot.dictionary[SECRET]))
    least = SCOPE.rules.minimum_cell
    every = dict(zip(choices.values, apply_rule_by_choice(effects, choices, least), strict=False))
    answers: dict[str | None, Answerable | TooFewPatients] = {value: every[value] for value in (YES, NO)}
    answers[None] = apply_low_effect_rule(replace(effects, groups=None, without_groups=None), least)
    return {value: (None, ()) if isinstance(answer, TooFewPatients)
            else (release_count(answer.n, SCOPE), answer.question.where) for value, answer in answers.items()}


@cache
def _sum_of(wanted: tuple[int, ...], secret: str | None) -> Cells:
    chosen = np.array([all(want in (ALL, cell) for want, cell in zip(wanted, cells, strict=True)) for cells in _FIELDS])
    nothing = np.zeros_like(chosen)
    return np.concatenate([nothing if secret == NO else chosen, nothing if secret == YES else chosen])
