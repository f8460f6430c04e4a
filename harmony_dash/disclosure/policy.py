"""The levels of protection and their numbers, each with its reason. This is the page to read to a committee.

Method: threshold, keyed random rounding to five and curves on a fixed grid, a scheme of its own whose parts are those
of census offices (cell keys: Thompson, Broadfoot, Elazar, UNECE work session on statistical data confidentiality 2013)
and of health statistics (rounding to five, thresholds of ten).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from harmony_dash.errors import SettingsError

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375


class Level(StrEnum):
    """How much a result may show.

    PUBLIC and PROTECTED apply the whole scheme with their own threshold; EXACT is for people with a grant, on screen;
    OFF is for a deployment in which nobody has to be protected, because all patients are synthetic or published.
    """

    PUBLIC = "public"
    PROTECTED = "protected"
    EXACT = "exact"
    OFF = "off"


# From the one that shows most to the one that shows least.
_BY_STRICTNESS = (Level.OFF, Level.EXACT, Level.PROTECTED, Level.PUBLIC)


def stricter(one: Level, other: Level) -> Level:
    """The one of two levels that shows less."""
    return max(one, other, key=_BY_STRICTNESS.index)


@dataclass(frozen=True)
class Rules:
    """The numbers of the scheme at one level.

    Attributes
    ----------
    minimum_cell : k. A count below it is hidden, zero too, and so is one whose complement is below it: under ten, a
        person who knows somebody in the data can tell too much about the rest.
    rounding_base : counts are multiples of it. Five moves a count by two on average and four at most.
    minimum_patients : fewer carry no curve. Below thirty a step of five patients is a sixth of the curve.
    minimum_events : fewer carry no curve: it would be a list of the days on which somebody died.
    minimum_at_risk : a curve ends on the last grid day with this many at risk; its tail is single patients.
    minimum_events_for_test : no p-value on fewer events. A matter of sense as much as of protection.
    patients_per_step : height of a step of a curve, in patients: the rounding base, so that the curve does not tell
        the counts more precisely than the table does.
    smallest_step : height of a step of a large group's curve: a tenth of a per cent, what people read off.
    quarters_per_year : a curve is read on this many days a year. On every day it would show each event's day.
    significant_digits : of test statistics, p-values and standard errors; more would tell the curves apart that
        rounding made equal.
    smallest_p : a smaller p is given as this, because its digits would give away those of the statistic.
    one_decimal_from : percentages of counts are whole, with one decimal from this denominator on, where five patients
        are less than that decimal's worth.
    fewest_possible : a hidden count keeps at least this many possible values against whoever subtracts.
    """

    minimum_cell: int = 10
    rounding_base: int = 5
    minimum_patients: int = 30
    minimum_events: int = 10
    minimum_at_risk: int = 10
    minimum_events_for_test: int = 20
    patients_per_step: int = 5
    smallest_step: float = 0.001
    quarters_per_year: int = 4
    significant_digits: int = 2
    smallest_p: float = 0.001
    one_decimal_from: int = 4000
    fewest_possible: int = 5

    @property
    def most_error(self) -> int:
        """How far a rounded count can be from the count."""
        return self.rounding_base - 1

    def carries_curve(self, n: int, events: int) -> bool:
        """Whether a group is large enough for anything to be drawn of it."""
        return n >= self.minimum_patients and events >= self.minimum_events


RULES: Mapping[Level, Rules] = MappingProxyType({
    # What leaves the project meets people whose knowledge nobody can guess, so the threshold is twice as high.
    Level.PUBLIC: Rules(minimum_cell=20, minimum_events=20, minimum_at_risk=20),
    Level.PROTECTED: Rules(),
    # Not applied; screens still ask them which numbers count as few.
    Level.EXACT: Rules(),
    Level.OFF: Rules(),
})


class SnapshotFlags(Protocol):
    """What a snapshot says of itself."""

    @property
    def protection_may_be_off(self) -> bool:
        """Whether every source is marked synthetic or public."""


def check_may_be_off(snapshot_flags: SnapshotFlags) -> None:
    """For start-up: refuse level OFF over data that must be protected.

    Parameters
    ----------
    snapshot_flags : the snapshot that is served, or anything else with its flag `protection_may_be_off`.

    Raises
    ------
    SettingsError.
    """
    if snapshot_flags.protection_may_be_off is not True:
        raise SettingsError("disclosure control may be off only when every source is marked synthetic or public",
                            where="disclosure level",
                            remedy="Set the level to protected, or publish a snapshot of such sources alone.")


def too_few(rules: Rules) -> str:
    """Why a group is withheld, in words: one reason for all, so that it does not tell which it was."""
    return f"fewer than {rules.minimum_patients} patients or {rules.minimum_events} events"
