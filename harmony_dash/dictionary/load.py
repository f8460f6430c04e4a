"""From YAML files to a checked `Dictionary`, and back to text for the snapshot that carries it.

A dictionary is `core.yaml` plus one file a disease; a deployment adds files of its own without touching Python.
Each file holds `dictionary`, optionally `disease`, and `variables`, a mapping of names to attributes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harmony_dash.dictionary.model import (
    CATEGORICAL,
    NAME,
    NUMERIC,
    YES_NO,
    Dictionary,
    Disease,
    TimePoint,
    Variable,
    VariableType,
)
from harmony_dash.dictionary.quasi_identifiers import find_contradiction
from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import DictionaryError

BUILT_IN = Path(__file__).parent

_FILE_KEYS = {"dictionary", "disease", "variables"}
_DISEASE_KEYS = {"code", "label", "adjective"}
_VARIABLE_KEYS = {
    "label", "section", "type", "unit", "units", "values", "range", "flag_above", "bands", "measured", "day_variable",
    "until_then", "until_first_event", "asked", "required", "kept", "derived", "everyday", "sensitive",
    "quasi_identifier", "generalise_to", "instead_of", "subgroup_default", "confounder", "log_scale", "codes",
    "verified", "definition",
}
_SENSITIVE = ("low", "medium", "high")
_CONFOUNDER = ("", "usual", "essential")


def load_dictionary(extra: Iterable[Path] = ()) -> Dictionary:
    """Read the built-in dictionary and any files a deployment adds.

    Parameters
    ----------
    extra : further YAML files; a variable they repeat must not exist already.

    Returns
    -------
    Dictionary in file order: core first, then each disease.

    Raises
    ------
    DictionaryError with file and line for every inconsistency: unknown keys or types, a value map on a number,
    a range upside down, a `day_variable` that does not exist, a variable defined twice.
    """
    return build_dictionary([*_read_built_in(), *(read_yaml(path, error=DictionaryError) for path in extra)])


@cache
def _read_built_in() -> tuple[LocatedDict, ...]:
    """The package's own files, parsed once a process: nothing but an installation changes them."""
    diseases = sorted(path for path in BUILT_IN.glob("*.yaml") if path.name != "core.yaml")
    return tuple(read_yaml(path, error=DictionaryError) for path in [BUILT_IN / "core.yaml", *diseases])


def build_dictionary(documents: Sequence[LocatedDict]) -> Dictionary:
    """Check and join the documents read from dictionary files; see `load_dictionary`."""
    diseases: dict[str, Disease] = {}
    variables: dict[str, Variable] = {}
    places: dict[str, str] = {}
    for document in documents:
        _refuse_unknown_keys(document, _FILE_KEYS)
        scope = _read_disease(document, diseases)
        entries = document.get("variables", LocatedDict(document.file, document.line))
        if not isinstance(entries, LocatedDict):
            raise DictionaryError("'variables' is not a mapping of names to attributes",
                                  where=document.where("variables"), remedy="Write one `name:` block a variable.")
        for name, entry in entries.items():
            where = entries.where(name)
            if name in variables:
                raise DictionaryError(f"variable '{name}' is already defined at {places[name]}", where=where,
                                      remedy="Rename one of the two or remove the repetition.")
            variables[name] = _read_variable(name, entry, where, scope)
            places[name] = where
    for variable in variables.values():
        if variable.day_variable and (variable.day_variable not in variables
                                      or variables[variable.day_variable].type is not VariableType.DAYS):
            raise DictionaryError(
                f"'{variable.name}' takes its day from '{variable.day_variable}', which is not a variable of type days",
                where=places[variable.name], remedy="Name an existing days variable.")
        if variable.until_then and (not variable.day_variable or variable.until_then not in variable.values):
            raise DictionaryError(
                f"'{variable.name}' is '{variable.until_then}' until its day, but has no such value or no day_variable",
                where=places[variable.name], remedy="Name one of its values, and the variable that holds the day.")
        for name, chosen in (variable.subgroup_default or {}).items():
            if name not in variables or not set(chosen) <= set(variables[name].values):
                raise DictionaryError(
                    f"'{variable.name}' is offered for values of '{name}' that are not in the dictionary",
                    where=places[variable.name], remedy="Name a category and some of its values.")
        contradiction = find_contradiction(variable, variables)
        if contradiction is not None:
            raise DictionaryError(f"variable '{variable.name}': {contradiction[0]}", where=places[variable.name],
                                  remedy=contradiction[1])
    text = json.dumps(describe_dictionary(diseases, variables), sort_keys=True)
    return Dictionary(MappingProxyType(diseases), MappingProxyType(variables),
                      hashlib.sha256(text.encode()).hexdigest()[:12])


def describe_dictionary(diseases: Mapping[str, Disease], variables: Mapping[str, Variable]) -> dict[str, Any]:
    """The dictionary as JSON-able values, the form a snapshot carries; `restore_dictionary` is its inverse."""
    default = Variable(name="", label="", section="", type=VariableType.CATEGORY)
    always = {"name", "label", "section", "type"}
    return {
        "diseases": [{f.name: getattr(d, f.name) for f in fields(d)} for d in diseases.values()],
        "variables": [
            {f.name: _plain(getattr(v, f.name)) for f in fields(v)
             if f.name in always or getattr(v, f.name) != getattr(default, f.name)}
            for v in variables.values()
        ],
    }


def restore_dictionary(description: Mapping[str, Any], version: str) -> Dictionary:
    """Rebuild the dictionary a snapshot was made with."""
    diseases = {d["code"]: Disease(**d) for d in description["diseases"]}
    variables: dict[str, Variable] = {}
    for entry in description["variables"]:
        values = dict(entry)
        values["type"] = VariableType(values["type"])
        if "measured" in values:
            values["measured"] = TimePoint(values["measured"])
        for key in ("units", "values", "codes"):
            if key in values:
                values[key] = MappingProxyType(dict(values[key]))
        if "bands" in values:
            values["bands"] = tuple(values["bands"])
        if "subgroup_default" in values:
            values["subgroup_default"] = MappingProxyType(
                {name: tuple(chosen) for name, chosen in values["subgroup_default"].items()})
        if "diseases" in values:
            values["diseases"] = frozenset(values["diseases"])
        variables[values["name"]] = Variable(**values)
    return Dictionary(MappingProxyType(diseases), MappingProxyType(variables), version)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, VariableType | TimePoint) else value


def _refuse_unknown_keys(mapping: LocatedDict, allowed: set[str]) -> None:
    for key in mapping:
        if key not in allowed:
            raise DictionaryError(f"'{key}' is not a key of this block", where=mapping.where(key),
                                  remedy=f"Use one of: {', '.join(sorted(allowed))}.")


def _read_disease(document: LocatedDict, diseases: dict[str, Disease]) -> frozenset[str]:
    entry = document.get("disease")
    if entry is None:
        return frozenset()
    if not isinstance(entry, LocatedDict) or not {"code", "label"} <= set(entry):
        raise DictionaryError("'disease' needs a code and a label", where=document.where("disease"),
                              remedy="Write `disease:` with `code: ALL` and `label: …` under it.")
    _refuse_unknown_keys(entry, _DISEASE_KEYS)
    code = str(entry["code"])
    if code in diseases:
        raise DictionaryError(f"disease '{code}' is defined twice", where=document.where("disease"),
                              remedy="Keep one file a disease.")
    diseases[code] = Disease(code, str(entry["label"]), str(entry.get("adjective", "")))
    return frozenset({code})


def _read_variable(name: str, entry: Any, where: str, scope: frozenset[str]) -> Variable:
    def fail(problem: str, remedy: str, key: str | None = None) -> DictionaryError:
        place = entry.where(key) if isinstance(entry, LocatedDict) and key else where
        return DictionaryError(f"variable '{name}': {problem}", where=place, remedy=remedy)

    if not NAME.match(name):
        raise fail("the name is not lower-case letters, digits and underscores", "Rename it, e.g. `age_dx_years`.")
    if not isinstance(entry, LocatedDict):
        raise fail("no attributes are given", "Indent `label`, `section` and `type` under it.")
    _refuse_unknown_keys(entry, _VARIABLE_KEYS)
    for key in ("label", "section", "type"):
        if not isinstance(entry.get(key), str):
            raise fail(f"'{key}' is missing or not text", f"Add `{key}: …`.", key)
    kinds = [str(kind) for kind in VariableType]
    if entry["type"] not in kinds:
        raise fail(f"type '{entry['type']}' does not exist", f"Use one of: {', '.join(kinds)}.", "type")
    kind = VariableType(entry["type"])
    points = [str(point) for point in TimePoint]
    measured = entry.get("measured", "baseline")
    if measured not in points:
        raise fail(f"measured '{measured}' does not exist", f"Use one of: {', '.join(points)}.", "measured")
    if entry.get("sensitive", "low") not in _SENSITIVE:
        raise fail("'sensitive' is not low, medium or high", "Choose one of the three.", "sensitive")
    if entry.get("confounder", "") not in _CONFOUNDER:
        raise fail("'confounder' is not usual or essential", "Choose one of the two, or leave it out.", "confounder")
    if entry.get("log_scale") and kind not in NUMERIC:
        raise fail("only a number has a logarithm", "Remove `log_scale`.", "log_scale")
    for key in ("required", "kept", "everyday", "verified", "until_first_event", "asked", "quasi_identifier",
                "log_scale"):
        if not isinstance(entry.get(key, True), bool):
            raise fail(f"'{key}' is not true or false", f"Write `{key}: true` or leave it out.", key)
    lower, upper = _read_range(entry, kind, fail)
    return Variable(
        name=name, label=entry["label"], section=entry["section"], type=kind, unit=str(entry.get("unit", "")),
        units=_read_units(entry, kind, fail), values=_read_values(entry, kind, fail), lower=lower, upper=upper,
        flag_above=_read_number(entry, "flag_above", kind, fail), bands=_read_bands(entry, kind, fail),
        measured=TimePoint(measured), day_variable=str(entry.get("day_variable", "")),
        until_then=str(entry.get("until_then", "")), until_first_event=entry.get("until_first_event", False),
        asked=entry.get("asked", True),
        required=entry.get("required", False), kept=entry.get("kept", True), derived=str(entry.get("derived", "")),
        everyday=entry.get("everyday", False), sensitive=entry.get("sensitive", "low"),
        quasi_identifier=entry.get("quasi_identifier", False), generalise_to=str(entry.get("generalise_to", "")),
        instead_of=str(entry.get("instead_of", "")), subgroup_default=_read_subgroup_default(entry, kind, fail),
        confounder=entry.get("confounder", ""), log_scale=entry.get("log_scale", False),
        codes=MappingProxyType({str(k): str(v) for k, v in entry.get("codes", {}).items()}),
        verified=entry.get("verified", True), definition=str(entry.get("definition", "")), diseases=scope)


def _read_values(entry: LocatedDict, kind: VariableType, fail: Any) -> Mapping[str, str]:
    if kind is VariableType.YES_NO:
        if "values" in entry:
            raise fail("a yes_no variable has its values already", "Remove `values`.", "values")
        return YES_NO
    values = entry.get("values")
    if kind is VariableType.CATEGORY:
        if not isinstance(values, LocatedDict) or len(values) < 1:
            raise fail("a category needs `values`, code to label", "List them under `values:`.", "values")
        return MappingProxyType({str(code): str(label) for code, label in values.items()})
    if values is not None:
        raise fail(f"a variable of type {kind} has no `values`", "Remove `values` or make it a category.", "values")
    return MappingProxyType({})


def _read_units(entry: LocatedDict, kind: VariableType, fail: Any) -> Mapping[str, float]:
    units = entry.get("units")
    if units is None:
        return MappingProxyType({})
    if kind not in NUMERIC or not isinstance(units, LocatedDict):
        raise fail("`units` maps unit to factor, for numbers only", "Write `units:` with `g/L: 0.1` lines.", "units")
    if not all(isinstance(factor, int | float) and factor > 0 for factor in units.values()):
        raise fail("a unit's factor is not a positive number", "Give the number that turns it into `unit`.", "units")
    return MappingProxyType({str(unit): float(factor) for unit, factor in units.items()})


def _read_range(entry: LocatedDict, kind: VariableType, fail: Any) -> tuple[float | None, float | None]:
    if "range" not in entry:
        return None, None
    ends = entry["range"]
    if kind not in NUMERIC:
        raise fail("only numbers have a range", "Remove `range`.", "range")
    if not (isinstance(ends, list) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends)):
        raise fail("`range` is not two numbers", "Write `range: [0, 100]`.", "range")
    if ends[0] >= ends[1]:
        raise fail(f"the range {ends[0]} to {ends[1]} is upside down", "Write the smaller number first.", "range")
    return float(ends[0]), float(ends[1])


def _read_number(entry: LocatedDict, key: str, kind: VariableType, fail: Any) -> float | None:
    if key not in entry:
        return None
    if kind not in NUMERIC or not isinstance(entry[key], int | float):
        raise fail(f"`{key}` is a number, for numbers only", f"Correct or remove `{key}`.", key)
    return float(entry[key])


def _read_subgroup_default(entry: LocatedDict, kind: VariableType, fail: Any) -> Mapping[str, tuple[str, ...]] | None:
    if "subgroup_default" not in entry:
        return None
    given = entry["subgroup_default"]
    if kind not in CATEGORICAL:
        raise fail("only what can group patients is offered for subgroups", "Remove `subgroup_default`.",
                   "subgroup_default")
    if given is True:
        return MappingProxyType({})
    if not isinstance(given, LocatedDict) or not all(isinstance(values, list) for values in given.values()):
        raise fail("`subgroup_default` is not true, nor a mapping of variables to lists of values",
                   "Write `subgroup_default: true` or `subgroup_default: {immunophenotype: [B]}`.", "subgroup_default")
    return MappingProxyType({str(name): tuple(str(value) for value in values) for name, values in given.items()})


def _read_bands(entry: LocatedDict, kind: VariableType, fail: Any) -> tuple[float, ...]:
    if "bands" not in entry:
        return ()
    bands = entry["bands"]
    if kind not in NUMERIC or not isinstance(bands, list) or not all(isinstance(b, int | float) for b in bands):
        raise fail("`bands` is a list of numbers, for numbers only", "Write `bands: [1, 10, 18]`.", "bands")
    if list(bands) != sorted(set(bands)):
        raise fail("`bands` do not ascend", "Sort them and remove repetitions.", "bands")
    return tuple(float(band) for band in bands)
