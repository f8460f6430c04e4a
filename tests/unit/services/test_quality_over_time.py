"""Data quality from one snapshot to the next: trend and change, history, and withdrawn countries in it."""

from __future__ import annotations

import io
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.audit import list_events
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level
from harmony_dash.errors import QuestionError, StoreError
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.quality.model import Showing, Verdict
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import withdraw_country
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.quality import ask_quality, sign_off
from harmony_dash.services.quality_report import write_quality_report
from harmony_dash.settings import Settings
from harmony_dash.store import quality_tables, schema
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW
from tests.unit.services.quality_house import (
    MANAGER,
    SAMPLES,
    STEERING,
    copy_of,
    czech_and_nordic,
    deployment_at,
    only_patients,
    publish,
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation in which the Czech sample was published, to be copied."""
    return publish(tmp_path_factory.mktemp("published"), "cz_cpho")


@pytest.fixture(scope="module")
def published_with_nordic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return czech_and_nordic(tmp_path_factory)


def publish_again(published: Path, folder: Path, **second: object) -> Deployment:
    """The Czech sample a second time, ninety days later."""
    copy_of(published, folder)
    later = deployment_at(folder, NOW + timedelta(days=90), **second)  # type: ignore[arg-type]
    ingest_sources(later, OPERATOR, [SAMPLES / "cz_cpho"], new_disclosure_key="key" in second)
    return later


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory, published: Path) -> Deployment:
    """A deployment with two snapshots, which is only asked."""
    return publish_again(published, tmp_path_factory.mktemp("later"))


def test_the_trend_holds_the_earlier_snapshots_and_an_earlier_one_can_be_asked(later: Deployment) -> None:
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


def test_a_column_that_is_gone_is_told_until_somebody_signs_off(published: Path, tmp_path: Path) -> None:
    copy_of(published, tmp_path)
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


def test_a_sign_off_before_the_loss_is_none_of_the_loss(published: Path, tmp_path: Path) -> None:
    first = copy_of(published, tmp_path)
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
        published_with_nordic: Path, tmp_path: Path, left: int, shown: int | None) -> None:
    copy_of(published_with_nordic, tmp_path)
    later = deployment_at(tmp_path, NOW + timedelta(days=30))
    ingest_sources(later, OPERATOR, [only_patients(tmp_path, left), SAMPLES / "nordic_nopho"])
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


def test_a_new_disclosure_key_ends_the_history(published: Path, tmp_path: Path) -> None:
    first = deployment_at(published).store.current().snapshot
    later = publish_again(published, tmp_path, key=b"another made-up disclosure key!!")
    source = ask_quality(later, STEERING, "cz_cpho").value.sources[0]
    assert source.trend == ()
    assert all(one.verdict is Verdict.NOT_APPLICABLE for one in source.results if one.check.type == "drift")
    # What was published under the other key is for exact numbers alone.
    for actor in (STEERING, MANAGER, OPERATOR):
        with pytest.raises(QuestionError, match="another disclosure key"):
            ask_quality(later, actor, "cz_cpho", first)
    assert list_events(later.access, limit=1)[0].event.decision == "refused"
    assert ask_quality(later, OPERATOR, "cz_cpho", first, level=Level.EXACT).value.sources[0].accepted == 200


def test_history_ends_after_a_dozen_snapshots(published: Path, tmp_path: Path) -> None:
    copy_of(published, tmp_path)
    for place in range(1, quality_tables.MOST_SNAPSHOTS + 2):
        opened = deployment_at(tmp_path, NOW + timedelta(days=place))
        ingest_sources(opened, OPERATOR, [SAMPLES / "cz_cpho"])
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


def test_a_snapshot_that_is_open_here_hands_its_history_on(published: Path, tmp_path: Path) -> None:
    opened = copy_of(published, tmp_path)
    assert opened.store.current().patients == 200
    later = deployment_at(tmp_path, NOW + timedelta(days=1))
    assert not ingest_sources(later, OPERATOR, [SAMPLES / "cz_cpho"]).history_lost
    assert len(ask_quality(later, STEERING, "cz_cpho").value.sources[0].trend) == 1
    assert opened.store.current().snapshot != ""


def test_a_whole_snapshot_whose_history_cannot_be_read_stops_the_ingest(
        published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = copy_of(published, tmp_path)
    before = opened.store.current().snapshot
    monkeypatch.setattr(quality_tables, "_NAMES", ("failing", "no_such_column"))
    with pytest.raises(StoreError, match="history of quality could not be read"):
        ingest_sources(deployment_at(tmp_path, NOW + timedelta(days=1)), OPERATOR, [SAMPLES / "cz_cpho"])
    assert opened.store.current().snapshot == before


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


def test_nobody_who_looks_after_data_sees_outcomes_in_their_quality(later: Deployment) -> None:
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


def test_numbers_of_a_withdrawn_country_do_not_come_back_with_earlier_snapshots(
        published_with_nordic: Path, tmp_path: Path) -> None:
    copy_of(published_with_nordic, tmp_path)
    nordic, czech = Path(shutil.copytree(SAMPLES / "nordic_nopho", tmp_path / "nordic_nopho")), SAMPLES / "cz_cpho"
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


def test_the_change_since_a_snapshot_with_a_withdrawn_country_is_not_told(
        published_with_nordic: Path, tmp_path: Path) -> None:
    copy_of(published_with_nordic, tmp_path)
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
