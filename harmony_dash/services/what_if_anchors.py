"""Which published comparisons belong beside a question."""

from __future__ import annotations

from harmony_dash.cohort.subgroup_question import fixed_values
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.dictionary.anchors import PublishedAnchor, load_anchors
from harmony_dash.disclosure.what_if_results import Anchor


def find_anchors(question: WhatIfQuestion) -> tuple[Anchor, ...]:
    """Those of the same disease and strategies whose patients the filters do not exclude."""
    return tuple(Anchor(one.trial, one.contrast, one.population, one.randomised, one.results, one.citation)
                 for one in load_anchors() if _belongs(one, question))


def _belongs(anchor: PublishedAnchor, question: WhatIfQuestion) -> bool:
    fixed = fixed_values(question.cohort)
    return (anchor.disease == question.cohort.disease and anchor.strategies == set(question.arms)
            and all(name not in fixed or set(fixed[name]) & set(values) for name, values in anchor.where.items()))
