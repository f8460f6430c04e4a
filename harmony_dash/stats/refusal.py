"""Whether a treatment comparison may be answered from these data: one pure function over what is known of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import ge, le, lt
from typing import Final, Literal

from harmony_dash.stats.evidence import ByChance, Evidence

Severity = Literal["answered", "amber", "refused"]
CODES: Final = ("NO_TIME_ZERO", "NO_CONTRAST", "BETWEEN_PROTOCOL", "CELL_SMALL", "POSITIVITY", "BALANCE",
                "MODEL_DEPENDENT", "FOLLOWUP", "NO_CONFOUNDERS", "TARGET_CELL_EMPTY", "MARGIN_GAP", "TRANSPORT_WEIGHTS",
                "FEW_COUNTRIES", "PROFILE_UNSUPPORTED", "NOT_PREDICTIVE")
_HALF_WIDTH: Final = 1.96  # of a 95 % interval, in standard errors
CONTRADICTION: Final = ("the randomised and the adjusted comparison say different things: what is not recorded may "
                        "have decided about treatment, or they speak of different patients")
CHANGING_EFFECT: Final = "the hazard ratio changes with time: read differences and restricted means"


@dataclass(frozen=True)
class Limit:
    """Where an answer is marked amber and where it is refused; None where a rule knows no such step."""

    amber: float | None
    refused: float | None


@dataclass(frozen=True)
class Thresholds:
    """The limits of every rule.

    Chosen from 900 simulated subgroups with a known effect: those answered had a root mean square error of 5.6 points
    and 92 % coverage, those refused 11.3 points and 80 %.

    Attributes
    ----------
    disclosure : patients a cell must have to be shown at all; where it is higher it replaces the limits of a cell.
    arm_patients, arm_events, arm_at_risk : in each arm; events and at risk at the day of the comparison.
    effective_size, common_support, largest_share, imbalance : see `Support`.
    disagreement : of two estimators, in standard errors of the doubly robust one.
    contradiction : of the randomised and the adjusted comparison, in standard errors of their difference.
    changing_effect_p : p of the test of proportional hazards of the arms.
    trials_with_both : trials or countries that used both arms.
    missing : share of patients without a confounder's value.
    target_patients, margin_gap : patients of a category the target has; largest difference of margins, as a share.
    transport_size, design_effect, country_share, countries : of transport weights and prediction intervals.
    neighbours, neighbour_events : of a profile, in each option.
    """

    disclosure: int = 0
    arm_patients: Limit = field(default=Limit(None, 20))
    arm_events: Limit = field(default=Limit(10, 5))
    arm_at_risk: Limit = field(default=Limit(None, 10))
    effective_size: Limit = field(default=Limit(50, 30))
    common_support: Limit = field(default=Limit(0.9, 0.8))
    largest_share: Limit = field(default=Limit(0.1, 0.2))
    imbalance: Limit = field(default=Limit(0.1, 0.2))
    disagreement: Limit = field(default=Limit(1, None))
    contradiction: Limit = field(default=Limit(_HALF_WIDTH, None))
    changing_effect_p: Limit = field(default=Limit(0.01, None))
    trials_with_both: Limit = field(default=Limit(2, 1))
    missing: Limit = field(default=Limit(0.2, 0.4))
    target_patients: Limit = field(default=Limit(None, 10))
    margin_gap: Limit = field(default=Limit(None, 0.005))
    transport_size: Limit = field(default=Limit(None, 100))
    design_effect: Limit = field(default=Limit(3, 10))
    country_share: Limit = field(default=Limit(0.5, None))
    countries: Limit = field(default=Limit(None, 5))
    neighbours: Limit = field(default=Limit(None, 10))
    neighbour_events: Limit = field(default=Limit(None, 1))

    def of_cell(self, limit: Limit) -> Limit:
        """The limit, or the one of disclosure where that is higher."""
        refused = max(self.disclosure, limit.refused or 0)
        return Limit(limit.amber, refused)


@dataclass(frozen=True)
class Reason:
    """One rule that was not kept.

    Attributes
    ----------
    code : one of `CODES`.
    severity : "amber" or "refused".
    message : what is wrong, in words; without numbers of patients, which have to be protected first.
    where : the arm, variable, stratum or option it is about; empty when there is none.
    value, threshold : what was found and what was asked for.
    """

    code: str
    severity: Severity
    message: str
    where: str
    value: float
    threshold: float


@dataclass(frozen=True)
class Verdict:
    """Whether a comparison is answered, answered with a warning, or refused, and every reason, in order of `CODES`."""

    severity: Severity
    reasons: tuple[Reason, ...]


def judge(evidence: Evidence, thresholds: Thresholds | None = None) -> Verdict:
    """Decide whether a comparison may be answered.

    Assumes
        A comparison is refused on what the data hold: an estimator's own interval looks right in bad data as long as
        its model happens to be right there.

    Formula
        Every rule gives the reasons it is not kept; the worst of them decides. A value that is not known (NaN) is taken
        as bad, except a quartile of follow-up that is not reached.

    Parameters
    ----------
    evidence : what is known.
    thresholds : the limits; the usual ones when left out.

    Returns
    -------
    Verdict

    References
    ----------
    Petersen, Porter, Gruber, Wang, van der Laan, Stat Methods Med Res 21 (2012) 31-54, positivity; Hernan, Robins, Am J
    Epidemiol 183 (2016) 758-764, time zero.
    """
    limits = thresholds or Thresholds()
    reasons = tuple(reason for rule in _RULES for reason in rule(evidence, limits))
    if any(reason.severity == "refused" for reason in reasons):
        return Verdict("refused", reasons)
    return Verdict("amber" if reasons else "answered", reasons)


def _ask(code: str, message: str, value: float, keeps: Callable[[float, float], bool], limit: Limit,
         where: str = "") -> list[Reason]:
    """Return the worse of the two reasons, if any; `keeps` says whether a value keeps a limit."""
    steps: tuple[tuple[Severity, float | None], ...] = (("refused", limit.refused), ("amber", limit.amber))
    for severity, threshold in steps:
        if threshold is not None and not keeps(value, threshold):
            return [Reason(code, severity, message, where, float(value), threshold)]
    return []


def _time_zero(evidence: Evidence, _: Thresholds) -> list[Reason]:
    if evidence.landmark_days is not None:
        return []
    return [Reason("NO_TIME_ZERO", "refused", "this becomes known after the clock has started: set a landmark", name, 1,
                   0) for name in evidence.late_variables]


def _contrast(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    if evidence.intensities < 2:
        return [Reason("NO_CONTRAST", "refused", "hardly any patients had one of the treatments compared, or none", "",
                       evidence.intensities, 2)]
    return _ask("BETWEEN_PROTOCOL", "too few trials or countries used both treatments: a difference may be that of the "
                "protocols", evidence.trials_with_both, ge, limits.trials_with_both)


def _cells(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    found = []
    for arm in evidence.support.arms if evidence.support else ():
        for value, limit, message in ((arm.patients, limits.arm_patients, "too few patients"),
                                      (arm.events, limits.arm_events, "too few events"),
                                      (arm.at_risk, limits.arm_at_risk, "too few patients still at risk on the day")):
            found += _ask("CELL_SMALL", message, value, ge, limits.of_cell(limit), arm.arm)
    return found


def _positivity(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    support = evidence.support
    if support is None:
        return []
    found = []
    for arm in support.arms:
        found += _ask("POSITIVITY", "weighted, the patients know no more than a few would", arm.effective_size, ge,
                      limits.effective_size, arm.arm)
        found += _ask("POSITIVITY", "one patient carries too much of the answer", arm.largest_share, le,
                      limits.largest_share, arm.arm)
    return found + _ask("POSITIVITY", "too many patients have no counterpart in the other arm", support.common_support,
                        ge, limits.common_support)


def _balance(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    return [reason for one in (evidence.support.balance if evidence.support else ()) for reason in _ask(
        "BALANCE", "weighted, the arms still differ", abs(one.after), lt, limits.imbalance, one.name)]


def _models(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    estimates = evidence.estimates
    if estimates is None:
        return []
    apart = abs(estimates.primary - estimates.robust)
    in_errors = apart / estimates.robust_error if estimates.robust_error > 0 else float("nan")
    found = _ask("MODEL_DEPENDENT", "two methods disagree", in_errors, le, limits.disagreement)
    found += _ask("MODEL_DEPENDENT", "two methods give opposite signs", estimates.primary * estimates.robust, ge,
                  Limit(0, None))
    if estimates.changing_effect_p is not None:
        found += _ask("MODEL_DEPENDENT", CHANGING_EFFECT, estimates.changing_effect_p, ge, limits.changing_effect_p)
    return found


def _chance(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    """What chance allocated is no proof for patients who were allocated otherwise, but it must not say the opposite."""
    return [reason for one in evidence.by_chance for reason in _ask(
        "MODEL_DEPENDENT", CONTRADICTION, _errors_apart(one), le, limits.contradiction, one.name)]


def _errors_apart(one: ByChance) -> float:
    """How far the two are apart, in standard errors read off the sides of their intervals that face one another.

    So two intervals without a common value, such as those on two sides of 0, are always far apart.
    """
    low, high = sorted((one.randomised, one.adjusted), key=lambda side: side.estimate)
    error = math.hypot(low.upper - low.estimate, high.estimate - high.lower) / _HALF_WIDTH
    return (high.estimate - low.estimate) / error if error > 0 else math.nan


def _follow_up(evidence: Evidence, _: Thresholds) -> list[Reason]:
    if evidence.support is None:
        return []
    quartiles = [(arm.arm, arm.follow_up_days) for arm in evidence.support.arms]
    return [Reason("FOLLOWUP", "refused", "fewer than a quarter of the patients were followed that long", label,
                   evidence.horizon_days, days)
            for label, days in (*quartiles, *evidence.support.strata_follow_up) if evidence.horizon_days > days]


def _confounders(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    found = []
    for one in evidence.confounders:
        found += _ask("NO_CONFOUNDERS", "not known for many patients", one.missing, le, limits.missing, one.name)
    return found


def _transport(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    target = evidence.transport
    if target is None:
        return []
    found = []
    for label, patients in target.categories:
        found += _ask("TARGET_CELL_EMPTY", "the target has such patients and the data hardly any", patients, ge,
                      limits.of_cell(limits.target_patients), label)
    found += _ask("MARGIN_GAP", "weighted, the patients do not look like the target", target.margin_gap, le,
                  limits.margin_gap)
    found += _ask("TRANSPORT_WEIGHTS", "weighted to the target, the patients know no more than a few would",
                  target.effective_size, ge, limits.transport_size)
    found += _ask("TRANSPORT_WEIGHTS", "the target is far from the patients", target.design_effect, le,
                  limits.design_effect)
    found += _ask("TRANSPORT_WEIGHTS", "one country carries most of the weight", target.country_share, le,
                  limits.country_share)
    return found + _ask("FEW_COUNTRIES", "too few countries to tell how another one may differ", target.countries, ge,
                        limits.countries)


def _profile(evidence: Evidence, limits: Thresholds) -> list[Reason]:
    found = []
    for one in evidence.profile or ():
        found += _ask("PROFILE_UNSUPPORTED", "too few patients like this", one.neighbours, ge,
                      limits.of_cell(limits.neighbours), one.option)
        found += _ask("PROFILE_UNSUPPORTED", "too few of the patients like this had an event", one.events, ge,
                      limits.neighbour_events, one.option)
        found += [Reason("PROFILE_UNSUPPORTED", "refused", f"{name} lies outside what this arm has seen", one.option, 1,
                         0) for name in one.outside]
    return found


def _marker(evidence: Evidence, _: Thresholds) -> list[Reason]:
    if evidence.predictive is not False:
        return []
    return [Reason("NOT_PREDICTIVE", "amber", "exploratory: the marker does not keep the rule for being called "
                   "predictive", "", 0, 1)]


_RULES: Final[tuple[Callable[[Evidence, Thresholds], list[Reason]], ...]] = (
    _time_zero, _contrast, _cells, _positivity, _balance, _models, _chance, _follow_up, _confounders, _transport,
    _profile, _marker)
