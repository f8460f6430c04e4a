"""Coverage against counts taken straight from the snapshot; bad input; two snapshots side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grants import withdraw_country, withdrawn_countries
from harmony_dash.charts.case_mix import build_case_mix_figure
from harmony_dash.charts.completeness import build_completeness_figure, share_text
from harmony_dash.charts.coverage import build_accrual_figure, build_country_figure, build_cross_figure
from harmony_dash.charts.coverage_map import build_map_figure, not_on_map
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.case_mix import compare_case_mix
from harmony_dash.disclosure.coverage_changes import CoverageChanges, compare_coverage
from harmony_dash.disclosure.coverage_results import NOT_STATED, CoverageResult, Status
from harmony_dash.errors import AccessRefused
from harmony_dash.quality.completeness import AMONG
from harmony_dash.services import coverage
from harmony_dash.services.coverage import review_changes, review_coverage
from harmony_dash.services.coverage_counts import compute_coverage
from harmony_dash.services.coverage_json import changes_as_json, coverage_as_json
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.writer import new_snapshot
from harmony_dash.ui.components.coverage_changes import describe_variables
from harmony_dash.ui.components.coverage_tables import build_completeness_table
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
            assert abs(difference - (exact[key] or 0)) <= 0.1


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


def test_a_variable_that_means_something_else_is_named(tmp_path: Path) -> None:
    variables = dict(PLAIN.variables)
    for name, change in (("hb", {"unit": "mmol/L"}), ("wbc_dx", {"bands": (10.0,)}),
                         ("sex", {"values": {"F": "Girl or woman", "M": "Male"}}),
                         ("etp", {"definition": "By another panel."}), ("immunophenotype", {"label": "Lineage"})):
        variables[name] = replace(variables[name], **change)  # type: ignore[arg-type]
    publish(tmp_path, FRAME)
    publish(tmp_path, FRAME, dictionary=replace(PLAIN, variables=MappingProxyType(variables)), minutes=1)
    found = changes(tmp_path).value
    assert set(found.variables_changed) == {PLAIN[name].label for name in ("hb", "wbc_dx", "sex", "etp")}
    assert describe_variables(found).startswith("Defined differently: ")
    publish(tmp_path, FRAME, dictionary=replace(PLAIN, variables=MappingProxyType(variables)), minutes=2)
    assert describe_variables(changes(tmp_path).value) == "The variables are the same."


def test_a_variable_that_not_everybody_can_have_is_not_in_the_grid(tmp_path: Path) -> None:
    publish(tmp_path, FRAME)
    names = {one.variable for one in review(tmp_path).value.completeness}
    assert names and not names & set(AMONG)


def test_a_variable_that_a_source_does_not_supply_says_so(tmp_path: Path) -> None:
    with new_snapshot(tmp_path / "store", PLAIN, NOW, DISCLOSURE_KEY, new_disclosure_key=True) as (writer, _):
        for source, rows in FRAME.groupby("source"):
            writer.add_source(make_record(rows, str(source)), rows, no_issues())
        supplied = frozenset({"sex", "hb"})
        writer.assess_quality([], {"example": supplied, "second": supplied - {"hb"}}, NOW.date())
    for exact in (True, False):
        released = review(tmp_path, exact=exact)
        found = {one.source: one for one in released.value.completeness if one.variable == "hb"}
        texts = [share_text(found[source], None) for source in ("example", "second")]
        assert texts == ["0" if exact else "n/a", "n/s"]
        assert "not supplied" in build_completeness_table(released, None, ("hb",)).to_numpy()
        # Computed from what is supplied, so nobody supplies it.
        assert all(one.supplied for one in released.value.completeness if one.variable == "age_group")
    house = open_house(tmp_path)
    withdraw_country(house.access, "FR", "letter", by=OPERATOR, now=NOW)
    left = review_coverage(house, STEERING, "ALL").value.completeness
    assert {one.source for one in left if one.variable == "hb" and not one.supplied} == {"second"}


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


def test_a_withdrawal_while_coverage_is_computed_gives_no_answer_and_leaves_none_behind(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, FRAME[:500])
    publish(tmp_path, FRAME, minutes=1)
    for ask in (review_coverage, review_changes):
        house = open_house(tmp_path / ask.__name__, tmp_path / "store")

        def counted(*args: Any, house: Deployment = house) -> CoverageResult:
            if "NL" not in withdrawn_countries(house.access):
                withdraw_country(house.access, "NL", "letter", by=OPERATOR, now=NOW)
            return compute_coverage(*args)

        monkeypatch.setattr(coverage, "compute_coverage", counted)
        with pytest.raises(AccessRefused, match="changed while the question ran"):
            ask(house, STEERING, "ALL")
        assert not house.coverage._kept
        (row,) = list_events(house.access, limit=1)
        assert (row.event.decision, row.event.n) == (Decision.REFUSED, None)


def test_a_withdrawal_after_the_answer_was_computed_is_seen_before_it_is_recorded(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, FRAME)
    house = open_house(tmp_path)
    review_coverage(house, STEERING, "ALL")
    release = coverage._release

    def released(*args: Any) -> Released[CoverageResult]:
        found = release(*args)
        withdraw_country(house.access, "NL", "letter", by=OPERATOR, now=NOW)
        return found

    monkeypatch.setattr(coverage, "_release", released)
    with pytest.raises(AccessRefused, match="changed while the question ran"):
        review_coverage(house, STEERING, "ALL")


def test_without_protection_an_earlier_snapshot_of_real_patients_is_not_compared(tmp_path: Path) -> None:
    for minutes, synthetic in ((0, "false"), (1, "true")):
        with new_snapshot(tmp_path / "store", PLAIN, NOW + timedelta(minutes=minutes), DISCLOSURE_KEY) as (writer, _):
            writer.add_source(make_record(FRAME[:500], synthetic=synthetic), FRAME[:500], no_issues())
    house = open_house(tmp_path)
    house = replace(house, settings=replace(house.settings, protection="off"))
    found = review_changes(house, STEERING, "ALL")
    assert found.scope.level is Level.OFF
    assert "must be protected" in found.value.reason
    assert (found.value.before, found.value.total, found.value.by_country) == ("", None, ())


def test_a_source_of_one_patient_a_country_without_outline_and_a_variable_nobody_has(tmp_path: Path) -> None:
    one = make_patients(1, seed=4, source="single").assign(country="IS", patient="alone")
    frame = pd.concat([FRAME, one, make_patients(40, seed=5).assign(country="AU", patient=[
        f"au-{place}" for place in range(40)])], ignore_index=True).assign(cna_ikzf1=None)
    publish(tmp_path, frame)
    released = review(tmp_path)
    assert next(one.accepted for one in released.value.sources if one.source == "single") is None
    assert {cell.labels["country"]: cell.n for cell in released.value.by_country}["IS"] is None
    assert [words.split()[0] for words in not_on_map(released, {})] == ["AU"]
    draw = [build_map_figure, build_country_figure, build_cross_figure, build_case_mix_figure]
    assert all(build(released, names={}).to_dict() for build in draw)
    assert build_accrual_figure(released).to_dict() and build_completeness_figure(released).to_dict()
    assert json.dumps(coverage_as_json(released))


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
