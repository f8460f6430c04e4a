"""A grant for the demonstration analyst, so that a first start shows what a grant changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, timedelta

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.demo import DemoAccount
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.grants import approve_grant, list_grants, propose_grant
from harmony_dash.disclosure import Level
from harmony_dash.services.deployment import Deployment

PROJECT = "Demonstration"
_DAYS = 90
_APPROVERS = (Role.STEERING, Role.DATA_MANAGER)


def ensure_demo_grant(deployment: Deployment, accounts: Collection[DemoAccount]) -> None:
    """Make the grant once, when the demonstration accounts are open, data are there and nobody made a grant yet.

    It goes the way of every grant: proposed by one, approved by two others, each step on the record.
    """
    by_role = {account.role: account for account in accounts}
    if not {Role.ANALYST, *_APPROVERS} <= by_role.keys() or deployment.store.is_empty or list_grants(deployment.access):
        return
    # asked at every start and needed at the first alone, so that the others need not wait for the import
    from harmony_dash.store.counts import fetch_cross_counts, fetch_diseases

    now = deployment.now()
    today = now.astimezone(UTC).date()
    snapshot = deployment.store.current()
    diseases = [code for code, *_ in fetch_diseases(snapshot)]
    countries = {country for disease in diseases
                 for (country,), _ in fetch_cross_counts(snapshot, disease, ("country",)) if country}
    variables = {v.name for disease in diseases for v in snapshot.dictionary.askable(disease) if v.everyday}
    grant = propose_grant(deployment.access, GrantProposal(
        PROJECT, "Shows on made-up patients what an analyst may see while a grant runs.", tuple(diseases),
        tuple(countries), tuple(variables), Level.EXACT, (by_role[Role.ANALYST].username,), today,
        today + timedelta(days=_DAYS - 1)), by=OPERATOR, now=now)
    for role in _APPROVERS:
        approver = by_role[role]
        approve_grant(deployment.access, grant.id, by=Actor(approver.username, role, "demonstration", approver.name),
                      now=now)
