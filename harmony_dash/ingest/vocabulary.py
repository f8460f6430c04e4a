"""Synonyms that providers use for subtypes, markers and deletions.

A word is looked up after normalisation (case, accents, spaces and the many ways to write a fusion); a word that is not
listed stays unknown. Words that mean two things are left out on purpose: "Ph-like" does not say which kind, so it is
`Ph-like NOS`; "hypodiploid" does not say how low, so it is not a word here; "n.d." is not done to some and not detected
to others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from harmony_dash.ingest.transforms import normalise_words

# Old gene names, read only inside a fusion.
_GENES: Mapping[str, str] = MappingProxyType({
    "tel": "etv6", "aml1": "runx1", "cbfa2": "runx1", "e2a": "tcf3", "abl": "abl1", "mll": "kmt2a",
    "mll1": "kmt2a", "af4": "aff1", "af9": "mllt3", "enl": "mllt1", "af10": "mllt10", "af6": "mllt4",
})

_FUSION_SEPARATOR = re.compile(r"\s*(?:::|/|-|_|:)\s*")

# Translocations as karyotypes write them. Breakpoints may be left out; where given they must begin like these.
_TRANSLOCATIONS: Mapping[str, tuple[str, str, str]] = MappingProxyType({
    "t(12;21)": ("ETV6::RUNX1", "p13", "q22"),
    "t(9;22)": ("BCR::ABL1", "q34", "q11"),
    "t(1;19)": ("TCF3::PBX1", "q23", "p13"),
    "t(17;19)": ("TCF3::HLF", "q2", "p13"),
    "t(4;11)": ("KMT2A-r", "q21", "q23"),
})
_TRANSLOCATION = re.compile(r"(t\([0-9]{1,2};[0-9]{1,2}\))(?:\(([pq][0-9.]+);([pq][0-9.]+)\))?")

_SUBTYPE_WORDS: Mapping[str, Iterable[str]] = MappingProxyType({
    "ETV6::RUNX1-like": ("etv6-runx1-like", "etv6-runx1 like", "etv6::runx1 like"),
    "HeH": ("high hyperdiploid", "high hyperdiploidy", "high-hyperdiploid", "high-hyperdiploidy", "hehd"),
    "BCR::ABL1": ("philadelphia", "philadelphia positive", "philadelphia chromosome", "ph+", "ph positive",
                  "ph-positive"),
    "Ph-like ABL-class": ("abl-class", "abl class", "ph-like abl class", "bcr-abl1-like abl-class"),
    "Ph-like CRLF2": ("crlf2-r", "crlf2 rearranged", "crlf2 rearrangement", "ph-like crlf2-r"),
    "Ph-like JAK/EPOR": ("ph-like jak", "ph-like epor", "ph-like jak-epor", "ph-like jak/epor/other"),
    "Ph-like NOS": ("ph-like", "ph like", "bcr-abl1-like", "bcr::abl1-like", "bcr/abl1-like"),
    "KMT2A-r": ("kmt2a", "kmt2ar", "kmt2a r", "kmt2a rearranged", "kmt2a-rearranged", "kmt2a rearrangement", "mll",
                "mll-r", "mllr", "mll r", "mll rearranged", "mll-rearranged", "mll rearrangement"),
    "near-haploid": ("near haploid", "near-haploidy", "near haploidy"),
    "low-hypodiploid": ("low hypodiploid", "low hypodiploidy", "low-hypodiploidy", "hotr"),
    "high-hypodiploid": ("high hypodiploid", "high hypodiploidy", "high-hypodiploidy"),
    "iAMP21": ("iamp 21", "intrachromosomal amplification of chromosome 21"),
    "DUX4-r": ("dux4", "dux4 rearranged", "dux4-rearranged", "erg/dux4", "dux4/erg"),
    "ZNF384-r": ("znf384", "znf384 rearranged", "znf384-rearranged"),
    "MEF2D-r": ("mef2d", "mef2d rearranged", "mef2d-rearranged"),
    "NUTM1-r": ("nutm1", "nutm1 rearranged", "nutm1-rearranged"),
    "PAX5alt": ("pax5-alt", "pax5 alt", "pax5 altered"),
    "PAX5 P80R": ("pax5-p80r", "pax5 p.pro80arg"),
    "IKZF1 N159Y": ("ikzf1-n159y", "ikzf1 p.asn159tyr"),
    "BCL2/MYC-r": ("bcl2/myc", "bcl2-myc", "bcl2/myc rearranged"),
    "IGH-r other": ("igh rearranged other", "other igh rearrangement"),
    "B-other (tested)": ("b-other tested", "b other tested", "b other (tested)"),
    "T ETP": ("etp", "etp-all", "etp all", "early t-cell precursor", "t-all etp"),
    "T non-ETP": ("non-etp", "non etp", "t-all non-etp"),
})

# Every code of the dictionary is a synonym of itself.
_SUBTYPE_CODES = (
    "ETV6::RUNX1", "ETV6::RUNX1-like", "HeH", "BCR::ABL1", "Ph-like ABL-class", "Ph-like CRLF2", "Ph-like JAK/EPOR",
    "Ph-like NOS", "KMT2A-r", "near-haploid", "low-hypodiploid", "high-hypodiploid", "iAMP21", "TCF3::PBX1",
    "TCF3::HLF", "DUX4-r", "ZNF384-r", "MEF2D-r", "NUTM1-r", "PAX5alt", "PAX5 P80R", "IKZF1 N159Y", "BCL2/MYC-r",
    "IGH-r other", "B-other (tested)", "T ETP", "T non-ETP", "T TAL1", "T TLX1", "T TLX3", "T HOXA", "T NKX2", "T LMO",
)

# Fusions and the subtype they define, in current gene names.
_FUSIONS: Mapping[tuple[str, str], str] = MappingProxyType({
    ("etv6", "runx1"): "ETV6::RUNX1",
    ("bcr", "abl1"): "BCR::ABL1",
    ("tcf3", "pbx1"): "TCF3::PBX1",
    ("tcf3", "hlf"): "TCF3::HLF",
    ("kmt2a", "aff1"): "KMT2A-r",
    ("kmt2a", "mllt1"): "KMT2A-r",
    ("kmt2a", "mllt3"): "KMT2A-r",
    ("kmt2a", "mllt10"): "KMT2A-r",
    ("kmt2a", "mllt4"): "KMT2A-r",
    ("kmt2a", "afdn"): "KMT2A-r",
    ("p2ry8", "crlf2"): "Ph-like CRLF2",
    ("igh", "crlf2"): "Ph-like CRLF2",
    ("igh", "dux4"): "DUX4-r",
})

_MARKER_WORDS: Mapping[str, str] = MappingProxyType({
    "pos": "pos positive positiv positif positivo positief positiva positivni positiivinen present detected",
    "neg": "neg negative negativ negatif negativo negatief negativa negativni negatiivinen absent",
    "failed": "failed fail failure fehlgeschlagen echec fallido fallito mislukt uninformative",
})

_DELETION_WORDS: Mapping[str, str] = MappingProxyType({
    "del": "del deleted deletion deletiert delete delecion deletado delezione deletie loss heterozygous homozygous het "
           "hom hemizygous biallelic monoallelic",
    "nodel": "nodel wt normal undeleted retained",
    "failed": "failed fail failure fehlgeschlagen echec fallido fallito mislukt uninformative",
})

_DELETION_PHRASES: Mapping[str, str] = MappingProxyType({
    "no deletion": "nodel", "not deleted": "nodel", "no del": "nodel", "no loss": "nodel", "wild type": "nodel",
    "wild-type": "nodel", "heterozygous deletion": "del", "homozygous deletion": "del", "biallelic deletion": "del",
    "monoallelic deletion": "del",
})

_TEST_PHRASES: Mapping[str, str] = MappingProxyType({
    "not done": "not_done", "not_done": "not_done", "notdone": "not_done", "not tested": "not_done",
    "untested": "not_done", "not performed": "not_done", "nicht durchgefuhrt": "not_done",
    "nicht untersucht": "not_done", "non fait": "not_done", "non realise": "not_done", "niet gedaan": "not_done",
    "niet verricht": "not_done", "no realizado": "not_done", "no hecho": "not_done", "nao realizado": "not_done",
    "non eseguito": "not_done", "ikke utfort": "not_done", "ikke udfort": "not_done", "ej utford": "not_done",
    "neprovedeno": "not_done", "ei tehty": "not_done",
    "test failed": "failed", "not evaluable": "failed", "not informative": "failed",
})


def normalise_fusion(text: str) -> tuple[str, str] | None:
    """Two current gene names from a fusion written with `::`, `/`, `-`, `_` or `:` and old or new names, or None."""
    parts = _FUSION_SEPARATOR.split(normalise_words(text))
    if len(parts) != 2 or not all(re.fullmatch(r"[a-z][a-z0-9]+", part) for part in parts):
        return None
    first, second = (_GENES.get(part, part) for part in parts)
    return first, second


def subtype_of(text: str) -> str | None:
    """The subtype code of a provider's word, a fusion or a translocation; None if it is not known."""
    word = normalise_words(text)
    known = _subtype_lookup().get(word)
    if known is not None:
        return known
    translocation = _TRANSLOCATION.fullmatch(word.replace(" ", ""))
    if translocation is not None:
        return _subtype_of_translocation(*translocation.groups())
    fusion = normalise_fusion(text)
    return None if fusion is None else _FUSIONS.get(fusion) or _FUSIONS.get((fusion[1], fusion[0]))


def marker_of(text: str) -> str | None:
    """`pos`, `neg`, `failed` or `not_done` from words; None if the word is not known."""
    return _marker_lookup().get(normalise_words(text))


def deletion_of(text: str) -> str | None:
    """`del`, `nodel`, `failed` or `not_done` from words; None if the word is not known."""
    return _deletion_lookup().get(normalise_words(text))


def _subtype_of_translocation(chromosomes: str, first: str | None, second: str | None) -> str | None:
    if chromosomes not in _TRANSLOCATIONS:
        return None
    subtype, first_band, second_band = _TRANSLOCATIONS[chromosomes]
    if first is not None and second is not None:
        return subtype if first.startswith(first_band) and second.startswith(second_band) else None
    return subtype


@lru_cache(maxsize=1)
def _subtype_lookup() -> Mapping[str, str]:
    lookup = {normalise_words(code): code for code in _SUBTYPE_CODES}
    for code, words in _SUBTYPE_WORDS.items():
        lookup |= {normalise_words(word): code for word in words}
    return MappingProxyType(lookup)


@lru_cache(maxsize=1)
def _marker_lookup() -> Mapping[str, str]:
    return MappingProxyType(_split(_MARKER_WORDS) | dict(_TEST_PHRASES))


@lru_cache(maxsize=1)
def _deletion_lookup() -> Mapping[str, str]:
    return MappingProxyType(_split(_DELETION_WORDS) | dict(_DELETION_PHRASES) | dict(_TEST_PHRASES))


def _split(words: Mapping[str, str]) -> dict[str, str]:
    return {word: code for code, listed in words.items() for word in listed.split()}
