from __future__ import annotations

import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.ingest import vocabulary


@pytest.mark.parametrize("code", load_dictionary()["subtype"].values)
def test_every_subtype_of_the_dictionary_is_its_own_synonym_in_any_case(code):
    assert vocabulary.subtype_of(code) == code
    assert vocabulary.subtype_of(f" {code.upper()} ") == code


@pytest.mark.parametrize(("text", "subtype"), [
    ("TEL-AML1", "ETV6::RUNX1"), ("TEL/AML1", "ETV6::RUNX1"), ("ETV6-RUNX1", "ETV6::RUNX1"),
    ("etv6 :: runx1", "ETV6::RUNX1"), ("ETV6_RUNX1", "ETV6::RUNX1"), ("AML1-TEL", "ETV6::RUNX1"),
    ("t(12;21)", "ETV6::RUNX1"), ("t(12;21)(p13;q22)", "ETV6::RUNX1"), ("t(12;21)(p13.2;q22.1)", "ETV6::RUNX1"),
    ("T (12; 21)", "ETV6::RUNX1"),
    ("BCR-ABL", "BCR::ABL1"), ("BCR/ABL1", "BCR::ABL1"), ("t(9;22)(q34;q11.2)", "BCR::ABL1"), ("Ph+", "BCR::ABL1"),
    ("E2A-PBX1", "TCF3::PBX1"), ("t(1;19)(q23;p13.3)", "TCF3::PBX1"), ("E2A/HLF", "TCF3::HLF"),
    ("MLL-AF4", "KMT2A-r"), ("KMT2A::AFF1", "KMT2A-r"), ("MLL/ENL", "KMT2A-r"), ("t(4;11)", "KMT2A-r"),
    ("MLL-r", "KMT2A-r"), ("KMT2A rearranged", "KMT2A-r"),
    ("high hyperdiploidy", "HeH"), ("High-Hyperdiploid", "HeH"), ("P2RY8-CRLF2", "Ph-like CRLF2"),
    ("IGH::DUX4", "DUX4-r"), ("low hypodiploidy", "low-hypodiploid"), ("near haploid", "near-haploid"),
    ("BCR-ABL1-like", "Ph-like NOS"),
    # what means two things, or something else, stays unknown
    ("B-other", None), ("hypodiploid", None), ("hyperdiploid", None), ("11q23", None), ("other", None),
    ("normal", None), ("TEL-AML1 negative", None), ("KMT2A-neg", None), ("t(8;21)", None),
    ("t(1;19)(q10;p10)", None), ("t(12;21)(q13;q22)", None), ("ETV6", None), ("", None), ("::", None),
])
def test_subtypes_are_recognised_by_listed_words_fusions_and_translocations_only(text, subtype):
    assert vocabulary.subtype_of(text) == subtype


def test_every_subtype_word_leads_to_a_code_of_the_dictionary():
    codes = load_dictionary()["subtype"].values
    assert set(vocabulary._subtype_lookup().values()) <= set(codes)
    assert set(vocabulary._FUSIONS.values()) <= set(codes)
    assert {entry[0] for entry in vocabulary._TRANSLOCATIONS.values()} <= set(codes)


@pytest.mark.parametrize(("text", "genes"), [
    ("TEL-AML1", ("etv6", "runx1")), ("MLL::AF9", ("kmt2a", "mllt3")), ("bcr / abl", ("bcr", "abl1")),
    ("A:B1", None), ("one", None), ("A1-B1-C1", None), ("p190-", None),
])
def test_fusions_are_normalised_to_two_current_gene_names(text, genes):
    assert vocabulary.normalise_fusion(text) == genes


@pytest.mark.parametrize(("text", "code"), [
    ("pos", "pos"), ("Positiv", "pos"), ("positif", "pos"), ("détecté", None), ("negativo", "neg"), ("Négatif", "neg"),
    ("negatief", "neg"), ("negativní", "neg"), ("failed", "failed"), ("fehlgeschlagen", "failed"), ("échec", "failed"),
    ("not done", "not_done"), ("nicht durchgeführt", "not_done"), ("niet gedaan", "not_done"), ("ei tehty", "not_done"),
    ("ikke utført", "not_done"), ("neprovedeno", "not_done"), ("not evaluable", "failed"),
    ("-", None), ("+", None), ("no", None), ("n.d.", None), ("nd", None), ("1", None), ("?", None), ("", None),
])
def test_marker_words_never_guess_what_a_sign_or_an_abbreviation_means(text, code):
    assert vocabulary.marker_of(text) == code


@pytest.mark.parametrize(("text", "code"), [
    ("del", "del"), ("Deletion", "del"), ("heterozygous deletion", "del"), ("homozygous", "del"),
    ("no deletion", "nodel"),
    ("not deleted", "nodel"), ("WT", "nodel"), ("wild-type", "nodel"), ("nodel", "nodel"), ("failed", "failed"),
    ("not tested", "not_done"), ("none", None), ("neg", None), ("gain", None), ("n.d.", None), ("", None),
])
def test_deletion_words_never_guess(text, code):
    assert vocabulary.deletion_of(text) == code
