"""The estimators of a treatment comparison, run one after the other over the same patients."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import numpy as np

from harmony_dash import errors
from harmony_dash.disclosure.results import Curve
from harmony_dash.disclosure.what_if_results import Contrast, Measure, Method, StrategyCurve
from harmony_dash.errors import StatisticsError
from harmony_dash.services.aside import Aside
from harmony_dash.stats.arm_comparison import ArmComparison
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.augmented_weighting import estimate_augmented_survival
from harmony_dash.stats.bayesian_bootstrap import Draw, Estimate, Progress, draw_replicates
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.patient_cox import centred_hazard, climb, fit_prepared_cox
from harmony_dash.stats.propensity import Propensity
from harmony_dash.stats.standardised_incidence import standardise_incidence
from harmony_dash.stats.standardised_survival import (
    OutcomeRows,
    StandardisedSurvival,
    mean_survival,
    standardise_survival,
)
from harmony_dash.stats.weighted_kaplan_meier import compare_weighted_survival

# One seed for all questions: the same patients asked again give the same answer to the last digit.
SEED: Final = 20261122
WORKERS: Final = 2
Cancelled = Callable[[], bool]


class Bootstrap(Protocol):
    """`draw_replicates`, here or elsewhere."""

    def __call__(self, estimate: Estimate, stratum: Ints, replicates: int, rng: np.random.Generator, *,
                 progress: Progress | None, cancel: Cancelled | None) -> Floats:
        """See `draw_replicates`."""
        ...


_ESTIMATORS: Final = ("harmony_dash.stats.standardised_incidence", "harmony_dash.stats.effect_by_level")
HERE: Final[Bootstrap] = partial(draw_replicates, workers=WORKERS)


@contextmanager
def in_threads() -> Iterator[Bootstrap]:
    """Draw replicates in this process, which does nothing else."""
    yield HERE


@contextmanager
def in_other_process() -> Iterator[Bootstrap]:
    """Draw replicates beside a process that has other people to serve, where the operating system knows priorities.

    Raises
    ------
    ComputationLost if the machine starts no process, or ends it; ComputationFailed for a fault in it.
    """
    if os.name != "posix":
        yield HERE
        return
    with Aside(_ESTIMATORS) as aside:
        yield partial(aside.call, draw_replicates, workers=WORKERS)


@dataclass(frozen=True)
class Run:
    """How the bootstraps of one answer are run.

    Attributes
    ----------
    replicates : of each.
    progress : told how much of all of them is done.
    cancelled : asked whether to stop.
    parts : how many bootstraps there are.
    bootstrap : draws their replicates.
    """

    replicates: int
    progress: Progress | None
    cancelled: Cancelled | None
    parts: int
    bootstrap: Bootstrap = HERE

    def check(self) -> None:
        """Go on only if somebody still waits; for between two stages.

        Raises
        ------
        Cancelled.
        """
        if self.cancelled is not None and self.cancelled():
            raise errors.Cancelled

    def draw_of(self, part: int) -> Draw:
        """What draws the replicates of one bootstrap, and tells its progress as part of the whole."""
        whole = self.progress
        progress = None if whole is None else lambda done, total: whole(part * total + done, self.parts * total)
        return partial(self.bootstrap, progress=progress, cancel=self.cancelled)


@dataclass(frozen=True)
class Estimated:
    """Curves and contrasts of one method, and the method in words.

    Attributes
    ----------
    columns : the same with the columns of its models, which tell what values have hardly any events; empty if there
        are none. For exact results alone.
    """

    curves: tuple[StrategyCurve, ...]
    contrasts: tuple[Contrast, ...]
    methods: str
    columns: str = ""


def estimate_standardised(patients: ArmPatients, endpoint: str, days: Sequence[int], run: Run,
                          ) -> tuple[Estimated, StandardisedSurvival]:
    """Method A: curves, the difference at the last day and that of the restricted means.

    Raises
    ------
    StatisticsError if the model cannot be fitted; Cancelled.
    """
    found = standardise_survival(patients, days, tau_days=days[-1], rng=np.random.default_rng(SEED),
                                 replicates=run.replicates, draw=run.draw_of(0))
    curves, contrast = _read(found.survival, Method.STANDARDISED, endpoint, patients.arms, Measure.SURVIVAL)
    mean = Contrast(Method.STANDARDISED, Measure.RESTRICTED_MEAN, endpoint, days[-1], found.mean_difference_days,
                    _known(found.mean_difference_lower), _known(found.mean_difference_upper))
    words = (f"A: standardised survival (g-formula) over a stratified Cox model of arm and covariates, Efron ties; "
             f"{_intervals(run)}")
    return Estimated(curves, (contrast, mean), words, f"A: {found.methods}"), found


def estimate_augmented(patients: ArmPatients, propensity: Propensity, endpoint: str, days: Sequence[int],
                       ) -> tuple[Estimated, float]:
    """Method B, and the standard error of its difference at the last day."""
    found = estimate_augmented_survival(patients, propensity, days)
    curves, contrast = _read(replace(found.survival, estimate=found.drawn), Method.AUGMENTED, endpoint, patients.arms,
                             Measure.SURVIVAL)
    # The curve is made to fall for the figure; the difference is not.
    contrast = replace(contrast, estimate=float(found.survival.difference[-1]))
    words = ("B: augmented inverse-probability weighting of pseudo-values by stratum; intervals from the influence "
             "function")
    return Estimated(curves, (contrast,), words, f"B: {found.methods}"), float(found.survival.difference_std_error[-1])


def estimate_weighted(patients: ArmPatients, weight: Floats, kind: str, endpoint: str, days: Sequence[int],
                      method: Method = Method.WEIGHTED) -> Estimated:
    """Method C, or with equal weights the plain comparison."""
    found = compare_weighted_survival(patients, weight, days, kind=kind)
    curves, contrast = _read(found.survival, method, endpoint, patients.arms, Measure.SURVIVAL)
    words = ("plain comparison: Kaplan-Meier estimate, not adjusted" if method is Method.PLAIN
             else f"C: {found.methods}")
    return Estimated(curves, (contrast,), words)


def estimate_causes(patients: ArmPatients, for_second: ArmPatients, days: Sequence[int], run: Run) -> Estimated:
    """Cumulative incidences of both causes by method A.

    Parameters
    ----------
    patients : rows with the columns of the first cause's model.
    for_second : the same rows with those of the second.

    Raises
    ------
    StatisticsError if a model cannot be fitted; Cancelled.
    """
    found = standardise_incidence(patients, days, rng=np.random.default_rng(SEED), replicates=run.replicates,
                                  second_patients=for_second, draw=run.draw_of(1))
    parts = [_read(one, Method.STANDARDISED, cause, patients.arms, Measure.INCIDENCE)
             for cause, one in zip(found.causes, found.incidence, strict=True)]
    return Estimated(tuple(curve for curves, _ in parts for curve in curves), tuple(one for _, one in parts),
                     "A: standardised cumulative incidence (cause-specific g-formula), each model with the covariates "
                     f"that its events carry; {_intervals(run)}", f"A: {found.methods}")


def _intervals(run: Run) -> str:
    return f"intervals from {run.replicates} replicates of the Bayesian bootstrap within strata"


def standardised_difference(patients: ArmPatients, day: int) -> float:
    """The difference of method A at one day, without its interval.

    Raises
    ------
    StatisticsError if the model cannot be fitted.
    """
    rows = OutcomeRows.prepare(patients, None, "efron")
    start = fit_prepared_cox(rows.cox).coefficients * rows.cox.unit
    ones = np.ones(len(patients.day))
    fit = climb(rows.cox, ones, start)
    curves = mean_survival(rows, fit.scaled, centred_hazard(rows.cox, fit), rows.weight, np.array([day]), day)
    return float(curves[1, 0] - curves[0, 0])


def estimate_plain_curves(table: EventTable, endpoint: str, days: Sequence[int]) -> Estimated:
    """Kaplan-Meier curves of both arms, and no difference: between protocols it would be anybody's guess."""
    pooled, at = table.pool_strata(), [0, *days]
    curves = []
    for arm in table.groups:
        found = read_survival(estimate_survival(pooled, arm), at)
        curves.append(StrategyCurve(Method.PLAIN, endpoint, arm, Curve(
            np.array(at, dtype=np.float64), found.survival, found.lower, found.upper, np.full(len(at), np.nan))))
    return Estimated(tuple(curves), (), "plain comparison: Kaplan-Meier estimate, not adjusted")


def _read(found: ArmComparison, method: Method, outcome: str, arms: tuple[str, str], measure: Measure,
          ) -> tuple[tuple[StrategyCurve, ...], Contrast]:
    start = 1.0 if measure is Measure.SURVIVAL else 0.0

    def draw(place: int) -> Curve:
        estimate, lower, upper = (np.concatenate([[start], values[place]])
                                  for values in (found.estimate, found.lower, found.upper))
        return Curve(np.concatenate([[0.0], found.days]), estimate, lower, upper, np.full(len(estimate), np.nan))

    curves = tuple(StrategyCurve(method, outcome, arm, draw(place)) for place, arm in enumerate(arms))
    return curves, Contrast(method, measure, outcome, int(found.days[-1]), float(found.difference[-1]),
                            _known(found.difference_lower[-1]), _known(found.difference_upper[-1]))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def why_not(problem: StatisticsError, *, is_protected: bool) -> str:
    """Why there is no estimate; what exactly stands in the way may be about single patients."""
    return "too few events for a model" if is_protected else problem.problem
