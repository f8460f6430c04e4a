from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.manifest.model import LANGUAGES


@pytest.mark.parametrize(("text", "decimal", "thousands", "number"), [
    ("12", ".", "", 12.0),
    (" -3.5 ", ".", "", -3.5),
    ("+3.5", ".", "", 3.5),
    (".5", ".", "", 0.5),
    ("5.", ".", "", 5.0),
    ("1,0E-04", ",", "", 1e-4),
    ("1.0e-04", ".", "", 1e-4),
    ("1.234", ".", "", 1.234),
    ("1.234", ",", ".", 1234.0),
    ("1.234.567,8", ",", ".", 1234567.8),
    ("1,234.5", ".", ",", 1234.5),
    ("12 345", ".", " ", 12345.0),
    ("12\u00a0345", ".", " ", 12345.0),
    ("12\u202f345", ".", "\u00a0", 12345.0),
    ("12'345", ".", "'", 12345.0),
    ("−4", ".", "", -4.0),
    # refused
    ("1,234", ".", "", None),
    ("1.5", ",", "", None),
    ("1.5", ",", ".", None),
    ("0.012", ",", ".", None),
    ("12.03.2001", ".", "", None),
    ("12.03.2001", ",", ".", None),
    ("2001-03-12", ".", "", None),
    ("<1", ".", "", None),
    (">500", ".", "", None),
    ("1 000", ".", "", None),
    ("inf", ".", "", None),
    ("nan", ".", "", None),
    ("1e999", ".", "", None),
    ("1_000", ".", "", None),
    ("٣", ".", "", None),
    ("0x10", ".", "", None),
    ("", ".", "", None),
    (".", ".", "", None),
    ("-", ".", "", None),
])
def test_a_number_is_read_with_the_declared_separators_and_nothing_else(text, decimal, thousands, number):
    assert transforms.parse_number(text, decimal, thousands) == number


@pytest.mark.parametrize(("decimal", "thousands"), [(";", ""), (",", ","), ("", "")])
def test_separators_that_contradict_are_refused(decimal, thousands):
    with pytest.raises(SourceError):
        transforms.parse_number("1", decimal, thousands)


def test_a_column_of_numbers_keeps_its_order_and_marks_what_is_not_a_number():
    assert transforms.parse_numbers(pd.Series(["2", "x", "1", "2"])).tolist() == pytest.approx([2, np.nan, 1, 2],
                                                                                            nan_ok=True)


@pytest.mark.parametrize(("variable", "unit", "value", "canonical"), [
    ("wbc_dx", "/uL", 50_000, 50.0),
    ("wbc_dx", "/mm3", 11_800, 11.8),
    ("wbc_dx", "10^9/L", 50, 50.0),
    ("hb", "g/L", 87, 8.7),
    ("age_dx_years", "months", 120, 10.0),
    ("age_dx_years", "months", 12, 1.0),
    ("age_dx_years", "days", 3652.5, 10.0),
    ("blasts_bm", "fraction", 0.25, 25.0),
])
def test_units_reach_the_boundaries_of_risk_groups_exactly(variable, unit, value, canonical):
    factor = load_dictionary()[variable].units[unit]
    assert transforms.apply_factor(np.array([float(value)]), factor)[0] == canonical


def test_haemoglobin_in_millimoles_is_multiplied_by_1_611():
    factor = load_dictionary()["hb"].units["mmol/L"]
    assert transforms.apply_factor(np.array([5.0]), factor)[0] == pytest.approx(8.055)


@pytest.mark.parametrize(("value", "rounded"), [
    (0.5, 1), (1.5, 2), (2.5, 3), (2.4999999, 2), (0.49999999999999994, 0), (-0.5, 0), (-1.5, -1), (7, 7),
])
def test_halves_are_rounded_up(value, rounded):
    assert transforms.round_half_up(np.array([value]))[0] == rounded


@pytest.mark.parametrize(("value", "unit", "days"), [
    (33, "days", 33), (32.5, "days", 33), (2, "weeks", 14), (0.5, "weeks", 4), (1, "months", 30), (8, "months", 244),
    (12, "months", 365), (60, "months", 1826), (1, "years", 365), (2, "years", 731), (5, "years", 1826),
])
def test_durations_become_whole_days(value, unit, days):
    assert transforms.to_days(np.array([float(value)]), unit)[0] == days


def test_an_unknown_unit_of_time_is_refused():
    with pytest.raises(SourceError, match="fortnights"):
        transforms.to_days(np.array([1.0]), "fortnights")


def test_capping_keeps_missing_values_and_ignores_missing_ceilings():
    values, ceilings = np.array([5.0, 5.0, np.nan, 5.0]), np.array([3.0, 9.0, 3.0, np.nan])
    assert transforms.cap(values, ceilings).tolist() == pytest.approx([3, 5, np.nan, 5], nan_ok=True)


@pytest.mark.parametrize(("text", "date_format", "iso"), [
    ("12.03.2001", "%d.%m.%Y", "2001-03-12"),
    ("1.3.2001", "%d.%m.%Y", "2001-03-01"),
    ("29/02/2004", "%d/%m/%Y", "2004-02-29"),
    ("2001-03-12", "%Y-%m-%d", "2001-03-12"),
    ("36962", "excel", "2001-03-12"),
    ("36962.75", "excel", "2001-03-12"),
    ("36962,75", "excel", "2001-03-12"),
    ("61", "excel", "1900-03-01"),
    ("2001-03-12", "native", "2001-03-12"),
    ("2001-03-12 00:00:00", "native", "2001-03-12"),
    ("2001-03-12T13:30:00", "native", "2001-03-12"),
    # impossible, or not in that format
    ("31.02.2001", "%d.%m.%Y", None),
    ("29/02/2003", "%d/%m/%Y", None),
    ("12.13.2001", "%d.%m.%Y", None),
    ("12.03.01", "%d.%m.%Y", None),
    ("12/03/2001", "%d.%m.%Y", None),
    ("2001-03-12 x", "%Y-%m-%d", None),
    ("60", "excel", None),
    ("-5", "excel", None),
    ("99999999", "excel", None),
    ("12.03.2001", "excel", None),
    ("20010312", "native", None),
    ("2001-W11-1", "native", None),
    ("unknown", "%d.%m.%Y", None),
])
def test_a_date_is_read_in_the_declared_format_and_impossible_days_are_not_dates(text, date_format, iso):
    found = transforms.parse_date(text, date_format)
    assert (None if found is None else found.isoformat()) == iso


def test_days_between_two_dates_count_leap_days_and_may_be_negative():
    start = transforms.parse_dates(pd.Series(["28.02.2004", "28.02.2003", "01.01.2001", "x"]), "%d.%m.%Y")
    end = transforms.parse_dates(pd.Series(["01.03.2004", "01.03.2003", "31.12.2000", "01.01.2001"]), "%d.%m.%Y")
    assert transforms.days_between(start, end).tolist() == pytest.approx([2, 1, -1, np.nan], nan_ok=True)


def test_the_year_of_a_date_stays_missing_where_the_date_is():
    days = transforms.parse_dates(pd.Series(["31.12.1999", "01.01.2000", "", "31.12.1999"]), "%d.%m.%Y")
    assert transforms.year_of(days).tolist() == pytest.approx([1999, 2000, np.nan, 1999], nan_ok=True)


@pytest.mark.parametrize(("language", "yes", "no"), [
    ("de", "ja", "nein"), ("fr", "oui", "non"), ("nl", "ja", "nee"), ("es", "sí", "no"), ("pt", "sim", "não"),
    ("it", "sì", "no"), ("da", "ja", "nej"), ("sv", "ja", "nej"), ("no", "ja", "nei"), ("nb", "ja", "nei"),
    ("fi", "kyllä", "ei"), ("cs", "ano", "ne"), ("en", "yes", "no"), ("sk", "áno", "nie"), ("et", "jah", "ei"),
    ("is", "já", "nei"), ("lt", "taip", "ne"),
])
def test_yes_and_no_are_read_in_the_declared_language(language, yes, no):
    words = (yes, no, yes.upper(), f" {no.title()} ")
    assert [transforms.parse_yes_no(word, language) for word in words] == ["yes", "no"] * 2


@pytest.mark.parametrize(("text", "language", "code"), [
    ("ne", "", None), ("ano", "", None), ("nie", "", None), ("si", "", None), ("j", "", None), ("1", "", None),
    ("0", "de", None), ("ja", "", "yes"), ("nein", "", "no"), ("no", "", "no"), ("j", "de", "yes"), ("o", "fr", "yes"),
    ("ne", "cs", "no"), ("a", "cs", "yes"), ("ano", "pt", None), ("oui", "de", None), ("maybe", "en", None),
])
def test_a_word_that_depends_on_the_language_needs_it_declared(text, language, code):
    assert transforms.parse_yes_no(text, language) == code


def test_every_language_a_manifest_may_declare_has_words():
    assert set(LANGUAGES) == transforms.YES_NO_LANGUAGES
    with pytest.raises(SourceError, match="xx"):
        transforms.yes_no_words("xx")


def test_no_word_means_yes_in_one_language_and_no_in_another():
    meanings: dict[str, set[str]] = {}
    for language in transforms.YES_NO_LANGUAGES:
        for word, code in transforms.yes_no_words(language).items():
            if word in transforms.yes_no_words():
                meanings.setdefault(word, set()).add(code)
    assert all(len(codes) == 1 for codes in meanings.values())


@pytest.mark.parametrize(("text", "word"), [
    ("Négatif ", "negatif"), ("POS  <QR", "pos <qr"), ("10⁻⁴", "10-4"), ("−4", "-4"), ("Utført", "utfort"),
])
def test_words_are_compared_without_case_accents_and_repeated_spaces(text, word):
    assert transforms.normalise_words(text) == word


@pytest.mark.parametrize(("text", "code"), [("m", "M"), (" m ", "M"), ("M", None), ("", None)])
def test_a_value_map_compares_trimmed_and_with_case(text, code):
    assert transforms.map_value(text, {"m": "M", "w": "F"}) == code


def test_a_function_of_cells_is_called_once_a_distinct_cell():
    calls: list[str] = []

    def note(cell: str) -> str:
        calls.append(cell)
        return cell.upper()

    assert transforms.map_distinct(pd.Series(["a", "b", "a"]), note).tolist() == ["A", "B", "A"]
    assert calls == ["a", "b"]
    assert transforms.map_distinct(pd.Series([], dtype=object), note).tolist() == []
