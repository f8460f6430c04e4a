"""Which curve goes by the endpoint's name: survival, one minus survival, or a cumulative incidence."""

from __future__ import annotations

from harmony_dash.cohort.endpoints import Endpoint
from harmony_dash.disclosure.results import Censorings, Curve, EstimateAt, GroupResult


def counts_failures(endpoint: Endpoint) -> bool:
    """Whether the endpoint's curve rises from 0 instead of falling from 1."""
    return endpoint.competing or endpoint.shown_as_failure


def headline_curve(group: GroupResult, endpoint: Endpoint, cause: str = "") -> Curve | None:
    """The curve of the endpoint, or of one of its competing causes; None if the group has no such cause."""
    if endpoint.competing:
        wanted = cause or endpoint.causes[0]
        return next((part.curve for part in group.cumulative_incidence if part.cause == wanted), None)
    curve = group.curve
    if not endpoint.shown_as_failure:
        return curve
    return Curve(curve.days, 1 - curve.estimate, 1 - curve.upper, 1 - curve.lower, curve.at_risk)


def headline_estimates(group: GroupResult, endpoint: Endpoint, cause: str = "") -> tuple[EstimateAt, ...]:
    """The estimates that belong to `headline_curve`."""
    if endpoint.competing:
        wanted = cause or endpoint.causes[0]
        return next((part.at for part in group.cumulative_incidence if part.cause == wanted), ())
    if not endpoint.shown_as_failure:
        return group.at
    return tuple(EstimateAt(at.days, _complement(at.estimate), _complement(at.upper), _complement(at.lower), at.at_risk)
                 for at in group.at)


def headline_censorings(group: GroupResult, endpoint: Endpoint) -> Censorings:
    """The censor marks at the height of `headline_curve`; none on cumulative incidences, which they do not end."""
    marks = group.censorings
    if endpoint.competing:
        return Censorings(marks.days[:0], marks.estimate[:0])
    return Censorings(marks.days, 1 - marks.estimate) if endpoint.shown_as_failure else marks


def _complement(share: float | None) -> float | None:
    return None if share is None else 1 - share
