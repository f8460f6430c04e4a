"""On which patients, and how exactly, a question is answered: the person's rights turned into a scope and a snapshot.

Every answer about patients starts here. Without a grant it comes from all countries that no provider has withdrawn.
Exact results under a grant come from an extract that holds nothing but what the grant names. Protected ones come from
where everybody's come from, and the countries of the grant are a condition of the question like any other: out of an
extract they would tell of a country with few patients by their difference from the answer that everybody gets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from harmony_dash.access.accounts import find_account
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import Grant, GrantStatus
from harmony_dash.access.grant_rules import check_account_unchanged, check_grant_covers, check_user_can_use
from harmony_dash.access.grants import find_grant, list_grants, withdrawn_countries
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.cohort.filters import OneOf, leaves_of
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Scope, scope_without_protection
from harmony_dash.disclosure.policy import stricter
from harmony_dash.errors import AccessRefused, StoreError
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.extracts import Cut, narrow
from harmony_dash.store.reader import Snapshot


@dataclass(frozen=True)
class Admission:
    """What a question is put to, and how exactly it may be answered.

    Attributes
    ----------
    snapshot : the patients and variables that may take part.
    scope : the disclosure level, and the grant it rests on.
    withdrawn : the countries that were shut out when this was decided.
    grant : the grant, None without one.
    countries : the condition that a grant for protected results puts on every question; None where there is none.
    """

    snapshot: Snapshot
    scope: Scope
    withdrawn: frozenset[str]
    grant: Grant | None = None
    countries: OneOf | None = None


def read_withdrawn(deployment: Deployment) -> frozenset[str]:
    """The countries that are shut out now.

    Read once for an answer: what is opened, what is remembered and what is compared in the end must mean the same ones.
    """
    return frozenset(withdrawn_countries(deployment.access))


def admit_to_all(deployment: Deployment, level: Level = Level.PROTECTED) -> Admission:
    """What a question without a grant is answered from; whether the person may have this level was checked before.

    Raises
    ------
    StoreError if nothing is published, or nothing is left; SettingsError if protection is to be off over patients who
    need it.
    """
    withdrawn = read_withdrawn(deployment)
    snapshot = _open_to_all(deployment, withdrawn)
    scope = Scope(level) if level is Level.EXACT else scope_for_all(deployment, snapshot)
    return Admission(snapshot, scope, withdrawn)


def _open_to_all(deployment: Deployment, withdrawn: Collection[str]) -> Snapshot:
    """The served snapshot without the countries that their providers have withdrawn."""
    snapshot = deployment.store.current()
    cut = cut_for_all(deployment, snapshot, withdrawn)
    remove_what_is_over(deployment)
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
    level : what is asked for; exact results need a grant that gives them, or the operator's own right. A deployment
        that shows less shows less under a grant, too, unless the results are exact.
    grant_id : the grant to ask under; empty for none.

    Raises
    ------
    AccessRefused with the grant, the variable or the country that stands in the way; UserError for an unknown grant.
    StoreError.
    """
    if not grant_id:
        if level is Level.EXACT:
            check_user_can(actor, Permission.VIEW_EXACT)
        return admit_to_all(deployment, level)
    withdrawn = read_withdrawn(deployment)
    snapshot = deployment.store.current()
    remove_what_is_over(deployment)
    grant = _usable_grant(deployment, actor, grant_id)
    if level is Level.EXACT and grant.proposal.level is not Level.EXACT:
        raise AccessRefused(f"the grant {grant.id} is for protected results", remedy="Ask for protected results.")
    check_grant_covers(grant, disease=question.disease, variables=question.variables, countries=_named(question))
    if level is Level.EXACT:
        return Admission(deployment.extracts.open(snapshot, cut_of(grant)), Scope(level, grant=grant.id), withdrawn,
                         grant)
    snapshot = _open_to_all(deployment, withdrawn)
    scope = Scope(stricter(level, Level(deployment.settings.protection)), grant=grant.id)
    return Admission(narrow(snapshot, grant.proposal.variables), scope, withdrawn, grant,
                     countries_of(grant, snapshot))


def check_still_admitted(deployment: Deployment, actor: Actor, admission: Admission) -> None:
    """Right before an answer is recorded and given: whether what it rests on still holds.

    A grant may have ended, a country been withdrawn or an account been shut while the answer was computed.

    Raises
    ------
    AccessRefused.
    """
    if actor.role is not Role.OPERATOR:
        account = find_account(deployment.access, actor.username)
        if account is not None and (account.disabled or account.role is not actor.role):
            raise AccessRefused("your account was changed while the question ran", remedy="Sign in again.")
    if admission.grant is not None:
        _usable_grant(deployment, actor, admission.grant.id)
    if read_withdrawn(deployment) != admission.withdrawn:
        raise AccessRefused("the data that may be shown were changed while the question ran", remedy="Ask again.")


def _usable_grant(deployment: Deployment, actor: Actor, grant_id: str) -> Grant:
    """The grant as it stands now, if the actor may ask under it now; the actor's own list may be as old as a click."""
    grant = find_grant(deployment.access, grant_id)
    now = deployment.now()
    check_user_can_use(actor, grant, now)
    account = find_account(deployment.access, actor.username)
    if account is None or account.disabled:
        raise AccessRefused("there is no open account for you", remedy="Ask a data manager.")
    check_account_unchanged(account, grant)
    if deployment.access.clock_is_behind(now):
        raise AccessRefused("the server's clock lies behind its own records, so that nobody can tell whether the grant "
                            "is still running", remedy="Tell whoever runs the server; protected results stay open.")
    return grant


def cut_of(grant: Grant) -> Cut:
    """What the extract of a grant keeps."""
    return Cut(grant.open_countries, grant.proposal.variables, grant.proposal.diseases)


def countries_of(grant: Grant, snapshot: Snapshot) -> OneOf:
    """The countries of the grant as a condition.

    Raises
    ------
    StoreError if the snapshot has nobody of them.
    """
    known = snapshot.values_of(snapshot.dictionary["country"])
    countries = tuple(country for country in grant.open_countries if country in known)
    if not countries:
        raise StoreError("no patient is left of what may be seen", remedy="Ask a data manager about the grant.")
    return OneOf("country", countries)


def restrict(question: Question, countries: OneOf | None) -> Question:
    """The question with the countries of the grant as one more condition, unless it asks for some of them already."""
    if countries is None or any(isinstance(item, OneOf) and item.variable == countries.variable
                                and set(item.values) <= set(countries.values) for item in question.where):
        return question
    return replace(question, where=(*question.where, countries))


def _named(question: Question) -> Iterable[str]:
    """The countries a question asks for by name, in whatever form."""
    return [value for item in question.where for leaf in leaves_of(item)
            if isinstance(leaf, OneOf) and leaf.variable == "country" for value in leaf.values]


def cut_for_all(deployment: Deployment, snapshot: Snapshot, withdrawn: Collection[str] | None = None) -> Cut | None:
    """What is left of the snapshot without the countries that were withdrawn; None if none was."""
    if withdrawn is None:
        withdrawn = read_withdrawn(deployment)
    if not withdrawn:
        return None
    countries = snapshot.values_of(snapshot.dictionary["country"])
    return Cut(tuple(country for country in countries if country not in withdrawn))


def remove_what_is_over(deployment: Deployment) -> None:
    """Remove the extracts of grants that are over, of withdrawn countries, and of snapshots no longer served."""
    if deployment.store.is_empty:
        return
    snapshot, now = deployment.store.current(), deployment.now()
    cuts = [cut_of(grant) for grant in list_grants(deployment.access) if grant.status(now) is GrantStatus.ACTIVE]
    common = cut_for_all(deployment, snapshot)
    deployment.extracts.keep_only(snapshot.snapshot, [*cuts, *([common] if common else [])])
