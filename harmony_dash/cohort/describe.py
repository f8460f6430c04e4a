"""Questions in English, for titles, chips and methods lines."""

from __future__ import annotations

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Dictionary


def describe_filter(item: Filter, dictionary: Dictionary) -> str:
    """One filter as a short phrase, e.g. "age at diagnosis 1 to 10 years"."""
    match item:
        case OneOf(name, values):
            words = [dictionary[name].label_of(value) for value in values]
            return f"{_lower_first(dictionary[name].label)}: {' or '.join(words)}"
        case Between(name, lower, upper, included):
            variable = dictionary[name]
            unit = f" {variable.unit}" if variable.unit else ""
            if lower is None:
                bound = f"{'up to' if included else 'under'} {upper:g}"
            elif upper is None:
                bound = f"{lower:g} or more"
            else:
                bound = f"{lower:g} to {'' if included else 'under '}{upper:g}"
            return f"{_lower_first(variable.label)} {bound}{unit}"
        case Missing(name):
            return f"{_lower_first(dictionary[name].label)} not recorded"
        case Not(Missing(name)):
            return f"{_lower_first(dictionary[name].label)} recorded"
        case Not(inner):
            return f"not ({describe_filter(inner, dictionary)})"
        case AnyOf(parts):
            return " or ".join(f"({describe_filter(part, dictionary)})" for part in parts)


def describe_question(question: Question, dictionary: Dictionary, n: str = "") -> str:
    """The question as a title.

    Parameters
    ----------
    question, dictionary : what is asked, and the words for it.
    n : the number of patients as it may be shown, e.g. "2,145"; left out when empty.

    Returns
    -------
    For example "Event-free survival of 2,145 patients with ALL, sex: Female, by cytogenetic risk group".
    """
    endpoint = endpoint_named(question.endpoint)
    text = f"{endpoint.label} of {describe_patients(question, dictionary, n)}"
    if question.strata:
        text += f", stratified by {_lower_first(dictionary[question.strata].label)}"
    if question.landmark_days:
        text += f", from day {question.landmark_days} after {endpoint.time_zero}"
    return text


def describe_patients(question: Question, dictionary: Dictionary, n: str = "") -> str:
    """Who is asked about and by what, "2,145 patients with ALL, sex: Female, by cytogenetic risk group"."""
    disease = dictionary.diseases[question.disease]
    parts = [f"{n + ' ' if n else ''}patients with {disease.adjective or disease.label}"]
    parts += [describe_filter(item, dictionary) for item in question.where]
    if question.by:
        parts.append(f"by {_lower_first(dictionary[question.by].label)}")
    return ", ".join(parts)


def _lower_first(text: str) -> str:
    """Lower the first letter unless the word is an abbreviation (MRD, ETV6, B-cell)."""
    first = text.split(" ")[0]
    return text if any(letter.isupper() or letter.isdigit() for letter in first[1:]) or len(first) == 1 else (
        text[0].lower() + text[1:])
