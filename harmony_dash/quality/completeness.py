"""Checks of completeness: what is missing among those who should have it, and whether "not tested" is kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from harmony_dash.dictionary.model import Dictionary, Variable, VariableType
from harmony_dash.quality.conditions import EVERYBODY, Condition, Either, Every, Is, Known, Otherwise
from harmony_dash.quality.drafting import FEWEST, PATIENTS, counted, draft
from harmony_dash.quality.model import Counted, Judgement, Rule, Size

NO_RESULT = ("failed", "not_done")
# Without these a patient can hardly be placed.
CORE = frozenset({"age_dx_years", "sex", "wbc_dx", "immunophenotype", "country", "trial"})
# Shares of missing values from which on to warn and fail (project rule, after the gaps that registries are known for).
_CORE, _KEY, _OTHER, _RARELY_DONE = (0.05, 0.20), (0.30, 0.60), (0.50, 0.90), (0.80, 0.97)
_LEAST_FOR_LACK = 100
# Tests for rare subtypes are done in a quarter of the patients; in fewer than this, hardly anybody was tested.
_HARDLY_TESTED = _RARELY_DONE

# Who should have a value at all, and the words for them; everybody where a variable is not named here.
_TESTED_MRD = ("undetectable", "pos_below_qr", "quantified", "indeterminate")


def _mrd(stem: str) -> dict[str, tuple[Condition, str]]:
    def status(*codes: str) -> Condition:
        return Is(f"{stem}_status", codes)

    tested, words = status(*_TESTED_MRD), "patients with an MRD result"
    return {f"{stem}_value": (status("quantified"), "patients whose MRD was quantified"),
            f"{stem}_op": (status("quantified"), "patients whose MRD was quantified"),
            f"{stem}_lod": (tested, words), f"{stem}_method": (tested, words), f"{stem}_day": (tested, words),
            f"{stem}_loq": (status("pos_below_qr"), "patients positive below the quantitative range")}


AMONG: Mapping[str, tuple[Condition, str]] = MappingProxyType({
    **_mrd("mrd_eoi"), **_mrd("mrd_eoc"),
    "cr_days": (Is("cr_status", ("CR1",)), "patients in remission"),
    "rand_id": (Is("randomised", ("yes",)), "randomised patients"),
    "rand_arm": (Is("randomised", ("yes",)), "randomised patients"),
    "rand_days": (Is("randomised", ("yes",)), "randomised patients"),
    "hsct_days": (Is("hsct_cr1", ("yes",)), "patients transplanted in first remission"),
    "first_event_days": (Otherwise(Is("first_event", ("none",))), "patients with a first event"),
    "death_days": (Is("death", ("yes",)), "patients who died"),
    "cause_death": (Is("death", ("yes",)), "patients who died"),
    "relapse_site": (Is("first_event", ("relapse",)), "patients with a relapse"),
    "etp": (Is("immunophenotype", ("T",)), "patients with T-cell leukaemia"),
    "kmt2a_partner": (Is("kmt2a_r", ("pos",)), "patients with a KMT2A rearrangement"),
    "testis": (Is("sex", ("M",)), "boys and men"),
    **{f"mut_{gene}": (Is("immunophenotype", ("T",)), "patients with T-cell leukaemia")
       for gene in ("notch1", "fbxw7", "nras", "kras", "pten")},
    **{f"tri_{number}": (Is("heh", ("pos",)), "patients with high hyperdiploidy") for number in (4, 5, 10, 17, 18, 20)},
})


def completeness_rules(dictionary: Dictionary) -> Iterator[Rule]:
    """All checks of completeness."""
    yield draft("size", None, "accepted patients", Size(), judgement=Judgement.SIZE)
    for variable in dictionary.kept:
        if variable.derived or variable.type is VariableType.IDENTIFIER:
            continue
        yield missing_rule("completeness", variable, dictionary, judgement=Judgement.SHARE)
        if set(NO_RESULT) & set(variable.values):
            yield from _test_rules(variable, dictionary)


def missing_rule(kind: str, variable: Variable, dictionary: Dictionary, *, judgement: Judgement,
                 limits: tuple[float, float] | None = None) -> Rule:
    """The rule that counts those without a value among those who should have one."""
    among, asked = who_should_have(variable, dictionary)
    warn, fail = limits or _limits_of(variable)
    return counted(kind, variable, f"{variable.label} is missing", Counted(Otherwise(Known(variable.name)), among),
                   asked=asked, judgement=judgement, warn=warn, fail=fail)


def who_should_have(variable: Variable, dictionary: Dictionary) -> tuple[Condition, str]:
    """Of whom a value is expected: the patients of its diseases, and those it can have a value for."""
    among, words = AMONG.get(variable.name, (EVERYBODY, PATIENTS))
    if variable.diseases and set(dictionary.diseases) - variable.diseases:
        among = Every((Is("disease", tuple(sorted(variable.diseases))), among))
    return among, words


def _limits_of(variable: Variable) -> tuple[float, float]:
    if variable.required or variable.name in CORE:
        return _CORE
    if variable.name.startswith(("cna_", "mut_")):
        return _RARELY_DONE
    if variable.name.startswith("tri_"):
        return _OTHER
    return _KEY if variable.everyday or variable.name in AMONG or variable.name.endswith("_status") else _OTHER


def _test_rules(variable: Variable, dictionary: Dictionary) -> Iterator[Rule]:
    among, asked = who_should_have(variable, dictionary)
    none = tuple(code for code in NO_RESULT if code in variable.values)
    results = tuple(code for code in variable.values if code not in NO_RESULT)
    if "failed" in variable.values:
        yield counted("tested", variable, f"the test for {variable.label} failed",
                      Counted(Is(variable.name, ("failed",)), Every((among, Is(variable.name, (*results, "failed"))))),
                      asked="patients who were tested", least=FEWEST)
    # Two conditions that are each known or not: a missing value is a missing result as well.
    yield counted("kept_apart", variable, f"{variable.label} is missing, failed or not done",
                  Counted(Either((Otherwise(Known(variable.name)), Is(variable.name, none))), among), asked=asked,
                  judgement=Judgement.LACK, high=_HARDLY_TESTED[0], fail=_HARDLY_TESTED[1], least=_LEAST_FOR_LACK)

