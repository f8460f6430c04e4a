"""On which patients, and how exactly, a question is answered: the person's rights turned into a scope and a snapshot.

Every answer about patients starts here. Without a grant it comes from all countries that no provider has withdrawn;
under a grant from an extract that holds nothing but what the grant names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import Grant, GrantStatus
from harmony_dash.access.grant_rules import check_grant_covers, check_user_can_use
from harmony_dash.access.grants import find_grant, list_grants, withdrawn_countries
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.cohort.filters import OneOf, leaves_of
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Scope, scope_without_protection
from harmony_dash.errors import AccessRefused
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.extracts import Cut
from harmony_dash.store.reader import Snapshot


@dataclass(frozen=True)
class Admission:
    """What a question is put to, and how exactly it may be answered.

    Attributes
    ----------
    snapshot : the patients and variables that may take part.
    scope : the disclosure level, and the grant it rests on.
    grant : the grant, None without one.
    """

    snapshot: Snapshot
    scope: Scope
    grant: Grant | None = None


def open_to_all(deployment: Deployment) -> Snapshot:
    """The served snapshot without the countries that their providers have withdrawn.

    Raises
    ------
    StoreError if nothing is published, or nothing is left.
    """
    snapshot = deployment.store.current()
    cut = _cut_for_all(deployment, snapshot)
    _remove_what_is_over(deployment, snapshot)
    return snapshot if cut is None else deployment.extracts.open(snapshot, cut)


def scope_for_all(deployment: Deployment, snapshot: Snapshot) -> Scope:
    """How results leave to people without a grant: protected, unless the deployment says otherwise and may.

    Raises
    ------
    SettingsError if protection is to be off over patients who need it.
    """
    level = Level(deployment.settings.protection)
    return scope_without_protection(snapshot) if level is Level.OFF else Scope(level)


def admit(deployment: Deployment, actor: Actor, question: Question, *, level: Level, grant_id: str = "") -> Admission:
    """What the question is answered from.

    Parameters
    ----------
    level : what is asked for; exact results need a grant that gives them, or the operator's own right.
    grant_id : the grant to ask under; empty for none.

    Raises
    ------
    AccessRefused with the grant, the variable or the country that stands in the way; UserError for an unknown grant.
    StoreError.
    """
    if not grant_id:
        if level is Level.EXACT:
            check_user_can(actor, Permission.VIEW_EXACT)
        snapshot = open_to_all(deployment)
        return Admission(snapshot, Scope(level) if level is Level.EXACT else scope_for_all(deployment, snapshot))
    # read anew: the actor's own list may be as old as their click
    grant = find_grant(deployment.access, grant_id)
    now = deployment.now()
    check_user_can_use(actor, grant, now)
    if deployment.access.clock_is_behind(now):
        raise AccessRefused("the server's clock lies behind its own records, so that nobody can tell whether the grant "
                            "is still running", remedy="Tell whoever runs the server; protected results stay open.")
    if level is Level.EXACT and grant.proposal.level is not Level.EXACT:
        raise AccessRefused(f"the grant {grant.id} is for protected results", remedy="Ask for protected results.")
    check_grant_covers(grant, disease=question.disease, variables=question.variables, countries=_named(question))
    snapshot = deployment.store.current()
    _remove_what_is_over(deployment, snapshot)
    return Admission(deployment.extracts.open(snapshot, cut_of(grant)), Scope(level, grant=grant.id), grant)


def cut_of(grant: Grant) -> Cut:
    """What the extract of a grant keeps."""
    return Cut(grant.open_countries, grant.proposal.variables)


def _named(question: Question) -> Iterable[str]:
    """The countries a question asks for by name, in whatever form."""
    return [value for item in question.where for leaf in leaves_of(item)
            if isinstance(leaf, OneOf) and leaf.variable == "country" for value in leaf.values]


def _cut_for_all(deployment: Deployment, snapshot: Snapshot) -> Cut | None:
    withdrawn = withdrawn_countries(deployment.access)
    if not withdrawn:
        return None
    countries = snapshot.values_of(snapshot.dictionary["country"])
    return Cut(tuple(country for country in countries if country not in withdrawn))


def _remove_what_is_over(deployment: Deployment, snapshot: Snapshot) -> None:
    """Remove the extracts of grants that are over and of snapshots that are no longer served."""
    now = deployment.now()
    cuts = [cut_of(grant) for grant in list_grants(deployment.access) if grant.status(now) is GrantStatus.ACTIVE]
    common = _cut_for_all(deployment, snapshot)
    deployment.extracts.keep_only(snapshot.snapshot, [*cuts, *([common] if common else [])])
