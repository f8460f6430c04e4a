"""A comparison of treatments under a grant: everything it reads is covered, or it is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.grants import approve_grant, propose_grant, withdraw_country
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import Status
from harmony_dash.errors import AccessRefused
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.what_if import ask_what_if
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_store
from tests.unit.access.people import add_account
from tests.what_if_cohort import COHORT, FEW, draw_cohort

ANNA, DORA = Actor("anna", Role.ANALYST, "s1"), Actor("dora", Role.DATA_MANAGER, "s5")
STEFAN, SONJA = Actor("stefan", Role.STEERING, "s3"), Actor("sonja", Role.STEERING, "s4")
NEEDED = ("trial", "intensity_assigned", "age_dx_years", "wbc_dx", "mrd_eoi_band", "cyto_group")
QUESTION = WhatIfQuestion(COHORT, horizon_days=1461)
PROPOSAL = GrantProposal("Study", "To see.", ("ALL",), ("NL", "DE"), NEEDED, Level.EXACT, ("anna",),
                         date(2026, 11, 21), date(2027, 5, 20))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, frame=draw_cohort(3000))
    return folder


@pytest.fixture
def deployment(store: Path, tmp_path: Path) -> Iterator[Deployment]:
    opened = open_deployment(Settings(store, tmp_path / "access.sqlite", None, access_key=ACCESS_KEY), now=lambda: NOW)
    for actor in (ANNA, STEFAN, SONJA, DORA):
        add_account(opened.access, actor.username, actor.role, now=NOW)
    yield opened
    opened.access.close()


def activate(deployment: Deployment, *variables: str) -> str:
    grant = propose_grant(deployment.access, replace(PROPOSAL, variables=variables), by=DORA, now=NOW)
    for approver in (STEFAN, SONJA):
        grant = approve_grant(deployment.access, grant.id, by=approver, now=NOW)
    return grant.id


def test_a_grant_that_covers_everything_gives_exact_numbers_of_its_countries(deployment: Deployment) -> None:
    grant = activate(deployment, *NEEDED)
    result = ask_what_if(deployment, ANNA, QUESTION, level=Level.EXACT, grant=grant, replicates=FEW).value

    assert result.status is not Status.REFUSED
    everybody = ask_what_if(deployment, ANNA, QUESTION, replicates=FEW).value
    assert sum(cell.n or 0 for cell in result.allocation) < sum(cell.n or 0 for cell in everybody.allocation)
    assert "exact numbers" in result.methods
    assert any("as the grant" in note for note in result.notes)


@pytest.mark.parametrize("missing", ["mrd_eoi_band", "wbc_dx", "trial", "intensity_assigned"])
@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_a_grant_without_something_that_is_adjusted_for_is_refused_by_name(deployment: Deployment, missing: str,
                                                                           level: Level) -> None:
    grant = activate(deployment, *(name for name in NEEDED if name != missing))

    with pytest.raises(AccessRefused, match=missing):
        ask_what_if(deployment, ANNA, QUESTION, level=level, grant=grant, replicates=FEW)


def test_a_kept_answer_is_not_given_after_a_country_was_withdrawn(deployment: Deployment) -> None:
    before = ask_what_if(deployment, ANNA, QUESTION, replicates=FEW).value
    withdraw_country(deployment.access, "NL", "asked for", by=DORA, now=NOW)
    after = ask_what_if(deployment, ANNA, QUESTION, replicates=FEW).value

    assert sum(cell.n or 0 for cell in after.allocation) < sum(cell.n or 0 for cell in before.allocation)
