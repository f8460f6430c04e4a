"""What may leave: tables before and after.

Counts after rounding are given as the two multiples of five they can be; which one hangs on the key.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Released, Scope, release, scope_without_protection
from harmony_dash.disclosure.audit import values_left
from harmony_dash.disclosure.coverage_results import (
    Completeness,
    CountCell,
    CoverageResult,
    SourceCoverage,
    Status,
    StatusShare,
)
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.protect_flow import ANY_OTHER_REASON
from harmony_dash.disclosure.release_info import CohortChoices, DiseaseInfo, ReleaseInfo
from harmony_dash.disclosure.results import (
    AttritionStep,
    CauseIncidence,
    Censorings,
    Curve,
    EqualityTest,
    EstimateAt,
    Exclusion,
    FollowUpSupport,
    GroupResult,
    IntervalType,
    RestrictedMean,
    RestrictedMeanDifference,
    RiskTable,
    SurvivalResult,
    WithheldGroup,
)

PROTECTED, PUBLIC, EXACT = Scope(Level.PROTECTED), Scope(Level.PUBLIC), Scope(Level.EXACT)
GRID = (0, 91, 183, 274, 365, 457, 548, 639, 731)
AT_RISK = (100, 80, 70, 60, 50, 40, 30, 12, 9)


def patients(n: int, key: int = 0) -> KeyedCount:
    """A number of patients; different keys are different patients."""
    return KeyedCount(n, (n * 0x9E3779B97F4A7C15 + key * 0xC2B2AE3D27D4EB4F + 1) % 2**64 if n else 0)


def around(n: int) -> tuple[int, int]:
    """What a count can be after rounding."""
    return n // 5 * 5, -(-n // 5) * 5


def group(name: str = "a", n: int = 100, events: int = 40, at_risk: tuple[int, ...] = AT_RISK) -> GroupResult:
    exact = np.arange(0, 800, 7.0)
    estimate = np.linspace(1, 0.5, len(exact))
    lower, upper = estimate - 0.1, np.minimum(1, estimate + 0.1)
    lower[0] = upper[0] = np.nan
    left = [max(0, n - y) for y in at_risk]
    table = RiskTable(GRID, tuple(patients(y, 1) for y in at_risk), tuple(patients(x * 2 // 3, 2) for x in left),
                      tuple(patients(x - x * 2 // 3, 3) for x in left))
    return GroupResult(
        label={"sex": name}, name=name, n=patients(n, hash_of(name)), events=patients(events, hash_of(name)),
        curve=Curve(exact, estimate, lower, upper, np.full(len(exact), 50.0)),
        censorings=Censorings(np.array([100.0]), np.array([0.9])),
        at=tuple(EstimateAt(day, 0.9, 0.8, 0.95, 50) for day in (365, 400, 731)),
        risk_table=RiskTable((0, 365), (n, 50), (0, 30), (0, 20)), median_days=500, median_lower_days=333,
        median_upper_days=700, follow_up_median_days=810, restricted_mean=RestrictedMean(600, 480.0, 12.34),
        cumulative_incidence=(), on_grid=table, follow_up_support=FollowUpSupport(30, 15))


def hash_of(name: str) -> int:
    return sum(map(ord, name))


def result(*groups: GroupResult, exclusions: tuple[Exclusion, ...] = (), removed: int = 0,
           withheld: tuple[WithheldGroup, ...] = ()) -> SurvivalResult:
    cohort = union([*(g.n for g in groups), *(e.n for e in exclusions), *(patients(w.n or 0, 77) for w in withheld)])
    taken = patients(removed, 9)
    return SurvivalResult(
        question=Question("ALL", "efs", by="sex"), title="Survival of {n} patients", snapshot="s", synthetic=True,
        n=sum(g.n for g in groups), groups=groups, withheld=withheld, pairwise=(("a", "b", 0.04321, 1e-9),),
        gray=(), log_rank=EqualityTest("log-rank test", 4.567, 1, 0.0321, sum(g.events or 0 for g in groups)),
        restricted_mean_differences=(RestrictedMeanDifference("b", "a", 600, -20.0, -60.0, 20.0, 0.3),),
        attrition=(AttritionStep("ALL", union([cohort, taken]), None), AttritionStep("filter", cohort, taken)),
        exclusions=exclusions, interval=IntervalType.LOG_LOG, notes=(), methods="", summary="",
        compared=tuple(g.name for g in groups))


# -- groups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "events", "shown"), [(30, 10, True), (29, 12, False), (60, 9, False), (9, 9, False),
                                                    (0, 0, False)])
def test_a_group_needs_thirty_patients_and_ten_events(n: int, events: int, shown: bool) -> None:
    value = release(result(group("a"), group("b", n, events)), PROTECTED).value
    assert [g.name for g in value.groups] == (["a", "b"] if shown else ["a"])
    assert [(g.name, g.reason, g.n) for g in value.withheld] == (
        [] if shown else [("b", "fewer than 30 patients or 10 events", None)])


def test_the_public_level_asks_for_more() -> None:
    few = result(group("a"), group("b", events=15))
    assert [g.name for g in release(few, PROTECTED).value.groups] == ["a", "b"]
    assert [g.name for g in release(few, PUBLIC).value.groups] == ["a"]


def test_a_group_that_never_has_ten_at_risk_is_withheld() -> None:
    value = release(result(group("a"), group("b", at_risk=(9,) * 9)), PROTECTED).value
    assert [g.name for g in value.withheld] == ["b"]


def test_of_a_group_everything_is_rounded() -> None:
    value = release(result(group(n=103, events=42)), PROTECTED).value
    shown = value.groups[0]
    assert shown.n in around(103)
    assert shown.events in around(42)
    assert value.n == shown.n  # the same patients, the same number
    assert (value.log_rank.statistic, value.log_rank.p) == (4.6, 0.032)  # type: ignore[union-attr]
    assert value.pairwise == (("a", "b", 0.043, 0.001),)


@pytest.mark.parametrize(("n", "events", "shown"), [(100, 40, True), (45, 36, False), (100, 91, False)])
def test_events_are_shown_if_the_rest_is_ten_or_more(n: int, events: int, shown: bool) -> None:
    assert (release(result(group(n=n, events=events)), PROTECTED).value.groups[0].events is not None) is shown


def test_counts_without_keys_and_groups_without_a_grid_stay_inside() -> None:
    for bad in (replace(group(), n=100), replace(group(), events=40), replace(group(), on_grid=None)):
        with pytest.raises(TypeError, match=r"key|grid"):
            release(replace(result(group("b")), groups=(bad,)), PROTECTED)


# -- tests ---------------------------------------------------------------------------------------------------------


def test_a_test_that_a_withheld_group_took_part_in_is_withheld_too() -> None:
    value = release(result(group("a"), group("b", n=9)), PROTECTED).value
    assert (value.log_rank, value.compared, value.restricted_mean_differences) == (None, (), ())
    value = release(result(group("a"), group("b")), PROTECTED).value
    assert value.log_rank is not None
    assert value.compared == ("a", "b")
    assert len(value.restricted_mean_differences) == 1


def test_a_withheld_group_that_took_no_part_in_a_test_does_not_touch_it() -> None:
    whole = replace(result(group("a"), group("b"), group("c", n=9)), compared=("a", "b"))
    value = release(whole, PROTECTED).value
    assert value.log_rank is not None
    assert [g.name for g in value.groups] == ["a", "b"]


def test_a_test_of_nobody_knows_which_groups_is_withheld() -> None:
    assert release(replace(result(group("a"), group("b")), compared=()), PROTECTED).value.log_rank is None


def test_no_p_value_on_fewer_than_twenty_events() -> None:
    few = result(group("a"), group("b"))
    assert few.log_rank is not None
    value = release(replace(few, log_rank=replace(few.log_rank, events=19)), PROTECTED).value
    assert (value.log_rank, value.pairwise) == (None, ())


# -- curves --------------------------------------------------------------------------------------------------------


def test_a_curve_is_quarterly_ends_at_ten_at_risk_and_has_no_ticks() -> None:
    shown = release(result(group()), PROTECTED).value.groups[0]
    assert shown.curve.days.tolist() == [0, 91, 183, 274, 365, 457, 548, 639]
    assert len(shown.censorings.days) == 0
    exact = 1 - 0.5 * shown.curve.days / 798
    assert np.abs(shown.curve.estimate - exact).max() <= 0.025 + 0.005
    assert np.isfinite(shown.curve.at_risk).sum() <= len(shown.risk_table.days)


def test_estimates_are_read_from_what_is_drawn_and_say_on_which_day() -> None:
    shown = release(result(group()), PROTECTED).value.groups[0]
    assert [at.days for at in shown.at] == [365, 731]
    assert shown.at[0].estimate == shown.curve.estimate[4]
    assert shown.at[0].at_risk in around(50)
    assert (shown.at[1].estimate, shown.at[1].at_risk) == (None, None)


def test_the_risk_table_is_rounded_and_ends_with_the_curve() -> None:
    table = release(result(group()), PROTECTED).value.groups[0].risk_table
    assert table.days == (0, 91, 183, 274, 365, 457, 548, 639)
    for column, exact in ((table.at_risk, AT_RISK), (table.events, None)):
        for place, n in enumerate(column):
            if exact is not None:
                assert n in around(exact[place])
            assert n is None or n % 5 == 0
    for running, counts in ((False, table.at_risk), (True, table.events), (True, table.censored)):
        known = [n for n in counts if n is not None]
        assert known == sorted(known, reverse=not running)
    assert table.events[0] is None  # nobody yet, which is a small number too


def test_on_a_day_with_few_at_risk_events_and_censorings_are_hidden_with_them() -> None:
    short = group("b", at_risk=(100, 80, 9, 8, 7, 6, 5, 4, 3))
    table = release(result(group("a"), short), PROTECTED).value.groups[1].risk_table
    assert [n is None for n in table.at_risk] == [False, False, True, True, True, True, True, True]
    assert all(n is None for n in (*table.events[2:], *table.censored[2:]))


def falling(end: float, days: int = 798) -> Curve:
    """A straight curve down to `end`, with a band of ten points either side."""
    exact = np.arange(0, days + 1, 7.0)
    estimate = np.linspace(1, end, len(exact))
    return Curve(exact, estimate, np.maximum(0, estimate - 0.1), np.minimum(1, estimate + 0.1),
                 np.full(len(exact), 50.0))


def test_a_median_is_where_the_drawn_curve_crosses_one_half_for_certain() -> None:
    seen = set()
    for end in (0.05, 0.1, 0.2, 0.3, 0.4):
        shown = release(result(replace(group(), curve=falling(end))), PROTECTED).value.groups[0]
        days, heights = shown.curve.days, shown.curve.estimate
        row = int(np.flatnonzero(np.append(heights, 0.0) <= 0.5)[0])
        # Steps of 5/100: a height is at most 0.025 from the exact one.
        certain = row < len(heights) and heights[row - 1] - 0.025 > 0.5 >= heights[row] + 0.025
        seen.add(certain)
        assert (shown.median_days is not None) == certain
        if shown.median_days is not None:
            # Half a month of rounding, on either side of the two days of the grid between which it crosses.
            assert days[row - 1] - 15.3 <= shown.median_days <= days[row] + 15.3
        for limit, band in ((shown.median_lower_days, shown.curve.lower), (shown.median_upper_days, shown.curve.upper)):
            assert (limit is None) == (band[-1] > 0.5)
            assert limit is None or limit / 30.4375 == round(limit / 30.4375)
    assert seen == {True, False}


def test_a_median_beyond_what_is_drawn_is_not_told() -> None:
    shown = release(result(replace(group(), median_days=500)), PROTECTED).value.groups[0]
    assert shown.curve.estimate[-1] > 0.5
    assert shown.median_days is None


@pytest.mark.parametrize("level", [0.495, 0.505])
def test_where_the_curve_is_flat_around_one_half_there_is_no_median(level: float) -> None:
    # The exact curve comes close to one half after a year and stays there; the drawn one may be on the other side.
    exact = np.arange(0, 799, 7.0)
    estimate = np.maximum(level, 1 - (1 - level) * exact / 365)
    flat = Curve(exact, estimate, estimate - 0.1, estimate + 0.1, np.full(len(exact), 50.0))
    found = set()
    for key in range(40):
        one = replace(group(), n=KeyedCount(100, key * 0x9E3779B97F4A7C15 % 2**64), curve=flat)
        shown = release(result(one), PROTECTED).value.groups[0]
        found.add(bool((shown.curve.estimate <= 0.5).any()))
        assert shown.median_days is None or (level < 0.5 and 365 - 92 <= shown.median_days <= 365 + 92)
        assert shown.median_lower_days is not None
    assert found == {True, False}


@pytest.mark.parametrize(("support", "shown"), [(FollowUpSupport(10, 10), True), (FollowUpSupport(9, 50), False),
                                                (FollowUpSupport(50, 9), False), (None, False)])
def test_a_median_follow_up_rests_on_ten_censored_and_ten_at_risk(support: FollowUpSupport | None, shown: bool) -> None:
    value = release(result(replace(group(), follow_up_support=support)), PROTECTED).value.groups[0]
    assert value.follow_up_median_days == (round(27 * 30.4375, 4) if shown else None)


def test_a_restricted_mean_is_the_area_under_what_is_drawn() -> None:
    value = release(result(group("a"), group("b")), PROTECTED).value
    mean, difference = value.groups[0].restricted_mean, value.restricted_mean_differences[0]
    assert mean is not None
    # √(12² + (548 d/√12)²) with d = 5/100, rounded up
    assert (mean.tau_days, mean.se) == (548, 15)
    curve = value.groups[0].curve
    assert mean.days == round(np.trapezoid(curve.estimate[:7], curve.days[:7]))
    other = value.groups[1].restricted_mean
    assert other is not None
    assert difference.days == other.days - mean.days
    assert difference.upper - difference.days == pytest.approx(42)  # 1.96 √(15² + 15²), rounded up


def test_median_and_restricted_mean_of_competing_endpoints_are_of_the_curve_before_it_gave_way() -> None:
    gave_way, question, curve = 0, Question("ALL", "relapse", by="sex"), falling(0.1)
    half = Curve(curve.days, (1 - curve.estimate) / 2, (1 - curve.upper) / 2, (1 - curve.lower) / 2, curve.at_risk)
    for key in range(20):
        events = [patients(40, key), patients(40, key + 1)]
        without = replace(group(), n=patients(100, key), curve=curve, events=union(events))
        causes = tuple(CauseIncidence(name, name, half, (), n)
                       for name, n in zip(("relapse", "trm"), events, strict=True))
        shown, alone = (release(replace(result(one), question=question), PROTECTED).value.groups[0]
                        for one in (replace(without, cumulative_incidence=causes), without))
        gave_way += bool(np.any(shown.curve.estimate < alone.curve.estimate))
        assert shown.restricted_mean is not None
        assert shown.restricted_mean == alone.restricted_mean
        assert (shown.median_days, shown.median_lower_days, shown.median_upper_days) == (
            alone.median_days, alone.median_lower_days, alone.median_upper_days)
    assert gave_way


def test_a_cause_with_fewer_than_ten_events_has_no_curve() -> None:
    def cause(name: str, events: int) -> CauseIncidence:
        curve = group().curve
        return CauseIncidence(name, name, Curve(curve.days, (1 - curve.estimate) / 2, (1 - curve.upper) / 2,
                                                (1 - curve.lower) / 2, curve.at_risk), (), patients(events))
    whole = replace(result(replace(group(), cumulative_incidence=(cause("relapse", 40), cause("smn", 9)))),
                    question=Question("ALL", "relapse", by="sex"))
    shown = release(whole, PROTECTED).value.groups[0]
    assert [part.cause for part in shown.cumulative_incidence] == ["relapse"]
    assert shown.cumulative_incidence[0].curve.estimate[0] == 0
    assert shown.cumulative_incidence[0].events is None


# -- the flow ------------------------------------------------------------------------------------------------------


def test_reasons_for_few_and_for_nobody_are_one_reason() -> None:
    value = release(result(group(), exclusions=(Exclusion("x", patients(4)), Exclusion("y", patients(300)))), PROTECTED)
    assert [(e.reason, e.n) for e in value.value.exclusions] == [("y", 300), (ANY_OTHER_REASON, None)]
    none = release(result(group()), PROTECTED).value
    assert [(e.reason, e.n) for e in none.exclusions] == [(ANY_OTHER_REASON, None)]


@pytest.mark.parametrize(("removed", "shown"), [(0, False), (9, False), (10, True), (200, True)])
def test_a_step_that_removes_few_or_nobody_is_hidden(removed: int, shown: bool) -> None:
    last = release(result(group(), removed=removed), PROTECTED).value.attrition[-1]
    assert (last.n is not None, last.removed is not None) == (shown, shown)


def test_the_flow_is_rounded() -> None:
    first, last = release(result(group(n=103), removed=212), PROTECTED).value.attrition
    assert first.n in around(315)
    assert last.n in around(103)
    assert last.removed in around(212)


def test_a_group_is_given_up_where_rounding_would_tell_the_size_of_a_small_one() -> None:
    given_up = 0
    for key in range(400):
        whole = replace(group(n=101), n=KeyedCount(101, key * 0x9E3779B97F4A7C15 % 2**64))
        value = release(result(whole, withheld=(WithheldGroup({}, "b", "few", 3),)), PROTECTED).value
        if value.groups:
            cohort = value.attrition[0].n
            assert cohort is not None
            assert values_left(max(0, cohort - value.n - 8), cohort - value.n + 8) >= 5
        else:
            given_up += 1
            assert "give away" in value.withheld[-1].reason
            assert value.n == 0
    assert 0 < given_up < 80


def test_groups_that_answer_another_question_are_no_parts_of_the_cohort() -> None:
    wider = replace(result(group("a")), groups=(group("a"), group("b", n=400)))
    value = release(wider, PROTECTED).value
    assert [g.name for g in value.groups] == ["a", "b"]
    assert value.attrition[0].n in around(100)


# -- words ---------------------------------------------------------------------------------------------------------


def test_words_are_written_from_what_may_be_shown() -> None:
    whole = result(group("a", n=103), group("b", n=9), exclusions=(Exclusion("x", patients(4)),
                                                                  Exclusion("y", patients(77))))
    value = release(whole, PROTECTED).value
    text = value.title + value.methods + value.summary
    assert f"Survival of {value.n} patients" in text
    for number in ("103", "112", "193", "77", " 9;", " 4;"):
        assert number not in text
    assert "protected (k = 10): counts are rounded to 5" in value.methods
    assert "public (k = 20)" in release(result(group()), PUBLIC).value.methods


def test_a_hidden_cohort_is_not_called_empty() -> None:
    methods = release(result(group("a", n=6)), PROTECTED).value.methods
    assert "no group shown" in methods
    assert "n = 0" not in methods
    assert "; 0 events" not in methods


# -- exact ---------------------------------------------------------------------------------------------------------


class Synthetic:
    protection_may_be_off = True


@pytest.mark.parametrize("scope", [EXACT, scope_without_protection(Synthetic())], ids=["exact", "off"])
def test_an_exact_result_leaves_as_it_is_but_for_the_keys(scope: Scope) -> None:
    whole = result(group("a"), group("b", n=9), exclusions=(Exclusion("x", patients(4)),),
                   withheld=(WithheldGroup({}, "c", "nobody at risk", 3),))
    value = release(whole, scope).value
    assert [g.n for g in value.groups] == [100, 9]
    assert value.exclusions[0].n == 4
    assert value.groups[0].curve.days.tolist() == group().curve.days.tolist()
    assert "protected" not in value.methods
    assert (value.groups[0].on_grid, value.withheld[0].n) == (None, None)


@pytest.mark.parametrize("scope", [PROTECTED, PUBLIC, EXACT])
def test_no_key_leaves(scope: Scope) -> None:
    assert "KeyedCount" not in kinds_in(release(result(group("a"), group("b"), removed=50), scope).value)


@pytest.mark.parametrize("scope", [PROTECTED, PUBLIC, EXACT])
def test_no_key_leaves_with_a_kind_that_has_a_module_of_its_own(scope: Scope) -> None:
    whole = coverage({("s", "DE", "T"): 203, ("s", "FR", "T"): 120}, recorded=200)
    info = ReleaseInfo("s", "2026", True, {"ALL": DiseaseInfo("ALL", patients(1203), 3, 2)}, load_dictionary(), {})
    choices = CohortChoices(patients(123), {"sex": {"F": patients(118), "M": patients(50)}}, {"sex": patients(40)})
    for value in (whole, info, choices):
        assert "KeyedCount" in kinds_in(value)
        assert "KeyedCount" not in kinds_in(release(value, scope).value)
    left = release(whole, scope).value
    assert (left.follow_up_support, left.sources[0].follow_up_support) == (None, None)


def kinds_in(value: object) -> set[str]:
    """The names of all types inside a result."""
    found = {type(value).__name__}
    if isinstance(value, tuple):
        return found.union(*map(kinds_in, value))
    if isinstance(value, dict):
        return found.union(*map(kinds_in, value.values()))
    if type(value).__module__.startswith("harmony_dash.disclosure"):
        return found.union(*(kinds_in(part) for part in vars(value).values()))
    return found


# -- counts --------------------------------------------------------------------------------------------------------


def test_choices_are_rounded_and_small_ones_and_zeros_are_hidden() -> None:
    choices = CohortChoices(patients(123), {"sex": {"F": patients(118), "M": patients(5), "U": patients(0)}},
                            {"sex": patients(0)})
    value = release(choices, PROTECTED).value
    assert value.counts["sex"]["M"] is None
    assert value.counts["sex"]["U"] is None
    assert value.missing["sex"] is None
    assert value.counts["sex"]["F"] in (*around(118), None)


def test_a_choice_stands_without_its_count_where_it_would_give_a_small_one_away() -> None:
    withheld = 0
    for key in range(300):
        count = KeyedCount(104, key * 0x9E3779B97F4A7C15 % 2**64)
        total = KeyedCount(113, key * 0xC2B2AE3D27D4EB4F % 2**64)
        value = release(CohortChoices(total, {"sex": {"F": count, "M": patients(9)}}, {}), PROTECTED).value
        known = value.counts["sex"]["F"]
        if known is None:
            withheld += 1
            assert value.withheld["sex"] == {"F"}
        else:
            assert value.total is not None
            assert value.total - known < 15
    assert 0 < withheld < 60


def test_a_release_tells_its_diseases_in_rounded_numbers() -> None:
    info = ReleaseInfo("s", "2026", True, {"ALL": DiseaseInfo("ALL", patients(1203), 3, 2),
                                           "MM": DiseaseInfo("MM", patients(4), 1, 1)}, load_dictionary(), {})
    diseases = release(info, PROTECTED).value.diseases
    assert diseases["ALL"].n in around(1203)
    assert diseases["MM"].n is None


def test_coverage_is_rounded_and_shares_come_from_rounded_counts() -> None:
    value = release(coverage({("s", "DE", "T"): 203, ("s", "FR", "T"): 120, ("s", "NL", "T"): 7}, recorded=200),
                    PROTECTED).value
    assert value.n in around(330)
    assert all(cell.n is None or cell.n % 5 == 0 for cell in value.by_country_and_trial)
    assert {cell.labels["country"] for cell in value.by_country if cell.n is None} >= {"NL"}
    assert value.completeness[0].share in (0.6, 0.61)
    assert value.follow_up_median_days == round(27 * 30.4375, 4)
    assert "rounded to 5" in value.methods


@pytest.mark.parametrize(("recorded", "share", "nearly_all"), [(4, None, False), (0, None, False), (326, 0.97, True),
                                                               (330, 0.97, True)])
def test_a_share_of_few_and_of_all_but_few_is_not_told(recorded: int, share: float | None, nearly_all: bool) -> None:
    value = release(coverage({("s", "DE", "T"): 330}, recorded=recorded), PROTECTED).value
    assert (value.completeness[0].share, value.completeness[0].nearly_all) == (share, nearly_all)


def test_a_share_without_the_parts_it_is_of_is_refused() -> None:
    whole = coverage({("s", "DE", "T"): 330}, recorded=4)
    with pytest.raises(TypeError, match="without the parts"):
        release(replace(whole, completeness=(replace(whole.completeness[0], parts=()),)), PROTECTED)


def coverage(atoms: dict[tuple[str, str, str], int], recorded: int) -> CoverageResult:
    counts = {(*atom, "2005-2009"): patients(n, place + 1) for place, (atom, n) in enumerate(atoms.items())}

    def cells(*places: int) -> tuple[CountCell, ...]:
        keys = ("source", "country", "trial", "dx_period")
        found: dict[tuple[str, ...], list[KeyedCount]] = {}
        for atom, n in counts.items():
            found.setdefault(tuple(atom[place] for place in places), []).append(n)
        return tuple(CountCell(dict(zip((keys[place] for place in places), atom, strict=True)), union(parts))
                     for atom, parts in found.items())

    n = union(counts.values())
    source = SourceCoverage("s", "S", "P", ("DE",), "T", True, n, patients(12), 810, ("2005-2009",),
                            FollowUpSupport(30, 15))
    return CoverageResult("s", True, "2026", "ALL", n, cells(1), cells(2), cells(1, 2), cells(0, 1, 2, 3), (source,),
                          (Completeness("s", "sex", "Sex", recorded / n, parts=(
                              StatusShare(Status.VALUE, None, patients(recorded, 8)),
                              StatusShare(Status.UNKNOWN, None, patients(n - recorded, 9)))),), 810,
                          "Patients accepted.", FollowUpSupport(30, 15))


# -- the gate ------------------------------------------------------------------------------------------------------


def test_only_the_gate_makes_released_results() -> None:
    with pytest.raises(TypeError):
        Released(result(group()), PROTECTED, object())
    with pytest.raises(TypeError):
        release("text", PROTECTED)
