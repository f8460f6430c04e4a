"""Figures G2 and G4: attempts outside a grant, and attempts to make one without the two who must approve it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grant import Grant, GrantProposal, GrantStatus
from harmony_dash.access.grants import find_grant, withdraw_country
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import approve_grant, end_grant, propose_grant, remove_member
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_store

ATTEMPTS_OUTSIDE = 200
ATTEMPTS_TO_ACTIVATE = 50
PEOPLE = {role: [Actor(f"{role.value}.{number}", role, f"s{number}") for number in (1, 2, 3)]
          for role in (Role.CLINICIAN, Role.STEERING, Role.ANALYST, Role.DATA_MANAGER)}
ANNA, ALBERT, _ = PEOPLE[Role.ANALYST]
STEFAN, SONJA, _ = PEOPLE[Role.STEERING]
DORA, DIRK, _ = PEOPLE[Role.DATA_MANAGER]
PROPOSAL = GrantProposal("Study", "To see.", ("ALL",), ("NL", "DE"), ("sex", "age_group"), Level.EXACT,
                         (ANNA.username,), date(2026, 11, 1), date(2027, 5, 20))
COVERED = Question("ALL", "efs", by="sex")


class Clock:
    moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder: Path = tmp_path_factory.mktemp("grants")
    make_store(folder / "store", 600)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY)
    opened = open_deployment(settings, now=Clock())
    for actor in itertools.chain(*PEOPLE.values()):
        create_account(opened.access, username=actor.username, name=actor.username, role=actor.role,
                       password="violet kettle under seven stairs", by=OPERATOR, now=NOW, rounds=4)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, proposal: GrantProposal = PROPOSAL) -> str:
    grant = propose_grant(deployment, DORA, proposal).id
    approve_grant(deployment, STEFAN, grant)
    approve_grant(deployment, SONJA, grant)
    return grant


def refused_events(deployment: Deployment) -> int:
    return len(list_events(deployment.access, decision=Decision.REFUSED, limit=100_000))


def test_no_attempt_outside_a_grant_succeeds_and_each_is_recorded(deployment: Deployment) -> None:
    """G2: 200 attempts with a grant that is over, ended, not begun, not approved, somebody else's, or too narrow."""
    today = NOW.date()
    good = activate(deployment)
    early = activate(deployment, replace(PROPOSAL, valid_from=today + timedelta(days=3)))
    ended = activate(deployment)
    end_grant(deployment, DORA, ended, "done")
    left = activate(deployment, replace(PROPOSAL, members=(ANNA.username, ALBERT.username)))
    remove_member(deployment, DORA, left, ANNA.username)
    waiting = propose_grant(deployment, DORA, PROPOSAL).id
    protected = activate(deployment, replace(PROPOSAL, level=Level.PROTECTED))
    short = activate(deployment, replace(PROPOSAL, valid_to=today))
    withdraw_country(deployment.access, "DE", "letter", by=DORA, now=NOW)
    # what only time ends comes last, because a clock that went back shuts everything
    wide = [replace(COVERED, by="cyto_group"), replace(COVERED, strata="trial"), replace(COVERED, disease="AML"),
            *(replace(COVERED, where=(parse_filter(text),)) for text in (
                "immunophenotype=B", "immunophenotype!=T", "cyto_group=?", "country=FR", "country!=FR", "country=DE",
                "country=NL,FR", "mrd_group=mrd_cr", "trial=Trial A"))]
    attempts: list[tuple[Actor, Question, str]] = [
        *((ANNA, COVERED, grant) for grant in (early, ended, left, waiting, protected, "")),
        *((actor, COVERED, good) for role, actors in PEOPLE.items() for actor in actors if actor != ANNA),
        *((replace(ANNA, role=role), COVERED, good) for role in (Role.CLINICIAN,)),
        (OPERATOR, COVERED, good),
        *((ANNA, question, good) for question in wide)]
    rng = random.Random(20261121)
    chosen = attempts + [rng.choice(attempts) for _ in range(ATTEMPTS_OUTSIDE - 10 - len(attempts))]
    before = refused_events(deployment)
    outcomes: list[AccessRefused | None] = []

    def attempt(actor: Actor, question: Question, grant: str) -> None:
        try:
            ask_survival(deployment, actor, question, level=Level.EXACT, grant=grant)
            outcomes.append(None)
        except AccessRefused as refused:
            outcomes.append(refused)

    assert ask_survival(deployment, ANNA, COVERED, level=Level.EXACT, grant=good).value.n > 0  # the grant does work
    for actor, question, grant in chosen:
        attempt(actor, question, grant)
    deployment.now.moment = NOW + timedelta(days=1)  # type: ignore[attr-defined]
    for _ in range(10):
        attempt(ANNA, COVERED, short)
    deployment.now.moment = NOW  # type: ignore[attr-defined]
    assert len(outcomes) == ATTEMPTS_OUTSIDE
    assert all(refused is not None and refused.problem and refused.remedy for refused in outcomes)
    assert refused_events(deployment) - before == ATTEMPTS_OUTSIDE


def test_no_grant_becomes_active_without_two_approvers_from_outside(deployment: Deployment) -> None:
    """G4: 50 random sequences of approvals that never hold two people who may; none activates a grant."""
    rng = random.Random(4)
    everybody = [actor for actors in PEOPLE.values() for actor in actors]
    activated = 0
    for _ in range(ATTEMPTS_TO_ACTIVATE):
        author = rng.choice([DORA, DIRK])
        members = tuple(actor.username for actor in rng.sample(PEOPLE[Role.ANALYST], 2))
        grant = propose_grant(deployment, author, replace(PROPOSAL, members=members)).id
        may = [*PEOPLE[Role.STEERING], *(actor for actor in PEOPLE[Role.DATA_MANAGER] if actor != author)]
        one = rng.choice(may)
        others = [actor for actor in everybody if actor not in may]
        # a member whose role was changed since, the author, the operator, the same approver again and again
        risen = Actor(members[0], rng.choice([Role.STEERING, Role.DATA_MANAGER]), "s")
        steps: list[Actor] = [*rng.choices([one, *others, author, OPERATOR, risen], k=8), one, one]
        rng.shuffle(steps)
        for actor in steps:
            with suppress(AccessRefused):
                approve_grant(deployment, actor, grant)
        found: Grant = find_grant(deployment.access, grant)
        activated += found.status(NOW) is not GrantStatus.PROPOSED
        assert set(found.approvers) <= {one.username}
    assert activated == 0

