"""Asking for data quality: whole and by source, with withdrawn countries, signed off, rehearsed."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import list_events
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.anonymity import Limits
from harmony_dash.disclosure.quality_words import asked_words, failing_words
from harmony_dash.errors import AccessRefused, QuestionError, SourceError, StoreError
from harmony_dash.quality.model import Verdict
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.grants import withdraw_country
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.quality import LONGEST_WORDS, SIGN_OFF, ask_quality, sign_off
from harmony_dash.services.quality_report import write_quality_report
from harmony_dash.services.rehearsal import rehearse_ingest
from tests.factories import NOW, make_store
from tests.unit.services.quality_house import (
    CLINICIAN,
    MANAGER,
    SAMPLES,
    STEERING,
    copy_of,
    czech_and_nordic,
    deployment_at,
    only_patients,
)

# Patients of the Dutch sample without a row among the first so many of its file of what became of patients.
NOT_IN_THE_FILE = {300: 255, 120: 433, 20: 533}


@pytest.fixture(scope="module")
def published_with_nordic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return czech_and_nordic(tmp_path_factory)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, published_with_nordic: Path) -> Iterator[Deployment]:
    opened = copy_of(published_with_nordic, tmp_path_factory.mktemp("quality"))
    yield opened
    opened.access.close()


def test_all_sources_come_with_tallies_and_what_failed_or_warned(deployment: Deployment) -> None:
    result = ask_quality(deployment, STEERING).value
    assert [source.source for source in result.sources] == ["cz_cpho", "nordic_nopho"]
    for source in result.sources:
        asked = sum(t.failed + t.warned + t.passed + t.not_applicable for t in source.tallies)
        assert asked > 500 and {one.verdict for one in source.results} <= {Verdict.WARN, Verdict.FAIL}
        assert not source.reasons and not source.trend


def test_one_source_comes_with_everything_protected(deployment: Deployment) -> None:
    source = ask_quality(deployment, MANAGER, "nordic_nopho").value.sources[0]
    assert len(source.results) > 500
    counts = [n for one in source.results for n in (one.failing, one.asked)]
    counts += [one.n for one in source.reasons] + [cell.n for one in source.matrices for cell in one.cells]
    assert all(n is None or (n % 5 == 0 and n >= 10) for n in counts)
    assert source.reasons and all(one.rows == () for one in source.reasons)
    assert "Blasts in blood" in source.not_supplied and "Sex" not in source.not_supplied
    assert {matrix.variable for matrix in source.matrices} == {"nci_risk", "mrd_group", "cyto_group"}


def test_refused_rows_are_rounded_here_as_on_the_coverage_page(deployment: Deployment) -> None:
    accepted = {source.source: (source.accepted, source.quarantined)
                for source in review_coverage(deployment, STEERING, "ALL").value.sources}
    assert {source.source: (source.accepted, source.refused)
            for source in ask_quality(deployment, STEERING).value.sources} == accepted


def test_exact_numbers_are_the_operators_and_recorded(deployment: Deployment) -> None:
    source = ask_quality(deployment, OPERATOR, "cz_cpho", level=Level.EXACT).value.sources[0]
    assert (source.accepted, source.refused) == (200, 3)
    assert any(one.rows for one in source.reasons)
    assert list_events(deployment.access, limit=1)[0].event.level == "exact"
    with pytest.raises(AccessRefused):
        ask_quality(deployment, MANAGER, "cz_cpho", level=Level.EXACT)


def test_who_may_not_see_it_is_refused_on_the_record(deployment: Deployment) -> None:
    with pytest.raises(AccessRefused):
        ask_quality(deployment, CLINICIAN)
    assert list_events(deployment.access, limit=1)[0].event.decision == "refused"


def test_an_unknown_source_or_snapshot_is_named_with_what_there_is(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="no source 'gone'") as refused:
        ask_quality(deployment, STEERING, "gone")
    assert "cz_cpho, nordic_nopho" in refused.value.remedy
    with pytest.raises(StoreError, match="no such snapshot"):
        ask_quality(deployment, STEERING, "cz_cpho", "20200101T000000Z-00000000")
    with pytest.raises(StoreError):
        ask_quality(deployment, STEERING, "cz_cpho", "../CURRENT")


def test_a_store_that_was_written_without_checks_says_so_by_having_none(tmp_path: Path) -> None:
    make_store(tmp_path / "store", 200)
    opened = deployment_at(tmp_path)
    assert ask_quality(opened, STEERING, "example").value.sources[0].results == ()


def test_no_two_denominators_of_a_variable_differ_by_a_few(deployment: Deployment) -> None:
    for name in ("cz_cpho", "nordic_nopho"):
        exact = {one.check.id: one for one in ask_quality(deployment, OPERATOR, name, level=Level.EXACT)
                 .value.sources[0].results}
        shown = ask_quality(deployment, STEERING, name).value.sources[0]
        accepted, some = exact["size"].asked or 0, 0
        for one in shown.results:
            if one.asked is not None and 0 < accepted - (exact[one.check.id].asked or 0) < 10:
                assert one.asked == shown.accepted, one.check.id
                some += 1
        assert some > 2


# -- withdrawal and sign-off -------------------------------------------------------------------------------------------


def test_a_source_with_a_withdrawn_country_is_not_shown_at_all(published_with_nordic: Path, tmp_path: Path) -> None:
    opened = copy_of(published_with_nordic, tmp_path)
    withdraw_country(opened, OPERATOR, "IS", "letter of 3 May")
    result = ask_quality(opened, STEERING).value
    assert [source.source for source in result.sources] == ["cz_cpho"]
    assert result.withheld == ("nordic_nopho",)
    for act in (lambda: ask_quality(opened, STEERING, "nordic_nopho"),
                lambda: write_quality_report(opened, STEERING, "nordic_nopho"),
                lambda: sign_off(opened, MANAGER, "nordic_nopho", result.snapshot, "Fine.")):
        with pytest.raises(QuestionError, match="withdrawn"):
            act()


# -- further files -----------------------------------------------------------------------------------------------------


def dutch(folder: Path, rows: int, *, orphans: int = 12) -> Path:
    """The Dutch sample with so many rows in the file of what became of patients, and some of strangers."""
    source = Path(shutil.copytree(SAMPLES / "nl_dcog", folder / "nl_dcog"))
    lines = [line for line in (source / "beloop.csv").read_bytes().decode("cp1252").split("\r\n") if line]
    strangers = [f"NLX-{place};{lines[1 + place].partition(';')[2]}" for place in range(orphans)]
    text = "\r\n".join([*lines[:rows + 1], *strangers])
    (source / "beloop.csv").write_bytes(f"{text}\r\n".encode("cp1252"))
    return source


def test_the_rows_of_a_file_of_outcomes_are_told_in_no_number(tmp_path: Path) -> None:
    opened = deployment_at(tmp_path)
    ingest_sources(opened, OPERATOR, [dutch(tmp_path, 300)])
    exact = {one.check.id: one for one in ask_quality(opened, OPERATOR, "nl_dcog", level=Level.EXACT)
             .value.sources[0].results}
    source = ask_quality(opened, MANAGER, "nl_dcog").value.sources[0]
    assert (exact["reference"].asked, exact["unique_id"].asked) == (312, 312 + 556)
    shown = {one.check.id: one for one in source.results}
    for name in ("reference", "unique_id", "safe_text", "required.patient_id", "range.cr_days", "required.cr_status"):
        one = shown[name]
        assert {one.failing, one.asked, one.share} == {None}
        assert (failing_words(one, 10), asked_words(one, 10)) == ("not shown", "not shown")
    rows = [n for one in source.results if one.check.asked == "rows read" for n in (one.asked,) if n is not None]
    assert rows and set(rows) == {shown["refused"].asked}
    assert shown["reference"].verdict is Verdict.FAIL
    assert all(one.n is None for one in source.reasons if one.file == "beloop.csv")
    assert {one.n for one in ask_quality(opened, OPERATOR, "nl_dcog", level=Level.EXACT).value.sources[0].reasons
            if one.reason == "ORPHAN_ROW"} == {12}


@pytest.mark.parametrize("rows", [300, 120, 20])
def test_who_has_no_row_in_a_further_file_is_counted_among_all_patients(tmp_path: Path, rows: int) -> None:
    found = rehearse_ingest([dutch(tmp_path, rows, orphans=0)], load_dictionary(), Limits(0.09, 0.05), NOW)
    results = {one.check.id: one for one in found.quality.value.sources[0].results}
    death = results["required.death"]
    assert (death.failing, death.asked) == (NOT_IN_THE_FILE[rows], 556)
    for one in results.values():
        assert one.failing is None or one.failing <= (one.asked or 0), one.check.id


def test_a_sign_off_is_recorded_and_shown_with_its_snapshot(deployment: Deployment) -> None:
    snapshot = deployment.store.current().snapshot
    made = sign_off(deployment, MANAGER, "cz_cpho", snapshot, "  Refused rows\nagreed with the provider. ")
    assert made.words == "Refused rows agreed with the provider."
    recorded = list_events(deployment.access, limit=1)[0].event
    assert (recorded.action, recorded.username, recorded.snapshot) == (SIGN_OFF, "manager.test", snapshot)
    shown = {source.source: source.signed for source in ask_quality(deployment, STEERING).value.sources}
    assert shown == {"cz_cpho": (made,), "nordic_nopho": ()}


@pytest.mark.parametrize("words", ["", "  \n ", "x" * (LONGEST_WORDS + 1)])
def test_a_sign_off_says_something_and_not_too_much(deployment: Deployment, words: str) -> None:
    with pytest.raises(QuestionError, match="sign-off"):
        sign_off(deployment, MANAGER, "cz_cpho", deployment.store.current().snapshot, words)


def test_only_a_data_manager_signs_off_a_source_that_exists(deployment: Deployment) -> None:
    snapshot = deployment.store.current().snapshot
    for actor in (STEERING, OPERATOR, CLINICIAN):
        with pytest.raises(AccessRefused):
            sign_off(deployment, actor, "cz_cpho", snapshot, "Fine.")
    with pytest.raises(QuestionError, match="no source"):
        sign_off(deployment, MANAGER, "gone", snapshot, "Fine.")
    with pytest.raises(StoreError):
        sign_off(deployment, MANAGER, "cz_cpho", "gone", "Fine.")


# -- rehearsal, and odd sources ----------------------------------------------------------------------------------------


def only_one_patient(folder: Path) -> Path:
    return only_patients(folder, 1)


def test_a_source_with_one_patient_is_checked_and_tells_nothing_of_them(tmp_path: Path) -> None:
    opened = deployment_at(tmp_path)
    ingest_sources(opened, OPERATOR, [only_one_patient(tmp_path)])
    source = ask_quality(opened, STEERING, "cz_cpho").value.sources[0]
    assert source.accepted is None
    assert {one.check.id: one.verdict for one in source.results}["size"] is Verdict.FAIL
    assert all(one.failing is None and one.asked is None and one.value is None for one in source.results)
    assert {one.verdict for one in source.results if one.check.id != "size"} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}


def test_a_variable_that_nobody_supplies_is_not_applicable_everywhere(deployment: Deployment) -> None:
    for name in ("cz_cpho", "nordic_nopho"):
        source = ask_quality(deployment, STEERING, name).value.sources[0]
        verdicts = {one.verdict for one in source.results if one.check.variable == "blasts_pb"}
        assert verdicts == {Verdict.NOT_APPLICABLE}


def test_a_rehearsal_writes_nothing_and_says_what_an_ingest_would(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLES / "cz_cpho", tmp_path / "cz"))
    before = sorted(path.name for path in tmp_path.rglob("*"))
    found = rehearse_ingest([folder], load_dictionary(), Limits(0.09, 0.05), NOW)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert found.refused is None and found.quality.value.snapshot == ""
    exact = found.quality.value.sources[0]
    opened = deployment_at(tmp_path)
    ingest_sources(opened, OPERATOR, [folder])
    asked = ask_quality(opened, OPERATOR, "cz_cpho", level=Level.EXACT).value.sources[0]
    assert exact.results == asked.results and exact.reasons == asked.reasons and exact.matrices == asked.matrices


def test_a_rehearsal_tells_why_real_patients_would_be_refused(tmp_path: Path) -> None:
    source = only_one_patient(tmp_path)
    text = (source / "source.yaml").read_text(encoding="utf-8")
    (source / "source.yaml").write_text(text.replace("synthetic: true", "synthetic: false"), encoding="utf-8")
    found = rehearse_ingest([source], load_dictionary(), Limits(0.09, 0.05), NOW)
    assert found.refused is not None and "recognised too easily" in found.refused.problem
    assert found.quality.value.sources[0].accepted == 1
    with pytest.raises(SourceError):
        rehearse_ingest([], load_dictionary(), Limits(0.09, 0.05), NOW)


def test_a_rehearsal_reports_a_source_all_of_whose_rows_are_refused(tmp_path: Path) -> None:
    source = only_one_patient(tmp_path)
    file = source / "pacienti.csv"
    file.write_bytes(file.read_bytes().decode("cp1250").replace("10,9", "1,0,9").encode("cp1250"))
    found = rehearse_ingest([source], load_dictionary(), Limits(0.09, 0.05), NOW)
    assert found.refused is not None and "no patient was accepted" in found.refused.problem
    verdicts = {one.check.id: one.verdict for one in found.quality.value.sources[0].results}
    assert verdicts["type.wbc_dx"] is Verdict.FAIL and verdicts["size"] is Verdict.FAIL


def test_the_report_is_recorded_and_protected(deployment: Deployment) -> None:
    page, table, further = write_quality_report(deployment, STEERING, "nordic_nopho")
    assert list_events(deployment.access, limit=1)[0].event.action == "write quality report"
    assert b"Protected" in page and b"nordic_nopho" in table
    with zipfile.ZipFile(io.BytesIO(further)) as archive:
        assert {Path(name).name for name in archive.namelist()} == {"reasons.csv", "risk_groups.csv", "trend.csv"}
