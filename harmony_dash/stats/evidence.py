"""What is known of the data behind a treatment comparison before it is answered: counts and shares, no rows."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_dash.stats.support import Support


@dataclass(frozen=True)
class TwoEstimates:
    """The same difference by the primary and by the doubly robust method, and how sure the second is.

    Attributes
    ----------
    primary, robust, robust_error : differences at the day of the comparison, standard error of the second.
    changing_effect_p : p of the test of proportional hazards of the arms; None where it was not made.
    """

    primary: float
    robust: float
    robust_error: float
    changing_effect_p: float | None = None


@dataclass(frozen=True)
class Confounder:
    """How well a variable that decides treatment and outcome is known: share of patients without it."""

    name: str
    missing: float


@dataclass(frozen=True)
class Interval95:
    """An estimate with its 95 % interval."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class ByChance:
    """The same outcome compared as randomised, and adjusted.

    Attributes
    ----------
    name : of outcome and randomised comparison.
    randomised, adjusted : differences.
    """

    name: str
    randomised: Interval95
    adjusted: Interval95


@dataclass(frozen=True)
class Transport:
    """An answer for another population.

    Attributes
    ----------
    categories : for each category the target has, its label and its patients here.
    margin_gap : largest difference of a margin after weighing, as a share.
    effective_size, design_effect : of the weights.
    country_share : largest share of one country in the weights.
    countries : behind a prediction interval.
    """

    categories: tuple[tuple[str, int], ...]
    margin_gap: float
    effective_size: float
    design_effect: float
    country_share: float
    countries: int


@dataclass(frozen=True)
class ProfileOption:
    """Patients near a profile in one option, those of them with an event, and covariates outside 1-99 % of the arm."""

    option: str
    neighbours: int
    events: int
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All that decides whether a comparison may be answered.

    Attributes
    ----------
    late_variables : labels of variables that define a group and become known after time zero.
    landmark_days : the landmark, None without one.
    intensities : how many of the treatments compared have patients.
    trials_with_both : trials or countries with patients in both arms.
    horizon_days : the later of the day compared and the horizon of restricted means.
    confounders : those a comparison cannot do without.
    support : what the data hold; None when there is nothing to compare.
    estimates : None before there are any.
    transport, profile : None when not asked for.
    predictive : whether the marker keeps the rule for the word; None when no marker is asked about.
    by_chance : outcomes that were compared both ways.
    """

    late_variables: tuple[str, ...]
    landmark_days: int | None
    intensities: int
    trials_with_both: int
    horizon_days: int
    confounders: tuple[Confounder, ...]
    support: Support | None
    estimates: TwoEstimates | None = None
    transport: Transport | None = None
    profile: tuple[ProfileOption, ...] | None = None
    predictive: bool | None = None
    by_chance: tuple[ByChance, ...] = ()
