"""How easily somebody who knows a person could tell which patient of a source that person is.

Patients who share every quasi-identifier form a class. Within their class nobody can be told apart, so a person known
to be in the source is picked out with probability one over the size of the class (prosecutor risk: El Emam, Guide to
the De-Identification of Personal Health Information, 2013). A missing value is a value of its own: it sets a patient
apart from those whose value is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.disclosure.policy import RULES, Level

Integers = NDArray[np.int64]

# The risk up to which EMA policy 0070 on published clinical data takes a patient as anonymous: a class of twelve.
ACCEPTED_RISK: Final = 0.09
# Protected results hide smaller counts. In larger classes it matters whether all patients had the same outcome.
FEW: Final = RULES[Level.PROTECTED].minimum_cell


@dataclass(frozen=True, eq=False)
class ClassSizes:
    """How many classes there are of each kind; which patients are in them is not told.

    Attributes
    ----------
    patients : size of the classes of a kind.
    outcomes : how many different outcomes their patients had.
    classes : how many classes are of this kind.
    """

    patients: Integers
    outcomes: Integers
    classes: Integers

    def __post_init__(self) -> None:
        if not len(self.patients) == len(self.outcomes) == len(self.classes):
            raise ValueError("the columns of class sizes differ in length")
        if (self.outcomes < 1).any() or (self.patients < self.outcomes).any() or (self.classes < 1).any():
            raise ValueError("a class has patients, and between one outcome and one a patient")


NO_CLASSES: Final = ClassSizes(*(np.empty(0, dtype=np.int64) for _ in range(3)))


@dataclass(frozen=True)
class Risk:
    """How anonymous patients are. All figures are exact, of no patients they are zero.

    Attributes
    ----------
    k : patients in the smallest class (k-anonymity: Sweeney 2002).
    l : fewest different outcomes in a class (distinct l-diversity: Machanavajjhala and others 2007).
    l_of_many : the same among classes of at least `FEW` patients; None if there are none.
    mean_risk : mean over patients of one over the size of the class, which is classes over patients.
    max_risk : the risk of whoever is in the smallest class.
    share_over : share of patients with a risk above `ACCEPTED_RISK`.
    few_patients, share_few : number and share of patients in classes of fewer than `FEW`.
    share_unique : share of patients who are a class alone.
    """

    k: int
    l: int  # noqa: E741
    l_of_many: int | None
    mean_risk: float
    max_risk: float
    share_over: float
    few_patients: int
    share_few: float
    share_unique: float


@dataclass(frozen=True)
class Grain:
    """The risk with the quasi-identifiers in one form.

    Attributes
    ----------
    by : the variables whose values make the classes.
    patients, classes : how many there are.
    """

    by: tuple[str, ...]
    patients: int
    classes: int
    risk: Risk


@dataclass(frozen=True)
class SourceAnonymity:
    """The risk of a source's patients.

    Attributes
    ----------
    before : with every quasi-identifier as the store keeps it.
    generalised : with all of them in the groups of protected questions at once. Questions can ask for this; what stands
        before the small classes there is the threshold of each answer.
    accepted : each of the combinations of groups that were accepted as fine enough, on which limits are set.
    """

    before: Grain
    generalised: Grain
    accepted: tuple[Grain, ...]

    @property
    def after(self) -> Risk:
        """The worst of the accepted combinations, figure by figure."""
        return worst_of(grain.risk for grain in self.accepted)


@dataclass(frozen=True)
class Limits:
    """The risk up to which a source is taken in.

    Attributes
    ----------
    mean_risk : largest mean risk.
    share_unique : largest share of patients who are a class alone.
    """

    mean_risk: float
    share_unique: float

    @property
    def few(self) -> int:
        """Classes smaller than this cause an excess. Never below `FEW`: who names one tells no smaller number."""
        return max(FEW, math.ceil(1 / self.mean_risk))

    def are_exceeded(self, risk: Risk) -> bool:
        """Whether a source with this risk is refused."""
        return risk.mean_risk > self.mean_risk or risk.share_unique > self.share_unique


def measure_grain(by: tuple[str, ...], sizes: ClassSizes) -> Grain:
    """Risk figures from class sizes.

    Parameters
    ----------
    by : the variables that made the classes.
    sizes : every class of the source once; none for a source without patients.
    """
    in_kind = sizes.patients * sizes.classes
    patients, classes = int(in_kind.sum()), int(sizes.classes.sum())
    if patients == 0:
        return Grain(by, 0, 0, Risk(0, 0, None, 0.0, 0.0, 0.0, 0, 0.0, 0.0))

    def count(chosen: NDArray[np.bool_]) -> int:
        return int(in_kind[chosen].sum())

    k, few = int(sizes.patients.min()), count(sizes.patients < FEW)
    of_many = sizes.outcomes[sizes.patients >= FEW]
    return Grain(by, patients, classes, Risk(
        k=k, l=int(sizes.outcomes.min()), l_of_many=int(of_many.min()) if len(of_many) else None,
        mean_risk=classes / patients, max_risk=1 / k,
        share_over=count(1 / sizes.patients > ACCEPTED_RISK) / patients, few_patients=few, share_few=few / patients,
        share_unique=count(sizes.patients == 1) / patients))


def worst_of(risks: Iterable[Risk]) -> Risk:
    """The worst of several, figure by figure: each comes from the risk in which it is worst."""
    several = tuple(risks)
    of_many = [risk.l_of_many for risk in several if risk.l_of_many is not None]
    return Risk(
        k=min(risk.k for risk in several), l=min(risk.l for risk in several),
        l_of_many=min(of_many) if of_many else None,
        mean_risk=max(risk.mean_risk for risk in several), max_risk=max(risk.max_risk for risk in several),
        share_over=max(risk.share_over for risk in several),
        few_patients=max(risk.few_patients for risk in several), share_few=max(risk.share_few for risk in several),
        share_unique=max(risk.share_unique for risk in several))
