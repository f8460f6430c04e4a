"""What a cohort of a given size can be expected to tell: events by a horizon and the width of the interval there.

Nothing here looks at an outcome. The survival is an assumption, and so is that follow-up ends at a constant rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.intervals import probability_interval

LEVEL: Final = 0.95


@dataclass(frozen=True)
class Expectation:
    """What to expect at a horizon.

    Attributes
    ----------
    patients, survival, horizon_days, follow_up_median_days : what was assumed.
    events : patients with an event by the horizon, as observed under censoring.
    followed : share of those without an event who are followed to the horizon.
    lower, upper : the 95 % log-log confidence limits to expect around the assumed survival.
    """

    patients: int
    survival: float
    horizon_days: int
    follow_up_median_days: float | None
    events: float
    followed: float
    lower: float
    upper: float


def expect_at_horizon(patients: int, survival: float, horizon_days: int, follow_up_median_days: float | None = None,
                      ) -> Expectation:
    """Expected events and the expected confidence interval of a Kaplan–Meier estimate.

    Assumes
        Events and ends of follow-up come at constant rates, independently; one kind of event. Early relapse, as in
        acute leukaemia, gives slightly more events and a slightly narrower interval.

    Formula
        With S the survival at the horizon h, a = -ln S / h, c = ln 2 / median follow-up (0 if None) and r = a + c:
        events n a / r (1 - e^(-r h)); variance S² / n · a / r (e^(r h) - 1), which is Greenwood's in expectation and
        S (1 - S) / n without censoring; log-log limits from it.

    Parameters
    ----------
    patients : n, at least 1.
    survival : strictly between 0 and 1.
    horizon_days : h, at least 1.
    follow_up_median_days : median of the time to the end of follow-up; None for complete follow-up.

    Raises
    ------
    StatisticsError for values outside these ranges.

    References
    ----------
    Kalbfleisch, Prentice, The Statistical Analysis of Failure Time Data (2nd ed. 2002), section 1.4: Greenwood's
    formula; here its sum over events is replaced by the integral of a / (n e^(-r t)).
    """
    if patients < 1 or not 0 < survival < 1 or horizon_days < 1:
        raise StatisticsError("planning needs patients, a survival between 0 and 1 and a horizon")
    if follow_up_median_days is not None and follow_up_median_days <= 0:
        raise StatisticsError("a median follow-up is positive")
    events_rate = -math.log(survival) / horizon_days
    end_rate = 0.0 if follow_up_median_days is None else math.log(2) / follow_up_median_days
    rate = events_rate + end_rate
    share = events_rate / rate
    events = -patients * share * math.expm1(-rate * horizon_days)
    variance = survival**2 / patients * share * math.expm1(rate * horizon_days)
    lower, upper = probability_interval(np.array([survival]), np.array([math.sqrt(variance)]), "log-log", LEVEL)
    return Expectation(patients, survival, horizon_days, follow_up_median_days, events,
                       math.exp(-end_rate * horizon_days), float(lower[0]), float(upper[0]))
