"""Asking for data quality: whole and by source, over snapshots, with withdrawn countries, signed off."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.anonymity import Limits
from harmony_dash.disclosure.quality_words import asked_words, failing_words
from harmony_dash.errors import AccessRefused, QuestionError, SourceError, StoreError
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.quality.model import Showing, Verdict
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import withdraw_country
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.quality import LONGEST_WORDS, SIGN_OFF, ask_quality, sign_off
from harmony_dash.services.quality_report import write_quality_report
from harmony_dash.services.rehearsal import rehearse_ingest
from harmony_dash.settings import Settings
from harmony_dash.store import quality_tables, schema
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_store

SAMPLES = Path(__file__).parents[3] / "data_samples"
# Patients of the Dutch sample without a row among the first so many of its file of what became of patients.
NOT_IN_THE_FILE = {300: 255, 120: 433, 20: 533}
STEERING = Actor("steering.test", Role.STEERING, "s")
MANAGER = Actor("manager.test", Role.DATA_MANAGER, "m")
CLINICIAN = Actor("clinician.test", Role.CLINICIAN, "c")


def deployment_at(folder: Path, moment: datetime = NOW, *, key: bytes = DISCLOSURE_KEY,
                  dictionary: tuple[Path, ...] = ()) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, dictionary_files=dictionary,
                        patient_key=b"k" * 32, disclosure_key=key, access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: moment)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    opened = deployment_at(tmp_path_factory.mktemp("quality"))
    ingest_sources(opened, OPERATOR, [SAMPLES / "cz_cpho", SAMPLES / "nordic_nopho"])
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


# -- over snapshots ----------------------------------------------------------------------------------------------------


def publish_twice(folder: Path, **second: object) -> Deployment:
    source = SAMPLES / "cz_cpho"
    ingest_sources(deployment_at(folder), OPERATOR, [source])
    later = deployment_at(folder, NOW + timedelta(days=90), **second)  # type: ignore[arg-type]
    ingest_sources(later, OPERATOR, [source], new_disclosure_key="key" in second)
    return later


def test_the_trend_holds_the_earlier_snapshots_and_an_earlier_one_can_be_asked(tmp_path: Path) -> None:
    later = publish_twice(tmp_path)
    source = ask_quality(later, STEERING, "cz_cpho").value.sources[0]
    assert len(source.trend) == 1 and source.trend[0].not_comparable == ()
    assert [(t.failed, t.warned) for t in source.trend[0].tallies] == [(t.failed, t.warned) for t in source.tallies]
    drift = {one.check.id: one.verdict for one in source.results if one.check.type == "drift"}
    assert drift["drift.hb.missing"] is Verdict.PASS and drift["drift.patients"] is Verdict.PASS
    earlier = ask_quality(later, STEERING, "cz_cpho", source.trend[0].snapshot).value
    assert earlier.snapshot == source.trend[0].snapshot and earlier.sources[0].trend == ()


def without_column(folder: Path, column: str, variable: str) -> Path:
    """The Czech sample as its provider delivers it once a column is gone from the file and from its description."""
    source = Path(shutil.copytree(SAMPLES / "cz_cpho", folder / "without" / "cz_cpho"))
    rows = [line.split(";") for line in (source / "pacienti.csv").read_bytes().decode("cp1250").split("\r\n") if line]
    place = rows[0].index(column)
    text = "\r\n".join(";".join([*row[:place], *row[place + 1:]]) for row in rows)
    (source / "pacienti.csv").write_bytes(f"{text}\r\n".encode("cp1250"))
    lines = (source / "source.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(f"  {variable}: ")]
    assert len(kept) == len(lines) - 1
    (source / "source.yaml").write_text("\n".join(kept), encoding="utf-8")
    return source


def verdicts_of(deployment: Deployment, level: Level = Level.PROTECTED) -> dict[str, Verdict]:
    source = ask_quality(deployment, OPERATOR, "cz_cpho", level=level).value.sources[0]
    return {one.check.id: one.verdict for one in source.results}


def test_a_column_that_is_gone_is_told_until_somebody_signs_off(tmp_path: Path) -> None:
    ingest_sources(deployment_at(tmp_path), OPERATOR, [SAMPLES / "cz_cpho"])
    less = without_column(tmp_path, "Hemoglobin (g/l)", "hb")
    not_asked = ("range.hb", "type.hb", "unit.hb.median", "heaping.hb", "drift.hb.median", "constant.hb")
    told = ((30, Verdict.FAIL, Verdict.FAIL), (60, Verdict.FAIL, Verdict.PASS),
            (90, Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE))
    for days, missing, change in told:
        later = deployment_at(tmp_path, NOW + timedelta(days=days))
        ingest_sources(later, OPERATOR, [less])
        for level in (Level.EXACT, Level.PROTECTED):
            verdicts = verdicts_of(later, level)
            assert (verdicts["completeness.hb"], verdicts["drift.hb.missing"]) == (missing, change)
            # What cannot be asked of an empty column is not asked, and nothing is said of its cells.
            assert {verdicts[name] for name in not_asked} == {Verdict.NOT_APPLICABLE}
        source = ask_quality(later, OPERATOR, "cz_cpho").value.sources[0]
        assert "Haemoglobin at diagnosis" in source.not_supplied
        if days == 60:
            sign_off(later, MANAGER, "cz_cpho", later.store.current().snapshot, "The laboratory was closed.")


def test_a_sign_off_before_the_loss_is_none_of_the_loss(tmp_path: Path) -> None:
    first = deployment_at(tmp_path)
    ingest_sources(first, OPERATOR, [SAMPLES / "cz_cpho"])
    sign_off(first, MANAGER, "cz_cpho", first.store.current().snapshot, "Fine.")
    later = deployment_at(tmp_path, NOW + timedelta(days=30))
    ingest_sources(later, OPERATOR, [without_column(tmp_path, "Hemoglobin (g/l)", "hb")])
    assert verdicts_of(later)["completeness.hb"] is Verdict.FAIL


def with_few_values(folder: Path, column: str, n: int) -> Path:
    """The Czech sample with values in a column for its first patients alone."""
    source = Path(shutil.copytree(SAMPLES / "cz_cpho", folder / "few values" / "cz_cpho"))
    rows = [line.split(";") for line in (source / "pacienti.csv").read_bytes().decode("cp1250").split("\r\n") if line]
    place = rows[0].index(column)
    text = "\r\n".join(";".join([*row[:place], "" if nth > n else "120", *row[place + 1:]]) if nth else ";".join(row)
                       for nth, row in enumerate(rows))
    (source / "pacienti.csv").write_bytes(f"{text}\r\n".encode("cp1250"))
    return source


def test_nothing_tells_whether_anybody_had_a_value_in_a_column_that_is_gone(tmp_path: Path) -> None:
    released = []
    for n in (0, 1, 9):
        folder = tmp_path / str(n)
        ingest_sources(deployment_at(folder), OPERATOR, [with_few_values(folder, "Hemoglobin (g/l)", n)])
        later = deployment_at(folder, NOW + timedelta(days=30))
        ingest_sources(later, OPERATOR, [without_column(folder, "Hemoglobin (g/l)", "hb")])
        source = ask_quality(later, MANAGER, "cz_cpho").value.sources[0]
        before = ask_quality(later, MANAGER, "cz_cpho", source.trend[0].snapshot).value.sources[0]
        overview = ask_quality(later, MANAGER).value.sources
        # The key of a snapshot's name is made from its files.
        released.append([repr(one).replace(source.trend[0].snapshot, "") for one in (source, before, overview)])
    assert released[0] == released[1] == released[2]
    assert "completeness.hb" in released[0][2]


@pytest.mark.parametrize(("left", "shown"), [(6, None), (15, 15)])
def test_a_source_that_lost_nearly_all_its_patients_says_so_however_few_are_left(
        tmp_path: Path, left: int, shown: int | None) -> None:
    ingest_sources(deployment_at(tmp_path), OPERATOR, [SAMPLES / "cz_cpho", SAMPLES / "at_ch_bfm"])
    later = deployment_at(tmp_path, NOW + timedelta(days=30))
    ingest_sources(later, OPERATOR, [only_patients(tmp_path, left), SAMPLES / "at_ch_bfm"])
    for level in (Level.EXACT, Level.PROTECTED):
        source = ask_quality(later, OPERATOR, "cz_cpho", level=level).value.sources[0]
        loss = next(one for one in source.results if one.check.id == "drift.patients")
        assert loss.verdict is Verdict.FAIL
    assert loss.asked in ((None,) if shown is None else (10, 15, 20))


def test_what_the_dictionary_changed_in_between_is_not_comparable(tmp_path: Path) -> None:
    extra = tmp_path / "more.yaml"
    extra.write_text("dictionary: more\nvariables:\n  crp_dx: {label: CRP at diagnosis, section: Presentation, "
                     "type: number, unit: mg/L, range: [0, 900]}\n", encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(extra.read_text(encoding="utf-8").replace("900", "700"), encoding="utf-8")
    source = Path(shutil.copytree(SAMPLES / "cz_cpho", tmp_path / "cz"))
    manifest = (source / "source.yaml").read_text(encoding="utf-8")
    (source / "source.yaml").write_text(manifest.replace(
        "variables:\n", "variables:\n  crp_dx: {column: CRP, unit: mg/L}\n", 1), encoding="utf-8")
    lines = (source / "pacienti.csv").read_bytes().decode("cp1250").split("\r\n")
    rows = [f"{line};{place % 90 + 1}" for place, line in enumerate(lines[1:]) if line]
    text = "\r\n".join([f"{lines[0]};CRP", *rows])
    (source / "pacienti.csv").write_bytes(f"{text}\r\n".encode("cp1250"))
    first = deployment_at(tmp_path, dictionary=(extra,))
    ingest_sources(first, OPERATOR, [source])
    later = deployment_at(tmp_path, NOW + timedelta(days=90), dictionary=(other,))
    ingest_sources(later, OPERATOR, [source])
    quality = ask_quality(later, STEERING, "cz_cpho").value.sources[0]
    assert {"range.crp_dx", "drift.crp_dx.missing"} <= set(quality.trend[0].not_comparable)
    assert all("crp_dx" in name for name in quality.trend[0].not_comparable)
    drift = next(one for one in quality.results if one.check.id == "drift.crp_dx.missing")
    assert (drift.comparable, drift.verdict) == (False, Verdict.NOT_APPLICABLE)


def test_a_new_disclosure_key_ends_the_history(tmp_path: Path) -> None:
    later = publish_twice(tmp_path, key=b"another made-up disclosure key!!")
    source = ask_quality(later, STEERING, "cz_cpho").value.sources[0]
    assert source.trend == ()
    assert all(one.verdict is Verdict.NOT_APPLICABLE for one in source.results if one.check.type == "drift")


def test_history_ends_after_a_dozen_snapshots(tmp_path: Path) -> None:
    source = SAMPLES / "cz_cpho"
    for place in range(quality_tables.MOST_SNAPSHOTS + 2):
        opened = deployment_at(tmp_path, NOW + timedelta(days=place))
        ingest_sources(opened, OPERATOR, [source])
    trend = ask_quality(opened, STEERING, "cz_cpho").value.sources[0].trend
    assert len(trend) == quality_tables.MOST_SNAPSHOTS - 1
    assert [point.snapshot for point in trend] == sorted((point.snapshot for point in trend), reverse=True)


def test_a_damaged_or_older_predecessor_is_no_obstacle(tmp_path: Path) -> None:
    none = quality_tables.read_history(tmp_path / "none", schema.SCHEMA_VERSION, "f")
    assert (none.rows.num_rows, none.lost) == (0, False)
    first = deployment_at(tmp_path)
    report = ingest_sources(first, OPERATOR, [SAMPLES / "cz_cpho"])
    assert not report.history_lost
    (tmp_path / "store" / f"{report.snapshot}.duckdb").write_bytes(b"not a database")
    later = deployment_at(tmp_path, NOW + timedelta(days=1))
    assert ingest_sources(later, OPERATOR, [SAMPLES / "cz_cpho"]).history_lost
    assert ask_quality(later, STEERING, "cz_cpho").value.sources[0].trend == ()


def test_a_snapshot_that_is_open_here_hands_its_history_on(tmp_path: Path) -> None:
    opened = deployment_at(tmp_path)
    ingest_sources(opened, OPERATOR, [SAMPLES / "cz_cpho"])
    assert opened.store.current().patients == 200
    later = deployment_at(tmp_path, NOW + timedelta(days=1))
    assert not ingest_sources(later, OPERATOR, [SAMPLES / "cz_cpho"]).history_lost
    assert len(ask_quality(later, STEERING, "cz_cpho").value.sources[0].trend) == 1
    assert opened.store.current().snapshot != ""


def test_a_whole_snapshot_whose_history_cannot_be_read_stops_the_ingest(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = deployment_at(tmp_path)
    report = ingest_sources(opened, OPERATOR, [SAMPLES / "cz_cpho"])
    monkeypatch.setattr(quality_tables, "_NAMES", ("failing", "no_such_column"))
    with pytest.raises(StoreError, match="history of quality could not be read"):
        ingest_sources(deployment_at(tmp_path, NOW + timedelta(days=1)), OPERATOR, [SAMPLES / "cz_cpho"])
    assert opened.store.current().snapshot == report.snapshot


def test_a_snapshot_of_another_disclosure_key_is_for_exact_numbers_alone(tmp_path: Path) -> None:
    first = ingest_sources(deployment_at(tmp_path), OPERATOR, [SAMPLES / "cz_cpho"]).snapshot
    later = deployment_at(tmp_path, NOW + timedelta(days=90), key=b"another made-up disclosure key!!")
    ingest_sources(later, OPERATOR, [SAMPLES / "cz_cpho"], new_disclosure_key=True)
    for actor in (STEERING, MANAGER, OPERATOR):
        with pytest.raises(QuestionError, match="another disclosure key"):
            ask_quality(later, actor, "cz_cpho", first)
    assert list_events(later.access, limit=1)[0].event.decision == "refused"
    assert ask_quality(later, OPERATOR, "cz_cpho", first, level=Level.EXACT).value.sources[0].accepted == 200


def test_level_off_does_not_reach_back_to_snapshots_that_were_protected(tmp_path: Path) -> None:
    real = Path(shutil.copytree(SAMPLES / "cz_cpho", tmp_path / "cz_cpho"))
    text = (real / "source.yaml").read_text(encoding="utf-8")
    (real / "source.yaml").write_text(text.replace("synthetic: true", "synthetic: false"), encoding="utf-8")

    def at(days: int, protection: str = "protected") -> Deployment:
        settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                            disclosure_key=DISCLOSURE_KEY, access_key=ACCESS_KEY, protection=protection,
                            max_mean_risk=1.0, max_unique_share=1.0)
        return open_deployment(settings, now=lambda: NOW + timedelta(days=days))

    ingest_sources(at(0), OPERATOR, [real])
    ingest_sources(at(1), OPERATOR, [SAMPLES / "cz_cpho"])
    off = ask_quality(at(1, "off"), STEERING, "cz_cpho")
    assert off.scope.level is Level.OFF and off.value.sources[0].trend == ()
    assert all(one.share_before is None and one.value_before is None for one in off.value.sources[0].results)
    assert len(ask_quality(at(1), STEERING, "cz_cpho").value.sources[0].trend) == 1
    synthetic = ingest_sources(at(1), OPERATOR, [SAMPLES / "cz_cpho"]).snapshot
    ingest_sources(at(2), OPERATOR, [SAMPLES / "cz_cpho"])
    assert [point.snapshot for point in ask_quality(at(2, "off"), STEERING, "cz_cpho").value.sources[0].trend] == [
        synthetic]


def test_nobody_who_looks_after_data_sees_outcomes_in_their_quality(tmp_path: Path) -> None:
    later = publish_twice(tmp_path)
    rested = {rule.check.id for rule in build_rules(load_dictionary()) if rule.check.showing is Showing.VERDICT}
    assert {"drift.death.is_yes", "drift.first_event.is_relapse", "follow_up.last_contact_days.none_lost",
            "completeness.cause_death", "completeness.relapse_site", "heaping.death_days", "unit.cr_days.median",
            "temporal_order.death_days", "event_time.hsct_days", "published.os_all10"} <= rested
    source = ask_quality(later, STEERING, "cz_cpho").value.sources[0]
    for results in (source.results, source.trend[0].results):
        told = [one for one in results if one.check.id in rested]
        assert {one.verdict for one in told} > {Verdict.PASS}
        for one in told:
            assert {one.failing, one.asked, one.value, one.share, one.share_before, one.value_before} == {None}
    exact = ask_quality(later, OPERATOR, "cz_cpho", level=Level.EXACT).value.sources[0]
    assert {one.check.id: one.asked for one in exact.results}["completeness.death_days"] == 18
    assert all(one.n is None for one in source.reasons if one.outcome)
    page, table, _ = write_quality_report(later, STEERING, "cz_cpho")
    lines = [line for line in table.decode("utf-8-sig").splitlines() if '"completeness.death_days"' in line]
    assert len(lines) == 1 and '"not shown","not shown","–"' in lines[0]
    assert b"does not look at outcomes" in page


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


def test_a_source_with_a_withdrawn_country_is_not_shown_at_all(tmp_path: Path) -> None:
    opened = deployment_at(tmp_path)
    ingest_sources(opened, OPERATOR, [SAMPLES / "cz_cpho", SAMPLES / "nordic_nopho"])
    withdraw_country(opened, OPERATOR, "IS", "letter of 3 May")
    result = ask_quality(opened, STEERING).value
    assert [source.source for source in result.sources] == ["cz_cpho"]
    assert result.withheld == ("nordic_nopho",)
    for act in (lambda: ask_quality(opened, STEERING, "nordic_nopho"),
                lambda: write_quality_report(opened, STEERING, "nordic_nopho"),
                lambda: sign_off(opened, MANAGER, "nordic_nopho", result.snapshot, "Fine.")):
        with pytest.raises(QuestionError, match="withdrawn"):
            act()


def test_numbers_of_a_withdrawn_country_do_not_come_back_with_earlier_snapshots(tmp_path: Path) -> None:
    nordic, czech = Path(shutil.copytree(SAMPLES / "nordic_nopho", tmp_path / "nordic_nopho")), SAMPLES / "cz_cpho"
    ingest_sources(deployment_at(tmp_path), OPERATOR, [nordic, czech])
    lines = (nordic / "leukemiregister.tsv").read_text(encoding="utf-8").splitlines()
    place = lines[0].split("\t").index("Land")
    kept = [line for line in lines if line.split("\t")[place] != "Island"]
    assert len(kept) < len(lines)
    (nordic / "leukemiregister.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for days in (30, 60):
        later = deployment_at(tmp_path, NOW + timedelta(days=days))
        ingest_sources(later, OPERATOR, [nordic, czech])
    assert len(ask_quality(later, STEERING, "nordic_nopho").value.sources[0].trend) == 2
    newest = ask_quality(later, STEERING, "nordic_nopho").value.sources[0].trend[0].snapshot
    withdraw_country(later, OPERATOR, "IS", "letter of 3 May")
    for level in (Level.PROTECTED, Level.EXACT):
        source = ask_quality(later, OPERATOR, "nordic_nopho", level=level).value.sources[0]
        assert [point.snapshot for point in source.trend] == [newest]
        assert all(one.verdict is Verdict.NOT_APPLICABLE for one in source.trend[0].results
                   if one.check.type == "drift")
        assert len(ask_quality(later, OPERATOR, "cz_cpho", level=level).value.sources[0].trend) == 2
    _, _, further = write_quality_report(later, STEERING, "nordic_nopho")
    with zipfile.ZipFile(io.BytesIO(further)) as archive:
        trend = archive.read("quality-nordic_nopho/trend.csv").decode("utf-8-sig")
    assert len({line.split(",")[1] for line in trend.splitlines()[1:]}) == 2


def test_the_change_since_a_snapshot_with_a_withdrawn_country_is_not_told(tmp_path: Path) -> None:
    ingest_sources(deployment_at(tmp_path), OPERATOR, [SAMPLES / "nordic_nopho", SAMPLES / "cz_cpho"])
    later = deployment_at(tmp_path, NOW + timedelta(days=30))
    nordic = Path(shutil.copytree(SAMPLES / "nordic_nopho", tmp_path / "nordic_nopho"))
    text = (nordic / "leukemiregister.tsv").read_text(encoding="utf-8")
    (nordic / "leukemiregister.tsv").write_text(text.replace("Island", "Norge"), encoding="utf-8")
    ingest_sources(later, OPERATOR, [nordic, SAMPLES / "cz_cpho"])
    assert verdict_of(later, "nordic_nopho", "drift.patients") is Verdict.PASS
    withdraw_country(later, OPERATOR, "IS", "letter of 3 May")
    assert verdict_of(later, "nordic_nopho", "drift.patients") is Verdict.NOT_APPLICABLE
    assert ask_quality(later, STEERING, "nordic_nopho").value.sources[0].trend == ()


def verdict_of(deployment: Deployment, source: str, check: str) -> Verdict:
    results = ask_quality(deployment, STEERING, source).value.sources[0].results
    return next(one.verdict for one in results if one.check.id == check)


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


def only_patients(folder: Path, n: int) -> Path:
    source = Path(shutil.copytree(SAMPLES / "cz_cpho", folder / "few"))
    lines = (source / "pacienti.csv").read_bytes().decode("cp1250").split("\r\n")
    (source / "pacienti.csv").write_bytes("\r\n".join([*lines[:n + 1], ""]).encode("cp1250"))
    return source


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
