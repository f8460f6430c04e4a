"""The adjusted comparison of what doctors chose: support first, then the three estimators side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.what_if_question import TRIAL, WhatIfQuestion, essential_confounders
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.what_if_diagnostics import Diagnostics, Sensitivity
from harmony_dash.disclosure.what_if_results import LevelEffect, Method, WhatIfReason
from harmony_dash.errors import StatisticsError
from harmony_dash.services.what_if_design import (
    Design,
    build_outcome_design,
    build_propensity_design,
    describe_missing,
    make_patients,
)
from harmony_dash.services.what_if_estimates import (
    Estimated,
    Run,
    estimate_augmented,
    estimate_standardised,
    estimate_weighted,
    standardised_difference,
)
from harmony_dash.services.what_if_evidence import (
    BINS,
    as_thresholds,
    describe_diagnostics,
    find_confounders,
    only_counts,
    plain_reason,
    put_reason,
    read_conditions,
    words_for,
)
from harmony_dash.services.what_if_levels import compare_by_level
from harmony_dash.services.what_if_strata import covariates_to_read, model_strata
from harmony_dash.services.what_if_tables import ArmTables
from harmony_dash.stats.arm_effect_over_time import compare_arm_effect_over_time
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.evidence import Evidence, TwoEstimates
from harmony_dash.stats.propensity import Propensity, fit_propensity, weigh_arms
from harmony_dash.stats.refusal import Verdict, judge
from harmony_dash.stats.support import describe_support
from harmony_dash.store.arm_rows import ArmRows, fetch_arm_rows
from harmony_dash.store.reader import Snapshot

NO_OVERLAP = "what is adjusted for tells the arms apart: some patients could only have been treated one way"
NO_MODEL = "no model of the outcome can be fitted to so few events"


@dataclass(frozen=True)
class Observed:
    """What the adjusted comparison found.

    Attributes
    ----------
    reasons : why it is refused or marked.
    diagnostics : of the support, as far as it was looked at.
    estimates : of every method; empty if refused.
    strata : names of the trials that count.
    rows, outcome : their patients, and the same with the columns of the outcome model; None if refused.
    """

    reasons: tuple[WhatIfReason, ...]
    diagnostics: Diagnostics
    strata: frozenset[str]
    estimates: tuple[Estimated, ...] = ()
    rows: ArmRows | None = None
    outcome: ArmPatients | None = None

    def compare_levels(self, question: WhatIfQuestion, tables: ArmTables, run: Run, scope: Scope,
                       countries: OneOf | None) -> tuple[LevelEffect, ...]:
        """The effect in each level of the question's biomarkers."""
        if self.rows is None or self.outcome is None or not question.modifiers:
            return ()
        return compare_by_level(tables.snapshot, question, tables.question, self.strata, self.rows, self.outcome, run,
                                scope, countries=countries)


def answer_observed(snapshot: Snapshot, question: WhatIfQuestion, tables: ArmTables, days: Sequence[int], scope: Scope,
                    run: Run) -> Observed:
    """Judge what the data hold, and estimate if they hold enough.

    Parameters
    ----------
    tables : with at least one trial that used both arms.
    days : of the curves; the last one is the horizon.

    Raises
    ------
    Cancelled.
    """
    names = words_for(question, snapshot)
    strata = frozenset(tables.table.strata[k] for k in tables.both)
    rows = select_rows(fetch_arm_rows(tables.snapshot, tables.question, question.arms, TRIAL, tuple(dict.fromkeys(
        [*covariates_to_read(question), *read_conditions(question, snapshot)]))), tables.both)
    stratum, strata_names = model_strata(rows, snapshot, question)
    trials = snapshot.values_of(snapshot.dictionary[TRIAL])
    endpoint = endpoint_named(question.cohort.endpoint)
    event = rows.cause > 0

    def patients_of(design: Design, products: Sequence[str] = ()) -> ArmPatients:
        return make_patients(rows, design, arms=question.arms, strata=strata_names, causes=endpoint.causes,
                             products=products, stratum=stratum)

    by_propensity = patients_of(build_propensity_design(rows, snapshot, question.adjust))
    evidence = Evidence((), None, 2, len(tables.both), days[-1], find_confounders(rows, snapshot, question), None)
    # Follow-up and balance are those of trials: names of their parts would tell which have hardly any patients.
    by_trial = replace(by_propensity, stratum=rows.stratum, strata=trials)
    bare = describe_support(by_trial, np.full(len(event), 0.5), by_propensity.weight, days[-1], bins=BINS)
    verdict = judge(replace(evidence, support=only_counts(bare)), as_thresholds(scope))
    missing = Diagnostics(missing=describe_missing(rows, snapshot, question.adjust))
    if verdict.severity == "refused":
        return Observed(_put(verdict, names), missing, strata)
    try:
        propensity = fit_propensity(by_propensity)
    except StatisticsError as problem:
        message = NO_OVERLAP if scope.is_protected else f"{NO_OVERLAP} ({problem.problem})"
        return Observed((*_put(verdict, names), plain_reason("POSITIVITY", message)), missing, strata)
    inverse = weigh_arms(by_propensity, propensity.probability)
    support = describe_support(by_trial, propensity.probability, inverse, days[-1], bins=BINS)
    evidence = replace(evidence, support=support)
    verdict = judge(evidence, as_thresholds(scope))
    kind = "overlap" if any(reason.code == "POSITIVITY" for reason in verdict.reasons) else "inverse"
    diagnostics = replace(describe_diagnostics(support, kind), missing=missing.missing)
    if verdict.severity == "refused":
        return Observed(_put(verdict, names), diagnostics, strata)
    design = build_outcome_design(rows, snapshot, question.adjust, event=event, products=question.modifiers)
    outcome = patients_of(design, question.modifiers)
    try:
        estimates, two = _estimate(outcome, by_propensity, propensity, kind, endpoint.name, days, run)
    except StatisticsError as problem:
        message = NO_MODEL if scope.is_protected else f"{NO_MODEL} ({problem.problem})"
        return Observed((*_put(verdict, names), plain_reason("CELL_SMALL", message)), diagnostics, strata)
    verdict = judge(replace(evidence, estimates=two), as_thresholds(scope))
    diagnostics = replace(diagnostics, sensitivity=_leave_out(snapshot, question, design, outcome, days[-1],
                                                              two.primary))
    return Observed(_put(verdict, names), diagnostics, strata, estimates, rows, outcome)


def select_rows(rows: ArmRows, strata: Sequence[int]) -> ArmRows:
    """The patients of some strata."""
    kept = np.isin(rows.stratum, strata)
    return replace(rows, day=rows.day[kept], cause=rows.cause[kept], arm=rows.arm[kept], stratum=rows.stratum[kept],
                   codes={name: codes[kept] for name, codes in rows.codes.items()},
                   numbers={name: numbers[kept] for name, numbers in rows.numbers.items()})


def _estimate(outcome: ArmPatients, by_propensity: ArmPatients, propensity: Propensity, kind: str, endpoint: str,
              days: Sequence[int], run: Run) -> tuple[tuple[Estimated, ...], TwoEstimates]:
    standardised, _ = estimate_standardised(outcome, endpoint, days, run)
    run.check()
    augmented, error = estimate_augmented(by_propensity, propensity, endpoint, days)
    run.check()
    weight = weigh_arms(by_propensity, propensity.probability, kind)
    weighted = estimate_weighted(by_propensity, weight, kind, endpoint, days)
    plain = estimate_weighted(by_propensity, by_propensity.weight, "no", endpoint, days, Method.PLAIN)
    change = compare_arm_effect_over_time(outcome).tests[0].p
    two = TwoEstimates(standardised.contrasts[0].estimate, augmented.contrasts[0].estimate, error, change)
    return (standardised, augmented, weighted, plain), two


def _leave_out(snapshot: Snapshot, question: WhatIfQuestion, design: Design, outcome: ArmPatients, day: int,
               estimate: float) -> tuple[Sensitivity, ...]:
    """The difference had an essential confounder not been recorded; left out where no model can be fitted then."""
    found = []
    for name in essential_confounders(question.cohort, snapshot.dictionary):
        if not design.of_variable.get(name) or name in question.modifiers:
            continue
        bare = design.without(name)
        without = replace(outcome, covariates=bare.columns, names=bare.names, modifiers=tuple(
            bare.names.index(outcome.names[place]) for place in outcome.modifiers))
        try:
            value = standardised_difference(without, day)
        except StatisticsError:
            continue
        found.append(Sensitivity(snapshot.dictionary[name].label, value, value - estimate))
    return tuple(found)


def _put(verdict: Verdict, names: dict[str, str]) -> tuple[WhatIfReason, ...]:
    return tuple(put_reason(reason, names) for reason in verdict.reasons)

