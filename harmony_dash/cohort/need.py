"""What a study needs to be possible: patients, things that must be known of them, an endpoint and a horizon."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_dash.cohort.filters import Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.dictionary.model import Dictionary, Variable

# Recorded, but they tell nothing of the patient.
_UNINFORMATIVE = ("failed", "not_done")


@dataclass(frozen=True)
class Need:
    """What somebody plans.

    It has no landmark of its own: how many are still followed after a day that one can choose is an outcome.

    Attributes
    ----------
    disease, endpoint, where, horizon_days : as of a question.
    known : names of the variables that must be known of every patient.
    """

    disease: str
    endpoint: str
    where: tuple[Filter, ...] = ()
    known: tuple[str, ...] = ()
    horizon_days: int = 1826

    def as_question(self, dictionary: Dictionary) -> Question:
        """The same as a question without groups, to be asked anywhere else.

        Raises
        ------
        QuestionError for a variable that cannot be asked about.
        """
        variables = [askable_variable(name, self.disease, dictionary, where="known") for name in self.variables]
        return Question(self.disease, self.endpoint, (*self.where, *map(is_known, variables)),
                        horizon_days=self.horizon_days)

    @property
    def variables(self) -> tuple[str, ...]:
        """Those that must be known and are not filtered: whoever has one of certain values has one that is known."""
        filtered = {item.variable for item in self.where if isinstance(item, OneOf | Between)}
        return tuple(dict.fromkeys(name for name in self.known if name not in filtered))


def is_known(variable: Variable) -> Filter:
    """The condition that a value is known. A test that failed or was not done is recorded and yet not known."""
    if set(_UNINFORMATIVE).isdisjoint(variable.values):
        return Not(Missing(variable.name))
    return OneOf(variable.name, tuple(value for value in variable.values if value not in _UNINFORMATIVE))
