"""Released results that are kept: computed once, recorded each time, and never mixed between rights."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import PANEL_ACTION, list_events
from harmony_dash.access.grants import withdraw_country
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import AccessRefused
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.quality import REVIEW, ask_quality, sign_off
from harmony_dash.services.release_info import describe_release
from harmony_dash.services.remembered import Remembered
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_store


def test_the_same_key_is_computed_once() -> None:
    remembered, computed = Remembered[str](), []

    def compute() -> str:
        computed.append(1)
        return "answer"

    assert [remembered.get("key", compute) for _ in range(3)] == ["answer"] * 3
    assert len(computed) == 1


def test_the_one_asked_for_longest_ago_leaves_first() -> None:
    remembered = Remembered[str](most=2)
    for key in ("a", "b", "a", "c"):
        remembered.get(key, lambda key=key: key)
    assert remembered.get("a", lambda: "anew") == "a"
    assert remembered.get("b", lambda: "anew") == "anew"


def test_of_many_who_ask_at_once_one_computes() -> None:
    remembered, computed, begun, go_on = Remembered[str](), [], threading.Event(), threading.Event()

    def compute() -> str:
        computed.append(1)
        begun.set()
        assert go_on.wait(20)
        return "answer"

    with ThreadPoolExecutor(8) as people:
        answers = [people.submit(remembered.get, "key", compute) for _ in range(8)]
        assert begun.wait(20)
        assert remembered.get("another", lambda: "at once") == "at once"  # which nobody waits for
        go_on.set()
        assert {answer.result(20) for answer in answers} == {"answer"}
    assert len(computed) == 1


def test_a_failure_goes_to_the_one_who_computed_and_the_next_tries() -> None:
    remembered, begun, go_on = Remembered[str](), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert go_on.wait(20)
        raise ValueError("not for you")

    with ThreadPoolExecutor(2) as people:
        first = people.submit(remembered.get, "key", fail)
        assert begun.wait(20)
        second = people.submit(remembered.get, "key", lambda: "answer")
        go_on.set()
        with pytest.raises(ValueError, match="not for you"):
            first.result(20)
        assert second.result(20) == "answer"


# -- the answers of the services -----------------------------------------------------------------------------------


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    make_store(tmp_path / "store", 800, seed=3)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: NOW)


QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex")
CLARA, ANNA = Actor("clara", Role.CLINICIAN, "s1"), Actor("anna", Role.ANALYST, "s2")


def test_an_answer_is_the_same_for_everybody_and_recorded_for_each(deployment: Deployment) -> None:
    first = ask_survival(deployment, CLARA, QUESTION)
    assert ask_survival(deployment, ANNA, QUESTION) is first
    assert ask_survival(deployment, CLARA, QUESTION) is first
    recorded = [(event.event.username, event.event.n) for event in list_events(deployment.access, action="survival")]
    assert recorded == [("clara", first.value.n), ("anna", first.value.n), ("clara", first.value.n)]


def test_another_way_to_show_it_is_another_answer(deployment: Deployment) -> None:
    first = ask_survival(deployment, CLARA, QUESTION)
    assert ask_survival(deployment, CLARA, QUESTION, interval=IntervalType.LOG) is not first
    assert ask_survival(deployment, CLARA, QUESTION, days=(365,)) is not first
    assert ask_survival(deployment, CLARA, replace(QUESTION, horizon_days=365)) is not first


def test_who_may_not_ask_is_refused_what_is_remembered(deployment: Deployment) -> None:
    ask_survival(deployment, CLARA, QUESTION)
    with pytest.raises(AccessRefused):
        ask_survival(deployment, Actor("stefan", Role.STEERING, "s3"), QUESTION)


def test_exact_answers_are_not_kept(deployment: Deployment) -> None:
    protected = ask_survival(deployment, OPERATOR, QUESTION)
    exact = ask_survival(deployment, OPERATOR, QUESTION, level=Level.EXACT)
    assert exact.scope != protected.scope
    assert ask_survival(deployment, OPERATOR, QUESTION, level=Level.EXACT) is not exact


def test_a_table_of_subgroups_is_kept_with_what_its_person_opened_before(deployment: Deployment) -> None:
    asked = SubgroupsQuestion(Question("ALL", "efs"), ("sex", "cyto_group"))
    first = ask_subgroups(deployment, CLARA, asked)
    assert ask_subgroups(deployment, ANNA, asked) is first
    assert ask_subgroups(deployment, ANNA, asked, comparisons_before=3) is not first
    exact = ask_subgroups(deployment, OPERATOR, asked, level=Level.EXACT)
    assert ask_subgroups(deployment, OPERATOR, asked, level=Level.EXACT) is not exact


def test_a_withdrawn_country_leaves_every_answer_at_once(deployment: Deployment) -> None:
    info = describe_release(deployment, CLARA)
    before = ask_survival(deployment, CLARA, QUESTION), count_choices(deployment, CLARA, QUESTION, ["country"])
    country = next(code for code, n in before[1].value.counts["country"].items() if n)
    withdraw_country(deployment.access, country, "their wish", by=OPERATOR, now=NOW)
    after = ask_survival(deployment, CLARA, QUESTION), count_choices(deployment, CLARA, QUESTION, ["country"])
    assert after[0].value.n < before[0].value.n
    assert not after[1].value.counts["country"].get(country)
    assert describe_release(deployment, CLARA).diseases["ALL"].countries == info.diseases["ALL"].countries - 1


def test_the_panel_counts_once_for_all_figures_beside_it(deployment: Deployment) -> None:
    first = count_choices(deployment, CLARA, QUESTION, ["sex", "country"])
    assert count_choices(deployment, CLARA, replace(QUESTION, by="country", endpoint="os"), ["sex", "country"]) is first
    assert count_choices(deployment, CLARA, replace(QUESTION, where=()), ["sex", "country"]) is not first
    assert len(list_events(deployment.access, action=PANEL_ACTION)) == 3


def test_the_checks_are_kept_for_everybody_who_may_see_them_until_somebody_signs_off(deployment: Deployment) -> None:
    stefan, dora = Actor("stefan", Role.STEERING, "s3"), Actor("dora", Role.DATA_MANAGER, "s4")
    first = ask_quality(deployment, stefan)
    source = first.value.sources[0].source
    assert ask_quality(deployment, dora) is first
    assert ask_quality(deployment, stefan, source) is not first
    assert [event.event.username for event in list_events(deployment.access, action=REVIEW)] == ["stefan", "dora",
                                                                                                 "stefan"]
    with pytest.raises(AccessRefused):
        ask_quality(deployment, CLARA)
    said = sign_off(deployment, dora, source, first.value.snapshot, "Looked at the dates.")
    assert said in next(one for one in ask_quality(deployment, stefan).value.sources if one.source == source).signed
    exact = ask_quality(deployment, OPERATOR, level=Level.EXACT)
    assert ask_quality(deployment, OPERATOR, level=Level.EXACT) is not exact


def test_a_withdrawn_country_leaves_the_checks_at_once(deployment: Deployment) -> None:
    stefan = Actor("stefan", Role.STEERING, "s3")
    assert ask_quality(deployment, stefan).value.sources
    withdraw_country(deployment.access, "DE", "their wish", by=OPERATOR, now=NOW)
    assert not ask_quality(deployment, stefan).value.sources
