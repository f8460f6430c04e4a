"""Checks against what numbers of patients look like and what was published, read from `expectations.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import DictionaryError
from harmony_dash.quality.conditions import AtLeast, Below, Condition, Either, Every, Is, Known, MultipleOf, Otherwise
from harmony_dash.quality.drafting import counted, draft
from harmony_dash.quality.model import Counted, Judgement, Median, Pile, Rule, Survival

BUILT_IN = Path(__file__).parent / "expectations.yaml"

_YEAR_DAYS = 365.25
# Survival further than this from the published one is worth a question (per cent; project rule).
SURVIVAL_POINTS = 5.0
_LEAST = 30
# The sampling error of a share of 100 patients is five points; on fewer, chance would do the warning.
_LEAST_SHARE = 100
# A median this many times beyond its range is a wrong unit and no unusual hospital.
_FAR = 3.0


@cache
def read_expectations() -> LocatedDict:
    """The package's expectations, parsed once a process: nothing but an installation changes them.

    Raises
    ------
    DictionaryError with the line for what cannot be read.
    """
    return read_yaml(BUILT_IN, error=DictionaryError)


def expectation_rules(dictionary: Dictionary, expected: Mapping[str, Any]) -> Iterator[Rule]:
    """The checks of a dictionary's variables; expectations of variables it does not have are left out."""
    yield from _median_rules(dictionary, expected["medians"])
    yield from _heaping_rules(dictionary, expected["heaping"])
    yield from _digit_rules(dictionary, expected["digit_preference"])
    yield from _age_rules(dictionary, expected["trial_ages"])
    yield from _share_rules(dictionary, expected["published_shares"])
    yield from _published_median_rules(dictionary, expected["published_medians"])
    yield from _survival_rules(dictionary, expected["published_survival"])


def _median_rules(dictionary: Dictionary, medians: Mapping[str, Any]) -> Iterator[Rule]:
    for name, entry in medians.items():
        if name not in dictionary:
            continue
        variable, (low, high) = dictionary[name], entry["range"]
        among: Condition = AtLeast(name, 1e-9) if entry.get("positive") else Known(name)
        what = f"median of {variable.label}{' where there is any' if entry.get('positive') else ''}"
        unit = "" if variable.unit == "fraction" else variable.unit
        yield draft("unit", variable, f"{what} outside {low:g} to {high:g} {unit}".rstrip(),
                    Median(name, among), part="median", asked="patients with a value", judgement=Judgement.WITHIN,
                    low=float(low), high=float(high), fail=_FAR, least=_LEAST)


def _heaping_rules(dictionary: Dictionary, shares: Mapping[str, Any]) -> Iterator[Rule]:
    for name, share in shares.items():
        if name in dictionary:
            variable = dictionary[name]
            among: Condition = AtLeast(name, 1e-9) if variable.unit == "fraction" else Known(name)
            yield draft("heaping", variable, f"{variable.label} at its most frequent value", Pile(name, among),
                        asked="patients with a value", warn=float(share), fail=2 * float(share), least=_LEAST)


def _digit_rules(dictionary: Dictionary, digits: Mapping[str, Any]) -> Iterator[Rule]:
    for name, entry in digits.items():
        if name not in dictionary:
            continue
        variable = dictionary[name]
        ends: list[Condition] = [Known(name)]
        ends += [AtLeast(name, float(entry["from"]))] if "from" in entry else []
        ends += [Below(name, float(entry["below"]))] if "below" in entry else []
        steps = " or ".join(f"{step:g}" for step in entry["steps"])
        words = f"{variable.label} is a multiple of {steps} {variable.unit}".rstrip()
        yield counted("digit_preference", variable, words, Counted(
            Either(tuple(MultipleOf(name, float(step)) for step in entry["steps"])), Every(tuple(ends))),
            asked="patients with a value there", warn=float(entry["share"]), least=_LEAST)


def _age_rules(dictionary: Dictionary, trials: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    if not {"trial", "age_dx_years"} <= dictionary.variables.keys():
        return
    age = dictionary["age_dx_years"]
    for entry in trials:
        outside = Either((Below(age.name, float(entry["from"])), AtLeast(age.name, float(entry["to"]) + 1)))
        words = f"{entry['trial']}: aged outside {entry['from']} to {entry['to']} completed years ({entry['source']})"
        yield counted("trial_age", age, words,
                      Counted(outside, Every((Is("trial", (entry["trial"],)), Known(age.name)))),
                      part=_slug(entry["trial"]), asked="patients of the trial")


# -- published figures -------------------------------------------------------------------------------------------------


def _share_rules(dictionary: Dictionary, shares: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    for entry in shares:
        if entry["variable"] not in dictionary:
            continue
        variable, (low, high) = dictionary[entry["variable"]], entry["range"]
        known: Condition = Is(variable.name, tuple(entry["known"])) if "known" in entry else Known(variable.name)
        yield draft("published", variable, f"{entry['label']}: outside {low:g} to {high:g} % ({entry['source']})",
                    Counted(Is(variable.name, tuple(entry["values"])), Every((known, _among(entry["among"])))),
                    part=entry["id"], asked="such patients with a value", judgement=Judgement.WITHIN, low=float(low),
                    high=float(high), least=_LEAST_SHARE, needs=() if variable.derived else None)


def _published_median_rules(dictionary: Dictionary, medians: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    for entry in medians:
        if entry["variable"] in dictionary:
            variable, (low, high) = dictionary[entry["variable"]], entry["range"]
            words = f"{entry['label']}: median outside {low:g} to {high:g} {variable.unit} ({entry['source']})"
            among = Every((Known(variable.name), _among(entry["among"])))
            yield draft("published", variable, words, Median(variable.name, among), part=entry["id"],
                        asked="such patients with a value", judgement=Judgement.WITHIN, low=float(low),
                        high=float(high), least=_LEAST_SHARE)


def _survival_rules(dictionary: Dictionary, figures: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    if "trial" not in dictionary:
        return
    for entry in figures:
        endpoint, percent = endpoint_named(entry["endpoint"]), float(entry["percent"])
        parts: list[Condition] = [Is("trial", (entry["trial"],))]
        groups = tuple(entry.get("age_group", ()))
        if groups and "age_group" not in dictionary:
            continue
        parts += [Is("age_group", groups)] if groups else []
        # Whoever entered late was not at risk from diagnosis on.
        if "entry_days" in dictionary:
            parts.append(Either((Otherwise(Known("entry_days")), Below("entry_days", 1))))
        tolerance = SURVIVAL_POINTS + 1.96 * float(entry["se"])
        who = f"{entry['trial']}{', aged ' + ', '.join(groups) if groups else ''}"
        remark = entry["source"] + ("" if entry.get("verified", True) else ", figure not verified")
        yield draft("published", None, f"{who}: {endpoint.label.lower()} at {entry['years']} years not within "
                    f"{SURVIVAL_POINTS:g} points of {percent:g} %, sampling error allowed for ({remark})",
                    Survival(endpoint.name, round(float(entry["years"]) * _YEAR_DAYS), percent, Every(tuple(parts))),
                    part=f"{endpoint.name}_{_slug(entry['trial'])}", asked="such patients", judgement=Judgement.WITHIN,
                    low=percent - tolerance, high=percent + tolerance, least=_LEAST)


def _among(entry: Mapping[str, Sequence[str]]) -> Condition:
    return Every(tuple(Is(name, tuple(values)) for name, values in entry.items()))


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())
