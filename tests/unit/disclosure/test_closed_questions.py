"""Which questions protected results answer."""

from __future__ import annotations

import pytest

from harmony_dash.cohort import AnyOf, Filter, Not, OneOf, Question
from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.question import with_landmark
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.closed_questions import check_closed, landmark_days
from harmony_dash.disclosure.policy import Level
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()


def p(text: str) -> Filter:
    return parse_filter(text)


FOUR = (p("sex=F"), p("country=DE"), p("immunophenotype=B"), p("age_dx_years=1..<18"))


def ask(*where: Filter, level: Level = Level.PROTECTED, **changes: object) -> None:
    check_closed(Question("ALL", **{"endpoint": "efs", "where": where, **changes}),  # type: ignore[arg-type]
                 DICTIONARY, level)


@pytest.mark.parametrize("where", [
    (), FOUR, (p("wbc_dx=..<50"),), (p("age_dx_years=60.."),), (p("sex!=F"),), (p("hb=?"),), (p("mrd_group=?"),),
    (AnyOf((p("sex=F"), p("age_dx_years!=1..<10"), p("trial=?"))),), (Not(AnyOf((p("sex=F"), p("country=DE")))),)])
def test_a_question_that_picks_from_lists_is_closed(where: tuple[Filter, ...]) -> None:
    for level in (Level.PROTECTED, Level.PUBLIC):
        ask(*where, level=level)


@pytest.mark.parametrize(("item", "reason", "remedy"), [
    (p("age_dx_years=2..<10"), "'age_dx_years' must start and end", "1, 10, 18, 40, 60"),
    (p("age_dx_years=1..10"), "upper end excluded", "age_dx_years=1..<60"),
    (p("age_dx_years=..<70"), "must start and end", "Leave an end open"),
    (Not(p("age_dx_years=5..<6")), "must start and end", "move it"),
    (p("hb=5..10"), "'hb' has no bands", "Remove the filter"),
    (p("mrd_eoi_day=20..30"), "by the day of something", "mrd_eoi_status"),
    (p("hsct_days=?"), "by the day of something", "hsct_cr1"),
    (AnyOf((p("sex=F"), Not(AnyOf((p("trial=A"), p("country=DE")))))), "nested too deeply", "plain conditions")])
def test_a_filter_that_could_be_moved_patient_by_patient_is_refused(item: Filter, reason: str, remedy: str) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(item)
    assert reason in refused.value.problem
    assert remedy in refused.value.message
    assert refused.value.where == "where"
    ask(item, level=Level.EXACT)


@pytest.mark.parametrize(("level", "most"), [(Level.PROTECTED, 4), (Level.PUBLIC, 4), (Level.EXACT, 6)])
def test_the_number_of_conditions_is_limited(level: Level, most: int) -> None:
    leaves = [p("sex=F"), p("country=DE"), p("trial=?"), p("cyto_group=good"), p("mrd_group=?"), p("subtype=?"),
              p("hb=?")]
    ask(*leaves[:most], level=level)
    ask(AnyOf(tuple(leaves[:most])), level=level)
    ask(Not(AnyOf(tuple(leaves[:most]))), level=level)
    many = leaves[: most + 1]
    for where in (many, [AnyOf(tuple(many))], [many[0], Not(AnyOf(tuple(many[1:])))]):
        with pytest.raises(QuestionError, match=f"at most {most}"):
            ask(*where, level=level)


def test_the_countries_of_a_grant_are_not_the_persons_conditions() -> None:
    grant = OneOf("country", ("DE", "FR"))
    question = Question("ALL", "efs", (*FOUR, grant))
    check_closed(question, DICTIONARY, Level.PROTECTED, protected={grant})
    with pytest.raises(QuestionError, match="at most 4"):
        check_closed(question, DICTIONARY, Level.PROTECTED)


@pytest.mark.parametrize("day", [0, 8, 15, 42, 90, 183, 365, 731])
def test_a_landmark_stands_on_one_of_a_few_days(day: int) -> None:
    ask(landmark_days=day)


@pytest.mark.parametrize("day", [1, 22, 41, 70, 91, 100, 364, 366])
def test_a_landmark_in_between_is_refused_with_the_days_to_choose_from(day: int) -> None:
    with pytest.raises(QuestionError, match="8, 15, 42, 90, 183, 365, 731") as refused:
        ask(landmark_days=day)
    assert refused.value.where == "landmark"
    ask(landmark_days=day, level=Level.EXACT)


@pytest.mark.parametrize("endpoint", [name for name, e in ENDPOINTS.items() if not e.counts_on_day_zero])
@pytest.mark.parametrize("by", ["sex", "mrd_group", "mrd_eoc_status"])
def test_a_landmark_that_was_set_for_a_question_is_allowed(endpoint: str, by: str) -> None:
    question = with_landmark(Question("ALL", endpoint, by=by), DICTIONARY)
    check_closed(question, DICTIONARY, Level.PROTECTED)
    assert question.landmark_days in (0, *landmark_days(endpoint))


@pytest.mark.parametrize("day", [None, 91, 183, 365, 731, 1826, 3653])
def test_a_horizon_is_the_end_of_a_quarter(day: int | None) -> None:
    ask(horizon_days=day)


@pytest.mark.parametrize(("day", "nearest"), [(1, "91"), (90, "91"), (1000, "913 or 1004"), (1825, "1826"),
                                              (1827, "1826 or 1918")])
def test_another_horizon_is_refused_with_the_days_beside_it(day: int, nearest: str) -> None:
    with pytest.raises(QuestionError, match=f"day {nearest}, or none") as refused:
        ask(horizon_days=day)
    assert refused.value.where == "horizon"
