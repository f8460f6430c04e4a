"""Attack E: the same differencing through everything but the filters, and through filters that stand in for others.

Every function returns what was claimed of its targets. The low-effect rule watches conditions that are left out. What
it does not watch is told apart: those attacks have targets of their own, alone in something else than a category.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import Filter
from harmony_dash.disclosure.keyed_count import union
from harmony_dash.disclosure.low_effect import WIDENED_FLOOR
from harmony_dash.disclosure.protect_coverage import protect_sums
from harmony_dash.services.coverage import review_coverage
from tests.disclosure.answers import random_count
from tests.disclosure.attacks.asking import SCOPE, Asker, ask_about, is_not, is_one_of, like, see_counts
from tests.disclosure.attacks.differencing import Pair, attack, claim, make_pair, values_of
from tests.disclosure.attacks.lattice import count_point, fetch_panel
from tests.disclosure.attacks.population import (
    NO,
    SECRET,
    SENDERS,
    UNDER_SIXTY,
    YES,
    World,
    alone_among,
)
from tests.disclosure.attacks.verdict import Claims
from tests.disclosure.house import STEERING, open_house

Rows = Sequence[int] | NDArray[np.int64]
# Sets of three categories are large enough for both groups of the secret to be drawn.
WIDER = ("country", "sex", "dx_period")
_EARLY = 42


# -- targets alone in a category, asked about in other ways ---------------------------------------------------------


def through_panel(world: World, targets: Rows) -> list[Claims]:
    """The counts beside the choices of the secret, with and without the category that isolates.

    A count that is not made says nothing: something was not applied, and the cohort that is left, which is that of the
    other question, has too few patients to be told with that. Its size on the other side explains it.
    """
    claims = []
    for row in targets:
        known = values_of(world, int(row))
        seen = []
        for name, value in known.items():
            rest = like({other: one for other, one in known.items() if other != name})
            first, second = count_beside(world, rest), count_beside(world, (*rest, is_not(name, value)))
            seen.append((moves(first[YES], second[YES]), moves(first[NO], second[NO])))
        claims.append(Claims(world.is_positive(int(row)), (True, False) in seen, (False, True) in seen))
    return claims


# A count that is not made, which is another thing than a small one that is hidden.
NOT_COUNTED = "not counted"
Beside = int | str | None


def moves(one: Beside, other: Beside) -> bool:
    """Whether two counts differ and the floor of widened cohorts does not explain it."""
    if one == other or NOT_COUNTED not in (one, other):
        return one != other
    told = one if other == NOT_COUNTED else other
    return isinstance(told, int) and told - SCOPE.rules.most_error >= WIDENED_FLOOR * SCOPE.rules.minimum_cell


def count_beside(world: World, where: tuple[Filter, ...]) -> dict[str | None, Beside]:
    """The panel's counts of the secret: what `count_choices` does, without sign-in and audit."""
    return {value: NOT_COUNTED if count is None and not applied else count
            for value, (count, applied) in count_point(world, fetch_panel(world, where)).items()}


def through_landmarks(world: World, targets: Rows) -> list[Claims]:
    """Attack A on another clock, with a horizon and with strata: whoever is in the figure is then another set."""
    rounds = [attack(world, targets, landmark_days=90), attack(world, targets, horizon_days=1826),
              attack(world, targets, landmark_days=365, strata="immunophenotype"),
              attack(world, targets, endpoint="relapse")]
    return [Claims(all_of[0].positive, any(one.says_yes for one in all_of), any(one.says_no for one in all_of))
            for all_of in zip(*rounds, strict=True)]


# -- a condition that is redundant until another is dropped ---------------------------------------------------------


def through_order(world: World, count: int) -> list[Claims]:
    """Two conditions of low effect, and the target decides whose effect is the smaller one.

    The target is the only one over sixty in the main trial of a country. Under sixty everybody of the country is in it,
    so among them the trial has no effect; the age has one if the target is in the group. Which of the two is dropped
    first decides which of them is dropped at all.
    """
    patients = world.patients
    over = ~patients.age_group.isin(UNDER_SIXTY)
    home = ~patients.country.isin(SENDERS) & (patients.trial == patients.country + " main")
    claims = []
    for name in ("sex", "dx_period", "immunophenotype"):
        for row in choose(alone_among(patients, ("country", name), (over & home).to_numpy()), count // 3):
            rest = like(values_of(world, int(row), ("country", name, "trial")))
            claims.append(claim(world, int(row), [make_pair(world, rest, (), (is_one_of("age_group", *UNDER_SIXTY),))]))
    return claims


# -- targets alone in something that no rule watches ----------------------------------------------------------------


def through_substitutes(world: World, count: int) -> list[Claims]:
    """Two filters that mean nearly the same: a country, and the trial in which all of it are, and one from abroad.

    Neither question is the other with a filter more, so the rule never compares them.
    """
    patients = world.patients
    trial_of = patients.trial.str[:2]
    guest = (trial_of != patients.country) & patients.age_group.isin(UNDER_SIXTY)
    hosted = patients.assign(host=trial_of)
    targets = choose(alone_among(hosted, ("host", "sex", "dx_period"), guest.to_numpy()), count)

    def pairs(row: int) -> Iterator[Pair]:
        rest = (is_one_of("age_group", *UNDER_SIXTY), *like(values_of(world, row, ("sex", "dx_period"))))
        host = str(patients.at[row, "trial"])
        yield Pair(ask_about(*rest, is_one_of("trial", host)), ask_about(*rest, is_one_of("country", host[:2])))

    return [claim(world, int(row), pairs(int(row))) for row in targets]


def through_strata(world: World, count: int) -> list[Claims]:
    """The only patient of a group whose stratum is not recorded, who would leave the figure if strata filtered it."""
    patients = world.patients
    targets = choose(alone_among(patients, WIDER, patients.cns_status.isna().to_numpy()), count)

    def pairs(row: int) -> Iterator[Pair]:
        rest = like(values_of(world, row, WIDER))
        yield Pair(ask_about(*rest), ask_about(*rest, strata="cns_status"))

    return [claim(world, int(row), pairs(int(row))) for row in targets]


def through_groups(world: World, count: int) -> list[Claims]:
    """The only patient of a group whose stratum is not recorded is in none of the groups it makes, nor in their sum."""
    patients = world.patients
    claims = []
    for row in choose(alone_among(patients, WIDER, patients.cns_status.isna().to_numpy()), count):
        asker, moved = Asker(world), []
        for value in (YES, NO):
            where = (*like(values_of(world, int(row), WIDER)), is_one_of(SECRET, value))
            whole, parts = asker.ask(ask_about(*where, by=None)), asker.ask(ask_about(*where, by="cns_status"))
            # Both values that anybody has must be drawn, or their sum says nothing.
            moved.append(whole is not None and parts is not None and len(whole.groups) == 1
                         and len(parts.groups) == 2 and whole.n != parts.n)
        claims.append(Claims(world.is_positive(int(row)), moved == [True, False], moved == [False, True]))
    return claims


def through_an_early_end(world: World, count: int) -> list[Claims]:
    """The only patient of a group who left it by day 42 is not counted from a landmark on that day."""
    early = (world.patients.os_days <= _EARLY).to_numpy(dtype=bool)
    return _through_sizes(world, early, count, {"landmark_days": _EARLY}, "os")


def through_endpoints(world: World, count: int) -> list[Claims]:
    """The only patient of a group without remission is counted for survival and not for relapse-free survival."""
    never = world.patients.rfs_days.isna().to_numpy(dtype=bool)
    return _through_sizes(world, never, count, {}, "rfs")


def through_coverage(world: World) -> tuple[int, int]:
    """Small cells of country and trial that look otherwise than cells with nobody in them, and how many small ones."""
    with TemporaryDirectory() as folder:
        value = review_coverage(open_house(Path(folder), world.folder), STEERING, "ALL").value
    shown = {(cell.labels["country"], cell.labels["trial"]): cell.n for cell in value.by_country_and_trial}
    sizes = world.patients.groupby(["country", "trial"]).size()
    every = product(world.patients.country.unique(), world.patients.trial.unique())
    empty = {shown.get(cell, "not listed") for cell in every if cell not in sizes.index}
    small = sizes[sizes < SCOPE.rules.minimum_cell]
    return sum(shown.get(cell, "not listed") not in empty for cell in small.index), len(small)


def through_totals(few: int, draws: int = 150) -> set[tuple[int, int]]:
    """Pairs that coverage shows of a country and of the one kind of its patients that is shown, `few` having another.

    Patients of the country are the same as those of the kind exactly if nobody has the other one.
    """
    rng, seen = np.random.default_rng(7), set()
    for _ in range(draws):
        most, rest = random_count(int(rng.integers(60, 65)), rng), random_count(250, rng)
        others, elsewhere = random_count(few, rng), random_count(60, rng)
        kinds = {("SE", "B"): most, ("SE", "T"): others, ("DE", "B"): rest, ("DE", "T"): elsewhere}
        atoms = {("s", "SE", "t", "p"): union([most, others]), ("s", "DE", "t", "p"): union([rest, elsewhere])}
        shown = protect_sums(atoms, SCOPE, beside={"immunophenotype": kinds},
                             views=[(), ("source",), ("country",)])
        whole, part = shown[("country",), ("SE",)], shown[("country", "immunophenotype"), ("SE", "B")]
        if whole is not None and part is not None:
            seen.add((whole, part))
    return seen


def _through_sizes(world: World, special: NDArray[np.bool_], count: int, changes: dict[str, int], endpoint: str,
                   ) -> list[Claims]:
    claims = []
    for row in choose(alone_among(world.patients, WIDER, special), count):
        rest, asker = like(values_of(world, int(row), WIDER)), Asker(world)
        whole, part = asker.ask(ask_about(*rest)), asker.ask(ask_about(*rest, endpoint=endpoint, **changes))
        # A group too small to be drawn on one side says nothing.
        moved = [bool(see_counts(whole, value)) and bool(see_counts(part, value))
                 and see_counts(whole, value) != see_counts(part, value) for value in (YES, NO)]
        claims.append(Claims(world.is_positive(int(row)), moved == [True, False], moved == [False, True]))
    return claims


def choose(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.random.default_rng(3).permutation(rows)[:count]
