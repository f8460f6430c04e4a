"""Follow-up time by the reverse Kaplan-Meier method."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import (
    LEAST_AT_RISK,
    Quantile,
    SurvivalCurve,
    find_quantile,
    product_limit,
    risk_sets_of,
)
from harmony_dash.stats.risk_sets import add_causes


@dataclass(frozen=True)
class FollowUp:
    """How long patients were, or would have been, followed.

    Attributes
    ----------
    group : label of the group, "all" for every group together.
    median : median follow-up with its interval, in days; NaN where it is not reached.
    curve : the curve of remaining under observation; its `events` are censorings and the other way round.
    """

    group: str
    median: Quantile
    curve: SurvivalCurve

    @property
    def methods(self) -> str:
        """The method in words."""
        return "follow-up by the reverse Kaplan-Meier method"


def estimate_follow_up(table: EventTable, group: str | int | None = None, *, interval: str = "log-log",
                       level: float = 0.95, least_at_risk: int = LEAST_AT_RISK) -> FollowUp:
    """Estimate how long patients are followed, an event of any cause ending the watch early.

    Assumes
        Censoring is independent of the event. Patients with an event on a day are still at risk of being censored
        that day: Y(t) stays #(T >= t), as in R's survfit(Surv(t, 1 - e)).

    Formula
        Kaplan-Meier with events and censorings swapped; the median by the rule of `find_quantile`.

    Parameters
    ----------
    table : event table; days are whole.
    group : label or position of a group, None for all groups together.
    interval : "log-log", "log" or "plain".
    level : confidence level.
    least_at_risk : patients that must be at risk before a curve with late entry starts.

    Returns
    -------
    FollowUp

    Raises
    ------
    StatisticsError as `estimate_survival`.

    References
    ----------
    Schemper, Smith, Control Clin Trials 17 (1996) 343-346.
    """
    sets = risk_sets_of(table, group)
    curve = product_limit(sets, sets.censored, add_causes(sets.events), interval=interval, level=level,
                          least_at_risk=least_at_risk)
    return FollowUp(sets.group, find_quantile(curve, 0.5), curve)
