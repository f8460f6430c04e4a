"""The partial likelihood of patients one by one: weighted, stratified, with ties; sorted once, evaluated often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from harmony_dash.stats.event_table import Floats, Ints


@dataclass(frozen=True)
class PatientOrder:
    """Patients sorted by stratum and, inside it, from the last day to the first, so that risk sets are running sums.

    Attributes
    ----------
    strata : number of strata, empty ones included.
    order : shape (n,); position of each sorted patient in the rows given.
    spans : rows of `stratum`, `day` and `deaths` that belong to each stratum with an event.
    stratum, day : shape (days,); the days with an event, stratum by stratum, the last day first.
    starts : shape (segments,); first sorted patient of each run that leaves the risk sets between the same event days.
    segment : shape (days,); the run that joins the risk set on each event day; other runs see no event.
    event_day : shape (n,); the last event day by the patient's own last day, `len(day)` where there is none.
    dead : shape (events,); sorted patients with the event, day by day.
    dead_day : shape (events,); row of their day in `day`.
    dead_starts : shape (days,); first of `dead` on each day.
    deaths : shape (days,).
    tied : shape (ties,); rows of the days with more than one event.
    tied_dead : shape (tied events,); positions in `dead` of the events on these days.
    tied_starts : shape (ties,); the first of `tied_dead` on each tied day.
    tied_row, tied_share : shape (tied events,); row in `tied`, and l/m of the l-th of m tied events, l = 0, ..., m - 1.
    """

    strata: int
    order: Ints
    spans: list[slice]
    stratum: Ints
    day: Ints
    starts: Ints
    segment: Ints
    event_day: Ints
    dead: Ints
    dead_day: Ints
    dead_starts: Ints
    deaths: Ints
    tied: Ints
    tied_dead: Ints
    tied_starts: Ints
    tied_row: Ints
    tied_share: Floats

    @property
    def events(self) -> int:
        """Number of events."""
        return len(self.dead)


@dataclass(frozen=True)
class RiskSums:
    """What one value of the coefficients gives on every event day.

    Attributes
    ----------
    log_likelihood : of all events.
    risk : shape (n,); weight times hazard ratio of each sorted patient, divided by exp(`centre`).
    centre : largest linear predictor.
    increment : shape (days,); steps of the baseline cumulative hazard, times exp(`centre`).
    tied_part : shape (ties,); sum over the tied events of l/m over what is at risk.
    twice, tied_twice, tied_square : the sums of 1/n^2 of the information, shape (days,) and (ties,).
    """

    log_likelihood: float
    risk: Floats
    centre: float
    increment: Floats
    tied_part: Floats
    twice: Floats
    tied_twice: Floats
    tied_square: Floats


def sort_patients(day: Ints, event: Ints, stratum: Ints, strata: int, *, ties: str = "efron") -> PatientOrder:
    """Sort patients and find their risk sets, once for all coefficients and weights.

    Parameters
    ----------
    day, event, stratum : shape (n,), n > 0; whole days, 1 for the event, position of the stratum.
    strata : number of strata.
    ties : "efron" or "breslow"; Breslow's rule knows no tied days.
    """
    n = len(day)
    order = np.lexsort((-day, stratum))
    days, events, strata_ = day[order], event[order].astype(bool), stratum[order]
    # A run starts where the stratum changes, or behind the last patient with at least the event day.
    new_key = np.ones(n, dtype=bool)
    new_key[1:] = (days[1:] != days[:-1]) | (strata_[1:] != strata_[:-1])
    key = np.cumsum(new_key) - 1
    has_event = np.zeros(int(key[-1]) + 1, dtype=bool)
    has_event[key[events]] = True
    first = np.flatnonzero(new_key)
    # Patients join the risk set of the next key with an event in their stratum, going back in time.
    last_event_key = np.where(has_event, np.arange(len(first)), len(first))
    joins = np.minimum.accumulate(last_event_key[::-1])[::-1]
    stratum_of_key = strata_[first]
    lost = (joins == len(first)) | (stratum_of_key[np.minimum(joins, len(first) - 1)] != stratum_of_key)
    run = np.where(lost, -1 - stratum_of_key, joins)
    starts_key = np.flatnonzero(np.concatenate([[True], run[1:] != run[:-1]]))
    segment_key = run[starts_key]
    rows = np.flatnonzero(segment_key >= 0)
    event_keys = segment_key[rows]
    stratum_day, day_day = stratum_of_key[event_keys], days[first[event_keys]]
    row_of_key = np.full(len(first), len(rows), dtype=np.int64)
    row_of_key[event_keys] = np.arange(len(rows))
    # A patient has lived through the hazard up to the last event day that is not after the patient's own last day.
    event_day = np.where(lost, len(rows), row_of_key[np.minimum(joins, len(first) - 1)])[key]
    spans = [slice(int(a), int(b)) for a, b in zip(
        *(np.searchsorted(stratum_day, np.unique(stratum_day), side=side) for side in ("left", "right")), strict=True)]
    dead = np.flatnonzero(events)
    dead_day = row_of_key[key[dead]]
    deaths = np.bincount(dead_day, minlength=len(rows))
    dead_starts = np.cumsum(deaths) - deaths
    tied = np.flatnonzero(deaths > 1) if ties == "efron" else np.zeros(0, dtype=np.int64)
    count = deaths[tied]
    tied_starts = np.cumsum(count) - count
    tied_row = np.repeat(np.arange(len(tied)), count)
    within = np.arange(len(tied_row)) - tied_starts[tied_row]
    return PatientOrder(strata, order, spans, stratum_day, day_day, first[starts_key], rows, event_day, dead, dead_day,
                        dead_starts, deaths, tied, dead_starts[tied][tied_row] + within, tied_starts, tied_row,
                        within / count[tied_row])


def sum_over_risk_sets(order: PatientOrder, linear: Floats, weight: Floats) -> RiskSums:
    """Evaluate likelihood and baseline hazard at linear predictors.

    Formula
        On a day with m events D and n_0 = sum_(at risk) w r, r = exp(linear), Efron's rule takes the l-th event out of
        n_l = n_0 - l/m sum_D w r and gives each the mean weight W = sum_D w / m: log L = sum_D w linear -
        sum_l W log n_l; the baseline cumulative hazard rises by sum_l W / n_l. Breslow's rule puts l = 0.

    Parameters
    ----------
    order : the sorted patients.
    linear, weight : shape (n,); in the order of `order`, weights positive.

    References
    ----------
    Efron, J Am Stat Assoc 72 (1977) 557-565; Therneau, Grambsch, Modeling Survival Data (2000), sections 3.3 and 10.2,
    for case weights and the Efron baseline.
    """
    centre = float(linear.max())
    risk = weight * np.exp(linear - centre)
    at_risk = _running(order, np.add.reduceat(risk, order.starts)[order.segment])
    dead_weight = weight[order.dead]
    weights = np.add.reduceat(dead_weight, order.dead_starts)
    mean = weights / order.deaths
    inverse = 1 / at_risk
    increment, twice = weights * inverse, weights * inverse**2
    logs = weights * np.log(at_risk)
    nothing = np.zeros(0)
    tied_part = tied_twice = tied_square = nothing
    if len(order.tied):
        tied_risk = np.add.reduceat(risk[order.dead[order.tied_dead]], order.tied_starts)
        left = at_risk[order.tied][order.tied_row] - order.tied_share * tied_risk[order.tied_row]
        once = mean[order.tied][order.tied_row] / left
        part, square = once * order.tied_share, once / left
        sums = [np.add.reduceat(values, order.tied_starts)
                for values in (once, part, square, square * order.tied_share, square * order.tied_share**2,
                               mean[order.tied][order.tied_row] * np.log(left))]
        increment[order.tied], tied_part, twice[order.tied], tied_twice, tied_square, logs[order.tied] = sums
    likelihood = float(dead_weight @ (linear[order.dead] - centre)) - float(logs.sum())
    return RiskSums(likelihood, risk, centre, increment, tied_part, twice, tied_twice, tied_square)


def score_and_information(order: PatientOrder, sums: RiskSums, design: Floats, weight: Floats, *,
                          day_factor: Floats | None = None) -> tuple[Floats, Floats]:
    """Differentiate the likelihood with respect to the coefficients.

    Formula
        Score X'(w event - r A), A what each patient has lived through of the baseline hazard. Information
        X' diag(r A) X - sum_l W s_l s_l' / n_l^2 with s_l = S_0 - l/m D, S_0 and D the sums of w r x over those at
        risk and those with the event. With tied events the squares are completed, so that a day costs one outer
        product and a tied day two.

    Parameters
    ----------
    order, sums, weight : as in `sum_over_risk_sets`.
    design : shape (n, parameters), in the order of `order`.
    day_factor : shape (days,); factor of each event day, 1 when left out.

    Returns
    -------
    score : shape (parameters,).
    information : shape (parameters, parameters).
    """
    factor = np.ones(len(order.day)) if day_factor is None else day_factor
    hazard = np.zeros(len(order.day) + 1)
    hazard[:-1] = lived_through(order, sums.increment * factor)
    expected = sums.risk * hazard[order.event_day]
    observed = np.zeros(len(weight))
    observed[order.dead] = weight[order.dead] * factor[order.dead_day]
    tied_dead = order.dead[order.tied_dead]
    if len(tied_dead):
        expected[tied_dead] -= sums.risk[tied_dead] * (sums.tied_part * factor[order.tied])[order.tied_row]
    score = (observed - expected) @ design
    # As a product with a sparse matrix of the risks, one row a run: several times quicker than `reduceat` over rows.
    runs = csr_array((sums.risk, np.arange(len(design)), np.append(order.starts, len(design))))
    moments = _running(order, (runs @ design)[order.segment])
    information = design.T @ (expected[:, None] * design)
    if len(tied_dead):
        died = np.add.reduceat(sums.risk[tied_dead, None] * design[tied_dead], order.tied_starts, axis=0)
        ratio = sums.tied_twice / sums.twice[order.tied]
        moments[order.tied] -= ratio[:, None] * died
        rest = np.maximum(sums.tied_square - ratio * sums.tied_twice, 0) * factor[order.tied]
        information -= died.T @ (rest[:, None] * died)
    information -= moments.T @ ((sums.twice * factor)[:, None] * moments)
    return score, information


def lived_through(order: PatientOrder, increment: Floats) -> Floats:
    """Return the running sum of steps from the first day of each stratum on, shape (days,)."""
    total = np.empty_like(increment)
    for span in order.spans:
        total[span] = np.cumsum(increment[span][::-1])[::-1]
    return total


def _running(order: PatientOrder, sums: Floats) -> Floats:
    """Add up, inside each stratum, from the last day on: the smallest risk set comes first and stays exact."""
    for span in order.spans:
        np.add.accumulate(sums[span], out=sums[span])
    return sums
