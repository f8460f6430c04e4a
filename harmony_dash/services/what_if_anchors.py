"""Which published comparisons belong beside a question."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.cohort.filters import Filter, Missing, Not, OneOf
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.dictionary.anchors import PublishedAnchor, load_anchors
from harmony_dash.disclosure.what_if_results import Anchor


def find_anchors(question: WhatIfQuestion) -> tuple[Anchor, ...]:
    """Those of the same disease and strategies whose patients the filters do not exclude."""
    return tuple(Anchor(one.trial, one.contrast, one.population, one.randomised, one.results, one.citation)
                 for one in load_anchors() if _belongs(one, question))


def _belongs(anchor: PublishedAnchor, question: WhatIfQuestion) -> bool:
    same = (anchor.disease == question.cohort.disease and question.strategy in anchor.strategy
            and anchor.strategies == set(question.arms))
    filters = question.cohort.where
    return (same and all(_leaves(one, name, values) for one in filters for name, values in anchor.where.items())
            and not any(_leaves_only(one, name, values) for one in filters for name, values in anchor.never.items()))


def _leaves(item: Filter, name: str, values: Sequence[str]) -> bool:
    """Whether a filter may leave patients with one of the values."""
    match item:
        case OneOf(variable, chosen) if variable == name:
            return bool(set(chosen) & set(values))
        case Not(OneOf(variable, excluded)) if variable == name:
            return bool(set(values) - set(excluded))
        case Missing(variable) if variable == name:
            return False
    return True


def _leaves_only(item: Filter, name: str, values: Sequence[str]) -> bool:
    """Whether a filter leaves patients with these values and no others."""
    return isinstance(item, OneOf) and item.variable == name and set(item.values) <= set(values)
