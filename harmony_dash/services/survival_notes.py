"""What is said beside the answer to a survival question: its title, and how it differs from what was asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from harmony_dash.cohort.describe import describe_question
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Not, OneOf, from_json, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import TimePoint
from harmony_dash.disclosure import COUNT_IN_TITLE, Scope
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.services.admission import Admission
from harmony_dash.services.protection import AnswerPlan
from harmony_dash.store.counts import CohortFlow
from harmony_dash.store.reader import Snapshot

ADULT = 18.0
MOST_NAMES = 6
_CHILDREN = frozenset({"<1", "1-9", "10-17"})


def write_title(question: Question, plan: AnswerPlan, snapshot: Snapshot, drawn: Collection[str]) -> str:
    """The question in words, and that the patients drawn are not exactly those it asks for, where that is so."""
    title = describe_question(question, snapshot.dictionary, COUNT_IN_TITLE)
    told = [one for one in plan.not_applied if drawn and (not one.groups or not set(one.groups).isdisjoint(drawn))]
    if not told:
        return title
    whom = "in some groups " if all(one.groups for one in told) else ""
    return f"{title}, answered {whom}for slightly different patients (see notes)"


def explain_unrecorded(flow: CohortFlow, plan: AnswerPlan, question: Question, snapshot: Snapshot, scope: Scope,
                       ) -> str:
    """The reason where it is not the filters that leave too few: what the figure needs is hardly recorded of anybody.

    Empty where it is not so. Nobody and fewer than k patients are the same.
    """
    few = scope.rules.minimum_cell
    # Values that were left out may hold the patients of whom it is recorded.
    if not scope.is_protected or flow.analysed >= few or flow.cohort < few or any(
            one.kind == "left out" for one in plan.not_applied):
        return ""
    label = endpoint_named(question.endpoint).label
    followed = label[0].lower() + label[1:]
    if question.by and flow.analysed + flow.excluded["group_missing"] >= few:
        return (f"'{snapshot.dictionary[question.by].label}' is recorded for fewer than {few} of the patients followed "
                f"for {followed}")
    after = f" beyond day {question.landmark_days}" if question.landmark_days else ""
    return f"fewer than {few} patients of this cohort are followed for {followed}{after}"


def notes_of_grant(admission: Admission, not_applied: Sequence[Unapplied] | None = None) -> tuple[str, ...]:
    """Whom a grant leaves in the picture, where it is not everybody.

    Parameters
    ----------
    not_applied : in what the answer differs from the question; None for a table, each part of which may differ.
    """
    if admission.grant is None:
        return ()
    countries = admission.snapshot.dictionary["country"]
    codes = admission.grant.open_countries
    names = ", ".join(map(countries.label_of, codes)) if len(codes) <= MOST_NAMES else f"{len(codes)} countries"
    notes = [f"Patients of {names} only, as the grant {admission.grant.id} says."]
    if not_applied is None and admission.countries is not None:
        notes = [f"Patients of {names}, as the grant {admission.grant.id} says; where that would leave out or take in "
                 "only a few, those of other countries are counted with them."]
    elif any(one.kind != "left out" and set(variables_of(from_json(one.filter))) == {"country"}
             for one in not_applied or ()):
        notes = [f"Patients of {names}, as the grant {admission.grant.id} says; those of other countries are counted "
                 "with them where it says below that the filter on country was not applied, or which were taken in."]
    if "age_group" not in admission.snapshot.dictionary:
        notes.append("Children and adults are pooled here, because the grant does not cover age groups.")
    return tuple(notes)


def write_notes(question: Question, as_asked: Question, snapshot: Snapshot, answered: Collection[Question],
                ) -> tuple[str, ...]:
    """What a reader must know before the figure: a moved clock, who is pooled, what is not verified.

    Who is pooled is read from the questions that are answered: a filter on age may not have been applied.
    """
    dictionary = snapshot.dictionary
    notes = []
    if question.landmark_days > as_asked.landmark_days:
        late = [dictionary[name].label for name in replace(question, strata=None).variables
                if dictionary[name].measured is not TimePoint.BASELINE]
        zero = endpoint_named(question.endpoint).time_zero
        notes.append(f"The clock starts on day {question.landmark_days} after {zero}, because {', '.join(late)} "
                     "is known only then. Patients with an event or last contact by that day are not counted.")
    if snapshot.late_entry:
        notes.append("Some patients came under observation after time zero and count as at risk only from then on.")
    of_each = {ages_asked(one) for one in answered}
    ages = of_each.pop() if len(of_each) == 1 else None
    if ages is None and "age_group" in dictionary and question.by != "age_group":
        notes.append("Children and adults are pooled here; filter by age group to look at them apart.")
    if "nci_risk" in question.variables and (ages != "children" or not all(map(_asks_b_precursor, answered))):
        notes.append("NCI risk groups were made for children with B-cell precursor ALL; others are among them here.")
    if "cna_profile" in question.variables and ages != "children":
        notes.append("The copy-number profile was not prognostic in adults (UKALL14).")
    unverified = [dictionary[name].label for name in question.variables if not dictionary[name].verified]
    if unverified:
        notes.append(f"Definition not yet verified against its publication: {', '.join(unverified)}.")
    return tuple(notes)


def ages_asked(question: Question) -> str | None:
    """ "children" or "adults" if the filters leave only one of them, None if both may be among the patients."""
    return next((ages for ages in map(_ages_of, question.where) if ages is not None), None)


def _ages_of(item: Filter) -> str | None:
    match item:
        case OneOf("age_group", values) if set(values) <= _CHILDREN:
            return "children"
        case OneOf("age_group", values) if not set(values) & _CHILDREN:
            return "adults"
        # Whose age is not recorded does not meet a negation either.
        case Not(OneOf("age_group", values)) if set(values) >= _CHILDREN:
            return "adults"
        case Between("age_dx_years", _, upper, included) if upper is not None and (
                upper < ADULT or (upper == ADULT and not included)):
            return "children"
        case Between("age_dx_years", lower, _, _) if lower is not None and lower >= ADULT:
            return "adults"
        case AnyOf(parts):
            found = set(map(_ages_of, parts))
            return found.pop() if len(found) == 1 else None
    return None


def _asks_b_precursor(question: Question) -> bool:
    return OneOf("immunophenotype", ("B",)) in question.where
