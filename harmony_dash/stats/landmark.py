"""Restart the clock at a landmark day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.risk_sets import whole_days


@dataclass(frozen=True)
class LandmarkTable:
    """An event table that starts at a landmark.

    Attributes
    ----------
    day : the landmark, in days of the first table.
    table : patients still followed after it; its day 0 is the landmark.
    dropped, dropped_events, dropped_censored : shape (groups,); patients who had left by the landmark: all, those
        with an event, those censored.
    """

    day: int
    table: EventTable
    dropped: Ints
    dropped_events: Ints
    dropped_censored: Ints


def from_landmark(table: EventTable, day: int) -> LandmarkTable:
    """Keep the patients whose follow-up ends after a landmark and restart the clock there.

    Assumes
        The groups of the table are made of what was known by the landmark: a table cannot regroup patients. A group
        that is made of what happened later gives immortal time.

    Formula
        T > L is kept and becomes T - L. Who entered by L is under observation from day 0; a later entry moves by L.

    Parameters
    ----------
    table : event table; days are whole.
    day : the landmark L in days, whole, not negative.

    Returns
    -------
    LandmarkTable

    Raises
    ------
    StatisticsError if the landmark is negative or not whole, or if nobody is followed beyond it.

    References
    ----------
    Anderson, Cain, Gelber, J Clin Oncol 1 (1983) 710-719.
    """
    landmark = int(whole_days(day)[0])
    kept = table.day > landmark
    if not (table.censored[kept].any() or table.events[kept].any()):
        raise StatisticsError(f"nobody is followed beyond day {landmark}", remedy="choose an earlier landmark")
    later = EventTable.from_counts(table.groups, table.strata, table.causes, table.group[kept], table.stratum[kept],
                                   table.day[kept] - landmark, table.censored[kept], table.events[kept],
                                   table.entries[kept])
    events = (table.event_counts - later.event_counts).sum(axis=1)
    dropped = table.patients - later.patients
    return LandmarkTable(landmark, later, dropped, events, np.asarray(dropped - events))
