"""The question of a treatment comparison: had patients like these been given less, or more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero, endpoint_named
from harmony_dash.cohort.question import (
    EARLIEST_REMISSION_DAY,
    Question,
    askable_variable,
    check_question,
    known_day,
    question_from_json,
    with_landmark,
)
from harmony_dash.cohort.subgroup_question import FIVE_YEARS, fixed_values
from harmony_dash.dictionary.model import KNOWN_DAY, UNTESTED, Dictionary, Variable
from harmony_dash.errors import QuestionError

# More columns than that are more than the events of any subgroup carry.
MOST_ADJUSTED: Final = 20
MOST_MODIFIERS: Final = 4
# The outcome that relapse and death in remission are followed with: they share its clock.
CAUSES_ENDPOINT: Final = "relapse"
RANDOMISED_ARM, RANDOMISATION = "rand_arm", "rand_id"
# Only patients of trials that used both strategies are compared, whatever the strata.
TRIAL: Final = "trial"
_KEYS = {"cohort", "strategy", "reference", "compared", "strata", "adjust", "modifiers", "horizon_days"}


@dataclass(frozen=True)
class WhatIfQuestion:
    """What if these patients had been treated one way, and what if the other?

    Attributes
    ----------
    cohort : whom to follow, for what, from when on; it has neither groups, strata nor horizon of its own.
    strategy : the variable whose values are the strategies.
    reference, compared : the two values; the answer is the second minus the first.
    strata : the variable within whose values models compare arms, beside the trial. It never decides who is compared.
    adjust : variables that decided about treatment; empty for those the dictionary names.
    modifiers : biomarkers in whose levels the difference is given too.
    horizon_days : the day of the answer, from the landmark on.
    """

    cohort: Question
    strategy: str = "intensity_assigned"
    reference: str = "standard"
    compared: str = "reduced"
    strata: str = TRIAL
    adjust: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    horizon_days: int = FIVE_YEARS

    def to_json(self) -> dict[str, Any]:
        """JSON-able form; `what_if_from_json` is its inverse."""
        return {"cohort": self.cohort.to_json(), "strategy": self.strategy, "reference": self.reference,
                "compared": self.compared, "strata": self.strata, "adjust": list(self.adjust),
                "modifiers": list(self.modifiers), "horizon_days": self.horizon_days}

    @property
    def canonical_json(self) -> str:
        """The one text of this question: sorted keys, no spaces."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that equal questions share."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()[:16]

    @property
    def for_the_record(self) -> str:
        """Fingerprint and canonical text, as the audit trail keeps and counts it beside the questions it is made of."""
        return f"{self.fingerprint} {self.canonical_json}"

    @property
    def read_variables(self) -> tuple[str, ...]:
        """Every variable that is read, without repeats, filters first."""
        return tuple(dict.fromkeys([*self.cohort.variables, self.strategy, TRIAL, self.strata, *self.adjust,
                                    *self.modifiers]))

    @property
    def arms(self) -> tuple[str, str]:
        """The values of the strategies, the reference first."""
        return self.reference, self.compared

    @property
    def by_strategy(self) -> Question:
        """The question of the survival page whose groups are the strategies."""
        return replace(self.cohort, by=self.strategy)

    @property
    def by_cause(self) -> Question:
        """The same from remission on, for relapse and what competes with it: all that is known is known by then."""
        cohort = self.cohort
        from_remission = endpoint_named(cohort.endpoint).time_zero is TimeZero.REMISSION
        # A day chosen by the person stays; on one set because values are known then, they are known sooner from here.
        sooner = 0 if from_remission or cohort.landmark_days not in KNOWN_DAY.values() else EARLIEST_REMISSION_DAY
        return replace(cohort, endpoint=CAUSES_ENDPOINT, landmark_days=max(0, cohort.landmark_days - sooner),
                       by=self.strategy)


def is_what_if(value: object) -> bool:
    """Whether JSON is that of a comparison of treatments, and not of a question of the survival page."""
    return isinstance(value, Mapping) and "cohort" in value and "strategy" in value


def what_if_from_json(value: object) -> WhatIfQuestion:
    """Rebuild a question from untrusted JSON; raises `QuestionError` on anything unexpected."""
    unreadable = QuestionError("the link does not hold a question this version can read",
                               remedy="Open the page without the link and set the controls.")
    if not isinstance(value, Mapping) or "cohort" not in value or not set(value) <= _KEYS:
        raise unreadable
    cohort = question_from_json(value["cohort"])
    plain = WhatIfQuestion(cohort)
    texts = {key: value.get(key, getattr(plain, key)) for key in ("strategy", "reference", "compared", "strata")}
    lists = {key: value.get(key, []) for key in ("adjust", "modifiers")}
    horizon = value.get("horizon_days", FIVE_YEARS)
    lists_fit = all(isinstance(one, list) and len(one) <= MOST_ADJUSTED and all(isinstance(name, str) for name in one)
                    for one in lists.values())
    if not all(isinstance(one, str) for one in texts.values()) or not lists_fit or type(horizon) is not int:
        raise unreadable
    return WhatIfQuestion(cohort, texts["strategy"], texts["reference"], texts["compared"], texts["strata"],
                          tuple(lists["adjust"]), tuple(lists["modifiers"]), horizon)


def default_adjustment(cohort: Question, dictionary: Dictionary) -> tuple[str, ...]:
    """What the dictionary says decides about treatment, as far as the filters leave patients it is meant for."""
    fixed = fixed_values(cohort)
    return tuple(variable.name for variable in dictionary.askable(cohort.disease)
                 if variable.confounder and _applies(variable, fixed) and len(fixed.get(variable.name, ("", ""))) > 1)


def essential_confounders(cohort: Question, dictionary: Dictionary) -> tuple[str, ...]:
    """The variables without which no comparison of this cohort is answered."""
    return tuple(name for name in default_adjustment(cohort, dictionary) if dictionary[name].confounder == "essential")


def _applies(variable: Variable, fixed: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the filters leave anybody whom the variable is meant for."""
    return all(name not in fixed or set(fixed[name]) & set(values)
               for name, values in (variable.subgroup_default or {}).items())


def check_what_if(question: WhatIfQuestion, dictionary: Dictionary) -> WhatIfQuestion:
    """Refuse what cannot be asked, and put the rest into the one form that equal questions share.

    Returns
    -------
    The question with its adjustment variables in the dictionary's order, and with the landmark that strategy, filters,
    adjustment and modifiers need. Where one of them has no fixed day and no landmark was chosen, the landmark stays as
    it is: see `late_variables`.

    Raises
    ------
    QuestionError naming the variable or field.
    """
    cohort = question.cohort
    if cohort.by is not None or cohort.strata is not None or cohort.horizon_days is not None:
        raise QuestionError("a comparison of treatments has no groups, strata or end of its cohort", where="cohort",
                            remedy="Give the strategy, the strata and the horizon instead.")
    check_question(cohort, dictionary)
    endpoint = endpoint_named(cohort.endpoint)
    if endpoint.competing or endpoint.shown_as_failure:
        names = [one.name for one in ENDPOINTS.values() if not (one.competing or one.shown_as_failure)]
        raise QuestionError(f"strategies are compared by survival, and '{endpoint.name}' is an incidence",
                            where="endpoint", remedy=f"Choose {', '.join(names)}; relapse and death in remission are "
                                                     "always shown beside it.")
    if endpoint.counts_on_day_zero:
        raise QuestionError(f"'{endpoint.name}' counts events on the first day, before any treatment was decided",
                            where="endpoint", remedy="Use efs, which counts them at their date.")
    check_question(replace(cohort, by=question.strategy), dictionary)
    _check_arms(question, dictionary[question.strategy])
    if question.strategy in (question.strata, TRIAL):
        raise QuestionError("strategies and strata are the same variable", where="strata", remedy="Stratify by trial.")
    check_question(replace(cohort, by=question.strategy, strata=question.strata), dictionary)
    adjust = _check_adjustment(question, dictionary)
    if not 1 <= question.horizon_days <= 40_000:
        raise QuestionError("the horizon is not between 1 and 40,000 days", where="horizon",
                            remedy="Choose a day, e.g. 1826 for five years.")
    return _as_late_as_needed(replace(question, adjust=adjust, modifiers=tuple(dict.fromkeys(question.modifiers))),
                              dictionary)


def _check_arms(question: WhatIfQuestion, variable: Variable) -> None:
    if question.reference == question.compared:
        raise QuestionError("a strategy is compared with another one, not with itself", where="compare",
                            remedy=f"Choose two of: {', '.join(variable.values)}." if variable.values else "")
    for arm in question.arms:
        if (variable.values and arm not in variable.values) or arm in UNTESTED:
            raise QuestionError(f"'{arm}' is not a value of {variable.name}", where="compare",
                                remedy=f"Choose two of: {', '.join(variable.values)}.")


def _check_adjustment(question: WhatIfQuestion, dictionary: Dictionary) -> tuple[str, ...]:
    cohort = question.cohort
    if len(set(question.modifiers)) > MOST_MODIFIERS:
        raise QuestionError(f"at most {MOST_MODIFIERS} biomarkers are looked at in one comparison", where="modifiers",
                            remedy="Ask for them one after the other.")
    for name in question.modifiers:
        if not askable_variable(name, cohort.disease, dictionary, where="modifiers").is_categorical:
            raise QuestionError(f"'{name}' is a number and has no levels", where="modifiers",
                                remedy="Choose its grouped form, e.g. age_group for age_dx_years.")
    chosen = {*(question.adjust or default_adjustment(cohort, dictionary)), *question.modifiers}
    if len(chosen) > MOST_ADJUSTED:
        raise QuestionError(f"{len(chosen)} variables are too many to adjust for", where="adjust",
                            remedy=f"Choose at most {MOST_ADJUSTED}.")
    if not chosen:
        raise QuestionError("nothing to adjust for was chosen, and the dictionary names nothing", where="adjust",
                            remedy="Name the variables that decided about treatment.")
    for name in chosen:
        askable_variable(name, cohort.disease, dictionary, where="adjust")
        if name in (question.strategy, question.strata, TRIAL):
            raise QuestionError(f"'{name}' is compared or stratified by and cannot be adjusted for", where="adjust",
                                remedy="Leave it out.")
    order = {name: place for place, name in enumerate(dictionary.variables)}
    return tuple(sorted(chosen, key=lambda name: order[name]))


def late_variables(question: WhatIfQuestion, dictionary: Dictionary) -> tuple[str, ...]:
    """The variables that become known on no fixed day, where no landmark was chosen: what they say is the future."""
    if question.cohort.landmark_days:
        return ()
    zero = endpoint_named(question.cohort.endpoint).time_zero
    return tuple(name for name in question.read_variables if known_day(dictionary[name], zero) is None)


def _as_late_as_needed(question: WhatIfQuestion, dictionary: Dictionary) -> WhatIfQuestion:
    """The question with one clock for strategy, filters, adjustment, modifiers and strata."""
    if late_variables(question, dictionary):
        return question
    zero = endpoint_named(question.cohort.endpoint).time_zero
    needed = max((known_day(dictionary[name], zero) or 0 for name in question.read_variables), default=0)
    cohort = replace(question.cohort, landmark_days=max(question.cohort.landmark_days, needed))
    fitted = with_landmark(replace(cohort, by=question.strategy, strata=question.strata), dictionary)
    return replace(question, cohort=replace(fitted, by=None, strata=None))
