from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.subgroup_results import (
    Finding,
    InteractionResult,
    LevelsTest,
    RowKind,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
)
from harmony_dash.disclosure.subgroup_words import label_interaction
from harmony_dash.errors import AccessRefused, QuestionError, TooManyQuestions
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.level_comparison import compare_levels
from harmony_dash.services.recorded_questions import read_recorded_questions, rebuild_question
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from harmony_dash.stats.multiplicity import adjust_for_multiplicity
from harmony_dash.store.event_tables import fetch_event_table
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
STEERING = Actor("stefan", Role.STEERING, "s2")
MARKER = np.array(["neg", "pos", "failed", "not_done", None], dtype=object)


def draw_frame(n: int = 2400, seed: int = 3) -> pd.DataFrame:
    """Patients whose outcome depends on cytogenetics, with a marker that is not always known."""
    rng = np.random.default_rng(seed)
    frame = make_patients(n, seed)
    frame["etv6_runx1"] = rng.choice(MARKER, n, p=[0.5, 0.3, 0.05, 0.1, 0.05])
    frame["intensity_assigned"] = rng.choice(["reduced", "standard"], n)
    frame.loc[frame.trial == "Trial C", "intensity_assigned"] = "standard"
    return frame


FRAME = draw_frame()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return open_house(tmp_path_factory.mktemp("subgroups"), FRAME)


def open_house(folder: Path, frame: pd.DataFrame, *, daily: int = 1000) -> Deployment:
    make_store(folder / "store", frame=frame)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=daily)
    return open_deployment(settings, now=lambda: NOW)


COHORT = Question("ALL", "efs")
B_CELL = Question("ALL", "efs", (parse_filter("immunophenotype=B"),))
VARIABLES = ("sex", "cyto_group", "country", "age_group", "etv6_runx1")


def exact(deployment: Deployment, question: SubgroupsQuestion) -> SubgroupsResult:
    return ask_subgroups(deployment, OPERATOR, question, level=Level.EXACT).value


def protected(deployment: Deployment, question: SubgroupsQuestion) -> SubgroupsResult:
    return ask_subgroups(deployment, CLINICIAN, question).value


def rows_of(result: SubgroupsResult, name: str) -> dict[str, SubgroupRow]:
    return {row.level: row for row in variable_of(result, name).rows}


def variable_of(result: SubgroupsResult, name: str) -> SubgroupVariable:
    return next(variable for variable in result.variables if variable.variable == name)


def survival(deployment: Deployment, question: Question, level: Level) -> SurvivalResult:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    return ask_survival(deployment, actor, question, level=level, days=(1826,)).value


# -- the same number on both pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
@pytest.mark.parametrize("cohort", [COHORT, B_CELL, replace(COHORT, endpoint="relapse"),
                                    replace(COHORT, endpoint="relapse_1km"), replace(B_CELL, endpoint="trm"),
                                    replace(COHORT, landmark_days=90)],
                         ids=["everybody", "filtered", "competing", "one minus", "filtered competing", "landmark"])
def test_every_row_is_the_group_of_the_survival_page(deployment: Deployment, cohort: Question, level: Level) -> None:
    table = ask_subgroups(deployment, OPERATOR if level is Level.EXACT else CLINICIAN,
                          SubgroupsQuestion(cohort, VARIABLES), level=level).value
    endpoint, compared = endpoint_named(cohort.endpoint), 0
    for name in VARIABLES:
        groups = {group.label[name]: group for group in survival(deployment, replace(cohort, by=name), level).groups}
        rows = rows_of(table, name)
        for value, group in groups.items():
            row, estimate = rows[value], headline_estimates(group, endpoint)[0]
            assert (row.n, row.events) == (group.n, group.events)
            assert row.at is not None
            assert (row.at.estimate, row.at.lower, row.at.upper, row.at.at_risk) == (
                estimate.estimate, estimate.lower, estimate.upper, estimate.at_risk)
            compared += 1
    assert compared > 8
    assert table.cohort.n == survival(deployment, cohort, level).n


def test_the_hazard_ratio_of_a_table_of_the_survival_page_is_the_same_number(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(COHORT, ("cyto_group", "country")))
    for name in ("cyto_group", "country"):
        counted = fetch_event_table(deployment.store.current(), replace(COHORT, by=name, strata="trial"))
        found = compare_levels(counted, endpoint_named("efs"), Scope(Level.EXACT))
        assert found.ratios is not None
        expected = {entry.level: entry.ratio for entry in found.ratios.levels}
        rows = {row.level: row.hazard_ratio.ratio for row in variable_of(table, name).rows if row.hazard_ratio}
        assert rows == {level: ratio for level, ratio in expected.items() if level in rows}
        assert len(rows) == len(expected) - 1 - len(found.ratios.left_out)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_not_tested_failed_and_not_recorded_are_lines_of_their_own_and_in_no_comparison(deployment: Deployment) -> None:
    rows = rows_of(exact(deployment, SubgroupsQuestion(COHORT, ("etv6_runx1",))), "etv6_runx1")
    assert {level: row.kind for level, row in rows.items()} == {
        "neg": RowKind.LEVEL, "pos": RowKind.LEVEL, "failed": RowKind.UNTESTED, "not_done": RowKind.UNTESTED,
        "": RowKind.MISSING}
    known = FRAME.etv6_runx1.fillna("")
    assert {level: row.n for level, row in rows.items()} == {level: int((known == level).sum()) for level in rows}
    assert [level for level, row in rows.items() if row.hazard_ratio] == ["pos"]
    assert rows["neg"].is_reference
    assert all(rows[level].at is not None for level in ("failed", "not_done", ""))


def test_levels_stand_in_the_order_of_the_dictionary_and_the_first_is_the_reference(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(COHORT, ("cyto_group", "age_group", "sex")))
    assert [variable.variable for variable in table.variables] == ["age_group", "sex", "cyto_group"]
    assert [row.level for row in variable_of(table, "cyto_group").rows] == ["good", "intermediate", "high", ""]
    assert variable_of(table, "age_group").reference == "1-9"  # nobody is younger


def test_q_is_benjamini_hochberg_over_all_levels_of_the_table(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(COHORT, VARIABLES))
    rows = [row for variable in table.variables for row in variable.rows if row.hazard_ratio]
    p = [row.hazard_ratio.p for row in rows if row.hazard_ratio]
    assert [row.q for row in rows] == pytest.approx(adjust_for_multiplicity(p, "bh").tolist())
    tests = [variable.test for variable in table.variables if variable.test]
    assert [test.q for test in tests] == pytest.approx(adjust_for_multiplicity([t.p for t in tests], "bh").tolist())
    assert table.comparisons == len(rows) + len(tests)
    assert f"{len(rows)} of levels and {len(tests)} of variables" in table.methods


def test_comparisons_of_the_session_are_counted_on_and_change_no_number(deployment: Deployment) -> None:
    question = SubgroupsQuestion(COHORT, ("sex",))
    first = ask_subgroups(deployment, CLINICIAN, question).value
    later = ask_subgroups(deployment, CLINICIAN, question, comparisons_before=37).value
    assert (later.comparisons, later.comparisons_before) == (first.comparisons, 37)
    assert later.variables == first.variables
    assert f"{37 + later.comparisons} comparisons looked at in this session" in later.methods


def test_patients_without_a_trial_are_compared_with_one_another_and_nobody_is_lost(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.loc[frame.index % 3 == 0, "trial"] = None
    house = open_house(tmp_path, frame)
    table = exact(house, SubgroupsQuestion(COHORT, ("sex",)))
    named = exact(open_house(tmp_path / "named", frame.assign(trial=frame.trial.fillna("Unknown"))),
                  SubgroupsQuestion(COHORT, ("sex",)))
    assert table.cohort.n == len(frame)
    assert rows_of(table, "sex")["M"].hazard_ratio == rows_of(named, "sex")["M"].hazard_ratio


def test_excluded_before_the_landmark_are_told(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(COHORT, ("sex", "mrd_group")))
    assert table.question.cohort.landmark_days == 42
    excluded = {exclusion.reason: exclusion.n for exclusion in table.cohort.exclusions}
    gone = FRAME.efs_days <= 42
    assert excluded["event by day 42"] == int((gone & (FRAME.efs_cause > 0)).sum())
    assert excluded["last contact by day 42"] == int((gone & (FRAME.efs_cause == 0)).sum())
    assert any("day 42" in note and "MRD group" in note for note in table.notes)


def test_with_competing_causes_ratios_are_cause_specific_and_estimates_are_named_so(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(replace(COHORT, endpoint="relapse"), ("sex",)))
    assert "cause-specific hazard ratios" in table.methods
    assert "cumulative incidence of relapse" in table.methods
    other = exact(deployment, SubgroupsQuestion(replace(COHORT, endpoint="relapse_1km"), ("sex",)))
    assert "1 − Kaplan–Meier" in other.methods
    # Censoring the other causes is what makes a hazard ratio cause-specific.
    assert rows_of(table, "sex")["M"].hazard_ratio == rows_of(other, "sex")["M"].hazard_ratio
    mine, theirs = rows_of(table, "sex")["M"].at, rows_of(other, "sex")["M"].at
    assert mine is not None and theirs is not None and mine.estimate is not None and theirs.estimate is not None
    assert mine.estimate < theirs.estimate


# -- what cannot be answered -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "reason"), [
    ({"etv6_runx1": "pos"}, "fewer than two levels"),
    ({"etv6_runx1": None}, "fewer than two levels"),
    ({"etv6_runx1": "not_done"}, "fewer than two levels"),
])
def test_a_variable_with_one_level_or_none_says_so_and_fails_nothing(tmp_path: Path, change: dict[str, object],
                                                                     reason: str) -> None:
    table = exact(open_house(tmp_path, FRAME.assign(**change)), SubgroupsQuestion(COHORT, ("etv6_runx1", "sex")))
    assert reason in variable_of(table, "etv6_runx1").reason
    assert not any(row.hazard_ratio for row in variable_of(table, "etv6_runx1").rows)
    assert rows_of(table, "sex")["M"].hazard_ratio is not None


def test_a_level_without_events_and_one_all_of_whose_events_come_first_say_why(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.loc[frame.cyto_group == "high", ["efs_cause"]] = 0
    rows = rows_of(exact(open_house(tmp_path / "quiet", frame), SubgroupsQuestion(COHORT, ("cyto_group",))),
                   "cyto_group")
    assert rows["high"].reason == "no events"
    assert rows["intermediate"].hazard_ratio is not None
    frame = FRAME.assign(trial="one")
    few = frame.index[frame.cyto_group == "high"]
    frame.loc[few, ["efs_days", "efs_cause"]] = [0, 1]
    apart = rows_of(exact(open_house(tmp_path / "apart", frame[(frame.efs_days > 0) | (frame.cyto_group == "high")]),
                          SubgroupsQuestion(COHORT, ("cyto_group",))), "cyto_group")
    assert "all events fall on one side" in apart["high"].reason


def test_a_variable_that_is_the_stratum_is_not_compared(deployment: Deployment) -> None:
    table = exact(deployment, SubgroupsQuestion(COHORT, ("country",), strata="country"))
    assert "no level can be compared" in variable_of(table, "country").reason


def test_more_than_thirty_levels_are_not_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = FRAME.assign(provider=rng.choice([f"P{k:02d}" for k in range(31)], len(FRAME)))
    table = exact(open_house(tmp_path, frame), SubgroupsQuestion(COHORT, ("provider",)))
    assert variable_of(table, "provider").reason == "more than 30 levels"
    assert len(variable_of(table, "provider").rows) == 32


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_a_cohort_of_nobody_has_no_rows(deployment: Deployment, level: Level) -> None:
    question = SubgroupsQuestion(Question("ALL", "efs", (parse_filter("wbc_band=<10"),)), ("sex",))
    table = ask_subgroups(deployment, OPERATOR, question, level=level).value
    assert table.variables == ()
    assert "No group of this cohort" in table.summary


# -- treatment ---------------------------------------------------------------------------------------------------------

TREATED = SubgroupsQuestion(COHORT, ("sex", "cyto_group"), treatment="intensity_assigned", arms=("standard", "reduced"))


def test_a_treatment_is_compared_within_the_trials_that_used_both_arms(deployment: Deployment) -> None:
    table = exact(deployment, TREATED)
    for variable in table.variables:
        (interaction,) = variable.interactions
        assert interaction.test is not None
        assert (interaction.trials, interaction.reference, interaction.compared) == (2, "standard", "reduced")
        for row in variable.rows:
            if row.kind is RowKind.LEVEL:
                (found,) = row.by_treatment
                assert found.hazard_ratio is not None or found.reason
    rows = rows_of(table, "sex")
    (found,) = rows["M"].by_treatment
    followed = FRAME[(FRAME.efs_days > 90) & (FRAME.sex == "M")]
    assert found.compared.n == int((followed.intensity_assigned == "reduced").sum())
    assert found.difference is not None


def test_a_treatment_that_never_varies_within_a_trial_is_refused(tmp_path: Path) -> None:
    frame = FRAME.assign(intensity_assigned=np.where(FRAME.trial == "Trial A", "reduced", "standard"))
    house = open_house(tmp_path, frame)
    for actor, level in ((OPERATOR, Level.EXACT), (CLINICIAN, Level.PROTECTED)):
        with pytest.raises(QuestionError, match="no trial of this cohort has patients with different values"):
            ask_subgroups(house, actor, TREATED, level=level)
    assert list_events(house.access)[0].event.decision is Decision.REFUSED


def test_patients_of_an_unknown_trial_say_nothing_about_a_treatment(tmp_path: Path) -> None:
    frame = FRAME.assign(trial=np.where(FRAME.index % 2 == 0, "Trial A", None))
    table = exact(open_house(tmp_path, frame), TREATED)
    (interaction,) = variable_of(table, "sex").interactions
    assert interaction.trials == 1


def test_effects_in_levels_that_exclude_one_another_are_drawn_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    frame = draw_frame(6000).assign(country=rng.choice(["DE", "FR", "NL", "IT", "ES"], 6000))
    table = exact(open_house(tmp_path, frame), replace(TREATED, variables=("country", "sex")))
    by_country = [row.by_treatment[0] for row in variable_of(table, "country").rows if row.by_treatment and row.n]
    raw = np.log([found.hazard_ratio.estimate for found in by_country if found.hazard_ratio])
    drawn = np.log([found.shrunken.estimate for found in by_country if found.shrunken])
    assert len(raw) == len(drawn) == 5
    assert np.ptp(drawn) < np.ptp(raw)
    # Two levels are too few to say how much they vary.
    assert all(found.shrunken is None for row in variable_of(table, "sex").rows for found in row.by_treatment)


def test_arms_that_the_data_do_not_know_are_refused(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="two to 4 arms"):
        exact(deployment, replace(TREATED, treatment="trial_arm", arms=(), cohort=replace(COHORT, landmark_days=90)))


SURE = InteractionResult("a", "b", LevelsTest(9.0, 1, 0.001, 0.01), 2, 5, True, True, Finding.EXPLORATORY)


@pytest.mark.parametrize(("one", "credible", "finding"), [
    (SURE, True, Finding.PREDICTIVE),
    (SURE, False, Finding.EXPLORATORY),
    (replace(SURE, trials_agree=False), True, Finding.EXPLORATORY),
    (replace(SURE, trials_agree=None), True, Finding.EXPLORATORY),
    (replace(SURE, test=LevelsTest(3.0, 1, 0.04, 0.2)), True, Finding.EXPLORATORY),
    (replace(SURE, test=None), True, Finding.EXPLORATORY),
])
def test_predictive_is_said_only_when_every_part_of_the_rule_holds(one: InteractionResult, credible: bool,
                                                                   finding: Finding) -> None:
    assert label_interaction(one, credible=credible) is finding


# -- who may, and what is recorded -------------------------------------------------------------------------------------


def test_only_roles_that_look_at_outcomes_may_ask(deployment: Deployment) -> None:
    with pytest.raises(AccessRefused):
        ask_subgroups(deployment, STEERING, SubgroupsQuestion(COHORT, ("sex",)))
    with pytest.raises(AccessRefused):
        ask_subgroups(deployment, CLINICIAN, SubgroupsQuestion(COHORT, ("sex",)), level=Level.EXACT)


def test_each_variable_is_recorded_as_the_question_it_answers(tmp_path: Path) -> None:
    house = open_house(tmp_path, FRAME)
    protected(house, SubgroupsQuestion(B_CELL, ("sex", "cyto_group")))
    recorded = read_recorded_questions(house, NOW.replace(hour=0))
    snapshot = house.store.current()
    assert {rebuild_question(one, snapshot) for one in recorded} == {
        B_CELL, *(asked for name in ("sex", "cyto_group") for asked in (
            replace(B_CELL, by=name), replace(B_CELL, where=(*B_CELL.where, parse_filter(f"{name}=?")))))}
    assert list_events(house.access)[-1].event.question.startswith("table ")


def test_patients_without_a_value_are_recorded_where_they_have_a_row(tmp_path: Path) -> None:
    """Whether there are any is not told, so it makes no difference; a filter for values, or one too many, does."""
    house = open_house(tmp_path, FRAME)
    four = (*B_CELL.where, parse_filter("country=DE,NL"), parse_filter("age_group=1-9,10-17"), parse_filter("sex=F,M"))
    for cohort, rows in ((B_CELL, True), (replace(B_CELL, where=(parse_filter("cyto_group=good,high"),)), False),
                         (replace(B_CELL, where=four), False)):
        shown = protected(house, SubgroupsQuestion(cohort, ("cyto_group",)))
        last = [event.event.question for event in list_events(house.access, limit=3)]
        assert any('"missing"' in question for question in last) is rows
        missing = [row for row in shown.variables[0].rows if row.kind is RowKind.MISSING]
        assert rows or all(row.n is None for row in missing)


def test_a_table_counts_as_many_questions_as_it_answers(tmp_path: Path) -> None:
    house = open_house(tmp_path, FRAME, daily=7)  # a variable is two: by its values, and those without one
    two = SubgroupsQuestion(COHORT, ("sex", "cyto_group"))
    protected(house, two)
    protected(house, two)  # the same again is no new question
    ask_survival(house, CLINICIAN, replace(COHORT, by="sex"))  # nor is a part of it
    with pytest.raises(TooManyQuestions):
        protected(house, SubgroupsQuestion(COHORT, ("country", "age_group")))
    protected(house, SubgroupsQuestion(COHORT, ("country",)))


def test_a_table_that_cannot_be_asked_is_recorded_as_refused(deployment: Deployment) -> None:
    before = list_events(deployment.access, limit=1)[0].id
    with pytest.raises(QuestionError):
        protected(deployment, SubgroupsQuestion(COHORT, ("hsct_cr1",)))
    (refused,) = [row for row in list_events(deployment.access) if row.id > before]
    assert (refused.event.action, refused.event.decision) == ("subgroups", Decision.REFUSED)


# -- levels that answer another question than the cohort ---------------------------------------------------------------


def test_a_filter_that_says_nothing_within_levels_leaves_their_hazard_ratios(tmp_path: Path) -> None:
    """Fusion subtypes are B-cell leukaemias anyway: within them the lineage is not applied, so they are alike."""
    rng = np.random.default_rng(6)
    frame = draw_frame(2400, seed=6)
    known = list(load_dictionary()["subtype"].values)
    chosen = np.array([known[0], known[2], known[3], next(one for one in known if one.startswith("T "))],
                      dtype=object)
    frame["subtype"] = rng.choice(chosen, len(frame), p=[0.3, 0.3, 0.2, 0.2])
    frame["immunophenotype"] = np.where(frame.subtype == chosen[-1], "T", "B")
    house = open_house(tmp_path, frame)
    table = protected(house, SubgroupsQuestion(B_CELL, ("subtype",)))
    rows = rows_of(table, "subtype")
    page = ask_survival(house, CLINICIAN, replace(B_CELL, by="subtype", strata="trial")).value
    assert {group.label["subtype"]: group.hazard_ratio for group in page.groups} == {
        value: rows[value].hazard_ratio for value in chosen[:3]}
    assert sum(rows[value].hazard_ratio is not None for value in chosen[:3]) == 2
    assert rows[chosen[-1]].hazard_ratio is None
