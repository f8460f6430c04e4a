from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.load import restore_dictionary
from harmony_dash.errors import DictionaryError
from harmony_dash.ingest import derive as module
from harmony_dash.ingest.derive import derive

DICTIONARY = load_dictionary()
CNA = ["cna_ikzf1", "cna_cdkn2a", "cna_cdkn2b", "cna_pax5", "cna_par1", "cna_erg"]
MARKERS = [*module.HIGH_RISK_MARKERS, *module.GOOD_RISK_MARKERS]


def frame_of(columns, rows, **constants):
    return pd.DataFrame(rows, columns=columns, dtype=object).assign(**constants)


def codes(result):
    return [None if pd.isna(code) else code for code in result]


# -- oracles: the pseudo-code of the domain reference, one patient at a time ------------------------------------------


def nci_oracle(age, wbc):
    if age is None:
        return None
    if age < 1:
        return "infant"
    if age >= 10:
        return "HR"
    return None if wbc is None else "HR" if wbc >= 50 else "SR"


UK_MARKERS = ["bcr_abl1", "kmt2a_r", "near_haploid", "low_hypodiploid", "iamp21", "tcf3_hlf", "etv6_runx1", "heh"]


def uk_test_successful(g):
    """Every marker negative, or another subtype named; B-other is none unless nothing failed or was left out."""
    results = [g.get(marker) for marker in UK_MARKERS]
    if all(result == "neg" for result in results):
        return True
    if g.get("subtype") == "B-other (tested)":
        return not any(result in ("failed", "not_done") for result in results)
    return g.get("subtype") is not None and not g["subtype"].startswith("T ")


def uk_cyto_oracle(g, test_successful):
    if any(g[x] == "pos" for x in ("bcr_abl1", "kmt2a_r", "near_haploid", "low_hypodiploid", "iamp21", "tcf3_hlf")):
        return "high"
    if g["etv6_runx1"] == "pos" or g["heh"] == "pos":
        return "good"
    return "intermediate" if test_successful else None


def ikzf1plus_oracle(d):
    if d["cna_ikzf1"] != "del":
        return "no_ikzf1del" if d["cna_ikzf1"] == "nodel" else None
    p = [d["cna_cdkn2a"], d["cna_cdkn2b"], d["cna_pax5"], d["cna_par1"]]
    if "del" not in p:
        return "ikzf1del" if all(x == "nodel" for x in p) else None
    return {"nodel": "ikzf1plus", "del": "ikzf1del"}.get(d["cna_erg"], "ikzf1plus_provisional")


def cna_oracle(deleted, tested8):
    if deleted & {"IKZF1", "PAR1", "EBF1", "RB1"}:
        return "poor"
    if not tested8:
        return None
    if not deleted or (len(deleted) == 1 and deleted <= {"ETV6", "PAX5", "BTG1"}):
        return "good"
    if "ETV6" in deleted and len(deleted) == 2 and deleted - {"ETV6"} <= {"BTG1", "PAX5", "CDKN2AB"}:
        return "good"
    return "intermediate"


def mrd_group_oracle(status, op, value, lod, loq):
    if status == "quantified":
        if value >= 1e-4:
            return "mrd_failure"
        return None if op == ">" else "mrd_intermediate"
    if status == "pos_below_qr":
        return None if loq is not None and loq > 1e-4 else "mrd_intermediate"
    if status == "undetectable" and lod is not None:
        return "mrd_cr" if lod <= 1e-4 else "mrd_intermediate"
    return None


# -- grids -----------------------------------------------------------------------------------------------------------


def test_nci_risk_agrees_with_its_pseudo_code_on_a_grid():
    grid = list(product([None, 0, 0.99, 1, 5, 9.999, 10, 10.001, 60], [None, 0, 10, 49.999, 50, 50.001, 400]))
    frame = frame_of(["age_dx_years", "wbc_dx"], grid).astype("Float64")
    assert codes(module.nci_risk(frame)) == [nci_oracle(*row) for row in grid]


def test_cyto_group_agrees_with_its_pseudo_code_on_a_grid():
    values = ["neg", "pos", "failed", "not_done", None]
    grid = list(product([None, "B-other (tested)", "PAX5alt", "T TAL1"], *[values] * 4))
    sides = ["subtype", "bcr_abl1", "kmt2a_r", "etv6_runx1", "heh"]
    frame = frame_of(sides, grid, immunophenotype="B", near_haploid="neg", low_hypodiploid="neg", iamp21="neg",
                     tcf3_hlf="neg")
    expected = [uk_cyto_oracle(row, uk_test_successful(row)) for row in frame.to_dict("records")]
    assert codes(module.cyto_group(frame)) == expected


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize(("subtype", "result", "group"), [
    ("B-other (tested)", "failed", None), ("B-other (tested)", "not_done", None),
    ("B-other (tested)", None, "intermediate"), ("B-other (tested)", "neg", "intermediate"),
    ("PAX5alt", "failed", "intermediate"), ("PAX5alt", "not_done", "intermediate"), ("PAX5alt", None, "intermediate"),
])
def test_b_other_is_intermediate_only_if_no_supplied_test_is_without_result(marker, subtype, result, group):
    frame = frame_of(["subtype", "immunophenotype", marker], [[subtype, "B", result]])
    assert codes(module.cyto_group(frame)) == [group]


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("result", ["failed", "not_done", None])
def test_one_uninformative_marker_is_enough_to_have_no_intermediate_group(marker, result):
    frame = frame_of(["immunophenotype"], [["B"]], **dict.fromkeys(MARKERS, "neg"))
    assert codes(module.cyto_group(frame)) == ["intermediate"]
    assert codes(module.cyto_group(frame.assign(**{marker: result}))) == [None]


@pytest.mark.parametrize(("subtype", "group"), [
    ("BCR::ABL1", "high"), ("KMT2A-r", "high"), ("near-haploid", "high"), ("low-hypodiploid", "high"),
    ("iAMP21", "high"), ("TCF3::HLF", "high"),
    ("ETV6::RUNX1", "good"), ("HeH", "good"), ("B-other (tested)", "intermediate"), ("TCF3::PBX1", "intermediate"),
    ("high-hypodiploid", "intermediate"), ("T TAL1", None), (None, None),
])
def test_the_subtype_gives_the_cytogenetic_group_where_markers_are_not_given(subtype, group):
    frame = frame_of(["subtype", "immunophenotype"], [[subtype, "B"]])
    assert codes(module.cyto_group(frame)) == [group]


def test_every_subtype_of_the_dictionary_has_one_place_in_the_cytogenetic_groups():
    names = list(DICTIONARY["subtype"].values)
    groups = codes(module.cyto_group(frame_of(["subtype"], [[name] for name in names], immunophenotype="B")))
    assert [name for name, group in zip(names, groups, strict=True) if group is None] == [
        name for name in names if name.startswith("T ")]
    assert set(names) >= module.HIGH_RISK_SUBTYPES | module.GOOD_RISK_SUBTYPES


def test_high_beats_good_and_a_marker_beats_the_subtype_only_upwards():
    frame = frame_of(["subtype", "bcr_abl1", "heh"], [["HeH", "pos", "pos"], ["BCR::ABL1", "neg", "pos"]],
                     immunophenotype="B")
    assert codes(module.cyto_group(frame)) == ["high", "high"]


@pytest.mark.parametrize("lineage", ["T", "MPAL", "Burkitt", None])
def test_tools_for_b_cell_precursors_say_nothing_about_other_or_unknown_lineages(lineage):
    frame = frame_of(["immunophenotype"], [[lineage]], etv6_runx1="pos", cna_ikzf1="nodel", cna_ebf1="del")
    for derivation in (module.cyto_group, module.ikzf1plus, module.cna_profile):
        assert codes(derivation(frame)) == [None]


def test_ikzf1plus_agrees_with_its_pseudo_code_on_the_full_grid():
    grid = list(product(["nodel", "del", "failed", None], repeat=6))
    frame = frame_of(CNA, grid, immunophenotype="B")
    assert codes(module.ikzf1plus(frame)) == [ikzf1plus_oracle(row) for row in frame.to_dict("records")]


def test_the_copy_number_profile_agrees_with_its_pseudo_code_on_the_full_grid():
    loci = ["IKZF1", "PAX5", "BTG1", "EBF1", "RB1", "ETV6", "PAR1", "CDKN2AB"]
    grid = list(product(["nodel", "del", None], repeat=8))
    frame = frame_of([f"cna_{locus.lower()}" for locus in loci], grid, immunophenotype="B")
    frame["cna_cdkn2a"] = frame["cna_cdkn2b"] = frame.pop("cna_cdkn2ab")
    expected = [cna_oracle({locus for locus, value in zip(loci, row, strict=True) if value == "del"}, None not in row)
                for row in grid]
    assert codes(module.cna_profile(frame)) == expected


@pytest.mark.parametrize(("a", "b", "profile"), [
    ("del", None, "intermediate"), (None, "del", "intermediate"), ("nodel", None, None), ("nodel", "nodel", "good"),
    ("failed", "nodel", None),
])
def test_one_deleted_half_of_cdkn2ab_is_enough_but_both_must_be_tested_to_be_intact(a, b, profile):
    frame = frame_of(["cna_cdkn2a", "cna_cdkn2b"], [[a, b]], immunophenotype="B",
                     **{f"cna_{locus}": "nodel" for locus in ("ikzf1", "pax5", "btg1", "ebf1", "rb1", "etv6", "par1")})
    assert codes(module.cna_profile(frame)) == [profile]


def test_mrd_group_agrees_with_its_rule_on_a_grid():
    cuts = [None, 1e-5, 9.9e-5, 1e-4, 1.01e-4, 1e-3]
    grid = [(status, op, value, lod, loq) for status, op, value, lod, loq in product(
        ["quantified", "pos_below_qr", "undetectable", "indeterminate", "failed", "not_done", None], ["=", ">", None],
        [1e-6, 9.99e-5, 1e-4, 1.01e-4, 0.5], cuts, cuts)]
    frame = frame_of([f"mrd_eoi_{part}" for part in ("status", "op", "value", "lod", "loq")], grid)
    frame = frame.astype({f"mrd_eoi_{part}": "Float64" for part in ("value", "lod", "loq")})
    assert codes(module.mrd_group(frame)) == [mrd_group_oracle(*row) for row in grid]


@pytest.mark.parametrize(("status", "op", "value", "lod", "band"), [
    ("quantified", "=", 9.99e-5, None, "<0.01%"), ("quantified", "=", 9.99e-5, 1e-3, "<0.01%"),
    ("quantified", "=", 0.0, None, None), ("quantified", "=", 1e-4, None, "0.01-0.1%"),
    ("quantified", "=", 9.99e-4, None, "0.01-0.1%"), ("quantified", "=", 1e-3, None, "0.1-1%"),
    ("quantified", "=", 1e-2, None, ">=1%"), ("quantified", "=", 1.0, None, ">=1%"),
    ("quantified", ">", 1e-2, None, ">=1%"), ("quantified", ">", 1e-3, None, None),
    ("undetectable", "=", 0.0, 1e-5, "undetectable"), ("undetectable", "<", None, 1e-4, "undetectable"),
    ("undetectable", "=", 0.0, 1.01e-4, "insensitive"), ("undetectable", "=", 0.0, None, "insensitive"),
    ("pos_below_qr", "<", None, 1e-5, "pnq"), ("pos_below_qr", "<", None, 1e-3, "pnq"),
    ("pos_below_qr", None, None, None, "pnq"), ("indeterminate", "<", None, 1e-4, None),
    ("failed", None, None, None, None), ("not_done", None, None, 1e-5, None),
    (None, None, None, None, None),
])
@pytest.mark.parametrize("loq", [None, 1e-4, 1e-3])
def test_mrd_bands_keep_what_was_not_quantified_apart_and_include_their_lower_end(status, op, value, lod, band, loq):
    frame = pd.DataFrame({"mrd_eoi_status": [status], "mrd_eoi_op": [op],
                          "mrd_eoi_value": pd.array([value], dtype="Float64"),
                          "mrd_eoi_lod": pd.array([lod], dtype="Float64"),
                          "mrd_eoi_loq": pd.array([loq], dtype="Float64")})
    assert codes(module.mrd_eoi_band(frame)) == [band]


def test_the_mrd_bands_of_the_dictionary_go_from_least_to_most():
    assert list(DICTIONARY["mrd_eoi_band"].values) == [
        "undetectable", "insensitive", "pnq", "<0.01%", "0.01-0.1%", "0.1-1%", ">=1%"]


@pytest.mark.parametrize(("derivation", "column", "table"), [
    (module.age_group, "age_dx_years", {0: "<1", 0.99: "<1", 1: "1-9", 9.99: "1-9", 10: "10-17", 17.99: "10-17",
                                        18: "18-39", 40: "40-59", 60: "60+", 110: "60+", None: None}),
    (module.wbc_band, "wbc_dx", {0: "<10", 9.99: "<10", 10: "10-49", 49.99: "10-49", 50: "50-99", 100: ">=100",
                                 1500: ">=100", None: None}),
    (module.dx_period, "dx_year", {1950: "before-1990", 1989: "before-1990", 1990: "1990-1994", 1994: "1990-1994",
                                   1995: "1995-1999", 2024: "2020-2024", 2029: "2025-2029", 2030: None, None: None}),
])
def test_bands_include_their_lower_end_only(derivation, column, table):
    assert codes(derivation(pd.DataFrame({column: pd.array(list(table), dtype="Float64")}))) == list(table.values())


# -- the whole -------------------------------------------------------------------------------------------------------


def test_all_derived_codes_are_values_of_the_dictionary():
    rng = np.random.default_rng(1)
    rows = 500
    frame = pd.DataFrame({"disease": "ALL", "age_dx_years": rng.uniform(0, 80, rows),
                          "wbc_dx": rng.lognormal(3, 1, rows), "immunophenotype": "B",
                          "dx_year": rng.integers(1985, 2030, rows)})
    for name in [*MARKERS, *CNA, "cna_btg1", "cna_ebf1", "cna_rb1", "cna_etv6", "subtype", "mrd_eoi_status"]:
        frame[name] = rng.choice(np.array([*DICTIONARY[name].values, None], dtype=object), rows)
    frame["mrd_eoi_value"] = frame["mrd_eoi_lod"] = 10 ** rng.uniform(-6, 0, rows)
    derived = derive(frame, DICTIONARY)
    for name in module.DERIVATIONS:
        found = set(derived[name].dropna())
        assert found
        assert found <= set(DICTIONARY[name].values)


def test_derived_variables_of_a_disease_are_given_to_its_patients_only_and_the_frame_is_left_alone():
    frame = pd.DataFrame({"disease": ["ALL", "AML"], "age_dx_years": [5.0, 5.0], "wbc_dx": [10.0, 10.0]}, index=[7, 3])
    before = frame.copy()
    derived = derive(frame, DICTIONARY)
    pd.testing.assert_frame_equal(frame, before)
    assert codes(derived["nci_risk"]) == ["SR", None]
    assert codes(derived["age_group"]) == ["1-9", "1-9"]
    assert derived.index.tolist() == [7, 3]
    assert "source" not in derived


def test_an_empty_frame_gets_empty_columns():
    assert len(derive(pd.DataFrame({"disease": []}, dtype=object), DICTIONARY)["cyto_group"]) == 0


def test_a_dictionary_with_an_unknown_derivation_is_refused():
    dictionary = restore_dictionary({"diseases": [], "variables": [
        {"name": "x", "label": "X", "section": "s", "type": "code", "derived": "magic"}]}, "1")
    with pytest.raises(DictionaryError, match="magic"):
        derive(pd.DataFrame({"disease": ["ALL"]}), dictionary)
