"""Checks of conformance: what ingest refuses or reports cell by cell, what is derived, what is reported of risk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable, VariableType
from harmony_dash.quality.conditions import AtLeast, Below, Condition, Either, Every, Is, Known, Otherwise
from harmony_dash.quality.drafting import ROWS, counted, draft
from harmony_dash.quality.model import Counted, Refused, Reported, Rule
from harmony_dash.quality.types import TYPES

# Groups that are bands of a number: computed again here from the dictionary's own edges.
BANDED: Mapping[str, str] = MappingProxyType({"age_group": "age_dx_years", "wbc_band": "wbc_dx"})
_MRD_CUT = 1e-4
# Where a source gives the parts of the event record, each of them must be known.
_NEEDED_FOR_EVENTS = ("relapse", "treatment_failure", "smn", "cr_status")


def conformance_rules(dictionary: Dictionary) -> Iterator[Rule]:
    """All checks of conformance."""
    supplied = [variable for variable in dictionary.variables.values() if not variable.derived]
    for variable in supplied:
        yield from _cell_rules(variable)
    yield draft("refused", None, "rows that were refused", Refused(), asked=ROWS)
    yield from catch_all_rules()
    yield from _recomputed_rules(dictionary)
    yield from _reported_risk_rules(dictionary)


def catch_all_rules() -> Iterator[Rule]:
    """One rule a reason type for what ingest reports of no single variable, or of one that no other rule takes."""
    for kind in TYPES.values():
        if kind.reasons:
            yield draft(kind.name, None, f"{kind.definition.rstrip('.')}; here those that are about no single variable",
                        Reported(kind.reasons, ""), asked=ROWS)


def reported(kind: str, variable: Variable, words: str, needs: tuple[str, ...] | None = None) -> Rule:
    """The rule for what ingest reports of a variable."""
    return draft(kind, variable, words, Reported(TYPES[kind].reasons, variable.name), asked=ROWS, needs=needs)


def _cell_rules(variable: Variable) -> Iterator[Rule]:
    label = variable.label
    if variable.required or variable.name in _NEEDED_FOR_EVENTS:
        yield reported("required", variable, f"{label} is missing",
                        needs=() if variable.type is VariableType.IDENTIFIER else None)
    if variable.type is VariableType.IDENTIFIER:
        return
    if variable.is_numeric or variable.type is VariableType.CODE:
        yield reported("type", variable, f"{label} is not a readable {_form(variable)}")
    if variable.values:
        yield reported("value_list", variable, f"{label} is none of the {len(variable.values)} permitted values")
    if variable.lower is not None and variable.upper is not None:
        unit = f" {variable.unit}" if variable.unit not in ("", "fraction") else ""
        yield reported("range", variable, f"{label} is outside {variable.lower:g} to {variable.upper:g}{unit}")


def _form(variable: Variable) -> str:
    if variable.type is VariableType.CODE:
        return "code"
    if variable.type is VariableType.DAYS:
        return "day or date"
    return "number"


# -- derived values, a second time -------------------------------------------------------------------------------------


def _recomputed_rules(dictionary: Dictionary) -> Iterator[Rule]:
    found: dict[str, Condition] = {}
    for group, number in BANDED.items():
        if group in dictionary and number in dictionary:
            codes, edges = list(dictionary[group].values), dictionary[number].bands
            if len(codes) == len(edges) + 1:
                found[group] = _other_band(group, number, codes, edges)
    if {"nci_risk", "age_dx_years", "wbc_dx"} <= dictionary.variables.keys():
        found["nci_risk"] = _other_nci_group()
    if {"mrd_group", "mrd_eoi_value"} <= dictionary.variables.keys():
        found["mrd_group"] = Either((
            Every((Is("mrd_group", ("mrd_failure",)), Below("mrd_eoi_value", _MRD_CUT))),
            Every((Is("mrd_group", ("mrd_cr", "mrd_intermediate")), AtLeast("mrd_eoi_value", _MRD_CUT),
                   Is("mrd_eoi_status", ("quantified",))))))
    for name, contradiction in found.items():
        variable = dictionary[name]
        yield draft("recomputed", variable, f"{variable.label} is not what its inputs say",
                    Counted(contradiction, Known(name)), asked="patients with the derived value", needs=())


def _other_band(group: str, number: str, codes: list[str], edges: tuple[float, ...]) -> Condition:
    ends: list[float | None] = [None, *edges, None]
    wrong: list[Condition] = []
    for code, low, high in zip(codes, ends, ends[1:], strict=False):
        inside: list[Condition] = [] if low is None else [AtLeast(number, low)]
        inside += [] if high is None else [Below(number, high)]
        wrong.append(Every((Is(group, (code,)), Otherwise(Every(tuple(inside))))))
    return Either(tuple(wrong))


def _other_nci_group() -> Condition:
    """Exactly 10.0 years and 50.0 ×10⁹/L are high risk (NCI PDQ)."""
    high = Either((AtLeast("age_dx_years", 10), Every((AtLeast("age_dx_years", 1), AtLeast("wbc_dx", 50)))))
    standard = Every((AtLeast("age_dx_years", 1), Below("age_dx_years", 10), Below("wbc_dx", 50)))
    rules: dict[str, Condition] = {"HR": high, "SR": standard, "infant": Below("age_dx_years", 1)}
    return Either(tuple(Every((Is("nci_risk", (code,)), Otherwise(rule))) for code, rule in rules.items()))


# -- reported against derived risk -------------------------------------------------------------------------------------


def _reported_risk_rules(dictionary: Dictionary) -> Iterator[Rule]:
    """What no protocol does: low risk in spite of a high-risk feature, or high risk without any of the known ones."""
    if "risk_group_reported" not in dictionary:
        return
    group_reported = dictionary["risk_group_reported"]
    low, high = Is("risk_group_reported", ("SR",)), Is("risk_group_reported", ("HR", "VHR"))
    pairs: dict[str, tuple[str, Condition, Condition]] = {
        "cyto_group": ("reported standard risk, yet high-risk genetics", low, Is("cyto_group", ("high",))),
        "mrd_group": ("reported standard risk, yet MRD failure at the end of induction", low,
                      Is("mrd_group", ("mrd_failure",))),
        "nci_risk": ("reported high risk, yet NCI standard risk with MRD response and no high-risk genetics", high,
                     Every((Is("nci_risk", ("SR",)), Is("mrd_group", ("mrd_cr",)),
                            Is("cyto_group", ("good", "intermediate"))))),
    }
    for name, (words, group, derived) in pairs.items():
        if name in dictionary and dictionary[name].measured is not TimePoint.OUTCOME:
            among = Every((Known("risk_group_reported"), derived))
            yield counted("reported_risk", group_reported, words, Counted(group, among), part=name,
                          asked="patients with the derived group in question and a reported one")
