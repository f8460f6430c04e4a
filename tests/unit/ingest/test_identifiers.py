"""The identifier gate: planted identifiers are found wherever they are, and clean files pass.

The national numbers are the published examples of each country or made up with valid check digits.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.identifiers.gate import check_identifiers, find_identifiers
from harmony_dash.ingest.identifiers.headers import suspicious_name
from harmony_dash.ingest.identifiers.model import Finding
from harmony_dash.ingest.manifest.load import read_manifest
from harmony_dash.ingest.manifest.model import FileSpec, Manifest
from harmony_dash.ingest.readers.table import RawTable
from tests.unit.ingest.sources import MANIFEST, write_source

DICTIONARY = load_dictionary()

PLANTED = {
    "e-mail": ["anna.meyer@example.org", "contact: j-p@chu-lyon.fr", "<ole_hansen99@rh.dk>"],
    "telephone": ["+49 170 1234567", "0170/1234567", "06 12 34 56 78"],
    "bank account": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR1420041010050500013M02606"],
    "Dutch": ["111222333", "123456782", "1112.22.333"],
    "Swedish": ["880320-0016", "19640823-3234", "6408233234"],
    "Danish": ["211062-5629", "070761-4285", "2110625629"],
    "Norwegian": ["151086 95088", "15108695088", "01010750160"],
    "Finnish": ["131052-308T", "010594Y9032", "020516C903K"],
    "French": ["2 95 10 99 126 111 93", "295109912611193", "1 85 05 78 006 084 91"],
    "Spanish DNI": ["54362315-K", "54362315K", "12345678Z"],
    "Spanish NIE": ["X-2482300W", "X2482300W", "Y1234567X"],
    "Italian": ["RCCMNL83S18D969H", "RSSMRA85T10A562S", "rssmra85t10a562s"],
    "Czech": ["710319/2745", "7103192745", "7156191009"],
    "Portuguese": ["501964843", "501 964 843", "123456789"],
    "Belgian": ["85.07.30-033.28", "85073003328", "850730-033-28"],
    "Swiss": ["756.9217.0769.85", "7569217076985", "756 9217 0769 85"],
    "Austrian": ["1237 010180", "1237010180", "1237-010180"],
    "name": ["Frau Dr. Schmidt", "Meyer, Anna", "José García Lopez"],
    "date": ["12.03.2004", "2004-03-12", "12/03/2004"],
    "address": ["Hauptstraße 12", "12 rue de la Paix", "80331 München"],
}
MORE = {
    "German": ["36574261809", "A123456780"], "British": ["943-476-5870", "9434765870"],
    "Baltic": ["36805280109", "33309240064"], "Icelandic": ["120174-3399"], "hospital": ["MRN 0012345",
        "Pat.-Nr. 123456"],
    "telephone": ["Tel. 030-1234", "0049 30 1234567", "612 345 678", "(030) 123 456 78"],
    "date": ["20040312", "12 Jan 2004", "3. März 2004", "1.2.2004", "born 12.03.2004", "12.03.04", "03/2004",
             "2004-03-12T00:00:00"],
    "name": ["Mme Dupont", "Prof. Jan Novák", "MÜLLER Hans", "Mr Smith"],
    "address": ["Calle Mayor 5", "Kerkstraat 8", "Storgatan 5", "5 Baker Street"],
    "free text": ["the mother rang on friday and asked for another appointment"],
}


def table(columns: dict[str, list[str]], name: str = "a.csv") -> RawTable:
    frame = pd.DataFrame(columns, dtype=object)
    return RawTable(FileSpec(name, "csv", "pid", name=name.removesuffix(".csv")), frame,
                    np.arange(2, len(frame) + 2, dtype=np.int32))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    text = MANIFEST.replace("cr, unit: days", "cr, transform: days_between, from: dx, date_format: '%d.%m.%Y'")
    text = text.replace("trial: Example 2000\n", "").replace("variables:", "variables:\n  trial: {column: study}")
    return read_manifest(write_source(tmp_path_factory.mktemp("source"), manifest=text), DICTIONARY)


def clean(rng: np.random.Generator, n: int = 60) -> dict[str, list[str]]:
    days = [f"{d:02d}.{m:02d}.{y}" for d, m, y in zip(rng.integers(1, 28, n), rng.integers(1, 13, n),
                                                       rng.integers(1995, 2015, n), strict=True)]
    return {
        "pid": [f"P{k:05d}" for k in range(n)], "sex": rng.choice(["m", "w"], n).tolist(),
        "age": [f"{value:.2f}" for value in rng.uniform(0, 18, n)], "wbc": rng.integers(500, 500_000,
            n).astype(str).tolist(),
        "mrd": rng.choice(["neg", "<0.01", "0.01", "1.5e-3", "PNQ", "10^-4", "-4"], n).tolist(), "cr": days, "dx": days,
        "event": rng.choice(["0", "1"], n).tolist(), "study": rng.choice(["ALL-BFM 2000", "COALL 07-03"], n).tolist(),
        "remark": rng.choice(["a", "b", ""], n).tolist()}


def found(columns: dict[str, list[str]], manifest: Manifest) -> list[Finding]:
    return find_identifiers([table(columns)], manifest, DICTIONARY)


@pytest.mark.parametrize("column", ["remark", "sex", "study"])
@pytest.mark.parametrize(("kind", "value"), [(kind, value) for group in (PLANTED, MORE)
                                             for kind, values in group.items() for value in values])
def test_one_planted_identifier_is_found(manifest: Manifest, kind: str, value: str, column: str) -> None:
    if kind == "free text" and column == "sex":
        return  # a mapped value list: the row is quarantined as VALUE_UNKNOWN and the text goes no further
    columns = clean(np.random.default_rng(3))
    columns[column][17] = value
    findings = found(columns, manifest)
    assert {(finding.row, finding.column, finding.count) for finding in findings} == {(19, column, 1)}
    assert all(value not in finding.describe() for finding in findings)


def test_there_are_twenty_kinds_by_three() -> None:
    assert [len(values) for values in PLANTED.values()] == [3] * 20


@pytest.mark.parametrize("value", ["anna@example.org", "0170/1234567", "12.03.2004", "Frau Schmidt", "880320-0016",
                                   "DE89370400440532013000", "2 95 10 99 126 111 93"])
def test_columns_of_numbers_are_scanned_too(manifest: Manifest, value: str) -> None:
    columns = clean(np.random.default_rng(3))
    columns["age"][17] = value
    assert {finding.column for finding in found(columns, manifest)} == {"age"}


def test_an_id_column_of_national_numbers(manifest: Manifest) -> None:
    columns = clean(np.random.default_rng(3))
    valid = [str(number) for number in range(100_000_000, 100_002_000) if sum(
        int(digit) * weight for digit, weight in zip(str(number), (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0]
    columns["pid"] = valid[:60]
    assert [finding.column for finding in found(columns, manifest)] == ["pid"]
    columns["pid"] = [str(100_000_000 + k) for k in range(60)]
    assert found(columns, manifest) == []


def test_columns_that_are_mostly_names(manifest: Manifest) -> None:
    columns = clean(np.random.default_rng(3))
    letters = "abcdefghijklmnopqrstuvwxyz"
    first = [f"Zo{letters[k % 26]}{letters[k // 26]}" for k in range(60)]
    columns["remark"] = [f"{name} Quxley" for name in first]
    assert "names of persons" in {finding.kind for finding in found(columns, manifest)}
    columns["remark"] = first
    assert [(finding.kind, finding.count) for finding in found(columns, manifest)] == [("names of persons", 60)]


def test_a_column_of_remarks(manifest: Manifest) -> None:
    columns = clean(np.random.default_rng(3))
    columns["remark"] = [f"word{k} more" for k in range(60)]
    assert [(finding.kind, finding.count) for finding in found(columns, manifest)] == [("free text", 60)]


@pytest.mark.parametrize("name", [
    "Name", "Patient name", "Patientenname", "Nachname", "Vorname", "nom", "Prénom", "Apellidos", "Cognome",
    "Achternaam",
    "Efternavn", "Förnamn", "Etunimi", "Jméno", "příjmení", "E-Mail", "e_mail_address", "Telefon", "phone number",
    "Tel",
    "Adresse", "Straße", "PLZ", "code postal", "MRN", "mrn_no", "BSN", "Personnummer", "CPR", "CPR-nr", "Fødselsnummer",
    "HETU", "rodné číslo", "codice fiscale", "DNI", "NHS number", "Fallnummer", "Geburtsdatum", "date of birth", "DOB",
    "birthDate", "date de naissance", "fecha_nacimiento", "Fødselsdato", "initials", "lastName"])
def test_names_of_columns_that_smell(name: str) -> None:
    assert suspicious_name(name)


@pytest.mark.parametrize("name", [
    "Drug name", "Studienname", "gene_name", "sex", "Alter_Monate", "Leukozyten", "last contact", "Contact date", "RC",
    "Date de RC", "MRD TP1", "CNS", "Transportzeit", "Nomenclature", "relapse site", "Ort des Rezidivs", "telomere",
    "Phoneme", "mobile element", "DNA index", "karyotype", "PatNr", "id", "protocol", "event", "Fu_monate",
    "Status", "cytogenetics", "nih", "dnir", "streetlight"])
def test_names_of_columns_that_do_not(name: str) -> None:
    assert suspicious_name(name) == ""


def clean_files() -> list[dict[str, list[str]]]:
    """Twenty files with what real ones hold: odd identifiers, karyotypes, centres, arms, batches."""
    rng = np.random.default_rng(7)
    n = 60
    karyotypes = ["46,XX", "46,XY,t(9;22)(q34;q11.2)[12]/46,XY[8]",
                  "55,XX,+X,+4,+6,+10,+14,+17,+18,+21,+21[10]/46,XX[10]",
                  "45,XY,dic(9;20)(p13;q11)", "26,XX,+21 [15] / 52,idemx2 [3] and normal metaphases"]
    extra: list[tuple[str, list[str]]] = [
        ("pid", [f"{k % 40 + 1:03d}-{k:05d}" for k in range(n)]),
        ("pid", [f"{k % 9:02d}-{k:04d}" for k in range(n)]),
        ("pid", [f"{rng.integers(16**8):08x}{rng.integers(16**8):08x}" * 4 for _ in range(n)]),
        ("pid", [f"DE{k:020d}" for k in range(n)]),
        ("pid", [f"2004{k:04d}" for k in range(n)]),
        ("pid", [f"{100000 + k}-{k:04d}" for k in range(n)]),
        ("pid", [str(1_000_000_000 + 7 * k) for k in range(n)]),
        ("pid", [str(200_000_000 + 3 * k) for k in range(n)]),
        ("pid", [f"PatNr{k:06d}" for k in range(n)]),
        ("remark", rng.choice(karyotypes, n).tolist()),
        ("remark", rng.choice(["Karolinska Institutet", "Charité Berlin", "Hospital Sant Joan", "Rigshospitalet"],
                              n).tolist()),
        ("remark", rng.choice(["Standard Risk", "Medium Risk", "High Risk"], n).tolist()),
        ("remark", [f"S{k:08d}" for k in rng.integers(0, 10**8, n)]),
        ("remark", [str(k) for k in rng.integers(100_000_000, 999_999_999, n)]),
        ("remark", [str(k) for k in rng.integers(1_000_000_000, 9_999_999_999, n)]),
        ("remark", rng.choice(["1", "2", "9", "99", "-9", "k.A."], n).tolist()),
        ("remark", rng.choice(["t(12;21)", "TEL-AML1", "BCR-ABL", "E2A/PBX1", "del(9p)"], n).tolist()),
        ("remark", [f"{value:.6f}" for value in rng.uniform(0, 1, n)]),
        ("remark", rng.choice(["v1.2.03", "2000/01", "10-14", "5-10 %", ">500", "1.234,5"], n).tolist()),
        ("remark", rng.integers(1985, 2020, n).astype(str).tolist()),
    ]
    files = []
    for column, cells in extra:
        columns = clean(rng, n)
        columns[column] = cells
        files.append(columns)
    return files


def test_clean_files_pass(manifest: Manifest) -> None:
    alarms = [finding.describe() for columns in clean_files() for finding in found(columns, manifest)]
    assert len(clean_files()) == 20
    assert alarms == []


def test_every_reason_is_listed_and_no_value(manifest: Manifest) -> None:
    columns = clean(np.random.default_rng(3))
    columns["remark"][3:5] = ["anna@example.org", "bert@example.org"]
    columns["study"][7] = "Frau Schmidt"
    columns["Nachname"] = ["x"] * 60
    with pytest.raises(SourceError) as caught:
        check_identifiers([table(columns)], manifest, DICTIONARY)
    text = caught.value.message
    assert "a.csv, row 5, column 'remark': an e-mail address in 2 cells" in text
    assert "a.csv, row 9, column 'study': a name of a person in 1 cell" in text
    assert "a.csv, column 'Nachname': a column for names" in text
    assert "anna" not in text
    assert "Schmidt" not in text


def test_declared_words_are_no_identifiers(manifest: Manifest) -> None:
    columns = clean(np.random.default_rng(3))
    columns["cr"][4] = columns["age"][4] = "01.01.1900"
    assert [finding.column for finding in found(columns, manifest)] == ["age"]
    declared = replace(manifest, fields={**manifest.fields, "age_dx_years": replace(
        manifest.fields["age_dx_years"], missing=frozenset({"", "01.01.1900"}))})
    assert found(columns, declared) == []


def test_a_large_file_is_scanned_in_seconds(manifest: Manifest) -> None:
    rng = np.random.default_rng(3)
    columns = {name: cells * 500 for name, cells in clean(rng).items()}
    columns["pid"] = [f"DE-{k:06d}" for k in range(30_000)]
    columns["wbc"] = [f"{value:.6f}" for value in rng.uniform(0, 100, 30_000)]
    assert found(columns, manifest) == []


def test_the_place_of_the_manifest_is_the_source(manifest: Manifest, tmp_path: Path) -> None:
    columns = clean(np.random.default_rng(3))
    columns["remark"][0] = "a@b.org"
    with pytest.raises(SourceError) as caught:
        check_identifiers([table(columns)], manifest, DICTIONARY)
    assert caught.value.where == "de_example"
