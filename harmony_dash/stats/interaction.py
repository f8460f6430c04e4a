"""Does a marker change the effect of a treatment? Answered from within trials alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER, ChiSquareTest, CoxModel, compare_nested, fit_cox
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.partial_likelihood import count_pattern_days
from harmony_dash.stats.risk_sets import cause_position


@dataclass(frozen=True)
class TreatmentEffect:
    """The hazard ratio of the treatment, second arm against first, among patients with one level of the marker.

    Attributes
    ----------
    level : level of the marker.
    patients, events : in the first and in the second arm, over the trials kept.
    log_ratio, std_error : natural logarithm of the hazard ratio and its standard error.
    ratio, lower, upper, p : hazard ratio, Wald limits and test.
    """

    level: str
    patients: tuple[int, int]
    events: tuple[int, int]
    log_ratio: float
    std_error: float
    ratio: float
    lower: float
    upper: float
    p: float


@dataclass(frozen=True)
class TreatmentInteraction:
    """How a treatment effect differs between the levels of a marker, strictly within trials.

    Attributes
    ----------
    arms : reference and compared arm.
    levels : marker levels in the model, the reference first.
    trials : trials in the model.
    left_out_trials, left_out_levels : (label, reason) of what could not be used.
    patients, events : in the model.
    effects : treatment effect in each level, from one model.
    log_ratio_of_ratios, std_error : shape (levels - 1,); log of each level's hazard ratio over that of the reference
        level, free of the weights of the trials.
    ratio_of_ratios, lower, upper : shape (levels - 1,); the same on the ratio scale with Wald limits.
    test : likelihood-ratio test of equal hazard ratios in all levels.
    trial_weights : shape (trials,); weights that average the trials' treatment effects, sum 1.
    trial_log_ratios, trial_std_errors : shape (trials, levels - 1); as the two above from each trial alone, NaN where
        a trial cannot tell. They show whether trials agree in direction.
    cause : the cause counted as event, None for any.
    level : confidence level.
    """

    arms: tuple[str, str]
    levels: tuple[str, ...]
    trials: tuple[str, ...]
    left_out_trials: tuple[tuple[str, str], ...]
    left_out_levels: tuple[tuple[str, str], ...]
    patients: int
    events: int
    effects: tuple[TreatmentEffect, ...]
    log_ratio_of_ratios: Floats
    std_error: Floats
    ratio_of_ratios: Floats
    lower: Floats
    upper: Floats
    test: ChiSquareTest
    trial_weights: Floats
    trial_log_ratios: Floats
    trial_std_errors: Floats
    cause: str | None
    level: float

    @property
    def methods(self) -> str:
        """The method in words."""
        trials = f"{len(self.trials)} trial{'s' if len(self.trials) > 1 else ''}"
        without = "".join(f"; without {label} ({reason})"
                          for label, reason in self.left_out_trials + self.left_out_levels)
        return (f"treatment × marker interaction within {trials} that used both arms: Cox model stratified by trial "
                f"with marker, treatment × trial and treatment × marker, Efron ties, {100 * self.level:g} % Wald "
                f"confidence interval, likelihood-ratio test{without}")


@dataclass(frozen=True)
class _Cells:
    """Counts per (trial, marker level, arm) and what is kept of them."""

    patients: Ints
    events: Ints
    arm: Ints  # of each group of the table, -1 for none
    level: Ints
    trials: NDArray[np.bool_]
    levels: NDArray[np.bool_]


def compare_treatment_effect(table: EventTable, arm_of: Sequence[str], level_of: Sequence[str],
                             arms: tuple[str, str], levels: Sequence[str], *, cause: str | int | None = None,
                             level: float = 0.95,
                             events_per_parameter: float = EVENTS_PER_PARAMETER) -> TreatmentInteraction:
    """Compare the effect of a treatment between the levels of a marker, inside trials.

    Assumes
        Hazards within a trial are proportional between arms and marker levels. The allocation within a trial does not
        depend on prognosis given the marker (randomisation makes it so). Censoring and late entry are independent of
        the event given trial, arm and marker. The interaction is the same in all trials.

    Formula
        A Cox model stratified by trial with one treatment column for each trial (treatment and treatment × trial), one
        column for each marker level but the first, and their products with treatment. Treatment × trial takes up what
        distinguishes the trials, so that treatment × marker is estimated within them. Trials without patients and
        events in both arms are left out altogether: they would inform the marker columns, hence the interaction, from
        outside. The test is the likelihood ratio with and without treatment × marker. With a_k the treatment
        coefficient of trial k and c_m that of level m (0 for the first), the effect in level m is
        sum_k w_k a_k + c_m, w_k proportional to d_k0 d_k1/(d_k0 + d_k1), events of the trial by arm.

    Parameters
    ----------
    table : event table whose strata are trials and whose groups are combinations of arm and marker level.
    arm_of, level_of : shape (groups,); arm and marker level of each group. Groups of other arms or levels than the
        ones below are not used.
    arms : reference and compared arm.
    levels : marker levels in order, the reference first.
    cause : name or position of the cause that counts as event, the others being censored; None for any cause.
    level : confidence level.
    events_per_parameter : as in `fit_cox`.

    Returns
    -------
    TreatmentInteraction

    Raises
    ------
    StatisticsError if no trial has both arms, if fewer than two marker levels have events in both, or as `fit_cox`.

    References
    ----------
    Schandelmaier et al., CMAJ 192 (2020) E901-E906 (ICEMAN), on within- against between-trial information; Fisher,
    Carpenter, Morris, Freeman, Tierney, BMJ 356 (2017) j573, on separating the two in one model.
    """
    z = normal_quantile(level)
    counted = _count_cells(table, arm_of, level_of, arms, levels, cause)
    cells, trial_reasons, level_reasons = _drop_one_sided(counted, table.strata, arms, levels)
    kept = _select(table, cells)
    days = count_pattern_days(kept, cause)
    trials, shown = np.flatnonzero(cells.trials).tolist(), np.flatnonzero(cells.levels).tolist()
    design, names = _design(cells, trials, shown, table.strata, levels, arms)
    model = fit_cox(days, design, names, level=level, events_per_parameter=events_per_parameter)
    others = len(shown) - 1
    smaller = fit_cox(days, design[:, :, :-others], names[:-others], level=level, events_per_parameter=0)
    events = cells.events[np.ix_(trials, shown)].sum(axis=1)
    weights = events[:, 0] * events[:, 1] / events.sum(axis=1)
    weights = weights / weights.sum()
    effects = tuple(_effect(model, cells, weights, position, m, levels[m], z) for position, m in enumerate(shown))
    estimate, std_error = model.coefficients[-others:], model.std_error[-others:]
    alone = [_within_one_trial(kept, cells, k, shown, levels, cause) for k in trials]
    return TreatmentInteraction(
        arms, tuple(levels[m] for m in shown), tuple(table.strata[k] for k in trials), trial_reasons, level_reasons,
        model.patients, model.events, effects, estimate, std_error, model.ratio[-others:], model.lower[-others:],
        model.upper[-others:], compare_nested(model, smaller), weights, np.array([one[0] for one in alone]),
        np.array([one[1] for one in alone]), days.cause, level)


def _count_cells(table: EventTable, arm_of: Sequence[str], level_of: Sequence[str], arms: tuple[str, str],
                 levels: Sequence[str], cause: str | int | None) -> _Cells:
    if len(arm_of) != len(table.groups) or len(level_of) != len(table.groups):
        raise StatisticsError("every group of the event table has an arm and a marker level")
    if len(set(arms)) != 2 or len(set(levels)) < len(levels) or len(levels) < 2:
        raise StatisticsError("an interaction compares two arms in at least two levels of a marker")
    arm = np.array([arms.index(a) if a in arms else -1 for a in arm_of], dtype=np.int64)
    level = np.array([list(levels).index(m) if m in levels else -1 for m in level_of], dtype=np.int64)
    counted = table.events.sum(axis=1) if cause is None else table.events[:, cause_position(table, cause)]
    left = table.events.sum(axis=1) + table.censored
    row_arm, row_level = arm[table.group], level[table.group]
    used = (row_arm >= 0) & (row_level >= 0)
    patients, events = np.zeros((2, len(table.strata), len(levels), 2), dtype=np.int64)
    cell = (table.stratum[used], row_level[used], row_arm[used])
    np.add.at(patients, cell, left[used])
    np.add.at(events, cell, counted[used])
    everything: list[NDArray[np.bool_]] = [np.ones(size, dtype=bool) for size in patients.shape[:2]]
    return _Cells(patients, events, arm, level, *everything)


Reasons = tuple[tuple[str, str], ...]


def _drop_one_sided(cells: _Cells, trials: Sequence[str], arms: tuple[str, str],
                    levels: Sequence[str]) -> tuple[_Cells, Reasons, Reasons]:
    """Keep the trials and levels with events in both arms; each can take the other with it, so repeat until stable."""
    kept_trials, kept_levels = cells.trials.copy(), cells.levels.copy()
    kept_trials &= cells.patients.sum(axis=(1, 2)) > 0
    if not (cells.patients.sum(axis=1) > 0).all(axis=1).any():
        raise StatisticsError(f"no trial has both arms, {arms[0]!r} and {arms[1]!r}",
                              remedy="a treatment effect is compared within trials: choose arms used in the same trial")
    trial_reasons: list[tuple[str, str]] = []
    level_reasons: list[tuple[str, str]] = []
    changed = True
    while changed:
        changed = False
        for k in np.flatnonzero(kept_trials).tolist():
            reason = _missing_arm(cells.patients[k, kept_levels], cells.events[k, kept_levels], arms)
            if reason:
                kept_trials[k], changed = False, True
                trial_reasons.append((trials[k], reason))
        for m in np.flatnonzero(kept_levels).tolist():
            reason = _missing_arm(cells.patients[kept_trials, m], cells.events[kept_trials, m], arms)
            if reason:
                kept_levels[m], changed = False, True
                level_reasons.append((levels[m], reason))
    if not kept_trials.any():
        raise StatisticsError("no trial has events in both arms", remedy="; ".join(
            f"{label}: {reason}" for label, reason in trial_reasons))
    if kept_levels.sum() < 2:
        raise StatisticsError("fewer than two levels of the marker have events in both arms of a trial",
                              remedy="; ".join(f"{label}: {reason}" for label, reason in level_reasons))
    counts = _Cells(cells.patients, cells.events, cells.arm, cells.level, kept_trials, kept_levels)
    return counts, tuple(trial_reasons), tuple(level_reasons)


def _missing_arm(patients: Ints, events: Ints, arms: tuple[str, str]) -> str:
    """Return which arm has no patients or events, counts of shape (cells, 2); empty when both have."""
    for position, arm in enumerate(arms):
        if not events[:, position].any():
            return f"no {'events' if patients[:, position].any() else 'patients'} in the arm {arm}"
    return ""


def _select(table: EventTable, cells: _Cells, trial: int | None = None) -> EventTable:
    """Return the rows of the kept trials, or of one of them, and of the kept arms and levels."""
    group: NDArray[np.bool_] = (cells.arm >= 0) & (cells.level >= 0) & cells.levels[cells.level]
    chosen = cells.trials[table.stratum] if trial is None else table.stratum == trial
    rows = group[table.group] & chosen
    return EventTable(table.groups, table.strata, table.causes, table.group[rows], table.stratum[rows],
                      table.day[rows], table.censored[rows], table.events[rows], table.entries[rows])


def _design(cells: _Cells, trials: list[int], shown: list[int], strata: Sequence[str], levels: Sequence[str],
            arms: tuple[str, str]) -> tuple[Floats, list[str]]:
    """Return the design, shape (strata, groups, parameters), treatment × marker last, and its names."""
    treated = (cells.arm == 1).astype(np.float64)
    marker = (cells.level[:, None] == np.array(shown[1:])).astype(np.float64)
    groups, others = len(treated), len(shown) - 1
    design = np.zeros((len(strata), groups, len(trials) + 2 * others))
    for column, trial in enumerate(trials):
        design[trial, :, column] = treated
    design[:, :, len(trials):len(trials) + others] = marker
    design[:, :, len(trials) + others:] = treated[:, None] * marker
    names = [f"{arms[1]} in {strata[trial]}" for trial in trials]
    names += [levels[m] for m in shown[1:]] + [f"{arms[1]} × {levels[m]}" for m in shown[1:]]
    return design, names


def _effect(model: CoxModel, cells: _Cells, weights: Floats, position: int, marker: int, label: str,
            z: float) -> TreatmentEffect:
    contrast = np.zeros(len(model.names))
    contrast[:len(weights)] = weights
    if position > 0:
        contrast[len(model.names) - int(cells.levels.sum()) + position] = 1
    log_ratio = float(contrast @ model.coefficients)
    std_error = float(np.sqrt(contrast @ model.covariance @ contrast))
    patients, events = (counts[cells.trials, marker].sum(axis=0) for counts in (cells.patients, cells.events))
    with np.errstate(over="ignore"):  # a limit beyond the largest number is infinite
        ratio, lower, upper = (float(np.exp(log_ratio + shift * std_error)) for shift in (0.0, -z, z))
    return TreatmentEffect(label, (int(patients[0]), int(patients[1])), (int(events[0]), int(events[1])), log_ratio,
                           std_error, ratio, lower, upper, float(2 * ndtr(-abs(log_ratio) / std_error)))


def _within_one_trial(table: EventTable, cells: _Cells, trial: int, shown: list[int], levels: Sequence[str],
                      cause: str | int | None) -> tuple[Floats, Floats]:
    """Return log ratio of ratios and standard error of one trial alone, shape (levels - 1,); NaN where it has none."""
    others = len(shown) - 1
    estimate, std_error = np.full(others, np.nan), np.full(others, np.nan)
    for column in range(others):
        pair = np.zeros(len(levels), dtype=bool)
        pair[[shown[0], shown[column + 1]]] = True
        one = _Cells(cells.patients, cells.events, cells.arm, cells.level, cells.trials, pair)
        treated, marked = cells.arm == 1, cells.level == shown[column + 1]
        design = np.column_stack([treated, marked, treated & marked]).astype(np.float64)
        try:
            model = fit_cox(_select(table, one, trial), design, ("treatment", "marker", "product"), cause=cause,
                            events_per_parameter=0)
        except StatisticsError:
            continue  # a trial too small to have an estimate of its own still counts in the joint model
        estimate[column], std_error[column] = model.coefficients[2], model.std_error[2]
    return estimate, std_error
