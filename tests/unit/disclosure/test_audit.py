"""What can be computed from rounded counts, and what is hidden against it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

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
