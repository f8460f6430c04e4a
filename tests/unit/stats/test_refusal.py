"""One fixture a code and severity; the good evidence keeps every rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.stats.evidence import (
    ByChance,
    Confounder,
    Evidence,
    Interval95,
    ProfileOption,
    Transport,
    TwoEstimates,
)
from harmony_dash.stats.refusal import CODES, Thresholds, judge
from harmony_dash.stats.support import ArmSupport, CovariateBalance, Support

ARM = ArmSupport("reduced", patients=20, events=10, at_risk=10, effective_size=50, largest_share=0.1,
                 follow_up_days=1826)
SUPPORT = Support(1826, (replace(ARM, arm="standard"), ARM), (("DE", 1826.0), ("UK", float("nan"))),
                  np.linspace(0, 1, 3), np.array([[5, 5], [5, 5]]), 0.9, (CovariateBalance("mrd", 0.8, -0.099),))
TRANSPORT = Transport((("female", 10),), margin_gap=0.005, effective_size=100, design_effect=3, country_share=0.5,
                      countries=5)
PROFILE = ProfileOption("reduced", neighbours=10, events=1)
GOOD = Evidence(late_variables=(), landmark_days=None, intensities=2, trials_with_both=2, horizon_days=1826,
                confounders=(Confounder("mrd", missing=0.2),), support=SUPPORT,
                estimates=TwoEstimates(-0.03125, -0.0625, 0.03125, changing_effect_p=0.01), transport=TRANSPORT,
                profile=(PROFILE,), predictive=True,
                by_chance=(ByChance("EFS", Interval95(-0.03, -0.06, 0.0), Interval95(0.0, -0.03, 0.03)),))


def with_arm(**changes: Any) -> Evidence:
    return replace(GOOD, support=replace(SUPPORT, arms=(SUPPORT.arms[0], replace(ARM, **changes))))


def with_support(**changes: Any) -> Evidence:
    return replace(GOOD, support=replace(SUPPORT, **changes))


def with_estimates(**changes: Any) -> Evidence:
    return replace(GOOD, estimates=replace(GOOD.estimates, **changes))  # type: ignore[type-var]


def with_transport(**changes: Any) -> Evidence:
    return replace(GOOD, transport=replace(TRANSPORT, **changes))


CASES: list[tuple[str, str, Evidence, str, float, float]] = [
    ("NO_TIME_ZERO", "refused", replace(GOOD, late_variables=("mrd_group",)), "mrd_group", 1, 0),
    ("NO_CONTRAST", "refused", replace(GOOD, intensities=1), "", 1, 2),
    ("BETWEEN_PROTOCOL", "refused", replace(GOOD, trials_with_both=0), "", 0, 1),
    ("BETWEEN_PROTOCOL", "amber", replace(GOOD, trials_with_both=1), "", 1, 2),
    ("CELL_SMALL", "refused", with_arm(patients=19), "reduced", 19, 20),
    ("CELL_SMALL", "refused", with_arm(events=4), "reduced", 4, 5),
    ("CELL_SMALL", "amber", with_arm(events=9), "reduced", 9, 10),
    ("CELL_SMALL", "refused", with_arm(at_risk=9), "reduced", 9, 10),
    ("POSITIVITY", "refused", with_arm(effective_size=29.9), "reduced", 29.9, 30),
    ("POSITIVITY", "amber", with_arm(effective_size=49.9), "reduced", 49.9, 50),
    ("POSITIVITY", "refused", with_arm(largest_share=0.21), "reduced", 0.21, 0.2),
    ("POSITIVITY", "amber", with_arm(largest_share=0.11), "reduced", 0.11, 0.1),
    ("POSITIVITY", "refused", with_support(common_support=0.79), "", 0.79, 0.8),
    ("POSITIVITY", "amber", with_support(common_support=0.89), "", 0.89, 0.9),
    ("BALANCE", "refused", with_support(balance=(CovariateBalance("mrd", 0.8, -0.2),)), "mrd", 0.2, 0.2),
    ("BALANCE", "amber", with_support(balance=(CovariateBalance("mrd", 0.8, 0.1),)), "mrd", 0.1, 0.1),
    ("MODEL_DEPENDENT", "amber", with_estimates(primary=-0.015625), "", 1.5, 1),
    ("MODEL_DEPENDENT", "amber", with_estimates(primary=0.015625, robust=-0.015625), "", -(2**-12), 0),
    ("MODEL_DEPENDENT", "amber", with_estimates(changing_effect_p=0.009), "", 0.009, 0.01),
    ("MODEL_DEPENDENT", "amber", replace(GOOD, by_chance=(ByChance("EFS", Interval95(-0.06, -0.09, -0.03), Interval95(
        0.04, 0.0, 0.08)),)), "EFS", 3.92, 1.96),
    ("FOLLOWUP", "refused", with_arm(follow_up_days=1825.0), "reduced", 1826, 1825),
    ("FOLLOWUP", "refused", with_support(strata_follow_up=(("DE", 1461.0),)), "DE", 1826, 1461),
    ("NO_CONFOUNDERS", "refused", replace(GOOD, confounders=(Confounder("mrd", 0.41),)), "mrd", 0.41, 0.4),
    ("NO_CONFOUNDERS", "amber", replace(GOOD, confounders=(Confounder("mrd", 0.21),)), "mrd", 0.21, 0.2),
    ("TARGET_CELL_EMPTY", "refused", with_transport(categories=(("female", 9),)), "female", 9, 10),
    ("MARGIN_GAP", "refused", with_transport(margin_gap=0.006), "", 0.006, 0.005),
    ("TRANSPORT_WEIGHTS", "refused", with_transport(effective_size=99), "", 99, 100),
    ("TRANSPORT_WEIGHTS", "refused", with_transport(design_effect=10.1), "", 10.1, 10),
    ("TRANSPORT_WEIGHTS", "amber", with_transport(design_effect=3.1), "", 3.1, 3),
    ("TRANSPORT_WEIGHTS", "amber", with_transport(country_share=0.51), "", 0.51, 0.5),
    ("FEW_COUNTRIES", "refused", with_transport(countries=4), "", 4, 5),
    ("PROFILE_UNSUPPORTED", "refused", replace(GOOD, profile=(replace(PROFILE, neighbours=9),)), "reduced", 9, 10),
    ("PROFILE_UNSUPPORTED", "refused", replace(GOOD, profile=(replace(PROFILE, events=0),)), "reduced", 0, 1),
    ("PROFILE_UNSUPPORTED", "refused", replace(GOOD, profile=(replace(PROFILE, outside=("wbc",)),)), "reduced", 1, 0),
    ("NOT_PREDICTIVE", "amber", replace(GOOD, predictive=False), "", 0, 1)]


def test_evidence_at_every_limit_is_answered() -> None:
    verdict = judge(GOOD)
    assert (verdict.severity, verdict.reasons) == ("answered", ())


def test_what_was_not_asked_for_is_not_judged() -> None:
    plain = replace(GOOD, estimates=None, transport=None, profile=None, predictive=None)
    assert judge(plain).severity == "answered"


@pytest.mark.parametrize(("code", "severity", "evidence", "where", "value", "threshold"), CASES)
def test_each_rule_says_what_it_found_and_what_it_asks_for(code: str, severity: str, evidence: Evidence, where: str,
                                                           value: float, threshold: float) -> None:
    verdict = judge(evidence)
    (reason,) = verdict.reasons
    assert (reason.code, reason.severity, reason.where, verdict.severity) == (code, severity, where, severity)
    assert (reason.value, reason.threshold) == pytest.approx((value, threshold))
    assert reason.message
    assert not any(character.isdigit() for character in reason.message)


def test_every_code_has_a_case() -> None:
    assert list(dict.fromkeys(code for code, *_ in CASES)) == list(CODES)


def test_reasons_come_in_the_order_of_the_codes_and_the_worst_decides() -> None:
    everything = Evidence(("mrd_group",), None, 2, 0, 9999, (Confounder("mrd", 0.9),), replace(
        SUPPORT, arms=(replace(ARM, arm="standard", patients=1, events=0, at_risk=0, effective_size=1, largest_share=1),
                       ARM), common_support=0, balance=(CovariateBalance("mrd", 2, 2),)),
        TwoEstimates(0.5, -0.5, 0.01, 0.0001), Transport((("female", 0),), 1, 1, 99, 1, 1),
        (ProfileOption("reduced", 0, 0, ("wbc",)),), predictive=False)
    verdict = judge(everything)
    assert verdict.severity == "refused"
    codes = [reason.code for reason in verdict.reasons]
    assert codes == sorted(codes, key=CODES.index)
    # Without a second treatment there is no protocol to compare between.
    assert set(codes) == set(CODES) - {"NO_CONTRAST"}


SHARES = st.floats(-0.5, 0.5)
MARGINS = st.floats(0.001, 0.4)


@given(first=SHARES, second=SHARES, margins=st.tuples(MARGINS, MARGINS, MARGINS, MARGINS))
def test_chance_and_adjustment_contradict_one_another_whenever_their_intervals_do(
        first: float, second: float, margins: tuple[float, float, float, float]) -> None:
    one = Interval95(first, first - margins[0], first + margins[1])
    other = Interval95(second, second - margins[2], second + margins[3])
    found = judge(replace(GOOD, by_chance=(ByChance("EFS", one, other),))).reasons

    assert found == judge(replace(GOOD, by_chance=(ByChance("EFS", other, one),))).reasons
    if one.upper < 0 < other.lower or other.upper < 0 < one.lower:
        assert [reason.code for reason in found] == ["MODEL_DEPENDENT"]
    if first == second:
        assert not found


def test_a_landmark_settles_time_zero() -> None:
    assert judge(replace(GOOD, late_variables=("mrd_group",), landmark_days=42)).severity == "answered"


def test_a_comparison_without_support_is_refused_for_its_contrast_alone() -> None:
    (reason,) = judge(replace(GOOD, intensities=1, support=None, estimates=None)).reasons
    assert reason.code == "NO_CONTRAST"


def test_the_limit_of_disclosure_wins_where_it_is_higher() -> None:
    verdict = judge(GOOD, Thresholds(disclosure=15))
    found = [(reason.value, reason.threshold) for reason in verdict.reasons if reason.code == "CELL_SMALL"]
    assert found == [(10, 15)] * 4  # events and at risk of both arms; 20 patients are enough
    assert judge(GOOD, Thresholds(disclosure=5)).severity == "answered"


@pytest.mark.parametrize("evidence", [with_arm(effective_size=float("nan")), with_support(common_support=float("nan")),
                                      with_support(balance=(CovariateBalance("mrd", 0, float("nan")),))])
def test_what_is_not_known_is_refused(evidence: Evidence) -> None:
    assert judge(evidence).severity == "refused"


def test_a_standard_error_of_zero_is_not_agreement() -> None:
    assert judge(with_estimates(robust_error=0.0)).severity == "amber"
