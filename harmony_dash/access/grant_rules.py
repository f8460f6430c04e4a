"""Who may approve a grant, who may ask under it, and what lies inside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import Grant, GrantStatus
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused

if TYPE_CHECKING:
    from harmony_dash.access.accounts import Account  # accounts know sessions, and sessions know grants

# What a grant is made of; asking about these is never outside it.
_PARTS_OF_A_GRANT = ("country", "disease")


def check_user_can_approve(actor: Actor, grant: Grant, now: datetime) -> None:
    """Raise `AccessRefused` unless the actor may approve this grant now.

    An approver is a member of the steering committee or a data manager, is not a member of the grant, did not propose
    it, and approves once.
    """
    check_user_can(actor, Permission.APPROVE_GRANTS)
    if actor.username in grant.proposal.members:
        raise AccessRefused(f"nobody may approve a grant of which they are a member ({grant.id})",
                            remedy="Two people from outside the project have to approve it.")
    if actor.username == grant.proposed_by:
        raise AccessRefused(f"nobody may approve a grant that they proposed ({grant.id})",
                            remedy="Two other people have to approve it.")
    if actor.username in grant.approvers:
        raise AccessRefused(f"you have approved {grant.id} already", remedy="Another person has to approve it too.")
    if grant.status(now) is not GrantStatus.PROPOSED:
        raise AccessRefused(f"the grant {grant.id} is {grant.status(now)}", remedy="Only proposals can be approved.")


def user_can_approve(actor: Actor, grant: Grant, now: datetime) -> bool:
    """Whether `check_user_can_approve` would pass."""
    try:
        check_user_can_approve(actor, grant, now)
    except AccessRefused:
        return False
    return True


def check_user_can_use(actor: Actor, grant: Grant, now: datetime) -> None:
    """Raise `AccessRefused` unless the actor may ask under this grant now."""
    if actor.username not in grant.proposal.members:
        raise AccessRefused(f"you are not a member of the grant {grant.id}", remedy="Ask a data manager.")
    if actor.role is not Role.ANALYST:
        raise AccessRefused(f"the grant {grant.id} is for analysts", remedy="Ask a data manager.")
    status = grant.status(now)
    if status is not GrantStatus.ACTIVE:
        when = {GrantStatus.EXPIRED: f" since {grant.proposal.valid_to + timedelta(days=1)}",
                GrantStatus.SCHEDULED: f" until {grant.proposal.valid_from}"}.get(status, "")
        raise AccessRefused(f"the grant {grant.id} is {status}{when}",
                            remedy="Protected results stay open to you; ask a data manager about a new grant.")


def check_account_unchanged(account: Account, grant: Grant) -> None:
    """Raise `AccessRefused` if somebody could have signed in as the member since the grant was approved.

    Changes by whoever runs the server do not count: they could do anything.
    """
    by_other = account.managed_by not in ("", Role.OPERATOR.value)
    if by_other and account.managed is not None and grant.approved is not None and account.managed > grant.approved:
        raise AccessRefused(f"your account was changed by {account.managed_by} after the grant {grant.id} was approved",
                            remedy="Have whoever runs the server set your password on the command line, or a new grant "
                                   "proposed.")


def user_can_use(actor: Actor, grant: Grant, now: datetime) -> bool:
    """Whether `check_user_can_use` would pass."""
    try:
        check_user_can_use(actor, grant, now)
    except AccessRefused:
        return False
    return True


def check_grant_covers(grant: Grant, *, disease: str, variables: Iterable[str], countries: Iterable[str]) -> None:
    """Raise `AccessRefused`, naming the first thing that lies outside the grant.

    Parameters
    ----------
    variables : every variable that is filtered by, grouped by, adjusted for or exported. Country and disease are
        parts of the grant itself and always belong to it.
    countries : the countries that are asked for by name.
    """
    if disease not in grant.proposal.diseases:
        raise AccessRefused(f"the grant {grant.id} does not cover {disease}",
                            remedy=f"It covers {', '.join(grant.proposal.diseases)}.")
    for name in variables:
        if name not in (*grant.proposal.variables, *_PARTS_OF_A_GRANT):
            raise AccessRefused(f"the grant {grant.id} does not cover the variable '{name}'",
                                remedy="Leave it out, or ask for protected results.")
    for country in countries:
        if country in grant.withdrawn:
            raise AccessRefused(f"the data of {country} were withdrawn by their provider",
                                remedy="Leave the country out.")
        if country not in grant.proposal.countries:
            raise AccessRefused(f"the grant {grant.id} does not cover the country {country}",
                                remedy=f"It covers {', '.join(grant.open_countries) or 'no country any more'}.")
