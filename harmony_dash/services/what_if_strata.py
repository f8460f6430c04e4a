"""The strata of the models: trials, split by what else was asked for as far as the patients of each part allow.

Who is compared is settled before, by the trial alone. So nobody can be asked for and left out by choosing strata.
"""

from __future__ import annotations

import numpy as np

from harmony_dash.cohort.what_if_question import TRIAL, WhatIfQuestion
from harmony_dash.services.what_if_tables import LEAST_IN_BOTH
from harmony_dash.stats.event_table import Ints
from harmony_dash.store.arm_rows import UNKNOWN, ArmRows
from harmony_dash.store.reader import Snapshot

NOT_RECORDED = "not recorded"
REST = "all others"


def covariates_to_read(question: WhatIfQuestion) -> tuple[str, ...]:
    """The variables of the rows that models and strata read."""
    return (*question.adjust, *(() if question.strata == TRIAL else (question.strata,)))


def model_strata(rows: ArmRows, snapshot: Snapshot, question: WhatIfQuestion) -> tuple[Ints, tuple[str, ...]]:
    """The stratum of each patient, shape (n,), and the names of the strata.

    A part of a trial with fewer than ten patients in an arm joins all such parts of the trial; these take the smallest
    of the others with them until they are ten in each arm, or the whole trial. "Not recorded" is a part like others.

    Parameters
    ----------
    rows : of patients of trials that used both arms, with the strata of the question among their variables.
    """
    trials = snapshot.values_of(snapshot.dictionary[TRIAL])
    if question.strata == TRIAL:
        return rows.stratum, trials
    variable = snapshot.dictionary[question.strata]
    values, codes = snapshot.values_of(variable), rows.codes[question.strata]
    position, names = np.zeros(len(codes), dtype=np.int64), list[str]()
    for trial in np.unique(rows.stratum).tolist():
        here = rows.stratum == trial
        rest = _join(codes[here], rows.arm[here])
        for code in (*np.unique(codes[here]).tolist(), None):
            member = here & (np.isin(codes, rest) if code is None else (codes == code) & ~np.isin(codes, rest))
            if member.any():
                words = REST if code is None else NOT_RECORDED if code == UNKNOWN else variable.label_of(values[code])
                position[member] = len(names)
                names.append(f"{trials[trial]}, {words}")
    return position, tuple(names)


def _join(codes: Ints, arm: Ints) -> list[int]:
    """The values of one trial's patients that make up its rest."""
    sizes = {code: np.bincount(arm[codes == code], minlength=2) for code in np.unique(codes).tolist()}
    smallest_first = sorted(sizes, key=lambda code: (int(sizes[code].min()), int(sizes[code].sum()), code))
    rest = [code for code in smallest_first if sizes[code].min() < LEAST_IN_BOTH]
    while rest and np.sum([sizes[code] for code in rest], axis=0).min() < LEAST_IN_BOTH and len(rest) < len(sizes):
        rest.append(smallest_first[len(rest)])
    return rest
