"""The endpoints, as values. How each is computed from the event record is in `ingest.endpoints`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from harmony_dash.errors import QuestionError


class TimeZero(StrEnum):
    """The day the clock starts."""

    DIAGNOSIS = "diagnosis"
    REMISSION = "complete remission"


@dataclass(frozen=True)
class Endpoint:
    """One way to turn the event record into a time and a cause.

    Attributes
    ----------
    name : the stored columns are `{name}_days`, `{name}_cause` and `{name}_excluded`.
    label : as on an axis.
    time_zero : where the clock starts.
    causes : cause 1, 2, … in the stored column; cause 1 is the event of interest, 0 is censored.
    cause_labels : words for each cause.
    competing : whether causes after the first compete, so that the answer is a cumulative incidence.
    definition : one sentence for the methods line and hover help.
    shown_as_failure : drawn and told as one minus the survival curve.
    counts_on_day_zero : events moved to day 0, which a landmark would silently drop.
    followed_as : the endpoint whose events end the watch, where this one censors deaths: follow-up is how long patients
        were or would have been observed, and a death is not the end of observation.
    """

    name: str
    label: str
    time_zero: TimeZero
    causes: tuple[str, ...]
    cause_labels: tuple[str, ...]
    competing: bool
    definition: str
    shown_as_failure: bool = False
    counts_on_day_zero: bool = False
    followed_as: str = ""


_ALL = (
    Endpoint("os", "Overall survival", TimeZero.DIAGNOSIS, ("death",), ("death",), False,
             "From diagnosis to death from any cause."),
    Endpoint("efs", "Event-free survival", TimeZero.DIAGNOSIS, ("event",), ("event",), False,
             "From diagnosis to death in induction, treatment failure (at its date), relapse, death in remission or "
             "second malignancy, whichever first."),
    Endpoint("efs_tf0", "Event-free survival (treatment failure at day 0)", TimeZero.DIAGNOSIS, ("event",),
             ("event",), False,
             "As event-free survival, with treatment failure counted on day 0: the curve may start below 100 %.",
             counts_on_day_zero=True),
    Endpoint("rfs", "Relapse-free survival", TimeZero.REMISSION, ("relapse_or_death",), ("relapse or death",), False,
             "From complete remission to relapse or death in remission; a second malignancy censors."),
    Endpoint("relapse", "Cumulative incidence of relapse", TimeZero.REMISSION, ("relapse", "death_in_cr", "smn"),
             ("relapse", "death in remission", "second malignancy"), True,
             "From complete remission to relapse; death in remission and second malignancy compete."),
    Endpoint("relapse_1km", "Relapse rate (1 − Kaplan–Meier)", TimeZero.REMISSION, ("relapse",), ("relapse",), False,
             "From complete remission to relapse; death in remission and second malignancy are censored. Never below "
             "the cumulative incidence, and not the same quantity.", shown_as_failure=True, followed_as="relapse"),
    Endpoint("trm", "Death in remission", TimeZero.REMISSION, ("death_in_cr", "relapse", "smn"),
             ("death in remission", "relapse", "second malignancy"), True,
             "From complete remission to death without relapse; relapse and second malignancy compete. Death in "
             "induction is not part of it."),
    Endpoint("smn", "Second malignancy", TimeZero.DIAGNOSIS, ("smn", "other_event"),
             ("second malignancy", "any other first event"), True,
             "From diagnosis to a second malignancy as first event; every other first event competes."),
)

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({endpoint.name: endpoint for endpoint in _ALL})

# Why a patient has no value for an endpoint; stored as `{endpoint}_excluded`.
EXCLUSIONS: Mapping[str, str] = MappingProxyType({
    "not_recorded": "the source does not record this endpoint",
    "no_remission": "no complete remission",
    "remission_unknown": "day of complete remission not known",
    "event_day_unknown": "day of the event not known",
})


def endpoint_named(name: str) -> Endpoint:
    """The endpoint of that name; `QuestionError` naming the choices if there is none."""
    if name not in ENDPOINTS:
        raise QuestionError(f"there is no endpoint '{name}'", where="endpoint",
                            remedy=f"Choose one of: {', '.join(ENDPOINTS)}.")
    return ENDPOINTS[name]
