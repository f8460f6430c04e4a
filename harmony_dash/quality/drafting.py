"""Making checks: ids, words and limits from a type and a variable, digest, and what of the answers may leave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harmony_dash.dictionary.load import describe_dictionary
from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable
from harmony_dash.quality.conditions import variables_in
from harmony_dash.quality.model import Check, Counted, Evidence, Judgement, Rule, Showing, Survival
from harmony_dash.quality.types import TYPES

# Below so many patients a share says little.
FEWEST = 20
ROWS, PATIENTS = "rows read", "accepted patients"
_MEANING = ("name", "type", "unit", "values", "lower", "upper", "bands", "derived")


def draft(kind: str, variable: Variable | None, words: str, evidence: Evidence, *, part: str = "",
          asked: str = PATIENTS, judgement: Judgement = Judgement.SHARE, warn: float | None = None,
          fail: float | None = None, needs: tuple[str, ...] | None = None, **limits: Any) -> Rule:
    """A rule of one type.

    Parameters
    ----------
    kind : name of the type.
    variable : what it is about, None for the source as a whole.
    words : what is counted, without a full stop.
    part : what else its id says, where a type has several checks of a variable.
    warn, fail : limits, those of the type by default.
    needs : variables a source must supply, the variable by default.
    limits : further fields of `Check`.
    """
    type_ = TYPES[kind]
    name = "" if variable is None else variable.name
    identifier = ".".join(word for word in (kind, name, part) if word)
    check = Check(identifier, kind, type_.category, name, "" if variable is None else variable.label, words, asked,
                  judgement, type_.warn if warn is None else warn, type_.fail if fail is None else fail, **limits)
    return Rule(check, evidence, ((name,) if name else ()) if needs is None else needs)


def describe_meanings(dictionary: Dictionary) -> dict[str, dict[str, Any]]:
    """Each variable's values, range and unit, as JSON-able values."""
    return {entry["name"]: {key: entry[key] for key in _MEANING if key in entry}
            for entry in describe_dictionary({}, dictionary.variables)["variables"]}


def finish_rule(rule: Rule, dictionary: Dictionary, meanings: Mapping[str, Mapping[str, Any]]) -> Rule:
    """The rule whose check knows what of its answer may leave, and its digest.

    The digest is of what is counted, and of what its variables mean: `meanings` are those of the dictionary.
    """
    read = {rule.check.variable, *_variables_of(rule.evidence)}
    known = {name: dictionary[name] for name in sorted(read) if name in dictionary}
    text = json.dumps([rule.check.id, repr(rule.evidence), [meanings[name] for name in known]], sort_keys=True)
    return replace(rule, check=replace(rule.check, showing=_showing_of(rule, known),
                                       digest=hashlib.sha256(text.encode()).hexdigest()[:12]))


def _showing_of(rule: Rule, read: Mapping[str, Variable]) -> Showing:
    """Who looks after data looks at no outcomes: a check that reads one is judged only."""
    showing = TYPES[rule.check.type].showing
    outcome = isinstance(rule.evidence, Survival) or any(map(is_outcome, read.values()))
    return Showing.VERDICT if outcome and showing is Showing.NUMBERS else showing


def is_outcome(variable: Variable) -> bool:
    """Whether the variable is part of the event record."""
    return variable.measured is TimePoint.OUTCOME


def _variables_of(evidence: Evidence) -> set[str]:
    names = {getattr(evidence, "variable", "")}
    for part in ("among", "failing"):
        condition = getattr(evidence, part, None)
        names.update(variables_in(condition) if condition is not None else ())
    return names


def counted(kind: str, variable: Variable, words: str, evidence: Counted, **more: Any) -> Rule:
    """A rule about a share of accepted patients, too few of whom are not judged."""
    return draft(kind, variable, words, evidence, **{"least": FEWEST, **more})
