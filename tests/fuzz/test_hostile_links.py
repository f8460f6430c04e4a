"""S19: hostile texts in every part of a link: a refusal in words, escaped, and not one row of the data changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.filters import Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import question_from_json
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, subgroups_question_from_json
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import UserError
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.outcome_map import ask_outcome_map
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.table_one import ask_table_one
from harmony_dash.settings import Settings
from harmony_dash.ui.components.subgroup_view import read_settings
from harmony_dash.ui.components.survival_view import read_link
from harmony_dash.ui.components.text import escape_markdown
from tests.factories import ACCESS_KEY, NOW, make_store
from tests.faults.installation import data_digest
from tests.fuzz.hostile import COUNT, hostile_texts, is_escaped, some_of

ROOT = Path(__file__).parents[2]
DICTIONARY = load_dictionary()
TEXTS = hostile_texts()
GOOD: dict[str, Any] = {"disease": "ALL", "endpoint": "os", "where": [{"one_of": "sex", "values": ["F"]}], "by": "sex",
                        "strata": "trial", "landmark_days": 0, "horizon_days": None}
# Each puts the text at one place of a link.
PLACES: dict[str, Callable[[str], dict[str, str]]] = {
    "q": lambda text: {"q": text},
    **{f"q.{key}": lambda text, key=key: {"q": json.dumps({**GOOD, key: text})} for key in GOOD},
    "q.variable": lambda text: {"q": json.dumps({**GOOD, "where": [{"one_of": text, "values": ["F"]}]})},
    "q.value": lambda text: {"q": json.dumps({**GOOD, "where": [{"one_of": "sex", "values": [text]}]})},
    "q.code": lambda text: {"q": json.dumps({**GOOD, "where": [{"one_of": "trial", "values": [text]}]})},
    "q.lower": lambda text: {"q": json.dumps({**GOOD, "where": [
        {"between": "age_dx_years", "lower": text, "upper": None, "upper_included": True}]})},
    "q.key": lambda text: {"q": json.dumps({**GOOD, text: 1})},
    **{name: lambda text, name=name: {"q": json.dumps(GOOD), name: text} for name in (
        "unit", "interval", "causes", "view", "variables", "within", "treatment", "arms", "at", "effect", "rows",
        "columns", "by", "export")},
}


def refusal_of(ask: Callable[[], object]) -> None:
    """Let it be answered, or refused in words that can be shown; anything else is a bug and gets through."""
    message = ""
    try:
        ask()
    except UserError as problem:
        message = problem.message
    assert is_escaped(escape_markdown(message)), message


def test_there_are_a_thousand_different_texts() -> None:
    assert len(set(TEXTS)) == COUNT == 1000


@pytest.mark.parametrize("place", PLACES)
def test_no_text_in_a_link_breaks_its_reader(place: str) -> None:
    for text in some_of(TEXTS, 5):
        parameters = PLACES[place](text)
        refusal_of(lambda parameters=parameters: read_link(parameters, DICTIONARY))
        refusal_of(lambda parameters=parameters: read_settings(parameters, "ALL", DICTIONARY))


def test_no_text_breaks_what_receipts_and_records_are_read_with() -> None:
    for text in TEXTS:
        for value in (text, {"cohort": text}, {"cohort": GOOD, "variables": [text], "arms": [text], "strata": text},
                      {"cohort": GOOD, "at_days": text}, {**GOOD, "where": [{"not": {"missing": text}}]}):
            refusal_of(lambda value=value: question_from_json(value))
            refusal_of(lambda value=value: subgroups_question_from_json(value))


def test_no_text_breaks_the_reader_of_typed_filters() -> None:
    for text in TEXTS:
        for typed in (text, f"sex={text}", f"{text}=F", f"age_dx_years={text}", f"sex!={text}"):
            refusal_of(lambda typed=typed: parse_filter(typed))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    make_store(folder / "store", 300)
    opened = open_deployment(Settings(folder / "store", folder / "access.sqlite", None, access_key=ACCESS_KEY,
                                      daily_questions=10**6), now=lambda: NOW)
    yield opened
    opened.access.close()


def filters_with(text: str) -> list[Filter]:
    return [OneOf("trial", (text,)), OneOf("trial", ("Trial A", text)), OneOf("sex", (text,)), OneOf(text, ("F",)),
            Missing(text), Not(OneOf("trial", (text,))), Between(text, 1, 2)]


def test_no_text_in_a_question_breaks_the_services_or_changes_a_row(deployment: Deployment) -> None:
    before = data_digest(deployment.store.current())
    for place, text in enumerate(some_of(TEXTS, 20)):
        item = filters_with(text)[place % 7]
        for question in (Question("ALL", "os", (item,)), Question(text, "os"), Question("ALL", text),
                         Question("ALL", "os", by=text), Question("ALL", "os", by="sex", strata=text)):
            refusal_of(lambda question=question: ask_survival(deployment, OPERATOR, question))
        cohort = Question("ALL", "os", (item,))
        refusal_of(lambda cohort=cohort, text=text: count_choices(deployment, OPERATOR, cohort, (text,)))
        asked = (SubgroupsQuestion(cohort, ("sex",)), SubgroupsQuestion(Question("ALL", "os"), (text,)),
                 SubgroupsQuestion(Question("ALL", "os"), ("sex",), strata=text, treatment=text, arms=(text, "x")))
        for table in asked[place % 3: place % 3 + 1]:
            refusal_of(lambda table=table: ask_subgroups(deployment, OPERATOR, table))
        refusal_of(lambda text=text: ask_table_one(deployment, OPERATOR, Question("ALL", "os", by=text), (text,)))
        refusal_of(lambda text=text: ask_outcome_map(deployment, OPERATOR, Question("ALL", "os", by=text),
                                                     columns=text))
    assert data_digest(deployment.store.current()) == before


@pytest.mark.parametrize("page", ["survival", "subgroups", "export"])
def test_no_text_in_an_address_breaks_a_page_or_is_shown_as_markup(
        page: str, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    # a clinician has no link to the export page, which a page run alone cannot draw
    actor = Actor("tess", Role.STEERING if page == "export" else Role.CLINICIAN, "session", "Tess Ter")
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: actor)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", deployment)
    texts = some_of([text for text in TEXTS if "<" in text or "[" in text], 12)
    places = list(PLACES.values())
    for number, text in enumerate(texts):
        app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
        for name, value in places[number % len(places)](text).items():
            app.query_params[name] = value.encode("utf-8", "replace").decode()
        app.run()
        assert not app.exception, (text, app.exception)
        for element in (*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.subheader):
            assert text not in str(element.value) or is_escaped(text), (text, element.value)


@pytest.mark.parametrize("page", ["survival", "subgroups"])
def test_a_link_between_backticks_is_not_live(page: str, deployment: Deployment,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: Actor("tess", Role.CLINICIAN, "session"))
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", deployment)
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60)
    sent = "`\n\n[Your session has ended](https://evil.example)\n\n`"
    app.query_params["q"] = json.dumps({**GOOD, "disease": sent})
    app.run()
    assert not app.exception
    shown = [str(element.value) for element in (*app.markdown, *app.caption) if "Your session" in str(element.value)]
    assert shown and all("[Your" not in text.replace("\\[", "") for text in shown), shown
