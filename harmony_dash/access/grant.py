"""A grant: which people may see which variables of which countries, for what, how exactly, and from when to when.

A grant is proposed by one person, approved by two others who are not among its members, and is then active between
its first and its last day. It is never changed: people leave it, it ends, or a new one is proposed. What a grant is
*now* follows from what is written about it and the time of day, so that nothing has to run at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from harmony_dash.disclosure import Level

NEEDED_APPROVALS = 2


class GrantStatus(StrEnum):
    """What a grant is now."""

    PROPOSED = "proposed"
    SCHEDULED = "approved, not begun"
    ACTIVE = "active"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True)
class GrantProposal:
    """What is asked for.

    Attributes
    ----------
    project, purpose : its name, and what the data are needed for.
    diseases, countries, variables : codes and names; nothing else is open under the grant.
    level : protected, or exact aggregates on screen.
    members : account names of the people it is for.
    valid_from, valid_to : first and last day (UTC), both included; at most twelve months.
    """

    project: str
    purpose: str
    diseases: tuple[str, ...]
    countries: tuple[str, ...]
    variables: tuple[str, ...]
    level: Level
    members: tuple[str, ...]
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Grant:
    """A grant and everything written about it.

    Attributes
    ----------
    id : e.g. "G-2026-001".
    proposal : what was asked for, without people who have left it since.
    proposed_by, proposed : who wrote it, and when.
    approvers : account names, in the order in which they approved.
    approved : when the last approval it needed came; None before.
    withdrawn : countries of the grant that their provider has withdrawn.
    ended, ended_by, end_reason : None and empty while it has not been ended by hand.
    """

    id: str
    proposal: GrantProposal
    proposed_by: str
    proposed: datetime
    approvers: tuple[str, ...]
    approved: datetime | None
    withdrawn: tuple[str, ...]
    ended: datetime | None
    ended_by: str
    end_reason: str

    @property
    def open_countries(self) -> tuple[str, ...]:
        """The countries whose patients may be seen under the grant today."""
        return tuple(country for country in self.proposal.countries if country not in self.withdrawn)

    def status(self, now: datetime) -> GrantStatus:
        """What the grant is at a moment."""
        today = now.astimezone(UTC).date()
        if self.ended is not None:
            return GrantStatus.ENDED
        if today > self.proposal.valid_to:
            return GrantStatus.EXPIRED
        if len(self.approvers) < NEEDED_APPROVALS:
            return GrantStatus.PROPOSED
        return GrantStatus.SCHEDULED if today < self.proposal.valid_from else GrantStatus.ACTIVE

    def days_left(self, now: datetime) -> int:
        """Days on which the grant can still be used, today included; 0 after the last."""
        return max(0, (self.proposal.valid_to - now.astimezone(UTC).date()).days + 1)
