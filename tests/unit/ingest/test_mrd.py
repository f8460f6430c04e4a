from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harmony_dash.errors import SourceError
from harmony_dash.ingest.issues import Reason
from harmony_dash.ingest.mrd import MrdReading, MrdRefusal, build_mrd_rules, parse_mrd, parse_mrd_cells

LOD = 1e-5


def read(text, unit, lod=None, loq=None, **rules):
    found = parse_mrd(text, build_mrd_rules(unit=unit, **rules), lod, loq)
    if isinstance(found, MrdRefusal):
        return found.reason
    return found.value, found.op, str(found.status), found.lod, found.loq


# One row per source string of the domain reference, then variants.
@pytest.mark.parametrize(("text", "unit", "fraction"), [
    ("0,01 %", "percent", 1e-4), ("0.01%", "percent", 1e-4), ("1e-4", "fraction", 1e-4), ("10^-4", "fraction", 1e-4),
    ("1,0E-04", "fraction", 1e-4), ("-4", "log10", 1e-4), ("log -4.0", "log10", 1e-4),
    # a per cent sign in the cell says its own unit
    ("0,01 %", "fraction", 1e-4), ("0.01%", "log10", 1e-4),
    ("0.01", "percent", 1e-4), ("0,01", "percent", 1e-4), ("0.0001", "fraction", 1e-4), ("0.07", "percent", 7e-4),
    ("100", "percent", 1.0), ("100 %", "percent", 1.0), ("1", "fraction", 1.0), ("=0.5", "percent", 5e-3),
    ("10-4", "fraction", 1e-4), ("10⁻⁴", "fraction", 1e-4), ("10^(-4)", "fraction", 1e-4), ("10^-4", "log10", 1e-4),
    ("5x10^-5", "fraction", 5e-5), ("5,5·10⁻⁵", "fraction", 5.5e-5), ("2*10-3", "fraction", 2e-3),
    ("log10 -3", "log10", 1e-3), ("log10=-3", "log10", 1e-3), ("−4", "log10", 1e-4), ("-3,5", "log10", 10**-3.5),
    ("-3.30103", "log10", 10**-3.30103),
])
def test_quantified_results_are_exact_fractions(text, unit, fraction):
    value, op, status, lod, loq = read(text, unit, LOD)
    assert (value, op, status, lod, loq) == (fraction, "=", "quantified", LOD, None)


@pytest.mark.parametrize(("text", "unit"), [
    ("<1e-4", "fraction"), ("<0.01%", "percent"), ("<0,01 %", "fraction"), ("<10-4", "fraction"),
    ("< 10^-4", "fraction"),
    ("<0.01", "percent"), ("<-4", "log10"), ("log <-4", "log10"), ("<10⁻⁴", "log10"),
])
@pytest.mark.parametrize(("below_limit", "status", "lod"), [
    ("", "indeterminate", None), ("pos_below_qr", "pos_below_qr", None), ("undetectable", "undetectable", 1e-4),
])
def test_below_a_limit_has_no_value_and_means_what_the_provider_says_it_means(text, unit, below_limit, status, lod):
    assert read(text, unit, below_limit=below_limit) == (None, "<", status, lod, 1e-4)


def test_a_limit_in_the_cell_beats_the_declared_quantification_limit():
    assert read("<1e-3", "fraction", LOD, 1e-4, below_limit="pos_below_qr") == (None, "<", "pos_below_qr", LOD, 1e-3)


def test_not_detected_below_a_coarse_limit_is_no_more_sensitive_than_that_limit():
    assert read("<1e-3", "fraction", LOD, below_limit="undetectable")[3] == 1e-3
    assert read("<1e-5", "fraction", 1e-4, below_limit="undetectable")[3] == 1e-4


@pytest.mark.parametrize("text", ["neg", "negativ", "négatif", "negativo", "negatief", "0", "NEG", " Négatif ", "0.0",
                                  "0,00", "0 %"])
def test_negative_is_undetectable_only_with_a_limit_of_detection(text):
    assert read(text, "percent", LOD) == (0.0, "=", "undetectable", LOD, None)
    assert read(text, "percent") == (None, None, "indeterminate", None, None)


@pytest.mark.parametrize("text", ["pos <QR", "PNQ", "positive not quantifiable", "pos n.q.", "pnq", "POS <qr"])
def test_positive_but_not_quantifiable_is_below_the_quantitative_range(text):
    assert read(text, "fraction", LOD, 1e-4) == (None, None, "pos_below_qr", LOD, 1e-4)


@pytest.mark.parametrize(("text", "status"), [("n.d.", "not_done"), ("k.M.", "failed"), ("K.M.", "failed")])
def test_not_done_and_failed_are_the_words_the_provider_lists(text, status):
    assert read(text, "percent", LOD, 1e-4, not_done=["n.d."], failed=["k.M."]) == (None, None, status, None, None)


def test_a_declared_list_of_negative_words_replaces_the_default():
    assert read("nicht nachweisbar", "percent", LOD, negative=["nicht nachweisbar"])[2] == "undetectable"
    assert read("neg", "percent", LOD, negative=["nicht nachweisbar"]) is Reason.MRD_UNPARSED
    assert read("0", "percent", LOD, negative=["nicht nachweisbar"]) == (None, None, "indeterminate", LOD, None)


@pytest.mark.parametrize(("text", "unit", "value"), [
    (">5", "percent", 0.05), (">1e-2", "fraction", 0.01), ("≥1%", "percent", 0.01), (">=1 %", "fraction", 0.01),
])
def test_above_a_limit_keeps_the_limit_as_a_lower_bound(text, unit, value):
    assert read(text, unit) == (value, ">", "quantified", None, None)


@pytest.mark.parametrize(("text", "unit", "reason"), [
    # undeclared abbreviations and words
    ("n.d.", "percent", Reason.MRD_UNPARSED), ("n/a", "percent", Reason.MRD_UNPARSED),
    ("pos", "fraction", Reason.MRD_UNPARSED), ("positiv", "percent", Reason.MRD_UNPARSED),
    ("12.03.2001", "percent", Reason.MRD_UNPARSED), ("0.01-0.1", "percent", Reason.MRD_UNPARSED),
    ("inf", "percent", Reason.MRD_UNPARSED), ("nan", "percent", Reason.MRD_UNPARSED),
    ("%", "percent", Reason.MRD_UNPARSED),
    ("<", "percent", Reason.MRD_UNPARSED), ("<0", "percent", Reason.MRD_UNPARSED),
    (">0", "percent", Reason.MRD_UNPARSED),
    ("<>1", "percent", Reason.MRD_UNPARSED), ("1.000,5", "percent", Reason.MRD_UNPARSED),
    # more cells than there are
    ("100.1", "percent", Reason.RANGE), ("101 %", "fraction", Reason.RANGE), ("1.01", "fraction", Reason.RANGE),
    ("5", "fraction", Reason.RANGE), ("<200", "percent", Reason.RANGE), ("4", "log10", Reason.RANGE),
    # signs that contradict the unit
    ("-4", "fraction", Reason.MRD_UNPARSED), ("-4", "percent", Reason.MRD_UNPARSED),
    ("-1 %", "log10", Reason.MRD_UNPARSED),
    ("log -4", "fraction", Reason.UNIT), ("log -4", "percent", Reason.UNIT), ("1e-4", "log10", Reason.UNIT),
    # a hundredfold or tenfold doubt
    ("1e-4", "percent", Reason.UNIT), ("10^-4", "percent", Reason.UNIT), ("<10-4", "percent", Reason.UNIT),
    ("10e-4", "fraction", Reason.MRD_UNPARSED), ("10E-4", "fraction", Reason.MRD_UNPARSED),
    ("<=1e-4", "fraction", Reason.MRD_UNPARSED), ("≤0,01 %", "percent", Reason.MRD_UNPARSED),
    ("0", "log10", Reason.MRD_UNPARSED), ("0.0", "log10", Reason.MRD_UNPARSED), ("log 0", "log10", Reason.MRD_UNPARSED),
])
def test_what_could_mean_two_things_is_refused(text, unit, reason):
    assert read(text, unit, LOD) is reason


def test_a_power_of_ten_among_percentages_is_a_fraction_if_the_declared_limit_says_the_same():
    assert read("<10-4", "percent", 1e-4, below_limit="pos_below_qr") == (None, "<", "pos_below_qr", 1e-4, 1e-4)
    assert read("<1E-4", "percent", None, 1e-4)[4] == 1e-4
    assert read("10-4", "percent", 1e-4) is Reason.UNIT


def test_zero_as_a_logarithm_is_negative_only_if_the_provider_lists_it():
    assert read("0", "log10", LOD, negative=["0"]) == (0.0, "=", "undetectable", LOD, None)


@pytest.mark.parametrize(("text", "fraction"), [("0,012", 1.2e-4), ("0.012", None), ("1.234", None)])
def test_a_declared_thousands_separator_is_not_taken_for_a_decimal_point(text, fraction):
    found = read(text, "percent", decimal=",", thousands=".")
    assert (found[0] if fraction else found) == (fraction or Reason.MRD_UNPARSED)


@pytest.mark.parametrize(("rules", "words"), [
    ({"unit": ""}, "not declared"), ({"unit": "ppm"}, "ppm"), ({"unit": "percent", "below_limit": "zero"}, "zero"),
    ({"unit": "percent", "negative": ["nd"], "not_done": ["ND"]}, "both"),
])
def test_a_field_without_a_unit_or_with_contradicting_words_is_refused(rules, words):
    with pytest.raises(SourceError, match=words):
        build_mrd_rules(**rules)


def test_a_column_gives_the_same_readings_as_its_cells_with_limits_per_row():
    texts = ["neg", "neg", "", "<0,01", "500", "n.d.", "0,5", "500"]
    lods = np.array([1e-5, np.nan, 1e-5, 1e-5, 1e-5, 1e-5, np.nan, 1e-4])
    rules = build_mrd_rules(unit="percent", decimal=",", below_limit="pos_below_qr")
    columns = parse_mrd_cells(pd.Series(texts), rules, lods, np.full(8, np.nan))
    for row, (text, lod) in enumerate(zip(texts, lods, strict=True)):
        single = parse_mrd(text, rules, None if np.isnan(lod) else lod) if text else None
        expected = single if isinstance(single, MrdReading) else MrdReading(None, None, None, None, None)
        found = [columns.value[row], columns.op[row], columns.status[row], columns.lod[row], columns.loq[row]]
        assert [None if pd.isna(item) else item for item in found] == [
            expected.value, expected.op, expected.status, expected.lod, expected.loq], text
    assert {refusal.reason: np.flatnonzero(mask).tolist() for refusal, mask in columns.refused.items()} == {
        Reason.RANGE: [4, 7], Reason.MRD_UNPARSED: [5]}


def test_a_column_without_rows_gives_columns_without_rows():
    columns = parse_mrd_cells(pd.Series([], dtype=object), build_mrd_rules(unit="percent"), np.empty(0), np.empty(0))
    assert [len(part) for part in (columns.value, columns.op, columns.status, columns.lod, columns.loq)] == [0] * 5


def test_a_refusal_never_repeats_the_cell():
    found = parse_mrd("4711 Mueller", build_mrd_rules(unit="percent"))
    assert isinstance(found, MrdRefusal)
    assert "4711" not in found.message
