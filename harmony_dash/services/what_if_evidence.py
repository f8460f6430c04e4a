"""From what is known of the data to the reasons a person reads: what is wrong, and what data would be needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from harmony_dash.cohort.what_if_question import WhatIfQuestion, essential_confounders
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.what_if_diagnostics import ArmDiagnostics, Balance, Diagnostics, PropensityBin
from harmony_dash.disclosure.what_if_results import WhatIfReason
from harmony_dash.services.what_if_design import LEAST_IN_COLUMN, is_unknown
from harmony_dash.stats.evidence import Confounder, Evidence
from harmony_dash.stats.refusal import Reason, Thresholds, judge
from harmony_dash.stats.support import Support
from harmony_dash.store.arm_rows import ArmRows
from harmony_dash.store.reader import Snapshot

BINS: Final = 10
TOO_FEW: Final = "too few patients, events or follow-up in an arm"

_NEEDED: Mapping[str, str] = {
    "NO_TIME_ZERO": "a landmark day by which it is known for everybody, with the comparison counted from there",
    "NO_CONTRAST": "patients of both strategies in this subgroup",
    "BETWEEN_PROTOCOL": "trials that used both strategies, at best at random",
    "CELL_SMALL": "more patients, or a longer follow-up of those there are, in the smaller arm",
    "POSITIVITY": "patients of both arms with the same characteristics: a wider subgroup, or fewer variables that "
                  "decided the treatment alone",
    "BALANCE": "patients of both arms with the same values of it",
    "MODEL_DEPENDENT": "more patients, so that the answer no longer hangs on the model",
    "FOLLOWUP": "longer follow-up, an earlier horizon, or the same question without whom it names",
    "NO_CONFOUNDERS": "its value for more of these patients",
}


def as_thresholds(scope: Scope) -> Thresholds:
    """The limits of every rule; those of disclosure where they are higher."""
    return Thresholds(disclosure=scope.rules.minimum_cell if scope.is_protected else 0)


def put_reason(reason: Reason, names: Mapping[str, str]) -> WhatIfReason:
    """A reason with what would be needed.

    Parameters
    ----------
    names : words for arms and variables.
    """
    return WhatIfReason(reason.code, reason.severity, reason.message, names.get(reason.where, reason.where),
                        reason.value, reason.threshold, _NEEDED.get(reason.code, ""))


def plain_reason(code: str, message: str, where: str = "") -> WhatIfReason:
    """A refusal that no number stands behind."""
    return WhatIfReason(code, "refused", message, where, None, None, _NEEDED[code])


def find_confounders(rows: ArmRows, snapshot: Snapshot, question: WhatIfQuestion) -> tuple[Confounder, ...]:
    """How well the essential variables are known among patients they are meant for; one not adjusted for is missing."""
    found = []
    for name in essential_confounders(question.cohort, snapshot.dictionary):
        variable = snapshot.dictionary[name]
        if name not in question.adjust:
            found.append(Confounder(variable.label, 1.0))
            continue
        # A share of a few patients would tell of single ones, and a comparison does not hang on them.
        meant = np.ones(len(rows.day), dtype=bool)
        for other, values in (variable.subgroup_default or {}).items():
            if other in rows.codes:
                offered = snapshot.values_of(snapshot.dictionary[other])
                meant &= np.isin(rows.codes[other], [offered.index(value) for value in values if value in offered])
        if int(meant.sum()) >= LEAST_IN_COLUMN:
            found.append(Confounder(variable.label, float(is_unknown(rows, snapshot, name)[meant].mean())))
    return tuple(found)


def read_conditions(question: WhatIfQuestion, snapshot: Snapshot) -> tuple[str, ...]:
    """The variables that say for whom an essential one is meant, as far as they may be read."""
    names = [other for name in essential_confounders(question.cohort, snapshot.dictionary)
             for other in snapshot.dictionary[name].subgroup_default or {}]
    return tuple(name for name in dict.fromkeys(names) if name in snapshot.dictionary)


def judge_counts(support: Support, scope: Scope) -> tuple[Reason, ...]:
    """What patients, events and follow-up of one outcome or one level lack, whatever was found of the main outcome.

    Parameters
    ----------
    support : at the day of the comparison.
    """
    evidence = Evidence((), None, 2, 2, support.day, (), only_counts(support))
    return judge(evidence, as_thresholds(scope)).reasons


def lacks_counts(support: Support, scope: Scope) -> bool:
    """Whether an outcome or a level has too few patients, events or follow-up for an estimate."""
    return any(reason.severity == "refused" for reason in judge_counts(support, scope))


def only_counts(support: Support) -> Support:
    """What is known before anything is weighed."""
    return replace(support, common_support=1.0, balance=(), arms=(
        replace(support.arms[0], effective_size=np.inf, largest_share=0.0),
        replace(support.arms[1], effective_size=np.inf, largest_share=0.0)))


def describe_diagnostics(support: Support, weights: str) -> Diagnostics:
    """The diagnostics of the weighted patients."""
    sizes = support.counts.sum(axis=1)
    bins = tuple(PropensityBin(
        float(low), float(high), (float(first / sizes[0]), float(second / sizes[1])), (int(first), int(second)))
        for low, high, first, second in zip(support.edges[:-1], support.edges[1:], *support.counts, strict=True))
    return Diagnostics(
        tuple(ArmDiagnostics(arm.arm, arm.effective_size, arm.largest_share) for arm in support.arms),
        support.common_support, bins,
        tuple(Balance(one.name, one.before, one.after, one.fewest, one.is_stratum, one.winsorised, one.reach)
              for one in support.balance), weights)


def words_for(question: WhatIfQuestion, snapshot: Snapshot) -> dict[str, str]:
    """Words for what a reason may be about."""
    strategy = snapshot.dictionary[question.strategy]
    return {**{arm: strategy.label_of(arm) for arm in question.arms},
            **{name: snapshot.dictionary[name].label for name in question.read_variables}}


def is_refused(reasons: Sequence[WhatIfReason]) -> bool:
    """Whether any of the reasons refuses."""
    return any(reason.severity == "refused" for reason in reasons)
