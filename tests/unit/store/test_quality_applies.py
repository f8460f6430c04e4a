"""Which answers a snapshot keeps, and of how many rows they are: nothing there tells one patient from none."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.quality.model import Rule
from harmony_dash.store.quality import Measured, only_applicable
from harmony_dash.store.quality_rows import FurtherFile, Read, Rows, count_rows
from harmony_dash.store.quality_tables import History, no_history, supplied_before

RULES = {rule.check.id: rule for rule in build_rules(load_dictionary())}
LISTED = KeyedCount(556, 7)


def kept(rule: Rule, measured: Measured, supplied: Collection[str], before: Collection[str] = ()) -> bool:
    answers = {("example", rule.check.id): measured}
    return bool(only_applicable(answers, [rule], {"example": frozenset(supplied)}, {"example": frozenset(before)}))


@pytest.mark.parametrize("asked", [NOBODY, KeyedCount(1, 5), KeyedCount(300, 9)])
def test_whether_a_check_applies_rests_on_what_is_supplied(asked: KeyedCount) -> None:
    for name in ("completeness.hb", "heaping.hb", "constant.hb"):
        measured = Measured(NOBODY, asked)
        assert kept(RULES[name], measured, {"hb"}) and kept(RULES[name], measured, (), {"hb"})
        assert not kept(RULES[name], measured, ())


@pytest.mark.parametrize(("n", "refused", "applies"), [
    (0, False, False), (1, False, False), (9, False, False), (20, False, True), (1, True, True)])
def test_a_few_kept_rows_do_not_make_a_check_of_what_is_not_supplied(n: int, refused: bool, applies: bool) -> None:
    measured = Measured(KeyedCount(n, n), LISTED, refused=refused)
    assert kept(RULES["event_time.hsct_days"], measured, ()) is applies
    assert kept(RULES["event_time.hsct_days"], measured, {"hsct_days"})


def history(*past: tuple[str, list[str]]) -> History:
    rows = [{"snapshot": snapshot, "source": "example", "supplied": names, "countries": ["NL"]}
            for snapshot, names in past]
    empty = no_history()
    return History(empty.rows, type(empty.past).from_pylist(rows, schema=empty.past.schema))


def test_what_was_supplied_at_any_time_is_lost_until_a_snapshot_without_it_is_signed_off() -> None:
    found = history(("1", ["hb", "plt", "sex"]), ("2", ["plt", "sex"]), ("3", ["sex"]))
    everything = {"hb", "plt", "sex"}
    for signed, lost in ((set(), everything), ({("example", "1"), ("other", "3")}, everything),
                         ({("example", "1"), ("example", "2")}, {"plt", "sex"}), ({("example", "3")}, {"sex"}),
                         # One that a rollback took out of the history says nothing of what came after.
                         ({("example", "9")}, everything)):
        assert supplied_before(found, signed)["example"] == lost
    assert supplied_before(no_history(), set()) == {}


def make_rows(*further: tuple[str, int, str, bool]) -> Rows:
    read = Read(550, 6, tuple(FurtherFile(file, n, frozenset({name}), outcome) for file, n, name, outcome in further))
    return count_rows("example", read, LISTED, lambda _source, what, n: hash(what) % 1000 + n)


@pytest.mark.parametrize(("check", "asked", "judged_only"), [
    ("range.hb", 556, False), ("range.plt", 400, False), ("range.death_days", 80, True),
    ("required.death", 556, False), ("event_time.death_days", 556, True), ("required.patient_id", 1036, True),
    ("unique_id", 1036, True), ("reference", 480, True), ("duplicate", 556, False)])
def test_every_check_of_rows_asks_those_it_can_find_something_in(check: str, asked: int, judged_only: bool) -> None:
    rows = make_rows(("laboratory.csv", 400, "plt", False), ("deaths.csv", 80, "death_days", True))
    assert rows.asked_by(RULES[check]) == (asked, judged_only)


@pytest.mark.parametrize("check", ["range.hb", "required.death", "unique_id", "reference", "duplicate"])
def test_where_all_is_in_one_file_every_check_asks_its_rows(check: str) -> None:
    assert make_rows().asked_by(RULES[check]) == (LISTED, False)
    assert make_rows().asked_by(RULES[check])[0].key == union([LISTED]).key


def test_reasons_of_a_file_of_outcomes_and_of_who_is_not_in_it_tell_of_outcomes() -> None:
    read = Read(550, 6, (FurtherFile("laboratory.csv", 400, frozenset({"plt"}), False),
                         FurtherFile("deaths.csv", 80, frozenset({"death_days", "cr_status"}), True)))
    assert read.tells_outcomes("deaths.csv", "") and read.tells_outcomes("patients.csv", "cr_status")
    assert not read.tells_outcomes("laboratory.csv", "plt") and not read.tells_outcomes("patients.csv", "")
