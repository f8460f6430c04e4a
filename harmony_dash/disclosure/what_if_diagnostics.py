"""What is told of how far the data support a comparison of treatments: weights, overlap, balance, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from harmony_dash.disclosure.results import INTERNAL


@dataclass(frozen=True)
class ArmDiagnostics:
    """How much the weighted patients of one arm know.

    Attributes
    ----------
    effective_size : patients who would know as much with equal weights; at least so many where `bounds`.
    largest_share : of one patient in the sum of weights; at most so much where `bounds`.
    bounds : whether single patients must not be told, so that both are limits that hold.
    """

    arm: str
    effective_size: float
    largest_share: float
    bounds: bool = False


@dataclass(frozen=True)
class PropensityBin:
    """Share of each arm (the reference first) whose probability of the compared arm lies in a bin; None if few do."""

    lower: float
    upper: float
    shares: tuple[float | None, float | None]
    counts: tuple[int, int] = field(default=(0, 0), metadata=INTERNAL)


@dataclass(frozen=True)
class Balance:
    """Standardised mean difference of a covariate before and after weighing.

    Attributes
    ----------
    after : None where single patients must not be told of.
    after_below : then a limit of the verdict that the difference keeps whatever its sign; None if it keeps none.
    fewest : the smallest number of patients of an arm who have another value than most of that arm.
    is_stratum : whether it is that of a stratum, within which arms are compared anyway.
    winsorised, reach : see `CovariateBalance`.
    """

    name: str
    before: float
    after: float | None
    fewest: int = field(default=0, metadata=INTERNAL)
    is_stratum: bool = False
    winsorised: float = field(default=0.0, metadata=INTERNAL)
    reach: float = field(default=0.0, metadata=INTERNAL)
    after_below: float | None = None


@dataclass(frozen=True)
class Sensitivity:
    """The main difference if a confounder had not been recorded."""

    left_out: str
    estimate: float
    change: float


@dataclass(frozen=True)
class MissingConfounder:
    """A variable that is adjusted for: share of patients without it, and what was done.

    Attributes
    ----------
    share : None where few patients, or all but a few, are without it, none included.
    """

    variable: str
    label: str
    share: float | None
    method: str


@dataclass(frozen=True)
class EValueShown:
    """How strong an unmeasured confounder would have to be, as a risk ratio with both arm and event."""

    risk_ratio: float
    estimate: float
    limit: float


@dataclass(frozen=True)
class Diagnostics:
    """What the data hold for the comparison.

    Attributes
    ----------
    common_support : share of patients whose probability lies where both arms have some; None if not known.
    support_is_bound : whether it is a limit of the verdict that the share reaches, and not the share.
    """

    arms: tuple[ArmDiagnostics, ...] = ()
    common_support: float | None = None
    propensity: tuple[PropensityBin, ...] = ()
    balance: tuple[Balance, ...] = ()
    weights: str = ""  # "inverse" or "overlap"
    e_value: EValueShown | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    missing: tuple[MissingConfounder, ...] = ()
    support_is_bound: bool = False
