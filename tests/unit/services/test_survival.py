from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import AuditUnavailable, Decision, list_events
from harmony_dash.charts.curve_tables import build_key_numbers
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.grid import GRID
from harmony_dash.errors import AccessRefused, QuestionError, StoreError
from harmony_dash.services.choices import count_choices
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.release_info import describe_release
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.services.survival_notes import ages_asked
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
STEERING = Actor("stefan", Role.STEERING, "s2")
ANALYST = Actor("anna", Role.ANALYST, "s3")
MANAGER = Actor("dora", Role.DATA_MANAGER, "s4")

FRAME = make_patients(800, seed=3)
FRAME.loc[FRAME.index < 5, "sex"] = None
FRAME.loc[FRAME.cyto_group == "high", "cyto_group"] = "intermediate"
FRAME.loc[FRAME.index[:6], "cyto_group"] = "high"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    make_store(tmp_path / "store", frame=FRAME)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: NOW)


QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex")


@pytest.mark.parametrize(("actor", "may"), [(CLINICIAN, True), (ANALYST, True), (STEERING, False), (MANAGER, False)])
def test_only_roles_that_look_at_outcomes_may_ask(deployment: Deployment, actor: Actor, may: bool) -> None:
    if may:
        assert ask_survival(deployment, actor, QUESTION).value.n > 0
    else:
        with pytest.raises(AccessRefused):
            ask_survival(deployment, actor, QUESTION)
    event = list_events(deployment.access)[0].event
    assert (event.username, event.decision) == (actor.username, Decision.ALLOWED if may else Decision.REFUSED)


@pytest.mark.parametrize("actor", [CLINICIAN, ANALYST, STEERING, MANAGER])
def test_nobody_who_signs_in_may_see_exact_results_yet(deployment: Deployment, actor: Actor) -> None:
    with pytest.raises(AccessRefused):
        ask_survival(deployment, actor, QUESTION, level=Level.EXACT)


def test_an_answer_is_recorded_with_its_question_snapshot_and_size(deployment: Deployment) -> None:
    result = ask_survival(deployment, CLINICIAN, QUESTION).value
    event = list_events(deployment.access)[0].event
    assert (event.action, event.question, event.snapshot, event.level, event.n) == (
        "survival", result.question.for_the_record, result.snapshot, "protected", result.n)


def test_if_the_audit_trail_cannot_be_written_nothing_is_answered(deployment: Deployment) -> None:
    with sqlite3.connect(deployment.settings.access_database) as connection:
        connection.execute("create trigger jam before insert on audit begin select raise(abort, 'jammed'); end")
    with pytest.raises(AuditUnavailable):
        ask_survival(deployment, CLINICIAN, QUESTION)


def test_a_small_group_is_withheld_from_curves_and_tests_alike(deployment: Deployment) -> None:
    question = replace(QUESTION, by="cyto_group", where=())
    protected = ask_survival(deployment, CLINICIAN, question).value
    exact = ask_survival(deployment, OPERATOR, question, level=Level.EXACT).value
    assert [group.name for group in protected.withheld] == ["high risk"]
    assert {group.name for group in exact.groups} - {group.name for group in protected.groups} == {"high risk"}
    assert protected.log_rank is not None
    assert exact.log_rank is not None
    assert (protected.log_rank.df, exact.log_rank.df) == (1, 2)


def test_patients_shown_and_excluded_add_up_to_the_cohort(deployment: Deployment) -> None:
    exact = ask_survival(deployment, OPERATOR, replace(QUESTION, endpoint="relapse"), level=Level.EXACT).value
    cohort = exact.attrition[-1].n
    assert cohort == sum(group.n for group in exact.groups) + sum(e.n or 0 for e in exact.exclusions)
    assert cohort == int((FRAME.immunophenotype == "B").sum())


def test_grouping_by_response_starts_the_clock_when_it_is_known_and_says_so(deployment: Deployment) -> None:
    result = ask_survival(deployment, CLINICIAN, replace(QUESTION, by="mrd_group")).value
    assert result.question.landmark_days == 42
    assert any("day 42" in note for note in result.notes)
    assert any("by day 42" in exclusion.reason for exclusion in result.exclusions)


@pytest.mark.parametrize("where", ["age_dx_years=60..", "sex=?"])
def test_an_empty_or_tiny_cohort_is_an_answer_and_not_an_error(deployment: Deployment, where: str) -> None:
    result = ask_survival(deployment, CLINICIAN, Question("ALL", "efs", (parse_filter(where),))).value
    assert result.groups == ()
    assert result.n == 0
    assert "large enough" in result.summary


def test_five_years_after_a_landmark_are_told_as_such(deployment: Deployment) -> None:
    result = ask_survival(deployment, CLINICIAN, replace(QUESTION, by="mrd_group")).value
    assert "after day 42 from diagnosis, among patients followed beyond that day" in result.summary


@pytest.mark.parametrize("where", ["age_dx_years=1..<60", "age_group=10-17,18-39", "sex=F"])
def test_pooling_children_and_adults_is_always_said(deployment: Deployment, where: str) -> None:
    result = ask_survival(deployment, CLINICIAN, Question("ALL", "efs", (parse_filter(where),))).value
    assert any("pooled" in note for note in result.notes)


@pytest.mark.parametrize("where", [
    "age_dx_years=1..<18", "age_group=1-9,10-17", "age_dx_years=18..", "age_group=18-39"])
def test_children_alone_and_adults_alone_are_not_called_pooled(deployment: Deployment, where: str) -> None:
    result = ask_survival(deployment, CLINICIAN, Question("ALL", "efs", (parse_filter(where),))).value
    assert not any("pooled" in note for note in result.notes)


CHILDREN, ADULTS = ("<1", "1-9", "10-17"), ("18-39", "40-59", "60+")


@pytest.mark.parametrize(("item", "ages"), [
    (OneOf("age_group", CHILDREN), "children"), (OneOf("age_group", (*CHILDREN, "18-39")), None),
    (Not(OneOf("age_group", CHILDREN)), "adults"), (Not(OneOf("age_group", ADULTS)), None),
    (Not(OneOf("age_group", CHILDREN[:2])), None),
    (AnyOf((Between("age_dx_years", None, 1, False), Between("age_dx_years", 10, 18, False))), "children"),
    (AnyOf((OneOf("age_group", CHILDREN), Missing("age_group"))), None)])
def test_who_is_pooled_is_read_from_every_form_of_a_filter(item: Filter, ages: str | None) -> None:
    assert ages_asked(Question("ALL", "efs", (item,))) == ages


@pytest.mark.parametrize("without", [CHILDREN, ADULTS])
def test_a_negated_age_group_is_not_called_pooled(deployment: Deployment, without: tuple[str, ...]) -> None:
    result = ask_survival(deployment, CLINICIAN, Question("ALL", "efs", (Not(OneOf("age_group", without)),))).value
    assert result.groups
    assert not any("pooled" in note for note in result.notes)


def test_a_filter_on_age_that_was_not_applied_leaves_children_and_adults_pooled(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame["age_dx_years"] = 5.0
    frame.loc[frame.index[:4], "age_dx_years"] = 30.0
    frame["age_group"] = np.where(frame.age_dx_years < 18, "1-9", "18-39")
    make_store(tmp_path / "store", frame=frame)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    question = Question("ALL", "efs", (OneOf("age_group", CHILDREN),))
    result = ask_survival(open_deployment(settings, now=lambda: NOW), CLINICIAN, question).value
    assert [one.kind for one in result.not_applied] == ["not applied"]
    assert any("pooled" in note for note in result.notes)


def test_a_horizon_keeps_the_estimate_on_it(deployment: Deployment) -> None:
    free = ask_survival(deployment, CLINICIAN, QUESTION).value.groups[0]
    shown = ask_survival(deployment, CLINICIAN, replace(QUESTION, horizon_days=1826)).value.groups[0]
    assert shown.at[-1].estimate == free.at[-1].estimate is not None
    whole = ask_survival(deployment, OPERATOR, QUESTION, level=Level.EXACT).value.groups[0]
    cut = ask_survival(deployment, OPERATOR, replace(QUESTION, horizon_days=1826), level=Level.EXACT).value.groups[0]
    assert cut.at[-1].estimate == whole.at[-1].estimate is not None
    assert cut.curve.days[-1] == 1826
    assert cut.curve.estimate[-1] == cut.at[-1].estimate
    assert cut.curve.at_risk[-1] == cut.at[-1].at_risk


@pytest.mark.parametrize("level", [Level.PROTECTED, Level.EXACT])
@pytest.mark.parametrize("read", [[183], [365], [365, 913], [365, 1096, 1826]])
def test_nothing_is_read_beyond_the_horizon(deployment: Deployment, level: Level, read: list[int]) -> None:
    for endpoint in ("os", "relapse"):
        question = Question("ALL", endpoint, horizon_days=read[-1])
        group = ask_survival(deployment, OPERATOR, question, level=level).value.groups[0]
        for ats in (group.at, *(cause.at for cause in group.cumulative_incidence)):
            assert [at.days for at in ats] == read
            assert all(at.estimate is not None for at in ats)


@pytest.mark.parametrize("level", [Level.PROTECTED, Level.EXACT])
def test_a_median_beyond_the_horizon_is_not_said_to_be_unreached(deployment: Deployment, level: Level) -> None:
    def median(horizon: int | None) -> tuple[str, bool]:
        question = Question("ALL", "efs", horizon_days=horizon)
        released = ask_survival(deployment, OPERATOR, question, level=level)
        table = build_key_numbers(released, TimeUnit.YEARS)
        return table.rows[0][table.header.index("Median, years")], released.value.groups[0].median_days is None

    whole, _ = median(None)
    assert whole.startswith("5.0 (4.")
    assert median(365) == ("beyond 1 year", True)
    assert median(1370) == ("beyond 3.75 years", True)
    assert median(2009) == (f"{whole.split('–')[0]}–beyond 5.5 years)", False)
    assert median(2192) == (whole, False)


def test_treatment_failure_on_day_zero_and_a_landmark_exclude_each_other(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="day 0"):
        ask_survival(deployment, CLINICIAN, Question("ALL", "efs_tf0", by="mrd_group"))


@pytest.mark.parametrize("by", ["rand_arm", "randomised", "trial_arm", "intensity_received", "hsct_cr1", "cr_status"])
def test_what_becomes_known_on_a_day_of_its_own_needs_a_landmark(deployment: Deployment, by: str) -> None:
    with pytest.raises(QuestionError, match="landmark"):
        ask_survival(deployment, CLINICIAN, Question("ALL", "os", by=by))


def test_a_test_on_few_events_is_withheld_cause_by_cause(deployment: Deployment) -> None:
    question = Question("ALL", "relapse", (parse_filter("trial=Trial A"), parse_filter("age_group=1-9")), by="sex")
    exact = {test.cause: test for test in ask_survival(deployment, OPERATOR, question, level=Level.EXACT).value.gray}
    shown = {test.cause for test in ask_survival(deployment, CLINICIAN, question).value.gray}
    assert shown == {cause for cause, test in exact.items() if test.events >= 20}
    assert shown != set(exact)


def test_a_trial_that_nobody_has_is_named(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="Trial A"):
        ask_survival(deployment, CLINICIAN, Question("ALL", "efs", (parse_filter("trial=UKALL2003"),)))


def test_a_disease_without_patients_is_named(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="disease"):
        ask_survival(deployment, CLINICIAN, Question("AML", "os"))


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    with pytest.raises(StoreError, match="ingest"):
        ask_survival(open_deployment(settings), CLINICIAN, QUESTION)


def test_relapse_as_one_minus_kaplan_meier_is_never_below_its_cumulative_incidence(deployment: Deployment) -> None:
    rate = ask_survival(deployment, OPERATOR, Question("ALL", "relapse_1km"), level=Level.EXACT).value.groups[0]
    incidence = ask_survival(deployment, OPERATOR, Question("ALL", "relapse"), level=Level.EXACT).value.groups[0]
    for one, other in zip(rate.at, incidence.cumulative_incidence[0].at, strict=True):
        assert one.estimate is not None
        assert other.estimate is not None
        assert 1 - one.estimate >= other.estimate
    assert rate.events == incidence.events
    # A death ends the patient's risk of relapse, not the watch kept over the patients.
    assert rate.follow_up_median_days == incidence.follow_up_median_days


def test_the_summary_of_a_relapse_rate_tells_relapses_and_not_survival(deployment: Deployment) -> None:
    released = ask_survival(deployment, OPERATOR, Question("ALL", "relapse_1km"), level=Level.EXACT)
    last = [at for at in released.value.groups[0].at if at.estimate is not None][-1]
    assert last.estimate is not None
    assert f"{100 * (1 - last.estimate):.1f} %" in released.value.summary


def test_the_json_of_an_answer_is_plain_and_complete(deployment: Deployment) -> None:
    released = ask_survival(deployment, CLINICIAN, replace(QUESTION, endpoint="relapse"))
    value = json.loads(json.dumps(survival_as_json(released), allow_nan=False))
    assert {"snapshot", "question", "fingerprint", "exact", "groups", "log_rank", "gray", "exclusions",
            "methods"} <= set(value)
    assert {"label", "n", "events", "median_days", "median_lower_days", "median_upper_days", "follow_up_median_days",
            "at", "rmst", "cumulative_incidence"} <= set(value["groups"][0])
    assert value["exact"] is False


@pytest.mark.parametrize("level", [Level.PROTECTED, Level.EXACT])
def test_the_json_of_competing_causes_has_no_median_and_no_mean(deployment: Deployment, level: Level) -> None:
    def told(endpoint: str) -> tuple[list[object], list[object]]:
        released = ask_survival(deployment, OPERATOR, replace(QUESTION, endpoint=endpoint), level=level)
        value = survival_as_json(released)
        names = ("median_days", "median_lower_days", "median_upper_days", "rmst")
        return [group[name] for group in value["groups"] for name in names], value["rmst_differences"]

    numbers, differences = told("relapse")
    assert numbers == [None] * 8
    assert differences == []
    numbers, differences = told("efs")
    assert numbers.count(None) < 8
    assert differences


def test_choices_show_what_each_would_leave_and_hide_small_ones(deployment: Deployment) -> None:
    choices = count_choices(deployment, CLINICIAN, Question("ALL", "efs"), ["sex", "cyto_group"]).value
    assert choices.total == len(FRAME) == 800
    exact = FRAME.sex.value_counts()
    for value in ("F", "M"):
        shown = choices.counts["sex"][value]
        assert shown is not None
        assert shown % 5 == 0
        assert abs(shown - exact[value]) <= 4
    assert choices.missing["sex"] is None
    assert choices.counts["cyto_group"]["high"] is None


def test_the_steering_committee_sees_coverage_and_no_small_cell(deployment: Deployment) -> None:
    result = review_coverage(deployment, STEERING, "ALL").value
    assert result.n == len(FRAME)
    assert sum(cell.n or 0 for cell in result.by_country) == len(FRAME)
    assert all(cell.n is None or cell.n >= 10 for cell in result.by_country_and_trial)
    assert result.sources[0].follow_up_median_days is not None
    share = {c.variable: c.share for c in result.completeness}
    # Of all but a few patients no more is said than that, and nothing of none.
    assert share["age_dx_years"] == 0.98
    assert share["subtype"] is None


def test_the_release_tells_its_diseases_to_everybody_who_signs_in(deployment: Deployment) -> None:
    for actor in (CLINICIAN, STEERING, ANALYST, MANAGER):
        info = describe_release(deployment, actor)
        assert info.diseases["ALL"].n == len(FRAME)
        assert info.synthetic


def test_the_same_patients_have_the_same_number_wherever_they_are_counted(deployment: Deployment) -> None:
    result = ask_survival(deployment, CLINICIAN, Question("ALL", "os")).value
    choices = count_choices(deployment, CLINICIAN, Question("ALL", "os"), ["sex"]).value
    info = describe_release(deployment, CLINICIAN)
    coverage = review_coverage(deployment, CLINICIAN, "ALL").value
    assert {result.n, result.groups[0].n, result.groups[0].risk_table.at_risk[0], result.attrition[0].n, choices.total,
            info.diseases["ALL"].n, coverage.n, coverage.sources[0].accepted} == {result.n}


def test_a_group_is_the_same_as_a_filter_and_in_a_grouping(deployment: Deployment) -> None:
    grouped = ask_survival(deployment, CLINICIAN, Question("ALL", "os", by="sex")).value.groups[0]
    filtered = ask_survival(deployment, CLINICIAN, Question("ALL", "os", (parse_filter("sex=F"),))).value.groups[0]
    assert grouped.n == filtered.n
    assert grouped.curve.estimate.tolist() == filtered.curve.estimate.tolist()
    assert grouped.median_days == filtered.median_days


def test_a_group_that_is_never_watched_together_is_withheld_and_nobody_waits_for_it(tmp_path: Path) -> None:
    frame = make_patients(900, seed=11)
    women, men = (frame.index[frame["sex"] == sex] for sex in ("F", "M"))
    frame = frame.loc[[*women, *men[:120]]].reset_index(drop=True)
    frame.loc[frame["sex"] == "F", "entry_days"] = 37
    # One man enters every five days and is watched for 44.
    entry = np.arange(120) * 5 + 100
    men = frame.index[frame["sex"] == "M"]
    frame.loc[men, "entry_days"], frame.loc[men, "os_days"], frame.loc[men, "os_cause"] = entry, entry + 44, entry % 2
    make_store(tmp_path / "store", frame=frame)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    late = open_deployment(settings, now=lambda: NOW)
    by_sex = Question("ALL", "os", by="sex")
    released = ask_survival(late, CLINICIAN, by_sex).value
    assert [(group.name, group.curve.days[0]) for group in released.groups] == [("Female", 91)]
    assert [group.name for group in released.withheld] == ["Male"]
    exact = ask_survival(late, OPERATOR, by_sex, level=Level.EXACT).value
    assert [(group.name, group.curve.days[0]) for group in exact.groups] == [("Female", 38)]
    assert "under observation together" in exact.withheld[0].reason


def test_late_entry_and_landmarks_give_curves_on_the_grid(tmp_path: Path) -> None:
    frame = make_patients(900, seed=11)
    frame.loc[frame.index % 2 == 0, "entry_days"] = 37
    make_store(tmp_path / "store", frame=frame)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    late = open_deployment(settings, now=lambda: NOW)
    for question in (Question("ALL", "os", by="sex"), Question("ALL", "os", by="sex", landmark_days=42),
                     Question("ALL", "relapse", by="sex")):
        groups = ask_survival(late, CLINICIAN, question).value.groups
        assert groups
        for group in groups:
            assert set(group.curve.days.tolist()) <= set(GRID.tolist())
            assert set(group.risk_table.days) <= set(GRID.tolist())
            assert all(n is None or n % 5 == 0 for n in (*group.risk_table.at_risk, *group.risk_table.events))


def test_a_cause_with_few_events_has_no_curve_and_its_group_may_have(deployment: Deployment) -> None:
    question = Question("ALL", "relapse", (parse_filter("trial=Trial A"), parse_filter("age_group=1-9")))
    exact = ask_survival(deployment, OPERATOR, question, level=Level.EXACT).value
    shown = ask_survival(deployment, CLINICIAN, question).value
    assert {cause.cause for cause in exact.groups[0].cumulative_incidence} == {"relapse", "death_in_cr", "smn"}
    assert "relapse" in {cause.cause for cause in shown.groups[0].cumulative_incidence}
    assert "smn" not in {cause.cause for cause in shown.groups[0].cumulative_incidence}
