"""What a study needs to be possible: patients, things that must be known of them, an endpoint and a horizon."""

from __future__ import annotations

from dataclasses import dataclass

from harmony_dash.cohort.filters import Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.errors import QuestionError

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
        return Question(self.disease, self.endpoint, (*self.filters(dictionary), *map(is_known, variables)),
                        horizon_days=self.horizon_days)

    def filters(self, dictionary: Dictionary) -> tuple[Filter, ...]:
        """The filters, without values that are not known where the variable must be.

        Raises
        ------
        QuestionError for a filter of such values alone.
        """
        return tuple(_only_known(item, dictionary) if isinstance(item, OneOf) and item.variable in self.known else item
                     for item in self.where)

    @property
    def variables(self) -> tuple[str, ...]:
        """Those that must be known and are not filtered: whoever has a value of `filters` has one that is known."""
        filtered = {item.variable for item in self.where if isinstance(item, OneOf | Between)}
        return tuple(dict.fromkeys(name for name in self.known if name not in filtered))


def _only_known(item: OneOf, dictionary: Dictionary) -> OneOf:
    values = tuple(value for value in item.values if value not in _UNINFORMATIVE)
    if not values:
        raise QuestionError(f"'{dictionary[item.variable].label}' must be known, and its filter wants it failed or not "
                            "done", where=item.variable, remedy="Remove one of the two.")
    return OneOf(item.variable, values)


def is_known(variable: Variable) -> Filter:
    """The condition that a value is known. A test that failed or was not done is recorded and yet not known."""
    if set(_UNINFORMATIVE).isdisjoint(variable.values):
        return Not(Missing(variable.name))
    return OneOf(variable.name, tuple(value for value in variable.values if value not in _UNINFORMATIVE))
