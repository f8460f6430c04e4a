"""The checks of the built-in dictionary: many, each once, complete over what ingest can report."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import harmony_dash.ingest
from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.load import BUILT_IN, build_dictionary
from harmony_dash.dictionary.yaml_reader import read_yaml
from harmony_dash.errors import DictionaryError
from harmony_dash.ingest.issues import Reason
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.quality.conditions import variables_in
from harmony_dash.quality.expectations import read_expectations
from harmony_dash.quality.model import Category, Judgement, Reported, Showing
from harmony_dash.quality.types import FOLLOWS_FROM_ANOTHER, TYPES
from tests.spec.planted_defects import DEFECTS

DICTIONARY = load_dictionary()
RULES = build_rules(DICTIONARY)
BY_ID = {rule.check.id: rule for rule in RULES}


def test_there_are_several_hundred_checks_of_every_type_and_category() -> None:
    assert len(RULES) > 500 and len(BY_ID) == len(RULES)
    assert Counter(rule.check.type for rule in RULES).keys() == TYPES.keys()
    assert {rule.check.category for rule in RULES} == set(Category)
    assert all(rule.check.category is TYPES[rule.check.type].category for rule in RULES)


def test_every_reason_of_ingest_is_counted_by_exactly_one_type() -> None:
    counted = [reason for kind in TYPES.values() for reason in kind.reasons]
    assert sorted([*counted, *FOLLOWS_FROM_ANOTHER]) == sorted(Reason)


def test_what_ingest_reports_of_a_variable_has_a_check_of_its_own() -> None:
    """Every literal pair of reason and variable in the checks of ingest; what is built at run time falls to a type."""
    source = Path(next(iter(harmony_dash.ingest.__path__))) / "checks.py"
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "rows.flag":
            continue
        if isinstance(node.args[2], ast.Constant):
            reason = ast.unparse(node.args[1]).rpartition(".")[2]
            found.add(({"odd": "IMPLAUSIBLE", "time": "EVENT_TIME", "order": "TEMPORAL_ORDER"}.get(reason, reason),
                       node.args[2].value))
    assert len(found) > 20
    own = {(reason, rule.evidence.variable) for rule in RULES if isinstance(rule.evidence, Reported)
           for reason in rule.evidence.reasons}
    assert {pair for pair in found if pair not in own} == set()


def test_every_check_asks_of_variables_that_exist_and_says_what_it_counts() -> None:
    for rule in RULES:
        names = {rule.check.variable, *rule.needs} - {""}
        for part in ("among", "failing"):
            condition = getattr(rule.evidence, part, None)
            names.update(variables_in(condition) if condition is not None else ())
        assert names <= DICTIONARY.variables.keys(), rule.check.id
        assert len(rule.check.words) > 8 and len(rule.check.digest) == 12, rule.check.id


def test_every_planted_defect_names_a_check_that_exists() -> None:
    assert {defect.check for defect in DEFECTS} <= BY_ID.keys()


def test_a_limit_that_fails_lies_beyond_the_one_that_warns() -> None:
    for rule in RULES:
        check = rule.check
        if check.judgement is Judgement.SIZE:
            assert check.fail < check.warn
        elif check.judgement not in (Judgement.WITHIN, Judgement.LACK):
            assert check.fail > check.warn, check.id


def test_a_changed_range_changes_the_digest_of_the_checks_of_its_variable_alone(tmp_path: Path) -> None:
    documents = []
    for name in ("core.yaml", "all.yaml"):
        text = (BUILT_IN / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("range: [1, 25]", "range: [2, 25]"), encoding="utf-8")
        documents.append(read_yaml(tmp_path / name, error=DictionaryError))
    changed = {rule.check.id: rule.check.digest for rule in build_rules(build_dictionary(documents))}
    assert changed.keys() == BY_ID.keys()
    others = {name for name, digest in changed.items() if digest != BY_ID[name].check.digest}
    assert others and all(BY_ID[name].check.variable == "hb" for name in others)
    assert "range.hb" in others and "range.plt" not in others


def test_expectations_of_variables_a_dictionary_lacks_are_left_out() -> None:
    core = build_dictionary([read_yaml(BUILT_IN / "core.yaml", error=DictionaryError)])
    names = {rule.check.variable for rule in build_rules(core)} - {""}
    assert names <= core.variables.keys()


def test_two_checks_of_one_name_are_refused() -> None:
    expected = dict(read_expectations())
    expected["trial_ages"] = [expected["trial_ages"][0]] * 2
    with pytest.raises(ValueError, match="two checks"):
        build_rules(DICTIONARY, expected)


def test_what_leaves_of_an_answer_follows_from_what_its_check_reads() -> None:
    showing = {rule.check.id: rule.check.showing for rule in build_rules(load_dictionary())}
    judged = ("drift.death.is_yes", "completeness.relapse_site", "completeness.cr_days", "follow_up.last_contact_days."
              "none_lost", "heaping.first_event_days", "range.death_days", "published.efs_all10",
              "reported_risk.risk_group_reported.nci_risk")
    assert {showing[name] for name in judged} == {Showing.VERDICT}
    assert {one for name, one in showing.items() if name.startswith("constant.")} == {Showing.NOTHING}
    shown = ("completeness.wbc_dx", "drift.sex.is_f", "unit.hb.median", "heaping.age_dx_years", "refused", "size")
    assert {showing[name] for name in shown} == {Showing.NUMBERS}
