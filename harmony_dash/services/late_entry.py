"""With late entry: which groups of a figure are under observation at the same time, and from which day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.policy import Rules
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.kaplan_meier import LEAST_AT_RISK
from harmony_dash.stats.risk_sets import RiskSets, at_risk_on, count_risk_sets


@dataclass(frozen=True)
class Together:
    """The groups of a table whose curves can start on one day.

    Attributes
    ----------
    groups : in the order of the table; all of them without late entry.
    start : the day on which their curves start; None without late entry, or if there is no group.
    apart : the other groups, each with the reason for an exact result.
    """

    groups: tuple[str, ...]
    start: int | None
    apart: Mapping[str, str] = field(default_factory=dict)


def find_together(table: EventTable, scope: Scope, horizon_days: int | None = None) -> Together:
    """Find the first day on which groups with as many patients to follow as possible are under observation at once.

    A patient counts on a day if they are at risk on it or enter after it: a curve that starts later says nothing of
    those who have left. Groups get no curve and take part in no comparison that have too few at risk on that day, of
    which more than half have left since a curve of their own would start, or whose observation breaks off before others
    of them enter. Exact results show groups of fewer than ten, so such a one needs only half of its own at risk, if
    nobody enters it late; it has no say in the day.

    Parameters
    ----------
    table : groups that may be drawn.
    scope : how the result will leave; protected curves start on a day of the grid.
    horizon_days : curves cannot start after it.

    Returns
    -------
    Together. Its groups have at least ten at risk on the start (protected, as many as a curve needs), but for those
    small ones, and at least half (protected, about half) of those still to follow whom a curve of their own would have.
    """
    if not table.has_late_entry:
        return Together(table.groups, None)
    least = max(LEAST_AT_RISK, scope.rules.minimum_at_risk) if scope.is_protected else LEAST_AT_RISK
    days = _candidate_days(table, scope)
    days = days if horizon_days is None else days[days <= horizon_days]
    by_then = "" if horizon_days is None else f" by day {horizon_days}"
    enough, why_not = np.zeros((len(table.groups), len(days)), dtype=np.bool_), {}
    followed = np.zeros(enough.shape)
    for place, group in enumerate(table.groups):
        sets = count_risk_sets(table, group)
        is_small = not scope.is_protected and not sets.entered.any() and sets.patients < least
        needed = 1 if is_small else least
        here = at_risk_on(sets.days, sets.at_risk, sets.left, sets.entered, days) >= needed
        step = 5 if scope.is_protected else 1  # one patient more must not decide who is shown
        still = step * np.round((sets.patients - _left_before(sets, days)) / step)
        gaps = _gaps(sets)
        breaks_off = "".join(
            f"nobody is under observation after day {day} although others enter later" for day in gaps[-1:])
        if not here.any():
            why_not[group] = f"fewer than {needed} patients are ever under observation together{by_then}"
            continue
        # Protected, from the group's own first day on: a curve that starts later would tell that nobody was left.
        first_of_its_own = np.argmax(here)
        own, is_most = int(days[first_of_its_own]), 2 * still >= still[first_of_its_own]
        here &= not (gaps >= own).any() if scope.is_protected else days > gaps.max(initial=-1)
        if not here.any():
            why_not[group] = breaks_off
        elif not (here & is_most).any():
            why_not[group] = f"{breaks_off}, and more than half have left by then"
        enough[place] = here & is_most
        followed[place] = 0 if is_small else still
    if not enough.any():
        return Together((), None, why_not)
    first = int(np.argmax((followed * enough).sum(axis=0)))
    start = int(days[first])
    groups = tuple(group for group, here in zip(table.groups, enough[:, first].tolist(), strict=True) if here)
    not_then = (f"not under observation at the same time as the others: too few of its patients on day {start}, on "
                f"which their curves start")
    return Together(groups, start, {group: why_not.get(group, not_then) for group in table.groups
                                    if group not in groups})


def why_withheld(reason: str, rules: Rules, *, late_entry: bool) -> str:
    """The reason for which a group of a protected result is withheld, as it may be told.

    Where patients of a snapshot enter late, groups too small and groups not watched with the others share their words:
    told apart, a group known to be large enough would be known to have fewer than ten patients at risk.
    """
    few = too_few(rules)
    if late_entry and reason == few:
        return f"{few}, or not under observation together, among themselves or with the others"
    return reason


def _candidate_days(table: EventTable, scope: Scope) -> Ints:
    """Numbers at risk rise on no other days, so groups cannot come together between them."""
    if scope.is_protected:
        return np.asarray(grid_days(int(table.day.max(initial=0))), dtype=np.int64)
    return np.unique(np.append(table.day[table.entries > 0] + 1, 0))


def _left_before(sets: RiskSets, days: Ints) -> Ints:
    """Patients whose follow-up ended before each of the days, shape (days,)."""
    until = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sets.left)])
    before: Ints = until[np.searchsorted(sets.days, days, side="left")]
    return before


def _gaps(sets: RiskSets) -> Ints:
    """The days after which nobody is under observation although others enter later."""
    alone = sets.at_risk - sets.left + sets.entered == 0
    days: Ints = sets.days[:-1][alone[:-1]]
    return days
