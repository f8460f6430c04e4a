"""A mapping is checked line by line before any data file is opened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.load import read_manifest
from harmony_dash.ingest.manifest.model import Origin
from tests.unit.ingest.sources import MANIFEST, write_source

DICTIONARY = load_dictionary()


def refusal(folder: Path, before: str, after: str) -> SourceError:
    assert before in MANIFEST
    write_source(folder, manifest=MANIFEST.replace(before, after))
    with pytest.raises(SourceError) as caught:
        read_manifest(folder, DICTIONARY)
    assert caught.value.problem
    assert caught.value.remedy
    return caught.value


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(MANIFEST.splitlines(), 1) if text in line)


def test_a_good_manifest(tmp_path: Path) -> None:
    manifest = read_manifest(write_source(tmp_path), DICTIONARY)
    assert (manifest.source, manifest.origin) == ("de_example", Origin.SYNTHETIC)
    assert [spec.name for spec in manifest.files] == ["patients", "follow"]
    assert manifest.constant("country") == "DE"
    assert manifest.constant("sex") is None
    assert manifest.fields["wbc_dx"].missing == {"", "NA", "-9"}
    assert manifest.fields["first_event"].values == {"0": "none", "1": "relapse"}
    assert manifest.fields["mrd_eoi"].lod == 1e-4


@pytest.mark.parametrize(("before", "after", "problem", "remedy"), [
    ("title:", "titel:", "'titel' is not a key", "title"),
    ("wbc, unit: /uL", "wbc, units: /uL", "'units' is not a key of 'wbc_dx'", "unit"),
    ("    id: pid\nmissing", "    idd: pid\nmissing", "'idd' is not a key of a file", "id"),
    ("  sex: {column", "  sexe: {column", "'sexe' is not a variable", "sex"),
    ("  sex: {column", "  nci_risk: {column", "'nci_risk' is derived", "ignore"),
    ("  sex: {column", "  patient_id: {column", "taken from the `id` column", "Remove"),
    ("  sex: {column: sex,", "  sex: {column: sex, constant: M,", "both `column` and `constant`", "exactly one"),
    ("  sex: {column: sex, ", "  sex: {", "neither `column` nor `constant`", "exactly one"),
    ("  sex: {column: sex, values: {m: M, w: F}}", "  sex:", "no column and no constant", "column"),
    ("wbc, unit: /uL", "wbc", "'wbc_dx' has no unit", "10^9/L"),
    ("wbc, unit: /uL", "wbc, unit: /µL", "the unit '/µL' is not known", "/uL"),
    ("unit: percent, ", "", "the MRD unit is not declared", "hundredfold"),
    ("unit: percent", "unit: '%'", "the MRD unit '%' is not known", "percent"),
    ("mrd, transform: mrd", "mrd, transform: mdr", "the transform 'mdr' does not exist", "mrd"),
    ("mrd, transform: mrd,", "mrd,", "only means something with `transform: mrd`", "transform"),
    ("  mrd_eoi: {", "  mrd_eoi_value: {", "filled together with the other parts", "mrd_eoi"),
    ("lod: 1.0e-4", "lod: 10", "lod is not a fraction", "0.0001"),
    ("  sex: {column: sex,", "  sex: {column: sex, transform: subtype,", "does not make this category", "map"),
    ("cr, unit: days", "cr, unit: month", "the unit 'month' is not known", "months"),
    ("cr, unit: days", "cr, transform: days_between", "needs the column it counts from", "from"),
    ("cr, unit: days", "cr, transform: days_between, from: dx", "the date format is not declared", "%d.%m.%Y"),
    ("cr, unit: days", "cr, transform: days_between, from: dx, date_format: dd.mm.yyyy", "does not describe",
     "strptime"),
    ("cr, unit: days", "cr, transform: days_between, from: dx, date_format: '%m.%Y'", "does not describe", "strptime"),
    ("path: follow.csv", "path: folow.csv", "does not exist", "follow.csv"),
    ("path: follow.csv", "path: ../follow.csv", "outside the source folder", "inside"),
    ("path: follow.csv", "path: /etc/passwd", "outside the source folder", "inside"),
    ("path: follow.csv", "path: 'C:\\data.csv'", "outside the source folder", "inside"),
    ("path: follow.csv", "path: patients.csv", "listed twice", "Keep one"),
    ("    id: pid\nmissing", "    id: pid\n    encoding: utf-9\nmissing", "the encoding 'utf-9' is not known", "utf-8"),
    ("    id: pid\nmissing", "    id: pid\n    encoding: rot13\nmissing", "is not known", "utf-8"),
    ("    id: pid\nmissing", "    id: pid\n    encoding: unicode_escape\nmissing", "is not known", "utf-8"),
    ("    id: pid\nmissing", "    id: pid\n    delimiter: ab\nmissing", "not a single character", "tab"),
    ("    id: pid\nmissing", "    id: pid\n    decimal: ';'\nmissing", "neither a point nor a comma", "decimal"),
    ("    id: pid\nmissing", "    id: '#row'\nmissing", "row numbers cannot join", "identifier"),
    ("{m: M, w: F}", "{m: M, w: W}", "'W' is not a code of the dictionary", "F"),
    ("{m: M, w: F}", "{m: M, w: F, NA: F, '': F}", "both in the value map and a missing token", "Keep one"),
    ("{m: M, w: F}", "[m, w]", "is not a map", "values"),
    ("disease: ALL", "disease: AML2", "the disease 'AML2' is not in the dictionary", "ALL"),
    ("country: DE", "country: Germany", "'Germany' is not a code of 'country'", "DE"),
    ("country: DE\n", "", "required variable is not mapped: 'country'", "country"),
    ("disease: ALL\n", "", "required variable is not mapped: 'disease'", "disease"),
    ("last_contact_days: {column: fu, unit: days}", "entry_days: {column: fu}", "'last_contact_days'", "constant"),
    ("  first_event: {", "  relapse_site: {", "", ""),
    ("ignore: [remark]", "ignore: [sex]", "ignored and also read by 'sex'", "Remove"),
    ("ignore: [remark]", "ignore: [remark]\nendpoints_not_recorded: {ois: no}", "no endpoint 'ois'", "os"),
    ("synthetic: true", "synthetic: yes", "not true, false or public", "public"),
    ("source: de_example", "source: DE example", "not lower-case", "de_example"),
    ("missing: [\"\", \"NA\"]", "missing: [9.0]", "needs quotes", "-9.0"),
    ("missing: [\"\", \"NA\"]", "missing: NA", "is not a list", "missing"),
])
def test_what_a_manifest_may_not_hold(tmp_path: Path, before: str, after: str, problem: str, remedy: str) -> None:
    error = refusal(tmp_path, before, after)
    assert problem in error.problem
    assert remedy in error.remedy
    assert re.match(r"source\.yaml:\d+$", error.where)


def test_the_line_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "wbc, unit: /uL", "wbc").where == f"source.yaml:{line_of('wbc_dx')}"
    assert refusal(tmp_path, "{m: M, w: F}", "{m: M, w: W}").where == f"source.yaml:{line_of('  sex')}"


@pytest.mark.parametrize(("before", "after"), [
    ("title: Example trial", "title: Example: trial"),
    ("title: Example trial", "title: !!python/object/apply:os.system [ls]"),
    ("title: Example trial", "title: &x y"),
    ("    format: csv\n    id: pid\n  - path", "   format: csv\n    id: pid\n  - path"),
    ("title: Example trial", "title: a\ntitle: b"),
    ("title: Example trial", "\ttitle: a"),
])
def test_broken_yaml_names_its_line(tmp_path: Path, before: str, after: str) -> None:
    assert re.match(r"source\.yaml:\d+$", refusal(tmp_path, before, after).where)


def test_country_at_the_top_and_under_variables(tmp_path: Path) -> None:
    assert "given twice" in refusal(tmp_path, "  sex: {", "  country: {column: land}\n  sex: {").problem


def test_no_symbolic_links(tmp_path: Path) -> None:
    folder = write_source(tmp_path / "source")
    secret = tmp_path / "secret.csv"
    (folder / "follow.csv").rename(secret)
    (folder / "follow.csv").symlink_to(secret)
    with pytest.raises(SourceError, match="symbolic link"):
        read_manifest(folder, DICTIONARY)


def test_a_folder_and_a_manifest_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="folder does not exist"):
        read_manifest(tmp_path / "none", DICTIONARY)
    with pytest.raises(SourceError, match="file does not exist"):
        read_manifest(tmp_path, DICTIONARY)


def test_norway_stays_norway(tmp_path: Path) -> None:
    write_source(tmp_path, manifest=MANIFEST.replace("country: DE", "country: NO"))
    assert read_manifest(tmp_path, DICTIONARY).constant("country") == "NO"


def test_events_may_come_in_parts(tmp_path: Path) -> None:
    text = MANIFEST.replace("first_event: {column: event, values: {\"0\": none, \"1\": relapse}}",
                            "relapse: {column: event, values: {\"0\": no, \"1\": yes}}")
    write_source(tmp_path, manifest=text.replace("first_event_days", "relapse_days"))
    assert "relapse" in read_manifest(tmp_path, DICTIONARY).fields
