"""Published outcomes to plan with, each with its source: where a slider starts, and nothing that is judged by.

They are of whole trials. What a question should expect of its own patients is for the person who asks to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

PUBLISHED_DAYS: Final = 1826


@dataclass(frozen=True)
class Published:
    """A published share of patients.

    Attributes
    ----------
    share : with the endpoint's event for those that count failures, else without it.
    source : trial, whom it treated, and where it was published.
    days : the horizon, from diagnosis.
    """

    share: float
    source: str
    days: int = PUBLISHED_DAYS


class Ages(StrEnum):
    """Whose outcomes were published apart."""

    INFANTS = "infants"
    CHILDREN = "children"
    ADULTS = "adults"


_ALL10 = "DCOG ALL10, children 1–18, Pieters, J Clin Oncol 2016"
_ALL10_DERIVED = f"{_ALL10}, computed from relapse and death in remission"
_INTERFANT = "Interfant-06, infants, Pieters, J Clin Oncol 2019"
_GRAALL = "GRAALL-2005, adults 18–59 without BCR::ABL1, Huguet, J Clin Oncol 2018"

_CHILDREN: Mapping[str, Published] = MappingProxyType({
    "os": Published(0.918, _ALL10), "efs": Published(0.871, _ALL10), "efs_tf0": Published(0.871, _ALL10),
    "rfs": Published(0.887, _ALL10_DERIVED), "relapse": Published(0.084, _ALL10), "trm": Published(0.029, _ALL10)})
_ADULTS: Mapping[str, Published] = MappingProxyType({
    "os": Published(0.585, _GRAALL), "efs": Published(0.522, _GRAALL)})
_INFANTS: Mapping[str, Published] = MappingProxyType({
    "os": Published(0.582, _INTERFANT, 2192), "efs": Published(0.461, _INTERFANT, 2192)})
_BY_AGE = MappingProxyType({Ages.INFANTS: _INFANTS, Ages.CHILDREN: _CHILDREN, Ages.ADULTS: _ADULTS})


def published_share(disease: str, endpoint: str, *, ages: Ages) -> Published | None:
    """The published share to start from, None where we know of none that fits."""
    if disease != "ALL":
        return None
    return _BY_AGE[ages].get(endpoint)
