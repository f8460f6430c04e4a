"""Checks of plausibility: order in time, events, contradictions, constants, follow-up, the same patient twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable, VariableType
from harmony_dash.quality.completeness import missing_rule
from harmony_dash.quality.conditions import EVERYBODY, AfterToday, Below, Condition, Every, Is, Known
from harmony_dash.quality.conformance import reported
from harmony_dash.quality.drafting import counted, draft
from harmony_dash.quality.model import Constant, Counted, Judgement, Median, Rule, Size
from harmony_dash.quality.types import TYPES

# Ingest reports contradictions of these too, although they are neither days nor part of the event record.
_ACROSS = ("immunophenotype", "subtype", "etp", "sex", "modal_chr", "heh", "hsct_cr1", "randomised", "mrd_eoi_value",
           "mrd_eoi_lod", "mrd_eoc_value", "mrd_eoc_lod", "prednisone_response_d8", "marrow_d15")
_EVENTS = ("cr_status", "hsct_cr1", "randomised")

# In every source of some size people differ in these. One that only holds B-cell or T-cell leukaemia is nothing odd,
# and rare findings may well be absent, so genetics are asked of children with B-cell precursors alone.
_VARY = ("age_dx_years", "sex", "wbc_dx", "hb", "plt", "blasts_pb", "blasts_bm", "cns_status", "subtype", "modal_chr",
         "dna_index", "cr_days", "first_event", "death", "last_contact_days", "risk_group_reported", "mrd_eoi_status",
         "mrd_eoi_value", "mrd_eoc_status")
_VARY_IN_CHILDREN = ("etv6_runx1", "heh", "cna_cdkn2a", "cna_ikzf1")
_CHILDREN: Condition = Every((Is("immunophenotype", ("B",)), Is("age_group", ("1-9",))))
_LEAST_CONSTANT = 50

_NO_EVENT = Every((Is("first_event", ("none",)), Is("death", ("no",))))
_LOST_YEARS = 2
_LEAST_LOST = 100
_LEAST_DRIFT = 50

# What else is compared with the previous snapshot, besides what is missing: shares and medians.
_SHARES = (("sex", "F"), ("immunophenotype", "T"), ("first_event", "relapse"), ("death", "yes"),
           ("mrd_group", "mrd_failure"), ("cyto_group", "high"), ("risk_group_reported", "HR"),
           ("intensity_received", "reduced"), ("intensity_received", "intensified"))
_MEDIANS = ("age_dx_years", "wbc_dx", "hb", "plt", "cr_days", "last_contact_days")


def plausibility_rules(dictionary: Dictionary) -> Iterator[Rule]:
    """All checks of plausibility that stand on the dictionary alone."""
    for variable in dictionary.variables.values():
        yield from _reported_rules(variable)
    yield from _constant_rules(dictionary)
    yield from _follow_up_rules(dictionary)
    yield from _drift_rules(dictionary)


def _reported_rules(variable: Variable) -> Iterator[Rule]:
    label, is_day = variable.label, variable.type is VariableType.DAYS
    outcome = variable.measured is TimePoint.OUTCOME or variable.name in _EVENTS
    if is_day or variable.name == "first_event":
        yield reported("temporal_order", variable, f"{label} contradicts another day")
    if outcome and (is_day or variable.is_categorical) and not variable.name.startswith("mrd_"):
        yield reported("event_time", variable, f"{label}: an event without its day, a day without its event, or events "
                                               "that contradict each other")
    if variable.name in _ACROSS or (outcome and not variable.name.endswith("_op")):
        yield reported("cross_field", variable, f"{label} hardly fits the patient's other values")
    if variable.units or variable.unit in ("fraction", "%"):
        yield reported("unit", variable, f"{label} is written against its declared unit")
    if variable.flag_above is not None:
        yield reported("flagged", variable, f"{label} above {variable.flag_above:g} {variable.unit}".rstrip())


def _constant_rules(dictionary: Dictionary) -> Iterator[Rule]:
    for names, among, asked in ((_VARY, EVERYBODY, "patients with a value"),
                                (_VARY_IN_CHILDREN, _CHILDREN, "children of 1–9 years with B-ALL and a value")):
        for name in names:
            if name in dictionary and (among is EVERYBODY or "immunophenotype" in dictionary):
                variable = dictionary[name]
                yield draft("constant", variable, f"{variable.label} is the same in all patients",
                            Constant(name, among), asked=asked, least=_LEAST_CONSTANT)


def _follow_up_rules(dictionary: Dictionary) -> Iterator[Rule]:
    if "last_contact_days" not in dictionary:
        return
    last = dictionary["last_contact_days"]
    yield counted("follow_up", last, "followed beyond today, whatever the year of diagnosis within its period",
                  Counted(AfterToday(last.name, "dx_period"), Every((Known(last.name), Known("dx_period")))),
                  part="beyond_today", asked="patients with a period of diagnosis", least=1)
    yield counted("follow_up", last, f"followed for less than {_LOST_YEARS} years (there should be some)",
                  Counted(Below(last.name, 365.25 * _LOST_YEARS), _NO_EVENT), part="none_lost", least=_LEAST_LOST,
                  asked="patients alive without event", judgement=Judgement.LACK, warn=0.0,
                  fail=math.inf)
    yield counted("follow_up", last, "followed for less than a year", Counted(Below(last.name, 365.25), _NO_EVENT),
                  part="lost_early", asked="patients alive without event", warn=0.40, fail=0.70)


def _drift_rules(dictionary: Dictionary) -> Iterator[Rule]:
    limits = TYPES["drift"].warn, TYPES["drift"].fail
    yield draft("drift", None, "accepted patients, against the previous snapshot", Size(), judgement=Judgement.LOSS,
                warn=0.10, fail=0.33, part="patients")
    for variable in dictionary.kept:
        if not variable.derived and variable.type is not VariableType.IDENTIFIER:
            rule = missing_rule("drift", variable, dictionary, judgement=Judgement.SHIFT, limits=limits)
            yield replace(rule, check=replace(rule.check, id=f"{rule.check.id}.missing", least=_LEAST_DRIFT))
    for name, code in _SHARES:
        if name in dictionary and code in dictionary[name].values:
            variable = dictionary[name]
            yield counted("drift", variable, f"{variable.label}: {variable.label_of(code)}", Counted(
                Is(name, (code,)), Known(name)), part=f"is_{code.lower()}", asked="patients with a value",
                judgement=Judgement.SHIFT, least=_LEAST_DRIFT, needs=() if variable.derived else None)
    for name in _MEDIANS:
        if name in dictionary:
            yield draft("drift", dictionary[name], f"median of {dictionary[name].label}", Median(name), part="median",
                        asked="patients with a value", judgement=Judgement.RATIO, warn=0.25, fail=0.50,
                        least=_LEAST_DRIFT)

