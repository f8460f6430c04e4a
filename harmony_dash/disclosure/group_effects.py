"""The low-effect rule for many groups at once: one pass settles those in which every condition matters."""

from __future__ import annotations

import numpy as np

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.low_effect import (
    Answerable,
    Bools,
    Effects,
    TooFewPatients,
    apply_low_effect_rule,
    apply_whole,
    meets_selections,
)
from harmony_dash.stats.event_table import Ints


def apply_rule_by_group(effects: Effects, groups: int, by: str, least: int, *, floor: int,
                        ) -> list[Answerable | TooFewPatients]:
    """What each group is answered with, exactly as if it had been asked for alone.

    Parameters
    ----------
    effects : with the groups told apart.
    groups : how many there are.
    by : the variable whose values they are.
    least, floor : as of `apply_low_effect_rule`.
    """
    if effects.groups is None:
        raise ValueError("the groups were not told apart")
    simple = all(len(selection.chosen) == 1 for selection in effects.selections)
    # Either-or conditions are looked at one group at a time.
    untouched, n, keys = (_settle(effects, effects.groups, groups, by, least) if simple
                          else (np.zeros(groups, dtype=bool), np.zeros(groups), np.zeros(groups, dtype=np.uint64)))
    size = np.bincount(effects.groups[effects.in_figure & (effects.groups >= 0)], minlength=groups,
                       weights=effects.n[effects.in_figure & (effects.groups >= 0)])
    answers: list[Answerable | TooFewPatients] = []
    for place in range(groups):
        if simple and not untouched[place] and size[place] < floor:
            answers.append(TooFewPatients(floor))  # something is dropped, and even without any condition they are few
        elif untouched[place]:
            answers.append(apply_whole(effects.of_group(place, by), KeyedCount(int(n[place]), int(keys[place]))))
        else:
            answers.append(apply_low_effect_rule(effects.of_group(place, by), least, floor=floor))
    return answers


def _settle(effects: Effects, place: Ints, groups: int, by: str, least: int) -> tuple[Bools, Ints, np.ndarray]:
    """Which groups lose nothing to the rule, and the patients and keys of all."""
    selections = [selection for selection in effects.selections if selection.variables != (by,)]
    fixed = [selection for selection in effects.selections if selection.variables == (by,)]
    inside = (place >= 0) & (place < groups)
    for one in meets_selections(effects, fixed):
        inside = inside & one
    met = meets_selections(effects, selections)
    failed = sum((~one for one in met), start=np.zeros(len(place), dtype=np.int64))
    untouched = np.ones(groups, dtype=bool)
    for patients in (inside, inside & effects.in_figure):
        cohort = patients & (failed == 0)
        for selection, one in zip(selections, met, strict=True):
            alone = patients & ~one & (failed == 1)
            untouched &= np.bincount(place[alone], weights=effects.n[alone], minlength=groups) >= least
            (name, chosen), = selection.chosen
            if len(chosen) > 1:
                size = effects.offered[name].missing + 1
                adds = np.bincount(place[cohort] * size + effects.codes[name][cohort], weights=effects.n[cohort],
                                   minlength=groups * size).reshape(groups, size)
                untouched &= (adds[:, sorted(chosen)] >= least).all(axis=1)
    cohort = inside & (failed == 0)
    n = np.bincount(place[cohort], weights=effects.n[cohort], minlength=groups).astype(np.int64)
    keys = np.zeros(groups, dtype=np.uint64)
    np.bitwise_xor.at(keys, place[cohort], effects.keys[cohort])
    return untouched, n, keys
