from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.errors import UserError
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.synthetic import synthesise
from harmony_dash.synthetic.layouts import LAYOUTS
from harmony_dash.synthetic.layouts.layout import Layout, flow, quote, write_manifest
from harmony_dash.synthetic.mistakes import Mistake, plan_mistakes
from harmony_dash.synthetic.population import allocate
from harmony_dash.synthetic.protocols import PROTOCOLS, SOURCE_NAMES, weights
from harmony_dash.synthetic.sources import observe_patients, write_rows, write_sources
from harmony_dash.synthetic.writers import freeze_archive, open_writer

KEY = b"a key for tests, thirty-two bytes"
ROUNDED = {"age_dx_years": 0.6, "wbc_dx": 0.06, "hb": 0.1, "plt": 0.6, "blasts_bm": 0.6}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load_dictionary()


def _write_sound(layout: Layout, folder: Path, patients: int) -> pd.DataFrame:
    """One source without bad rows; returns what its provider knows."""
    rng = np.random.default_rng(99)
    protocol, country = allocate(20_000)
    here = np.flatnonzero(np.array([entry.source == layout.source for entry in PROTOCOLS])[protocol])
    rows = rng.choice(here, size=patients)
    frame = observe_patients(layout, protocol[rows], country[rows], rng)
    ids = np.array([f"{layout.prefix}{number:05d}" for number in range(patients)], dtype=object)
    folder.mkdir()
    with ExitStack() as stack:
        write_rows(layout, [stack.enter_context(open_writer(folder / file.path, file)) for file in layout.files],
                   frame, ids, rng)
    (folder / "source.yaml").write_text(write_manifest(layout), encoding="utf-8")
    return frame


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.source)
def test_what_a_provider_knows_survives_its_own_words_and_units(
        layout: Layout, tmp_path: Path, dictionary: Dictionary) -> None:
    expected = _write_sound(layout, tmp_path / layout.source, 250)

    harmonised = harmonise_source(tmp_path / layout.source, dictionary, KEY)

    assert harmonised.quarantined == 0, list(harmonised.issues)[:3]
    variables = [name for name in layout.targets() if name in expected and name in dictionary and dictionary[name].kept]
    assert len(variables) > 35
    for name in variables:
        _assert_same(name, harmonised.frame[name], expected[name], dictionary)
    for point in ("mrd_eoi", "mrd_eoc"):
        _assert_same_mrd(point, harmonised.frame, expected)


def _assert_same(name: str, found: pd.Series, expected: pd.Series, dictionary: Dictionary) -> None:
    if dictionary[name].is_numeric:
        known = expected.astype(float).to_numpy()
        tolerance = ROUNDED.get(name, 0.0)
        np.testing.assert_allclose(found.to_numpy(dtype=float, na_value=np.nan), known, rtol=0, atol=tolerance,
                                   err_msg=name)
        return
    mapped = expected.where(expected.notna(), None).tolist()
    # Providers leave the cell empty where no test was done.
    alike = [code if code != "not_done" else None for code in mapped]
    assert [code if code != "not_done" else None for code in found.tolist()] == alike, name


def _assert_same_mrd(point: str, found: pd.DataFrame, expected: pd.DataFrame) -> None:
    statuses = expected[f"{point}_status"].fillna("not_done").tolist()
    read = [status if isinstance(status, str) else "not_done" for status in found[f"{point}_status"]]
    unsaid = [mine if (mine, theirs) != ("not_done", "failed") else theirs
              for mine, theirs in zip(read, statuses, strict=True)]
    assert unsaid == statuses
    quantified = np.array(statuses) == "quantified"
    np.testing.assert_allclose(found.loc[quantified, f"{point}_value"].to_numpy(dtype=float),
                               expected.loc[quantified, f"{point}_value"].to_numpy(dtype=float), rtol=0.5)


def test_every_planted_row_and_no_other_is_refused(tmp_path: Path, dictionary: Dictionary) -> None:
    deliveries = write_sources(2_400, 7, tmp_path)
    assert len(deliveries) == len(LAYOUTS)
    for delivery in deliveries:
        harmonised = harmonise_source(delivery.folder, dictionary, KEY)
        name = delivery.layout.source
        assert harmonised.accepted == delivery.patients, name
        assert harmonised.quarantined == len(delivery.planted), name


@pytest.mark.parametrize("kind", list(Mistake))
def test_each_kind_of_mistake_is_refused_wherever_a_provider_makes_it(
        kind: Mistake, tmp_path: Path, dictionary: Dictionary) -> None:
    makers = [layout for layout in LAYOUTS if kind in layout.mistakes]
    assert makers
    layout = makers[0]
    rng = np.random.default_rng(5)
    protocol, country = allocate(5_000)
    rows = np.flatnonzero(np.array([entry.source == layout.source for entry in PROTOCOLS])[protocol])[:60]
    wrong = np.array([kind, kind] + [None] * 58, dtype=object)
    frame = observe_patients(layout, protocol[rows], country[rows], rng, wrong)
    ids = np.array([f"{layout.prefix}{number:05d}" for number in range(60)], dtype=object)
    if kind is Mistake.DUPLICATE_ID:
        ids[1] = ids[0]
    with ExitStack() as stack:
        write_rows(layout, [stack.enter_context(open_writer(tmp_path / file.path, file)) for file in layout.files],
                   frame, ids, rng, wrong)
    (tmp_path / "source.yaml").write_text(write_manifest(layout), encoding="utf-8")

    assert harmonise_source(tmp_path, dictionary, KEY).quarantined == 2


def test_equal_seeds_give_equal_bytes_and_other_seeds_others(tmp_path: Path) -> None:
    def read(folder: str, seed: int) -> dict[str, bytes]:
        paths = synthesise(300, seed, tmp_path / folder)
        return {str(path.relative_to(tmp_path / folder)): path.read_bytes()
                for root in paths for path in sorted(root.iterdir())}

    first, again, other = read("first", 1), read("again", 1), read("other", 2)

    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if not name.endswith("source.yaml"))


def test_progress_ends_with_every_patient(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    paths = synthesise(60, 3, tmp_path, progress=lambda *step: seen.append(step))

    assert [path.name for path in paths] == [layout.source for layout in LAYOUTS]
    assert [name for name, _, _ in seen] == [path.name for path in paths]
    assert seen[-1][1:] == (60, 60)


@pytest.mark.parametrize(("patients", "seed"), [(0, 1), (-5, 1), (10, -1)])
def test_impossible_wishes_are_refused(patients: int, seed: int, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        synthesise(patients, seed, tmp_path)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    with pytest.raises(UserError, match="taken"):
        synthesise(10, 1, tmp_path / "taken")


def test_country_totals_are_those_of_the_pool_and_the_united_kingdom_is_not_in_it() -> None:
    totals: dict[str, int] = {}
    for _, country, count in weights():
        totals[country] = totals.get(country, 0) + count

    assert totals == {"DE": 1050, "FR": 900, "IT": 800, "NL": 550, "ES": 350, "SE": 250, "CZ": 200, "DK": 160,
                      "BE": 150, "AT": 150, "FI": 140, "NO": 130, "CH": 100, "PT": 50, "IS": 20}


@pytest.mark.parametrize("patients", [1, 37, 4_999, 100_001])
def test_every_patient_is_allocated(patients: int) -> None:
    protocol, country = allocate(patients)

    assert len(protocol) == len(country) == patients


def test_each_source_has_one_layout() -> None:
    assert sorted(layout.source for layout in LAYOUTS) == sorted(SOURCE_NAMES)
    assert len(LAYOUTS) == 12
    assert len({layout.prefix for layout in LAYOUTS}) == 12


def test_plans_hold_duplicates_in_pairs() -> None:
    plan = plan_mistakes(1_000, (Mistake.AGE, Mistake.DUPLICATE_ID, Mistake.MRD))

    assert plan[:4] == [Mistake.AGE, Mistake.DUPLICATE_ID, Mistake.DUPLICATE_ID, Mistake.MRD]
    assert plan.count(Mistake.DUPLICATE_ID) % 2 == 0
    assert 10 <= len(plan) <= 11


@pytest.mark.parametrize(("value", "text"), [
    ("plain", "plain"), ("a: b", '"a: b"'), ("", '""'), ("true", '"true"'), ("12", '"12"'),
    ('say "x"', '"say \\"x\\""'), (1e-4, "1.0e-04"), (33, "33"), ({"m": "M", "1": "F"}, '{m: M, "1": F}'),
    (["", "k.A."], '["", k.A.]')])
def test_yaml_scalars_are_quoted_where_needed(value: object, text: str) -> None:
    assert flow(value) == text
    if isinstance(value, str):
        assert quote(value) == text


def test_a_frozen_archive_forgets_when_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "book.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("docProps/core.xml", "<modified>2031-05-06T07:08:09Z</modified>")

    path.write_bytes(freeze_archive(path.read_bytes()))

    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].date_time == (2000, 1, 1, 0, 0, 0)
        assert b"2031" not in archive.read("docProps/core.xml")
