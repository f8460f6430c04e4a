"""Problems that only follow from others, which are reported once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from harmony_dash.ingest.harmonised import Mask
from harmony_dash.ingest.issues import Problem, Reason, Severity, as_positions


def without_echo(problem: Problem, unreadable: Mapping[str, Mask], quarantined: Mask,
                 incomplete: Mask) -> Problem:
    """Leave out what only follows from a reported cell or row: what could not be read is not also missing."""
    rows = np.zeros(len(quarantined), dtype=np.bool_)
    rows[as_positions(problem.rows)] = True
    if problem.severity is Severity.WARNING:
        rows &= ~quarantined
    elif problem.reason is Reason.REQUIRED_MISSING:
        related = _RELATED.get(problem.variable, (problem.variable,))
        rows &= ~incomplete & ~_any_unreadable(related, unreadable, len(rows))
    return replace(problem, rows=rows)


# What a required variable is built from where the source does not give it directly.
_RELATED: Mapping[str, Collection[str]] = {
    "first_event": ("first_event", "relapse", "relapse_days", "treatment_failure", "treatment_failure_days", "smn",
                    "smn_days", "death", "death_days", "last_contact_days", "cr_days", "cr_status"),
    "death": ("death", "death_days"),
    "last_contact_days": ("last_contact_days", "death_days"),
}


def _any_unreadable(names: Iterable[str], unreadable: Mapping[str, Mask], rows: int) -> Mask:
    masks = [unreadable[name] for name in names if name in unreadable]
    return np.asarray(np.logical_or.reduce(masks), dtype=np.bool_) if masks else np.zeros(rows, dtype=np.bool_)
