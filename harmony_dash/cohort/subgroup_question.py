"""The question behind a table of subgroups: one cohort, one endpoint, and many variables looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harmony_dash.cohort.canonical import TableQuestion
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import (
    Question,
    askable_variable,
    check_question,
    question_from_json,
    with_landmark,
)
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.errors import QuestionError

FIVE_YEARS: Final = 1826
# A table of more is no longer read.
MOST_VARIABLES: Final = 40
# Arms of a treatment are compared with the first of them, one by one.
MOST_ARMS: Final = 4


@dataclass(frozen=True)
class SubgroupsQuestion(TableQuestion):
    """Which groups of patients do better or worse, and does a treatment work differently in them?

    Attributes
    ----------
    cohort : whom to follow, for what, from when on; it has neither groups nor strata of its own.
    variables : the variables whose levels are compared, one model each; empty for those the dictionary offers.
    strata : the variable within whose values levels are compared; patients without a value make a stratum of their
        own. None for none.
    treatment : the variable whose effect is compared between levels, within strata; None for none.
    arms : values of the treatment, the reference first; empty for all of them, in the dictionary's order.
    at_days : the day after time zero, or the landmark, at which estimates are read off.
    """

    cohort: Question
    variables: tuple[str, ...] = ()
    strata: str | None = "trial"
    treatment: str | None = None
    arms: tuple[str, ...] = ()
    at_days: int = FIVE_YEARS

    def to_json(self) -> dict[str, Any]:
        """JSON-able form; `subgroups_question_from_json` is its inverse."""
        return {"cohort": self.cohort.to_json(), "variables": list(self.variables), "strata": self.strata,
                "treatment": self.treatment, "arms": list(self.arms), "at_days": self.at_days}

    @property
    def read_variables(self) -> tuple[str, ...]:
        """Every variable that is read, without repeats, filters first."""
        more = (self.strata, self.treatment, *self.variables)
        return tuple(dict.fromkeys([*self.cohort.variables, *(name for name in more if name)]))

    def by(self, variable: str) -> Question:
        """The question whose groups are the levels of one of the variables, as if it had been asked alone."""
        return replace(self.cohort, by=variable)

    def by_within(self, variable: str, arm: str) -> Question:
        """The same among patients with one arm of the treatment."""
        if self.treatment is None:
            raise ValueError("the question has no treatment")
        return replace(self.cohort, by=variable, where=(*self.cohort.where, OneOf(self.treatment, (arm,))))


def subgroups_question_from_json(value: object) -> SubgroupsQuestion:
    """Rebuild a question from untrusted JSON; raises `QuestionError` on anything unexpected."""
    unreadable = QuestionError("the link does not hold a question this version can read",
                               remedy="Open the page without the link and set the controls.")
    if not isinstance(value, Mapping) or "cohort" not in value:
        raise unreadable
    if not set(value) <= {"cohort", "variables", "strata", "treatment", "arms", "at_days"}:
        raise unreadable
    cohort = question_from_json(value["cohort"])
    names = [value.get("variables", []), value.get("arms", [])]
    lists_fit = all(isinstance(one, list) and len(one) <= MOST_VARIABLES and all(isinstance(name, str) for name in one)
                    for one in names)
    texts_fit = all(isinstance(value.get(key), str | None) for key in ("strata", "treatment"))
    at_days = value.get("at_days", FIVE_YEARS)
    if not lists_fit or not texts_fit or type(at_days) is not int:
        raise unreadable
    return SubgroupsQuestion(cohort, tuple(names[0]), value.get("strata", "trial"), value.get("treatment"),
                             tuple(names[1]), at_days)


def default_variables(cohort: Question, dictionary: Dictionary) -> tuple[str, ...]:
    """What the dictionary offers for a cohort: by disease, and some only if the filters leave such patients alone.

    A dictionary that offers nothing offers the variables that stand among the first filters.
    """
    variables = [variable for variable in dictionary.askable(cohort.disease) if variable.is_categorical]
    fixed = fixed_values(cohort)
    offered = [variable for variable in variables if _is_offered(variable, fixed)]
    chosen = offered or [variable for variable in variables if variable.everyday and variable.name != "trial"]
    return tuple(variable.name for variable in chosen if len(fixed.get(variable.name, ("", ""))) > 1)


def fixed_values(cohort: Question) -> dict[str, tuple[str, ...]]:
    """The variables whose values the filters choose from, and those they leave; other filters are not looked at."""
    return {item.variable: item.values for item in cohort.where if isinstance(item, OneOf)}


def _is_offered(variable: Variable, fixed: Mapping[str, tuple[str, ...]]) -> bool:
    conditions = variable.subgroup_default
    if conditions is None:
        return False
    return all(set(fixed.get(name, ())) and set(fixed[name]) <= set(values) for name, values in conditions.items())


def check_subgroups(question: SubgroupsQuestion, dictionary: Dictionary) -> SubgroupsQuestion:
    """Refuse what cannot be asked, and put the rest into the one form that equal questions share.

    Returns
    -------
    The question with its variables chosen and in the dictionary's order, and with one landmark for the whole table: the
    latest that any of its variables needs.

    Raises
    ------
    QuestionError naming the variable or field.
    """
    cohort = question.cohort
    if cohort.by is not None or cohort.strata is not None or cohort.horizon_days is not None:
        raise QuestionError("a table of subgroups has no groups, strata or end of its cohort", where="cohort",
                            remedy="Give the variables, the strata and the day of the estimates instead.")
    check_question(cohort, dictionary)
    names = question.variables or default_variables(cohort, dictionary)
    if not names:
        raise QuestionError("no variable to look at was chosen", where="variables", remedy="Choose at least one.")
    if len(set(names)) > MOST_VARIABLES:
        raise QuestionError(f"{len(set(names))} variables are too many for one table, at most {MOST_VARIABLES} fit",
                            where="variables", remedy="Ask for them in several tables.")
    for name in names:
        check_question(replace(cohort, by=name), dictionary)
    # Levels are not compared within themselves, and the row says so; all that can be asked by can make strata.
    if question.strata is not None and (other := next((name for name in names if name != question.strata), None)):
        check_question(replace(cohort, by=other, strata=question.strata), dictionary)
    if not 1 <= question.at_days <= 40_000:
        raise QuestionError("the day of the estimates is not between 1 and 40,000", where="at_days",
                            remedy="Choose a day, e.g. 1826 for five years.")
    _check_treatment(question, names, dictionary)
    order = {name: place for place, name in enumerate(dictionary.variables)}
    chosen = tuple(sorted(set(names), key=lambda name: order[name]))
    return replace(question, variables=chosen, cohort=_with_one_landmark(question, chosen, dictionary))


def _check_treatment(question: SubgroupsQuestion, names: Iterable[str], dictionary: Dictionary) -> None:
    if question.treatment is None:
        if question.arms:
            raise QuestionError("arms were named without a treatment", where="arms", remedy="Name the treatment.")
        return
    variable = askable_variable(question.treatment, question.cohort.disease, dictionary, where="treatment")
    if not variable.is_categorical:
        raise QuestionError(f"'{variable.name}' is a number and has no arms", where="treatment",
                            remedy="Choose a treatment with few values.")
    if variable.name in names:
        raise QuestionError(f"'{variable.name}' is both the treatment and one of the variables", where="treatment",
                            remedy="Leave it out of the variables.")
    if question.strata is None or question.strata == variable.name:
        raise QuestionError("a treatment effect is compared within trials, and no strata were chosen", where="strata",
                            remedy="Stratify by the trial.")
    wrong = [arm for arm in question.arms if variable.values and arm not in variable.values]
    if wrong:
        raise QuestionError(f"'{wrong[0]}' is not a value of {variable.name}", where="arms",
                            remedy=f"Choose from: {', '.join(variable.values)}.")
    if question.arms and not 2 <= len(set(question.arms)) == len(question.arms) <= MOST_ARMS:
        raise QuestionError(f"a treatment is compared in two to {MOST_ARMS} different arms", where="arms",
                            remedy="Name the reference arm first, then those compared with it.")


def _with_one_landmark(question: SubgroupsQuestion, names: Iterable[str], dictionary: Dictionary) -> Question:
    """The cohort from the day on which every variable of the table is known, so that all its rows have one clock.

    Strata move it as little as on the survival page, and must be known by then.
    """
    read = [*names, *([question.treatment] if question.treatment else [])]
    latest = max((with_landmark(replace(question.cohort, by=name), dictionary) for name in read),
                 key=lambda asked: asked.landmark_days)
    return replace(with_landmark(replace(latest, strata=question.strata), dictionary), by=None, strata=None)
