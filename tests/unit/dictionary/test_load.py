from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest

from harmony_dash.dictionary import load_dictionary, restore_dictionary
from harmony_dash.dictionary.load import describe_dictionary
from harmony_dash.dictionary.yaml_reader import read_yaml
from harmony_dash.errors import DictionaryError

HEAD = "dictionary: test\nvariables:\n"


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(text, encoding="utf-8")
    load_dictionary([path])


def test_the_built_in_dictionary_covers_the_names_others_rely_on() -> None:
    dictionary = load_dictionary()
    names = """country provider trial trial_arm dx_period sex age_dx_years age_group wbc_dx wbc_band immunophenotype
        subtype cyto_group cna_profile ikzf1plus nci_risk mrd_eoi_value mrd_eoi_status mrd_group risk_group_reported
        intensity_assigned intensity_received randomised rand_arm hsct_cr1"""
    assert [name for name in names.split() if name not in dictionary] == []
    assert dictionary["intensity_received"].values.keys() == {"reduced", "standard", "intensified"}


def test_norway_is_a_country_and_not_false() -> None:
    assert load_dictionary()["country"].values["NO"] == "Norway"


def test_a_dictionary_survives_the_trip_through_a_snapshot() -> None:
    dictionary = load_dictionary()
    back = restore_dictionary(describe_dictionary(dictionary.diseases, dictionary.variables), dictionary.version)
    assert dict(back.variables) == dict(dictionary.variables)
    assert dict(back.diseases) == dict(dictionary.diseases)


def test_the_version_changes_with_any_definition(tmp_path: Path) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(HEAD + A + "    type: integer\n", encoding="utf-8")
    assert load_dictionary([path]).version != load_dictionary().version


A = "  a:\n    label: A\n    section: S\n"

BAD = {
    "unknown key": (A + "    type: integer\n    colour: red\n", 7, "colour"),
    "unknown type": (A + "    type: real\n", 6, "real"),
    "unknown time point": (A + "    type: integer\n    measured: later on\n", 7, "later on"),
    "category without values": (A + "    type: category\n", 4, "values"),
    "values on a number": (A + "    type: number\n    values: {x: X}\n", 7, "values"),
    "range upside down": (A + "    type: number\n    range: [5, 1]\n", 7, "upside down"),
    "bands that do not ascend": (A + "    type: number\n    bands: [5, 1]\n", 7, "ascend"),
    "bad factor": (A + "    type: number\n    units: {x: 0}\n", 7, "factor"),
    "defined twice": ("  sex:\n    label: A\n    section: S\n    type: integer\n", 3, "already defined"),
    "missing label": ("  a:\n    section: S\n    type: integer\n", 4, "label"),
    "bad name": ("  A-B:\n    label: A\n    section: S\n    type: integer\n", 3, "name"),
    "day variable that is none": (A + "    type: yes_no\n    day_variable: sex\n", 3, "sex"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_inconsistent_dictionary_is_refused_with_file_and_line(tmp_path: Path, case: str) -> None:
    text, line, word = BAD[case]
    with pytest.raises(DictionaryError) as refused:
        load(tmp_path, HEAD + text)
    assert refused.value.where == f"extra.yaml:{line}"
    assert word in refused.value.message
    assert refused.value.remedy


YAML = {
    "a tag": ("a: !!python/object/apply:os.system ['true']\n", "tag"),
    "an anchor": ("a: &x 1\nb: *x\n", "anchor"),
    "a key twice": ("a: 1\na: 2\n", "twice"),
    "a tab": ("a:\n\tb: 1\n", "not valid YAML"),
    "a list at the top": ("- a\n- b\n", "mapping"),
    "a wrong indent": ("a:\n  b: 1\n c: 2\n", "not valid YAML"),
    "an open bracket": ("a: [1, 2\n", "not valid YAML"),
    "deep brackets": ("a: " + 40 * "[" + 40 * "]", "deeper than 20"),
    "deep braces": ("a: " + 40 * "{a: " + 40 * "}", "deeper than 20"),
    "deep blocks": ("".join(f"{' ' * n}a:\n" for n in range(60)), "deeper than 20"),
    "deep dashes": ("a:\n  " + 60 * "- " + "x\n", "deeper than 20"),
    "100,000 brackets": (100_000 * "[", "deeper than 20"),
    "100,000 brackets on lines": (66_000 * "[\n", "deeper than 20"),
    "an integer of 5,000 digits": ("b: 1\na: " + 5000 * "9" + "\n", "cannot be read"),
    "an integer of 400 digits": ("b: 1\na: " + 400 * "9" + "\n", "beyond 1e+15"),
    "a float beyond all floats": ("b: 1\na: -1e999\n", "beyond 1e+15"),
    "a version of 5,000 digits": (f"%YAML {5000 * '1'}.1\n---\na: 1\n", "beyond all bounds"),
    "a character beyond Unicode": ('b: 1\na: "\\UFFFFFFFF"\n', "beyond all bounds"),
    "a lone equals sign": ("b: 1\na: =\n", "cannot be read"),
    "a merge sign": ("b: 1\na: <<\n", "cannot be read"),
    "an escaped NUL": ('b: 1\na: "x\\0"\n', "NUL"),
    "an escaped surrogate": ('b: 1\na: "\\ud800"\n', "surrogate"),
    "an escaped NUL in a key": ('b: 1\n"x\\0": 1\n', "NUL"),
    "a NUL": ("b: 1\na: x\x00\n", "not valid YAML"),
    "too large a file": ("a: 1\n#" + 200_000 * "x", "200,000 bytes"),
    "too many keys": ("{" + 60_000 * "a," + "}", "100,000 keys"),
}


@pytest.mark.parametrize("case", YAML)
def test_yaml_that_is_broken_or_dangerous_is_refused(tmp_path: Path, case: str) -> None:
    text, word = YAML[case]
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DictionaryError) as refused:
        read_yaml(path, error=DictionaryError)
    assert word in refused.value.message
    assert refused.value.where.startswith("x.yaml")
    assert refused.value.remedy
    if text.startswith("b: 1\n"):
        assert refused.value.where == "x.yaml:2"


@pytest.mark.parametrize("text", [100_000 * "[", "{" + ",".join(f"{n:x}" for n in range(33_000)) + "}",
                                  "{" + 99_000 * "a," + "}", "".join(f"k{n}: 1\n" for n in range(18_000)),
                                  "a:\n" + 90_000 * "-\n"],
                         ids=["brackets", "flow keys", "one key", "block keys", "dashes"])
def test_no_file_keeps_the_reader_busy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    start = time.process_time()
    with contextlib.suppress(DictionaryError):
        read_yaml(path, error=DictionaryError)
    assert time.process_time() - start < 6


def test_a_mapping_may_be_nested_as_deep_as_people_write(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: " + 18 * "[" + "1" + 18 * "]", encoding="utf-8")
    assert "a" in read_yaml(path, error=DictionaryError)


def test_yaml_reads_plain_values_without_the_traps_of_yaml_1_1(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("NO: no\nt: true\ni: 010\nd: 2001-01-01\nf: 1.0e-4\nn: 12\ns: 1:30\nz: ~\n", encoding="utf-8")
    assert dict(read_yaml(path, error=DictionaryError)) == {
        "NO": "no", "t": True, "i": "010", "d": "2001-01-01", "f": 1e-4, "n": 12, "s": "1:30", "z": None}


DEFAULTS = """
dictionary: extra
variables:
  group_a: {label: A, section: S, type: category, values: {x: X, y: Y}, subgroup_default: true}
  group_b: {label: B, section: S, type: category, values: {x: X}, subgroup_default: {group_a: [x]}}
"""


def test_what_is_offered_for_subgroups_survives_the_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(DEFAULTS)
    dictionary = load_dictionary([path])
    assert dictionary["group_a"].subgroup_default == {}
    assert dictionary["group_b"].subgroup_default == {"group_a": ("x",)}
    assert dictionary["trial"].subgroup_default is None
    text = json.dumps(describe_dictionary(dictionary.diseases, dictionary.variables))
    restored = restore_dictionary(json.loads(text), dictionary.version)
    assert restored["group_b"] == dictionary["group_b"]


@pytest.mark.parametrize(("wrong", "words"), [
    ("subgroup_default: 5", "is not true, nor a mapping"),
    ("subgroup_default: {group_a: [z]}", "not in the dictionary"),
    ("subgroup_default: {nothing: [x]}", "not in the dictionary"),
])
def test_what_is_offered_for_values_that_do_not_exist_is_refused(tmp_path: Path, wrong: str, words: str) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(DEFAULTS.replace("subgroup_default: {group_a: [x]}", wrong))
    with pytest.raises(DictionaryError, match=words):
        load_dictionary([path])
