"""Coverage against counts taken straight from the snapshot; bad input; two snapshots side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.grants import withdraw_country
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.case_mix import compare_case_mix
from harmony_dash.disclosure.coverage_changes import CoverageChanges, compare_coverage
from harmony_dash.disclosure.results import NOT_STATED, CoverageResult, Status
from harmony_dash.services.coverage import review_changes, review_coverage
from harmony_dash.services.coverage_json import changes_as_json, coverage_as_json
from harmony_dash.store.writer import new_snapshot
from tests.disclosure.house import STEERING, open_house
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, no_issues

PLAIN = load_dictionary()
FRAME = pd.concat([make_patients(500, seed=2), make_patients(120, seed=3, source="second")], ignore_index=True)
FRAME["dx_period"] = pd.Series(["2000-2004", "2005-2009", None, "2010-2014"] * 155)
FRAME["cna_ikzf1"] = pd.Series(["nodel"] * 8 + ["del", "failed", "not_done", "not_done", "not_done", None] * 2).iloc[
    [place % 20 for place in range(len(FRAME))]].to_numpy()


def publish(folder: Path, frame: pd.DataFrame, *, dictionary: Dictionary = PLAIN, key: bytes = DISCLOSURE_KEY,
            minutes: int = 0) -> None:
    with new_snapshot(folder / "store", dictionary, NOW + timedelta(minutes=minutes), key, new_disclosure_key=True,
                      ) as (writer, _):
        for source, rows in frame.groupby("source"):
            writer.add_source(make_record(rows, str(source)), rows, no_issues())


def review(folder: Path, *, exact: bool = False) -> Released[CoverageResult]:
    level, actor = (Level.EXACT, OPERATOR) if exact else (Level.PROTECTED, STEERING)
    return review_coverage(open_house(folder), actor, "ALL", level=level)


def changes(folder: Path) -> Released[CoverageChanges]:
    return review_changes(open_house(folder), STEERING, "ALL")


def test_exact_tables_are_the_counts_of_the_snapshot(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    house = open_house(tmp_path)
    value = review_coverage(house, OPERATOR, "ALL", level=Level.EXACT).value
    for table in value.tables:
        names = ", ".join(f'coalesce("{name}"::VARCHAR, \'{NOT_STATED}\')' for name in table.by)
        counted = {tuple(row[:-1]): row[-1] for row in house.store.current().fetch_rows(
            f"SELECT {names}, count(*) FROM patient GROUP BY ALL")}
        cells = {tuple(cell.labels[name] for name in table.by): cell.n for cell in table.cells}
        assert {key: n for key, n in cells.items() if n} == counted
    assert {table.by for table in value.tables} == {
        ("dx_period",), ("country", "dx_period"), ("source", "dx_period"), ("trial", "dx_period"), ("age_group",),
        ("country", "age_group"), ("immunophenotype",), ("country", "immunophenotype"), ("sex",), ("country", "sex")}


def test_negative_failed_not_tested_and_unknown_are_kept_apart(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    one = next(one for one in review(tmp_path, exact=True).value.completeness
               if (one.source, one.variable) == ("example", "cna_ikzf1"))
    rows = FRAME[FRAME.source == "example"].cna_ikzf1
    shares = {part.part: part.share for part in one.parts}
    assert shares == {Status.VALUE: (rows == "del").mean(), Status.NEGATIVE: (rows == "nodel").mean(),
                      Status.FAILED: (rows == "failed").mean(), Status.NOT_TESTED: (rows == "not_done").mean(),
                      Status.UNKNOWN: rows.isna().mean()}
    assert one.share == rows.isin(["del", "nodel"]).mean()
    assert sum(shares.values()) == pytest.approx(1)


def test_protected_shares_are_those_of_rounded_counts(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    exact, safe = (review(tmp_path, exact=exact).value.completeness for exact in (True, False))
    for one, other in zip(exact, safe, strict=True):
        for part, shown in zip(one.parts, other.parts, strict=True):
            assert shown.n is None
            assert shown.share is None or abs(shown.share - (part.share or 0)) <= 0.1
    assert any(part.share is not None for one in safe for part in one.parts if part.part is Status.NOT_TESTED)


def test_a_source_with_one_patient_tells_nothing_but_that_it_takes_part(tmp_path: Path) -> None:
    frame = FRAME.drop(FRAME.index[FRAME.source == "second"][1:])
    publish(tmp_path, frame)
    value = review(tmp_path).value
    source = next(one for one in value.sources if one.source == "second")
    assert (source.accepted, source.dx_periods, source.follow_up_median_days) == (None, (), None)
    assert all(one.share is None and all(part.share is None for part in one.parts)
               for one in value.completeness if one.source == "second")
    assert all(cell.n is None for cell in value.table("source", "dx_period") if cell.labels["source"] == "second")


def test_a_variable_nobody_has_is_not_available(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    for one in review(tmp_path).value.completeness:
        if one.variable == "hb":
            assert (one.share, one.nearly_all, {part.share for part in one.parts}) == (None, False, {None})
    assert {one.share for one in review(tmp_path, exact=True).value.completeness if one.variable == "hb"} == {0.0}


def test_a_small_country_has_no_case_mix_and_a_large_one_has_that_of_the_counts(tmp_path: Path) -> None:
    frame = pd.concat([make_patients(9000, seed=4), make_patients(15, seed=5).assign(
        country="SE", patient=[f"x-{place}" for place in range(15)])], ignore_index=True)
    publish(tmp_path, frame)
    exact, safe = ({(one.country, one.value): one.difference for one in compare_case_mix(review(tmp_path, exact=exact))}
                   for exact in (True, False))
    assert all(safe["SE", value] is None for value in ("1-9", "10-17", "B", "F"))
    here, rest = frame[frame.country == "DE"].sex.eq("F").mean(), frame[frame.country != "DE"].sex.eq("F").mean()
    spread = ((here * (1 - here) + rest * (1 - rest)) / 2) ** 0.5
    assert exact["DE", "F"] == pytest.approx((here - rest) / spread)
    for key, difference in safe.items():
        if difference is not None:
            assert abs(difference - (exact[key] or 0)) <= 0.15


def test_the_second_answer_is_remembered_and_recorded_all_the_same(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    house = open_house(tmp_path)
    first = review_coverage(house, STEERING, "ALL")
    assert review_coverage(house, STEERING, "ALL") is first
    assert review_coverage(house, OPERATOR, "ALL", level=Level.EXACT) is not first
    publish(tmp_path, FRAME[:400], minutes=1)
    assert review_coverage(house, STEERING, "ALL").value.n != first.value.n


def test_changes_are_those_of_the_two_numbers_shown(tmp_path: Path) -> None:
    publish(tmp_path, FRAME[:500])
    before = review(tmp_path).value
    more = make_patients(60, seed=9).assign(country="NL", patient=[f"new-{place}" for place in range(60)])
    publish(tmp_path, pd.concat([FRAME, more], ignore_index=True), minutes=1)
    now, found = review(tmp_path).value, changes(tmp_path).value
    assert found.before == before.snapshot
    by_source = {one.name: one for one in found.by_source}
    assert by_source["second"].is_new and by_source["second"].difference is None
    countries = {one.name: one for one in found.by_country}
    old = {cell.labels["country"]: cell.n for cell in before.by_country}
    new = {cell.labels["country"]: cell.n for cell in now.by_country}
    assert {name: (one.before, one.now) for name, one in countries.items()} == {
        name: (old[name], new[name]) for name in new}
    assert countries["NL"].difference == (new["NL"] or 0) - (old["NL"] or 0)


def test_patients_who_stay_have_the_same_number_in_both(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    publish(tmp_path, pd.concat([FRAME, make_patients(70, seed=9, source="third").assign(country="SE")]), minutes=1)
    found = changes(tmp_path).value
    assert {one.difference for one in found.by_country if one.name != "SE"} == {0}


def test_snapshots_with_different_dictionaries_are_compared(tmp_path: Path) -> None:
    fewer = replace(PLAIN, version="fewer", variables=MappingProxyType(
        {name: variable for name, variable in PLAIN.variables.items() if name not in ("hb", "sex", "immunophenotype")}))
    publish(tmp_path, FRAME, dictionary=fewer)
    publish(tmp_path, FRAME, minutes=1)
    assert {"Sex", "Immunophenotype"} <= set(changes(tmp_path).value.variables_new)
    publish(tmp_path, FRAME, dictionary=fewer, minutes=2)
    found = changes(tmp_path).value
    assert {"Sex", "Immunophenotype"} <= set(found.variables_gone) and not found.variables_new
    assert review(tmp_path).value.table("sex") == ()


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    assert changes(tmp_path).value.reason == "There is no earlier snapshot."
    publish(tmp_path, FRAME[:600], key=b"another key for disclosure", minutes=1)
    assert "another disclosure key" in changes(tmp_path).value.reason
    publish(tmp_path, FRAME[:500], key=b"another key for disclosure", minutes=2)
    assert changes(tmp_path).value.before
    house = open_house(tmp_path)
    withdraw_country(house.access, "FR", "letter", by=OPERATOR, now=NOW)
    found = review_changes(house, STEERING, "ALL").value
    assert "withdrawn" in found.reason and found.by_country == ()


def test_results_that_were_released_differently_are_not_compared(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    with pytest.raises(TypeError, match="released alike"):
        compare_coverage(review(tmp_path), review(tmp_path, exact=True))


def test_json_holds_every_view(tmp_path: Path) -> None:
    publish(tmp_path, FRAME[:500])
    publish(tmp_path, FRAME, minutes=1)
    document = json.loads(json.dumps({**coverage_as_json(review(tmp_path)),
                                      "changes": changes_as_json(changes(tmp_path))}))
    assert {"by_country", "by_country_and_trial", "by_country_and_dx_period", "by_country_and_age_group",
            "by_country_and_immunophenotype", "by_source_and_dx_period", "completeness", "case_mix", "changes"} <= set(
        document)
    assert document["changes"]["by_source"]["second"] == {
        "before": None, "now": document["sources"][1]["accepted"], "difference": None, "new": True, "gone": False}
    assert set(document["completeness"][0]["parts"]) == {"value", "unknown"}


def test_a_source_of_many_countries_and_trials_tells_periods_by_country_alone(tmp_path: Path) -> None:
    frame = make_patients(3200, seed=6)
    codes = ["AT", "BE", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "IE", "IS", "IT", "LT", "NL"]
    places = pd.Series(range(len(frame)))
    frame["country"] = places.mod(16).map(lambda place: codes[place])
    frame["trial"] = places.floordiv(16).mod(20).map(lambda place: f"Trial {place}")
    frame["dx_period"] = places.floordiv(320).mod(5).map(
        lambda place: ("1990-1994", "1995-1999", "2000-2004", "2005-2009", "2010-2014")[place])
    publish(tmp_path, frame)
    value = review(tmp_path).value
    assert {cell.n for cell in (*value.table("source", "dx_period"), *value.table("trial", "dx_period"))} == {None}
    shown = {tuple(cell.labels.values()): cell.n for cell in value.table("country", "dx_period")}
    assert abs((shown["DE", "2000-2004"] or 0) - 40) <= 4
    assert shown["DE", "2020-2024"] is None
    assert all(cell.n is not None for cell in value.by_country)
