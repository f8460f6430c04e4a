"""Which variables tell patients apart, in the form they are kept and in the forms they may be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.dictionary.quasi_identifiers import accepted_grains, generalised_form, kept_form
from harmony_dash.errors import DictionaryError

HEAD = "dictionary: test\nvariables:\n"
CENTRE = "  centre:\n    label: Centre\n    section: Origin\n    type: code\n    quasi_identifier: true\n"


def load(folder: Path, text: str) -> Dictionary:
    path = folder / "extra.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_dictionary([path])


def test_the_built_in_ones_and_their_forms() -> None:
    dictionary = load_dictionary()
    assert kept_form(dictionary) == ("disease", "country", "dx_period", "age_dx_years", "sex")
    assert generalised_form(dictionary) == ("disease", "country", "dx_period", "age_group", "sex")
    assert accepted_grains(dictionary) == (("disease", "country", "age_group", "sex"),
                                           ("disease", "dx_period", "age_group", "sex"))


def test_one_more_is_in_every_form(tmp_path: Path) -> None:
    dictionary = load(tmp_path, CENTRE)
    assert all("centre" in by for by in
               (kept_form(dictionary), generalised_form(dictionary), *accepted_grains(dictionary)))


def test_one_that_stands_in_for_the_country_makes_a_grain_of_its_own(tmp_path: Path) -> None:
    dictionary = load(tmp_path, CENTRE + "    instead_of: country\n")
    assert accepted_grains(dictionary) == (
        ("disease", "country", "age_group", "sex"), ("disease", "dx_period", "age_group", "sex"),
        ("disease", "centre", "age_group", "sex"))


A = "  a:\n    label: A\n    section: S\n"

BAD = {
    "not a truth value": (A + "    type: integer\n    quasi_identifier: perhaps\n", 7, "true or false"),
    "a form of no quasi-identifier": (A + "    type: integer\n    generalise_to: age_group\n", 3, "without being"),
    "a stand-in that is none": (A + "    type: code\n    instead_of: country\n", 3, "without being"),
    "a number without groups": (A + "    type: number\n    quasi_identifier: true\n", 3, "needs a category"),
    "groups that are a number": (
        A + "    type: number\n    quasi_identifier: true\n    generalise_to: wbc_dx\n", 3, "wbc_dx"),
    "groups that do not exist": (A + "    type: code\n    quasi_identifier: true\n    generalise_to: b\n", 3, "'b'"),
    "a value that is not kept": (A + "    type: code\n    quasi_identifier: true\n    kept: false\n", 3, "kept"),
    "an identifier": (A + "    type: identifier\n    quasi_identifier: true\n", 3, "kept"),
    "a stand-in for what is none": (
        A + "    type: code\n    quasi_identifier: true\n    instead_of: trial\n", 3, "trial"),
    "a stand-in for a stand-in": (
        A + "    type: code\n    quasi_identifier: true\n    instead_of: dx_period\n", 3, "dx_period"),
    "a stand-in for itself": (A + "    type: code\n    quasi_identifier: true\n    instead_of: a\n", 3, "'a'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_declaration_that_makes_no_sense_is_refused_with_file_and_line(tmp_path: Path, case: str) -> None:
    text, line, word = BAD[case]
    with pytest.raises(DictionaryError) as refused:
        load(tmp_path, text)
    assert refused.value.where == f"extra.yaml:{line}"
    assert word in refused.value.message
    assert refused.value.remedy
