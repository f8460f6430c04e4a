"""The access page on a real access database: who sees what of it, what each deed says, and what it leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.accounts import create_account, find_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import AuditEvent, Decision, list_events, record_event
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grant import GrantProposal, GrantStatus
from harmony_dash.access.grants import find_grant, list_grants, withdrawn_countries
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import approve_grant, end_grant, propose_grant, withdraw_country
from harmony_dash.settings import Settings
from harmony_dash.ui.components.access_trail_words import ACTIONS, action_words, question_words
from harmony_dash.ui.components.text import escape_markdown
from tests.factories import ACCESS_KEY, NOW
from tests.pages.tables import tables_of

ROOT = Path(__file__).parents[2]
SANNE = Actor("sanne", Role.STEERING, "s1", "Sanne Steer")
STEFAN = Actor("stefan", Role.STEERING, "s2", "Stefan Steer")
DORA = Actor("dora", Role.DATA_MANAGER, "s3", "Dora Data")
ANNA = Actor("anna", Role.ANALYST, "s4", "Anna Lyst")
CLARA = Actor("clara", Role.CLINICIAN, "s5", "Clara Clinic")
TODAY = date(2026, 11, 21)
PROPOSAL = GrantProposal("Copy :red[number]", "To see.", ("ALL",), ("NL", "DE"), ("sex", "subtype"), Level.EXACT,
                         (ANNA.username,), TODAY, TODAY + timedelta(days=100))
PASSWORD = "violet kettle under seven stairs"


class Clock:
    moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class House:
    """A deployment, its clock, and who is looking."""

    deployment: Deployment
    clock: Clock
    actor: Actor = DORA

    def open(self, part: str = "Grants") -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "access.py"), default_timeout=30)
        page.query_params["part"] = part
        return page.run()

    def actions(self) -> list[str]:
        return [row.event.action for row in list_events(self.deployment.access, limit=1000)]

    def activate(self, proposal: GrantProposal = PROPOSAL) -> str:
        grant = propose_grant(self.deployment, DORA, proposal).id
        approve_grant(self.deployment, SANNE, grant)
        approve_grant(self.deployment, STEFAN, grant)
        return grant


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An access database with everybody's account, to be copied."""
    path = tmp_path_factory.mktemp("accounts") / "access.sqlite"
    database = AccessDatabase(path, ACCESS_KEY)
    for actor in (SANNE, STEFAN, DORA, ANNA, CLARA):
        create_account(database, username=actor.username, name=actor.name, role=actor.role, by=OPERATOR,
                       password=PASSWORD, now=NOW, rounds=4)
    database.close()
    return path


@pytest.fixture
def house(accounts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    clock = Clock()
    shutil.copy(accounts, tmp_path / "access.sqlite")
    deployment = open_deployment(Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY),
                                 now=clock)
    opened = House(deployment, clock)
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: opened.actor)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", deployment)
    yield opened
    deployment.access.close()


def words_of(page: AppTest) -> str:
    """Everything the page says outside its tables, without the backslashes of escaped text."""
    kinds = ("markdown", "caption", "info", "subheader", "success", "error", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind)).replace("\\", "")


def words_of_tables(page: AppTest) -> str:
    return "\n".join(table.to_csv(index=False) for table in tables_of(page))


def labels_of(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


@pytest.mark.parametrize("actor", [CLARA, ANNA], ids=lambda actor: actor.role)
@pytest.mark.parametrize("part", ["People", "Grants", "Who saw what"])
def test_whoever_may_not_see_access_is_refused_and_recorded(house: House, actor: Actor, part: str) -> None:
    house.activate()
    house.actor = actor
    page = house.open(part)
    assert not page.exception
    assert "not open to your role" in words_of(page)
    assert not tables_of(page) and "Dora" not in words_of(page)
    newest = list_events(house.deployment.access)[0].event
    assert (newest.username, newest.decision) == (actor.username, Decision.REFUSED)


@pytest.mark.parametrize(("part", "needed"), [("People", "needs a data manager"), ("Grants", "need a data manager")])
def test_steering_reads_and_is_told_whom_an_edit_needs(house: House, part: str, needed: str) -> None:
    house.activate()
    house.actor = SANNE
    page = house.open(part)
    assert not page.exception
    assert needed in words_of(page)
    assert not labels_of(page) & {"Add a person", "Propose a grant", "Withdraw a country", "Take a person out"}


def test_people_are_listed_with_role_status_and_grants_in_words(house: House) -> None:
    grant = house.activate()
    house.actor = SANNE
    table = tables_of(house.open("People"))[0]
    rows = {row["Account"]: row for row in table.to_dict("records")}
    assert rows["sanne"]["Role"] == "Steering committee"
    assert rows["anna"]["Active grants"].replace("\\", "") == grant
    assert rows["dora"]["Last sign-in"] == "–"
    assert {row["Two-step sign-in"] for row in rows.values()} == {"Off"}


def test_a_data_manager_gets_the_deeds_that_fit_the_person(house: House) -> None:
    page = house.open("People")
    page.selectbox(key="access.person").select("anna").run()
    assert {"Change role", "New password", "Clear failed attempts", "Disable"} <= labels_of(page)
    assert not labels_of(page) & {"Enable", "Reset two-step sign-in", "End all sessions"}
    page.selectbox(key="access.person").select("dora").run()
    assert "Disable" not in labels_of(page)
    assert "your own account" in words_of(page)


DIALOG = """
from harmony_dash.services.people import list_people
from harmony_dash.ui.components import access_person_dialogs as dialogs
from harmony_dash.ui.guard import current_actor
from harmony_dash.ui.startup import get_deployment
from harmony_dash.access.actor import OPERATOR

person = next(p for p in list_people(get_deployment(), OPERATOR) if p.username == "anna")
dialogs.{name}(person)
"""
DEEDS = {
    "show_disabling": ("disable", "ends all sessions of Anna Lyst", lambda account: account.disabled),
    "show_clearing": ("attempts", "can try to sign in again", lambda account: True),
    "show_sessions_end": ("sessions", "ends all sessions of Anna Lyst", lambda account: not account.disabled),
}


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_says_what_will_happen_and_then_does_it(house: House, name: str) -> None:
    key, words, done = DEEDS[name]
    page = AppTest.from_string(DIALOG.format(name=name), default_timeout=30).run()
    assert words in words_of(page)
    before = len(house.actions())
    page.button(key=f"access.{key}.confirm").click().run()
    assert not page.exception
    assert len(house.actions()) > before
    assert done(find_account(house.deployment.access, "anna"))


@pytest.mark.parametrize("name", ["show_disabling", "show_clearing", "show_sessions_end", "show_new_role",
                                  "show_new_password", "show_second_factor_reset", "show_enabling"])
@pytest.mark.parametrize("actor", [SANNE, CLARA], ids=lambda actor: actor.role)
def test_a_dialog_refuses_whoever_lost_the_right_to_it(house: House, name: str, actor: Actor) -> None:
    house.actor = actor
    page = AppTest.from_string(DIALOG.format(name=name), default_timeout=30).run()
    assert "not open to your role" in words_of(page)
    assert not page.button


def test_another_role_needs_a_choice_and_ends_sessions(house: House) -> None:
    page = AppTest.from_string(DIALOG.format(name="show_new_role"), default_timeout=30).run()
    page.button(key="access.role.confirm").click().run()
    assert "Choose a role." in words_of(page)
    page.radio(key="access.role").set_value(Role.CLINICIAN).run()
    page.button(key="access.role.confirm").click().run()
    assert find_account(house.deployment.access, "anna").role is Role.CLINICIAN


def test_a_weak_password_is_refused_in_words_and_a_suggested_one_is_taken(house: House) -> None:
    page = AppTest.from_string(DIALOG.format(name="show_new_password"), default_timeout=30).run()
    page.text_input(key="access.password").set_value("short").run()
    page.button(key="access.password.confirm").click().run()
    assert "15 characters" in words_of(page)
    page.button(key="access.password.suggest").click().run()
    epoch = find_account(house.deployment.access, "anna").epoch
    page.button(key="access.password.confirm").click().run()
    assert find_account(house.deployment.access, "anna").epoch == epoch + 1


def test_a_person_is_added(house: House) -> None:
    script = ("from harmony_dash.ui.components.access_person_dialogs import show_new_person\n"
              "show_new_person()\n")
    page = AppTest.from_string(script, default_timeout=30).run()
    page.button(key="access.new.confirm").click().run()
    assert "Fill in all four fields." in words_of(page)
    page.text_input(key="access.new.name").set_value("Nils New").run()
    page.text_input(key="access.new.username").set_value("Nils").run()
    page.radio(key="access.role").set_value(Role.ANALYST).run()
    page.text_input(key="access.new.password").set_value("marmalade tugboat zephyr quilt").run()
    page.button(key="access.new.confirm").click().run()
    assert not page.exception
    assert find_account(house.deployment.access, "nils").role is Role.ANALYST


def test_a_proposal_is_a_card_that_each_sees_with_their_own_reason(house: House) -> None:
    grant = propose_grant(house.deployment, DORA, PROPOSAL).id
    page = house.open()
    assert "Copy :red[number]" in words_of(page)
    assert "You proposed this grant" in words_of(page)
    assert "Approve" not in labels_of(page)
    assert "Genetic subtype" in words_of(page) and "Germany, Netherlands" in words_of(page)
    house.actor = SANNE
    assert {"Approve", "Reject"} <= labels_of(house.open())
    approve_grant(house.deployment, SANNE, grant)
    page = house.open()
    assert "You have approved this grant" in words_of(page)
    assert "1 of 2: Sanne Steer (sanne)" in words_of(page)
    assert "Approve" not in labels_of(page)


def test_no_text_of_a_grant_is_read_as_markdown(house: House) -> None:
    text = "<img src=x onerror=alert(1)> [x](javascript:1) :red[x] **b** https://evil.example"
    house.activate(replace(PROPOSAL, project=text, purpose=text))
    propose_grant(house.deployment, DORA, replace(PROPOSAL, project=text, purpose=text))
    page = house.open()
    shown = "\n".join(str(element.value) for kind in ("markdown", "caption") for element in page.get(kind))
    assert shown.count(escape_markdown(text)) == 2
    assert text not in shown
    assert [row["Project"] for row in tables_of(page)[0].to_dict("records")] == [text]


GRANT_DIALOG = """
from harmony_dash.services.grants import list_all_grants
from harmony_dash.access.actor import OPERATOR
from harmony_dash.ui.components import access_grant_dialogs as dialogs
from harmony_dash.ui.startup import get_deployment

deployment = get_deployment()
grant = list_all_grants(deployment, OPERATOR)[0]
dialogs.{name}(grant, {{"anna": "Anna Lyst"}}{more})
"""


def open_grant_dialog(name: str, more: str = "") -> AppTest:
    return AppTest.from_string(GRANT_DIALOG.format(name=name, more=more), default_timeout=30).run()


def test_approving_says_what_it_opens(house: House) -> None:
    grant = propose_grant(house.deployment, DORA, PROPOSAL).id
    house.actor = SANNE
    page = open_grant_dialog("show_approval", ", deployment.dictionary")
    assert ("Anna Lyst (anna) may see exact numbers on screen of 2 variables of patients from Germany, Netherlands, "
            "from 21 November 2026 to 1 March 2027.") in words_of(page)
    assert "one more person" in words_of(page)
    page.button(key="access.approve.confirm").click().run()
    assert find_grant(house.deployment.access, grant).approvers == ("sanne",)


@pytest.mark.parametrize("name", ["show_ending", "show_rejection"])
def test_ending_needs_a_reason(house: House, name: str) -> None:
    grant = propose_grant(house.deployment, DORA, PROPOSAL).id
    house.actor = SANNE
    page = open_grant_dialog(name)
    key = {"show_ending": "end", "show_rejection": "reject"}[name]
    page.button(key=f"access.{key}.confirm").click().run()
    assert "Say why, in a few words." in words_of(page)
    assert find_grant(house.deployment.access, grant).ended is None
    page.text_input(key="access.reason").set_value("not needed").run()
    page.button(key=f"access.{key}.confirm").click().run()
    assert find_grant(house.deployment.access, grant).end_reason == "not needed"


def test_a_member_is_taken_out_by_a_data_manager_alone(house: House) -> None:
    grant = house.activate()
    page = open_grant_dialog("show_removal")
    assert "Anna Lyst can ask nothing more under this grant" in words_of(page)
    house.actor = SANNE
    page.button(key="access.remove.confirm").click().run()
    assert find_grant(house.deployment.access, grant).proposal.members == ("anna",)
    house.actor = DORA
    open_grant_dialog("show_removal").button(key="access.remove.confirm").click().run()
    assert find_grant(house.deployment.access, grant).proposal.members == ()


def test_no_name_is_read_as_markdown_on_a_button(house: House) -> None:
    house.activate()
    script = GRANT_DIALOG.format(name="show_removal", more="").replace("Anna Lyst", ":red[Anna]")
    page = AppTest.from_string(script, default_timeout=30).run()
    assert page.button(key="access.remove.confirm").label == f"Take {escape_markdown(':red[Anna]')} out"


@pytest.mark.parametrize(("days", "amber"), [(13, True), (14, False), (100, False)])
def test_the_last_fortnight_is_amber(house: House, days: int, amber: bool) -> None:
    house.activate(replace(PROPOSAL, valid_to=TODAY + timedelta(days=days - 1)))
    page = house.open()
    (body,) = [element.proto.body for element in page.get("html") if "<table" in element.proto.body]
    assert ('<span class="mark orange">' in body) is amber
    assert f"{days} days" in tables_of(page)[0]["Days left"][0]


def test_what_is_over_says_what_became_of_it(house: House) -> None:
    rejected = propose_grant(house.deployment, DORA, PROPOSAL).id
    end_grant(house.deployment, SANNE, rejected, "too broad")
    end_grant(house.deployment, DORA, house.activate(), "finished")
    house.activate(replace(PROPOSAL, valid_to=TODAY + timedelta(days=1)))
    house.clock.moment = NOW + timedelta(days=2)
    said = words_of_tables(house.open())
    for words in ("Rejected: too broad", "Ended: finished", "Ran out"):
        assert words in said
    assert "No grant is in force" in words_of(house.open())


def fill_proposal(page: AppTest, *, days: int = 100) -> AppTest:
    page.button(key="access.propose").click().run()
    page.text_input(key="access.proposal.project").set_value("Relapse").run()
    page.text_area(key="access.proposal.purpose").set_value("To see who relapses.").run()
    page.multiselect(key="access.proposal.country").set_value(["NL", "DE"]).run()
    page.multiselect(key="access.proposal.member").set_value(["anna"]).run()
    page.date_input(key="access.proposal.valid_from").set_value(TODAY).run()
    return page.date_input(key="access.proposal.valid_to").set_value(TODAY + timedelta(days=days)).run()


def test_an_empty_proposal_says_at_each_field_what_is_missing(house: House) -> None:
    page = house.open()
    page.button(key="access.propose").click().run()
    assert page.multiselect(key="access.proposal.variable").value
    page.button(key="access.proposal.send").click().run()
    assert not page.exception
    for words in ("Give the name", "Say in a sentence", "at least one country", "at least one analyst"):
        assert words in words_of(page)
    assert "at least one variable" not in words_of(page)
    assert list_grants(house.deployment.access) == ()


def test_a_proposal_of_more_than_a_year_is_refused_in_words(house: House) -> None:
    page = fill_proposal(house.open(), days=365)
    page.button(key="access.proposal.send").click().run()
    assert "A grant lasts at most twelve months. End it by 2027-11-20." in words_of(page)
    assert page.text_input(key="access.proposal.project").value == "Relapse"


def test_a_proposal_is_sent_and_waits_for_approval(house: House) -> None:
    page = fill_proposal(house.open())
    page.button(key="access.proposal.section.Genetics").click().run()
    assert "IKZF1" in str(page.multiselect(key="access.proposal.variable").options)
    page.button(key="access.proposal.everyday").click().run()
    page.radio(key="access.proposal.level").set_value(Level.EXACT).run()
    page.button(key="access.proposal.send").click().run()
    assert not page.exception
    (grant,) = list_grants(house.deployment.access)
    assert grant.status(NOW) is GrantStatus.PROPOSED
    assert grant.proposal.level is Level.EXACT and grant.proposal.countries == ("DE", "NL")
    everyday = {v.name for v in house.deployment.dictionary.askable("ALL") if v.everyday and v.name != "country"}
    assert set(grant.proposal.variables) == everyday
    assert "is proposed. Two people have to approve it now." in words_of(page)
    page.button(key="access.propose").click().run()
    assert page.text_input(key="access.proposal.project").value == ""


def test_what_was_filled_in_stays_while_another_part_is_looked_at(house: House) -> None:
    page = fill_proposal(house.open())
    page.segmented_control(key="part").set_value("people").run()
    page.segmented_control(key="part").set_value("grants").run()
    assert page.text_input(key="access.proposal.project").value == "Relapse"
    assert page.multiselect(key="access.proposal.country").value == ["NL", "DE"]


def test_withdrawing_a_country_says_what_it_does(house: House) -> None:
    script = ("from harmony_dash.ui.components.access_countries import {name}\n"
              "from harmony_dash.services.grants import list_withdrawn_countries\n"
              "from harmony_dash.access.actor import OPERATOR\n"
              "from harmony_dash.ui.startup import get_deployment\n"
              "deployment = get_deployment()\n"
              "withdrawn = list_withdrawn_countries(deployment, OPERATOR)\n"
              "{name}(deployment.dictionary, withdrawn) if {condition} else None\n")
    page = AppTest.from_string(script.format(name="show_withdrawal", condition="not withdrawn"), default_timeout=30)
    page.run()
    page.selectbox(key="access.withdraw.country").select("NL").run()
    assert "shuts the patients of Netherlands out of every answer at once" in words_of(page)
    page.button(key="access.withdraw.confirm").click().run()
    assert "say who asked for it" in words_of(page)
    page.text_input(key="access.withdraw.reason").set_value("letter of 3 May").run()
    page.button(key="access.withdraw.confirm").click().run()
    assert withdrawn_countries(house.deployment.access) == {"NL": "letter of 3 May"}
    assert "Netherlands" in words_of_tables(house.open())
    page = AppTest.from_string(script.format(name="show_restoring", condition="withdrawn"), default_timeout=30).run()
    page.text_input(key="access.restore.reason").set_value("second letter").run()
    page.button(key="access.restore.confirm").click().run()
    assert withdrawn_countries(house.deployment.access) == {}


def test_a_withdrawn_country_shows_in_the_grant(house: House) -> None:
    grant = house.activate()
    withdraw_country(house.deployment, DORA, "NL", "letter")
    page = house.open()
    page.selectbox(key="access.grant").select(grant).run()
    assert "Netherlands: in no answer any more" in words_of(page)


def ask(house: House, actor: Actor, question: str, *, action: str = "survival", grant: str = "",
        decision: Decision = Decision.ALLOWED, n: int | None = 482, reason: str = "") -> None:
    record_event(house.deployment.access, AuditEvent.of(actor, action, question=question, level="exact", n=n,
                                                        decision=decision, reason=reason, grant=grant), now=NOW)


QUESTION = Question("ALL", "efs", (parse_filter("sex=F"), parse_filter("country=NL")), by="cyto_group")


def test_the_trail_tells_in_words_who_saw_what_under_which_grant(house: House) -> None:
    grant = house.activate()
    ask(house, ANNA, QUESTION.for_the_record, grant=grant)
    ask(house, CLARA, "ALL", action="review coverage")
    house.actor = SANNE
    page = house.open()
    page.selectbox(key="access.grant").select(grant).run()
    page.button(key="access.trail_of").click().run()
    assert not page.exception
    assert page.selectbox(key="access.trail.grant").value == grant
    said = words_of_tables(page)
    assert "Event-free survival of patients with ALL, country: Netherlands, sex: Female, by cytogenetic risk" in said
    assert "Anna Lyst, analyst" in said and f"{grant}, exact" in said and "482" in said
    assert "Coverage" not in said


def test_every_reading_is_recorded_with_its_filters(house: House) -> None:
    page = house.open("Who saw what")
    page.selectbox(key="access.trail.username").select("anna").run()
    newest = list_events(house.deployment.access, action="read audit trail")[0].event
    assert newest.username == "dora" and '"username": "anna"' in newest.question


FILTERS = {"username": ("clara", 1), "action": ("survival", 2), "decision": (Decision.REFUSED, 1),
           "contains": ("country:NL", 1), "period": ("7", 3)}


@pytest.mark.parametrize("field", FILTERS)
def test_the_filters_leave_what_fits(house: House, field: str) -> None:
    value, expected = FILTERS[field]
    ask(house, ANNA, QUESTION.for_the_record)
    ask(house, ANNA, Question("ALL", "os", by="sex").for_the_record, decision=Decision.REFUSED, reason="not yours")
    ask(house, CLARA, "ALL", action="review coverage")
    house.clock.moment = NOW + timedelta(days=3)
    page = house.open("Who saw what")
    page.selectbox(key=f"access.trail.{field}").select(value).run()
    table = tables_of(page)[0]
    asked = [row for row in table["What"] if "urvival" in row or "Coverage" in row]
    assert len(asked) == expected


def test_a_long_trail_is_read_page_by_page(house: House) -> None:
    for number in range(60):
        ask(house, CLARA, f"marker {number:02d}", action="note")
    page = house.open("Who saw what")
    seen = [words_of_tables(page)]
    while "Older" in labels_of(page):
        page.button(key="access.trail.older").click().run()
        seen.append(words_of_tables(page))
    assert all(sum(f"marker {number:02d}" in text for text in seen) == 1 for number in range(60))
    page.button(key="access.trail.newer").click().run()
    assert words_of_tables(page) == seen[-2]


def test_filters_that_nothing_fits_say_so(house: House) -> None:
    page = house.open("Who saw what")
    page.selectbox(key="access.trail.action").select("roll back").run()
    assert "No entry fits these filters" in words_of(page)


def test_the_file_is_made_on_a_click_and_recorded(house: House) -> None:
    page = house.open("Who saw what")
    assert "export audit trail" not in house.actions()
    assert not page.get("download_button")
    page.button(key="access.trail.file").click().run()
    assert not page.exception
    assert house.actions().count("export audit trail") == 1
    assert len(page.get("download_button")) == 1


def test_the_chain_is_checked_on_a_click(house: House) -> None:
    page = house.open("Who saw what")
    page.button(key="access.trail.check").click().run()
    assert "The trail is intact" in words_of(page) and "checked just now" in words_of(page)
    assert "verify audit trail" in house.actions()


UNREADABLE = ["0123456789abcdef {", "0123456789abcdef {\"disease\":\"ALL\"}", "0123456789abcdef {\"disease\":\"XX\","
              "\"endpoint\":\"os\"}", "0123456789abcdef {\"disease\":\"ALL\",\"endpoint\":\"os\",\"by\":\"gone\"}",
              "0123456789abcdef " + '{"a":' * 100_000]


@pytest.mark.parametrize("question", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_question_that_cannot_be_read_is_named_by_its_fingerprint(house: House, question: str) -> None:
    assert question_words(question, house.deployment.dictionary) == "question 0123456789abcdef"


def test_counts_of_choices_and_conditions_are_told_in_words(house: House) -> None:
    dictionary = house.deployment.dictionary
    counted = question_words(f"{QUESTION.for_the_record} counted by sex, cyto_group", dictionary)
    assert counted.endswith("counted by Sex, Cytogenetic risk group")
    assert question_words('{"grant": "G-2026-001", "username": "anna"}', dictionary) == (
        "grant G-2026-001, username anna")
    assert question_words("ALL", dictionary) == "Acute lymphoblastic leukaemia"
    assert len(question_words("x" * 5000, dictionary)) < 200


def test_the_trail_never_shows_markup_of_what_was_recorded(house: House) -> None:
    text, reason = "<script>alert(1)</script> :red[x] [a](javascript:1)", "<b>why</b>"
    ask(house, CLARA, text, action="note", reason=reason)
    table = tables_of(house.open("Who saw what"))[0]
    assert table["What"][0] == f"Note: {text}: {reason}"


def test_actions_are_told_in_words() -> None:
    assert action_words("page: see people and grants") == "Tried to open a page: see people and grants"
    assert action_words("something new") == "Something new"
    assert all(words[0].isupper() for words in ACTIONS.values())
