"""What can be computed from rounded counts, and what is hidden against it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, linprog

import harmony_dash.disclosure.audit
from harmony_dash.disclosure.audit import bounds_in_one_total, hide_partners, values_left
from harmony_dash.disclosure.policy import RULES, Level

RULES_ = RULES[Level.PROTECTED]


def first_of(candidates: list[str]) -> str | None:
    return min((cell for cell in candidates if cell != "total"), default=None)


def audit(shown: dict[str, int | None]) -> dict[str, int | None]:
    """A total, its small part and the others."""
    parts = [cell for cell in shown if cell != "total"]
    members = {"total": range(len(parts)), **{cell: [place] for place, cell in enumerate(parts)}}
    return hide_partners(members, shown, ["small"], RULES_, atoms=len(parts), next_partner=first_of)


@pytest.mark.parametrize(("total", "other", "hidden"), [(500, 495, False), (505, 495, False), (510, 495, True),
                                                        (495, 500, True)])
def test_a_partner_is_hidden_where_rounding_happens_to_give_a_small_count_away(
        total: int, other: int, hidden: bool) -> None:
    # 510 − 495 leaves 7 to 23, of which only 7, 8 and 9 are small; 495 − 500 leaves 0 to 3.
    assert (audit({"total": total, "small": None, "other": other})["other"] is None) is hidden


def test_the_closed_form_is_that_of_the_programme() -> None:
    for total in range(480, 530, 5):
        left = values_left(*bounds_in_one_total(total, [495], 1, 0, RULES_))
        hidden = audit({"total": total, "small": None, "other": 495})["other"] is None
        assert hidden is (left < RULES_.fewest_possible), total


def test_nothing_is_hidden_for_nothing() -> None:
    shown = {"total": 500, "other": 495}
    assert hide_partners({"total": [0, 1], "other": [0]}, shown, [], RULES_, atoms=2,
                         next_partner=first_of) == shown


def test_a_count_without_company_stays_if_nothing_can_be_hidden() -> None:
    result = hide_partners({"total": [0, 1], "small": [0]}, {"total": 10, "small": None}, ["small"], RULES_, atoms=2,
                           next_partner=lambda candidates: None)
    assert result["total"] == 10


def test_a_table_that_shares_a_margin_gives_away_what_its_own_would() -> None:
    """The women of a country are shown and the men few; the country's total stands in a table of its own."""
    members = {"country": [0, 1], "women": [2], "men": [3]}
    shown: dict[str, int | None] = {"country": 30, "women": 30, "men": None}

    def hide(ties: Sequence[tuple[Sequence[int], Sequence[int]]]) -> dict[str, int | None]:
        return hide_partners(members, shown, ["men"], RULES_, atoms=4, ties=ties,
                             next_partner=lambda cells: next((cell for cell in cells if cell != "country"), None))

    assert hide([])["women"] == 30
    assert hide([([0, 1], [2, 3])])["women"] == 30  # 0 to 8 men are possible
    shown = {"country": 45, "women": 30, "men": None}
    assert hide([])["women"] == 30
    assert hide([([0, 1], [2, 3])])["women"] is None  # 7 to 9 by the margins


# -- the same by one programme for each bound, all of it anew after every count that is hidden -------------------------

Place = tuple[int, int]


def bounds_of(places: Sequence[int], members: dict[Place, list[int]], shown: dict[Place, int | None],
              small: Sequence[Place], atoms: int) -> tuple[float, float]:
    """The least and the most that a sum of atoms can be for somebody who sees a table."""
    def row(of: Sequence[int]) -> NDArray[np.float64]:
        return np.bincount(of, minlength=atoms).astype(float)

    rows, ends = [], []
    for cell, n in shown.items():
        low = RULES_.minimum_cell if n is None else max(RULES_.minimum_cell, n - RULES_.most_error)
        if n is not None or cell in small:
            rows.append(row(members[cell]))
            ends.append(RULES_.minimum_cell - 1 if n is None else n + RULES_.most_error)
        if cell not in small:
            rows.append(-row(members[cell]))
            ends.append(-low)
    found = [linprog(sign * row(places), np.array(rows), np.array(ends), method="highs") for sign in (1, -1)]
    return tuple(sign * (-np.inf if one.status == 3 else np.inf if one.fun is None else one.fun)
                 for sign, one in zip((1, -1), found, strict=True))  # type: ignore[return-value]


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from([0, 1, 4, 7, 9, 11, 14, 23, 60]), min_size=3, max_size=3),
                min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_what_is_hidden_is_what_two_programmes_for_each_count_would_hide(table: list[list[int]], chance: Random,
                                                                         ) -> None:
    """A table with both its margins and its total, its counts rounded up or down at random."""
    cells = np.array(table)
    height, width = cells.shape
    sizes = {cell: int(cells.ravel()[places].sum()) for cell, places in margins_of(height, width).items()}
    check_against_definition(height, width, {
        cell: None if n < RULES_.minimum_cell else 5 * ((n + chance.choice([0, 4])) // 5)
        for cell, n in sizes.items()})


def test_a_count_hidden_for_anothers_sake_is_known_not_to_be_small() -> None:
    """Taken for possibly small, it would seem to protect more than it does, and less would be hidden."""
    rows = [[60, 20, 15, 90], [None, 60, None, 70], [None, 10, None, 25], [15, 25, None, 30], [75, 120, 25, 220]]
    shown = {(i if i < 4 else -1, j if j < 3 else -1): n for i, row in enumerate(rows) for j, n in enumerate(row)}
    assert check_against_definition(4, 3, shown) != shown


def margins_of(height: int, width: int) -> dict[Place, list[int]]:
    """The cells of a table, its margins and its total, each with its atoms."""
    members = {(i, j): [i * width + j] for i in range(height) for j in range(width)}
    members |= {(i, -1): [i * width + j for j in range(width)] for i in range(height)}
    members |= {(-1, j): [i * width + j for i in range(height)] for j in range(width)}
    members[-1, -1] = list(range(height * width))
    return members


def check_against_definition(height: int, width: int, shown: dict[Place, int | None]) -> dict[Place, int | None]:
    """What is hidden of a table, after making sure that programmes without any short cut hide the same."""
    members, atoms = margins_of(height, width), height * width
    small = [cell for cell in members if shown[cell] is None]
    shown = {cell: shown[cell] for cell in members}

    def next_partner(candidates: list[Place]) -> Place | None:
        return min((cell for cell in candidates if cell != (-1, -1)), key=lambda cell: (-1 in cell, cell), default=None)

    expected = dict(shown)
    for cell in small:
        while values_left(*bounds_of(members[cell], members, expected, small, atoms)) < RULES_.fewest_possible:
            left = [other for other, n in expected.items() if n is not None]
            near = {place for other in left if {*members[other]} & {*members[cell]} for place in members[other]}
            partner = next_partner([other for other in left if near & {*members[other]}])
            if partner is None:
                break
            expected[partner] = None
    found = hide_partners(members, shown, small, RULES_, atoms=atoms, next_partner=next_partner)
    assert found == expected
    return found


@pytest.mark.parametrize("is_unbounded", [False, True])
@pytest.mark.parametrize("status", [1, 2, 4])
def test_a_programme_that_failed_never_makes_a_count_safe(status: int, is_unbounded: bool,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of a count's two programmes fails, and in whatever way, the count is protected as if it were known."""
    def solve(objective: NDArray[np.float64], **_: object) -> OptimizeResult:
        is_largest = objective.sum() < 0
        return OptimizeResult(success=False, fun=None, x=None, status=3 if is_largest and is_unbounded else status)

    monkeypatch.setattr(harmony_dash.disclosure.audit, "milp", solve)
    members = {"all": [0, 1], "one": [0], "other": [1]}
    shown: dict[str, int | None] = {"all": 30, "one": 25, "other": None}
    hidden = hide_partners(members, shown, ["other"], RULES_, atoms=2, next_partner=lambda cells: (*cells, None)[0])
    assert hidden["all"] is None
