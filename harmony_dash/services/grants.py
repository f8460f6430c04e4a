"""Asking for grants, approving, ending and reading them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from harmony_dash.access import grants
from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import NEEDED_APPROVALS, Grant, GrantProposal, GrantStatus
from harmony_dash.access.grant_rules import user_can_approve, user_can_use
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services.admission import remove_what_is_over
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.deployment import Deployment


@dataclass(frozen=True)
class GrantInfo:
    """A grant as lists show it, seen by one person at one moment.

    Attributes
    ----------
    countries : those still open; `withdrawn` are the others of the grant.
    approvals_missing : how many more people have to approve it; 0 once it is approved.
    days_left : days on which it can still be used, today included.
    may_approve, may_end, may_use : what the person who asked may do with it now.
    """

    id: str
    project: str
    purpose: str
    diseases: tuple[str, ...]
    countries: tuple[str, ...]
    withdrawn: tuple[str, ...]
    variables: tuple[str, ...]
    level: Level
    members: tuple[str, ...]
    proposed_by: str
    approvers: tuple[str, ...]
    approvals_missing: int
    valid_from: date
    valid_to: date
    days_left: int
    status: GrantStatus
    end_reason: str
    may_approve: bool
    may_end: bool
    may_use: bool


@dataclass(frozen=True)
class WithdrawnCountry:
    """A country whose provider has withdrawn its data, and the reason that was given."""

    country: str
    reason: str


def list_all_grants(deployment: Deployment, actor: Actor) -> tuple[GrantInfo, ...]:
    """Every grant there ever was, newest first.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.VIEW_ACCESS, "list grants")
    return tuple(_info(deployment, actor, grant) for grant in grants.list_grants(deployment.access))


def my_grants(deployment: Deployment, actor: Actor) -> tuple[GrantInfo, ...]:
    """The grants of which the actor is a member, newest first; over ones too, so that people see why.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.MANAGE_OWN_ACCOUNT, "list own grants")
    return tuple(_info(deployment, actor, grant) for grant in grants.list_grants(deployment.access)
                 if actor.username in grant.proposal.members)


def usable_grants(deployment: Deployment, actor: Actor) -> tuple[GrantInfo, ...]:
    """The grants under which the actor may ask now, newest first; for most people none."""
    found = (grants.find_grant(deployment.access, identifier) for identifier in reversed(actor.grants))
    return tuple(info for info in (_info(deployment, actor, grant) for grant in found) if info.may_use)


def list_withdrawn_countries(deployment: Deployment, actor: Actor) -> tuple[WithdrawnCountry, ...]:
    """The countries that are shut out of every answer.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.VIEW_ACCESS, "list withdrawn countries")
    return tuple(WithdrawnCountry(*item) for item in grants.withdrawn_countries(deployment.access).items())


def propose_grant(deployment: Deployment, actor: Actor, proposal: GrantProposal) -> GrantInfo:
    """Write a proposal for two other people to approve.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    UserError for a disease, country or variable that the dictionary does not know, and for what
    `access.grant_proposals.check_proposal` refuses.
    """
    check_and_record(deployment, actor, Permission.PROPOSE_GRANTS, "propose grant")
    with refusals_recorded(deployment, actor, "propose grant", proposal.project[:80]):
        _check_names(deployment, proposal)
        grant = grants.propose_grant(deployment.access, proposal, by=actor, now=deployment.now())
    return _info(deployment, actor, grant)


def approve_grant(deployment: Deployment, actor: Actor, identifier: str) -> GrantInfo:
    """Add the actor's approval; with the second one the grant is approved.

    Raises
    ------
    AccessRefused for somebody who may not approve this grant, AuditUnavailable, UserError.
    """
    return _change(deployment, actor, Permission.APPROVE_GRANTS, "approve grant", identifier,
                   lambda: grants.approve_grant(deployment.access, identifier, by=actor, now=deployment.now()))


def end_grant(deployment: Deployment, actor: Actor, identifier: str, reason: str) -> GrantInfo:
    """Reject a proposal, or end a grant; in force at once, in open sessions too.

    Raises
    ------
    AccessRefused, AuditUnavailable, UserError.
    """
    permission = Permission.PROPOSE_GRANTS if user_can(actor, Permission.PROPOSE_GRANTS) else Permission.APPROVE_GRANTS
    return _change(deployment, actor, permission, "end grant", identifier,
                   lambda: grants.end_grant(deployment.access, identifier, reason, by=actor, now=deployment.now()))


def remove_member(deployment: Deployment, actor: Actor, identifier: str, username: str) -> GrantInfo:
    """Take a person out of a grant; in force at once.

    Raises
    ------
    AccessRefused, AuditUnavailable, UserError.
    """
    return _change(deployment, actor, Permission.PROPOSE_GRANTS, "remove grant member", identifier,
                   lambda: grants.remove_member(deployment.access, identifier, username, by=actor,
                                                now=deployment.now()))


def withdraw_country(deployment: Deployment, actor: Actor, country: str, reason: str) -> None:
    """Shut a country out of every answer to everybody, at once.

    Raises
    ------
    AccessRefused, AuditUnavailable, UserError.
    """
    check_and_record(deployment, actor, Permission.PROPOSE_GRANTS, "withdraw country")
    with refusals_recorded(deployment, actor, "withdraw country", country[:20]):
        _check_known("country", [country.strip().upper()], deployment.dictionary["country"].values)
        grants.withdraw_country(deployment.access, country, reason, by=actor, now=deployment.now())
    remove_what_is_over(deployment)


def restore_country(deployment: Deployment, actor: Actor, country: str, reason: str) -> None:
    """Take a withdrawal back.

    Raises
    ------
    AccessRefused, AuditUnavailable, UserError.
    """
    check_and_record(deployment, actor, Permission.PROPOSE_GRANTS, "restore country")
    with refusals_recorded(deployment, actor, "restore country", country[:20]):
        grants.restore_country(deployment.access, country, reason, by=actor, now=deployment.now())


def _change(deployment: Deployment, actor: Actor, permission: Permission, action: str, identifier: str,
            change: Callable[[], Grant]) -> GrantInfo:
    check_and_record(deployment, actor, permission, action, grant=identifier[:40])
    with refusals_recorded(deployment, actor, action, "", grant=identifier[:40]):
        grant = change()
    remove_what_is_over(deployment)
    return _info(deployment, actor, grant)


def _check_names(deployment: Deployment, proposal: GrantProposal) -> None:
    """Refuse a name that no question could hold, rather than approve a grant that opens nothing."""
    dictionary = deployment.dictionary
    _check_known("disease", proposal.diseases, dictionary.diseases)
    _check_known("country", [country.strip().upper() for country in proposal.countries],
                 dictionary["country"].values)
    askable = [variable.name for disease in proposal.diseases for variable in dictionary.askable(disease)]
    _check_known("variable", proposal.variables, askable)


def _check_known(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    choices = list(dict.fromkeys(known))
    for name in names:
        if name not in choices:
            near = difflib.get_close_matches(name, choices, 1)
            raise UserError(f"there is no {kind} '{name[:40]}'", where=kind,
                            remedy=f"Did you mean {near[0]}?" if near else "Choose one of the dictionary's.")


def _info(deployment: Deployment, actor: Actor, grant: Grant) -> GrantInfo:
    now, asked = deployment.now(), grant.proposal
    status = grant.status(now)
    may_end = (status not in (GrantStatus.ENDED, GrantStatus.EXPIRED)
               and (user_can(actor, Permission.PROPOSE_GRANTS) or user_can(actor, Permission.APPROVE_GRANTS)))
    return GrantInfo(
        grant.id, asked.project, asked.purpose, asked.diseases, grant.open_countries, grant.withdrawn, asked.variables,
        asked.level, asked.members, grant.proposed_by, grant.approvers,
        max(0, NEEDED_APPROVALS - len(grant.approvers)), asked.valid_from, asked.valid_to, grant.days_left(now), status,
        grant.end_reason, user_can_approve(actor, grant, now), may_end, user_can_use(actor, grant, now))
