"""Forty defects, each planted in a copy of a sample source: which file and field, what, and which check must say so.

The table was written before any limit of a check was set. Rows that the samples hold as mistakes are left alone, and no
row is used for two defects, so that each defect stands for itself.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ALL = "(all)"
SAMPLES = Path(__file__).parents[2] / "data_samples"
Row = dict[str, str]
Edit = Callable[[list[Row], list[Row]], None]  # all rows, and those that the defect may spoil


@dataclass(frozen=True)
class Defect:
    """One planted defect.

    Attributes
    ----------
    source, file, field : where; the field is the column as the provider calls it, or all of them.
    planted : what is wrong, in words.
    check : id of the check that must warn or fail.
    edit : spoils the rows.
    rows : how many rows it takes; 0 for a whole column.
    where : which rows it may take.
    other : the other column of a contradiction, which may be named for it: which of the two is wrong cannot be known.
    """

    source: str
    file: str
    field: str
    planted: str
    check: str
    edit: Edit
    rows: int = 0
    where: Callable[[Row], bool] = lambda row: True
    other: str = ""


@dataclass(frozen=True)
class Form:
    encoding: str
    delimiter: str
    identifier: str
    headers: int = 1
    end: str = "\r\n"


FORMS = {
    ("nl_dcog", "patienten.csv"): Form("cp1252", ";", "Studienummer"),
    ("nl_dcog", "beloop.csv"): Form("cp1252", ";", "Studienummer"),
    ("it_aieop", "pazienti.csv"): Form("utf-8", ";", "Codice paziente"),
    ("de_aieop_bfm", "studie.csv"): Form("cp1252", ";", "PatNr", headers=2),
    ("nordic_nopho", "leukemiregister.tsv"): Form("utf-8", "\t", "LopNr"),
    ("es_pt_sehop_pethema", "pacientes.csv"): Form("iso8859-1", ";", "Código"),
    ("de_coall", "coall.txt"): Form("iso8859-1", "\t", "Pat_Nr", end="\r"),
    ("de_gmall", "erwachsene.csv"): Form("utf-16", ";", "Registernummer"),
    ("fr_sfce", "lal_enfants.csv"): Form("iso8859-1", ";", "N° inclusion"),
    ("cz_cpho", "pacienti.csv"): Form("cp1250", ";", "Kód pacienta"),
    ("cz_again", "pacienti.csv"): Form("cp1250", ";", "Kód pacienta"),
}


# -- edits -------------------------------------------------------------------------------------------------------------


def _put(name: str, value: str) -> Edit:
    """The same cell in every row taken."""
    def edit(_: list[Row], taken: list[Row]) -> None:
        for row in taken:
            assert name in row, name
            row[name] = value
    return edit


def _copy(source: str, target: str) -> Edit:
    """One cell of a row into another."""
    def edit(_: list[Row], taken: list[Row]) -> None:
        for row in taken:
            row[target] = row[source]
    return edit


def _each(name: str, change: Callable[[str], str]) -> Edit:
    """Every filled cell of a column, in all rows taken."""
    def edit(_: list[Row], taken: list[Row]) -> None:
        for row in taken:
            if row[name].strip():
                row[name] = change(row[name])
    return edit


def _number(times: float, decimals: int = 2, *, comma: bool = True) -> Callable[[str], str]:
    def change(cell: str) -> str:
        text = cell.replace(",", ".") if comma else cell
        try:
            value = f"{float(text) * times:.{decimals}f}"
        except ValueError:
            return cell
        return value.replace(".", ",") if comma else value
    return change


def _to_the_power(cell: str) -> str:
    """A fraction such as 3,1E-04 a hundred times as large, as if it were per cent."""
    found = re.fullmatch(r"(\d+,?\d*)[eE]-(\d+)", cell)
    return cell if found is None else f"{found[1]}E-{int(found[2]) - 2:02d}"


def _copy_identifiers(name: str) -> Edit:
    def edit(_: list[Row], taken: list[Row]) -> None:
        for one, other in zip(taken[::2], taken[1::2], strict=True):
            other[name] = one[name]
    return edit


def _swap(first: str, second: str) -> Edit:
    def edit(_: list[Row], taken: list[Row]) -> None:
        for row in taken:
            row[first], row[second] = row[second], row[first]
    return edit


def _add_rows(name: str, identifiers: Sequence[str]) -> Edit:
    def edit(rows: list[Row], _: list[Row]) -> None:
        rows.extend({**rows[0], name: identifier} for identifier in identifiers)
    return edit


def _drop(where: Callable[[Row], bool]) -> Edit:
    def edit(rows: list[Row], _: list[Row]) -> None:
        rows[:] = [row for row in rows if not where(row)]
    return edit


def _every_other(name: str, value: str) -> Edit:
    def edit(_: list[Row], taken: list[Row]) -> None:
        for row in taken[::2]:
            row[name] = value
    return edit


def _seven_in_ten(name: str, value: str) -> Edit:
    def edit(_: list[Row], taken: list[Row]) -> None:
        for place, row in enumerate(taken):
            if place % 10 < 7:
                row[name] = value
    return edit


def _is(name: str, *values: str) -> Callable[[Row], bool]:
    return lambda row: row[name] in values


def _alive_without_event(row: Row) -> bool:
    return row["Första_händelse"] == "0" and row["Död"] == "nej"


# -- the table ---------------------------------------------------------------------------------------------------------

_NL, _NLF, _IT, _BFM = "patienten.csv", "beloop.csv", "pazienti.csv", "studie.csv"
_NO, _ES, _CO, _GM, _FR = "leukemiregister.tsv", "pacientes.csv", "coall.txt", "erwachsene.csv", "lal_enfants.csv"

DEFECTS: tuple[Defect, ...] = (
    # conformance
    Defect("nl_dcog", _NL, "CZS-status", "a code for CNS status that is not in the value map", "value_list.cns_status",
           _put("CZS-status", "CZS9"), 4),
    Defect("nl_dcog", _NL, "Trombocyten", "platelets with two decimal commas", "type.plt", _put("Trombocyten", "1,2,3"),
           3),
    Defect("it_aieop", _IT, "Codice paziente", "identifiers used twice", "unique_id",
           _copy_identifiers("Codice paziente"), 4),
    Defect("nl_dcog", _NLF, "Studienummer", "follow-up of patients who are not in the first file", "reference",
           _add_rows("Studienummer", ("NLK-90001", "NLK-90002", "NLK-90003"))),
    Defect("fr_sfce", _FR, "Date RC", "impossible dates of remission", "type.cr_days",
           _put("Date RC", "32/13/2010"), 3),
    Defect("it_aieop", _IT, "Hb (g/dl)", "haemoglobin beyond its range", "range.hb", _put("Hb (g/dl)", "84"), 3),
    Defect("de_gmall", _GM, "Alter", "age of 150 years", "range.age_dx_years", _put("Alter", "150"), 3),
    Defect("fr_sfce", _FR, "MRD fin induction (log)", "MRD as log10 without its minus sign", "range.mrd_eoi_value",
           _put("MRD fin induction (log)", "2,78"), 4),
    Defect("nordic_nopho", _NO, "Land", "a country without a code in the value map", "value_list.country",
           _put("Land", "Färöarna"), 3),
    Defect("es_pt_sehop_pethema", _ES, "Fallecido", "not known whether the patient died", "required.death",
           _put("Fallecido", "desconocido"), 5, _is("Fallecido", "no")),
    Defect("de_aieop_bfm", _BFM, "Therapie Risikogruppe", "a cell that starts like a formula", "safe_text",
           _put("Therapie Risikogruppe", "=1+1"), 2),
    Defect("nordic_nopho", _NO, "Riskgrupp", "standard risk written for everybody with MRD of 0.1 % or more",
           "reported_risk.risk_group_reported.mrd_group", _put("Riskgrupp", "SR"), 0,
           lambda row: row["MRD d29 %"].replace(".", "").isdigit() and float(row["MRD d29 %"]) >= 0.1),
    # completeness
    Defect("fr_sfce", _FR, "GB (/mm3)", "white cells lost in seven of ten rows", "completeness.wbc_dx",
           _seven_in_ten("GB (/mm3)", "")),
    Defect("it_aieop", _IT, "MRD g78", "MRD at the end of consolidation lost in seven of ten rows",
           "completeness.mrd_eoc_status", _seven_in_ten("MRD g78", "")),
    Defect("de_coall", _CO, "MRD_Tag29_Tag", "the day of MRD not delivered", "completeness.mrd_eoi_day",
           _put("MRD_Tag29_Tag", "")),
    Defect("it_aieop", _IT, "MLL", "tests that failed or were not done written as negative", "kept_apart.kmt2a_r",
           _each("MLL", lambda cell: "positivo" if cell == "positivo" else "negativo")),
    Defect("de_gmall", _GM, "iAMP21", "half of the tests said to have failed", "tested.iamp21",
           _every_other("iAMP21", "nicht auswertbar")),
    Defect("cz_again", "pacienti.csv", ALL, "a source of thirty patients", "size", lambda rows, taken: None),
    # order in time, events
    Defect("it_aieop", _IT, "Data decesso", "death before relapse", "temporal_order.first_event_days",
           _swap("Data evento", "Data decesso"), 3,
           lambda row: row["Primo evento"] == "recidiva" and row["Deceduto"] == "sì"
           and row["Data evento"] != row["Data decesso"], other="Data evento"),
    Defect("nl_dcog", _NLF, "Laatste contact", "last contact before the day of death", "temporal_order.death_days",
           _copy("Datum CR", "Laatste contact"), 3,
           lambda row: row["Overleden"] == "ja" and row["Recidief"] == "nee" and row["Remissie"] == "CR",
           other="Datum overlijden"),
    Defect("de_aieop_bfm", _BFM, "SZT Datum", "transplant in first remission before remission",
           "temporal_order.hsct_days", _copy("Diagnose Datum", "SZT Datum"), 3, _is("SZT in CR1", "ja")),
    Defect("es_pt_sehop_pethema", _ES, "Recaída", "a day of relapse in patients said to have had none",
           "event_time.relapse_days", _put("Recaída", "no"), 3, lambda row: row["Recaída"] == "sí"
           and bool(row["Fecha recaída"]), other="Fecha recaída"),
    Defect("de_gmall", _GM, "Status", "alive, yet the first event is a death", "event_time.first_event",
           _put("Status", "lebt"), 3, _is("Erstes Ereignis", "Tod in CR"), other="Erstes Ereignis"),
    Defect("de_aieop_bfm", _BFM, "Ereignis Datum", "a day of an event in patients without one",
           "event_time.first_event_days", _copy("Diagnose Datum", "Ereignis Datum"), 3, _is("Ereignis Code", "0")),
    # contradictions between fields
    Defect("de_aieop_bfm", _BFM, "Diagnose ETP", "early T-cell precursor in a B-cell leukaemia", "cross_field.etp",
           _put("Diagnose ETP", "ja"), 3, _is("Diagnose Immunologie", "c-ALL")),
    Defect("it_aieop", _IT, "Sottotipo", "T-cell leukaemia with a subtype of B-cell precursors", "cross_field.subtype",
           _put("Sottotipo", "TEL/AML1"), 3, _is("Immunofenotipo", "LLA-T")),
    Defect("nordic_nopho", _NO, "MRD d29 dag", "MRD of day 29 taken on day 61", "cross_field.mrd_eoi_day",
           _put("MRD d29 dag", "61"), 20, lambda row: _alive_without_event(row) and bool(row["MRD d29 dag"])),
    # units
    Defect("nl_dcog", _NL, "Hb (mmol/l)", "haemoglobin in g/dL, declared mmol/L", "unit.hb.median",
           _each("Hb (mmol/l)", _number(1.611, 1))),
    Defect("it_aieop", _IT, "Piastrine (/mm3)", "platelets in 10⁹/L, declared per mm³", "unit.plt.median",
           _each("Piastrine (/mm3)", lambda cell: str(max(1, int(cell) // 1000)) if cell.isdigit() else cell)),
    Defect("nl_dcog", _NLF, "MRD TP1", "MRD in per cent, declared a fraction", "unit.mrd_eoi_value.median",
           _each("MRD TP1", _to_the_power)),
    Defect("de_coall", _CO, "Alter_Monate", "age in years, declared months", "unit.age_dx_years.median",
           _each("Alter_Monate", _number(1 / 12, 1, comma=False))),
    Defect("de_coall", _CO, "Leukozyten_Tsd_µl", "white cells of 1,200 ×10⁹/L", "flagged.wbc_dx",
           _put("Leukozyten_Tsd_µl", "1200"), 2),
    # distributions
    Defect("it_aieop", _IT, "Sesso", "everybody a boy", "constant.sex", _put("Sesso", "M")),
    Defect("de_coall", _CO, "Hb", "seven of ten haemoglobins a default of 8.0", "heaping.hb",
           _seven_in_ten("Hb", "8.0")),
    Defect("it_aieop", _IT, "Età (anni)", "age cut to whole years", "digit_preference.age_dx_years",
           _each("Età (anni)", lambda cell: f"{cell.partition(',')[0]},00")),
    Defect("nordic_nopho", _NO, "Sista_kontakt_dag", "follow-up cut at five years", "heaping.last_contact_days",
           _each("Sista_kontakt_dag", lambda cell: str(min(int(cell), 1826)) if cell.isdigit() else cell), 0,
           _alive_without_event),
    Defect("nordic_nopho", _NO, "Sista_kontakt_dag", "followed beyond today",
           "follow_up.last_contact_days.beyond_today", _put("Sista_kontakt_dag", "15000"), 4, _alive_without_event),
    Defect("fr_sfce", _FR, "Dernières nouvelles", "patients lost within two years left out",
           "follow_up.last_contact_days.none_lost", _drop(
               lambda row: row["Premier événement"] == "aucun" and row["Statut vital"] == "vivant"
               and _years(row["Date diagnostic"], row["Dernières nouvelles"]) < 2.2)),
    Defect("es_pt_sehop_pethema", _ES, "Protocolo", "children under a trial for adolescents and adults",
           "trial_age.age_dx_years.pethema_all_hr_11", _put("Protocolo", "PETHEMA ALL-HR-11"), 25,
           lambda row: row["Protocolo"] == "SEHOP-PETHEMA 2013" and row["Edad (años)"].partition(",")[0].isdigit()
           and int(row["Edad (años)"].partition(",")[0]) < 10, other="Edad (años)"),
    Defect("cz_again", "pacienti.csv", ALL, "patients who came with another source", "duplicate",
           lambda rows, taken: None),
)


def _years(start: str, end: str) -> float:
    def year(text: str) -> float:
        parts = text.split("/")
        return int(parts[2]) + (int(parts[1]) - 1) / 12 + int(parts[0]) / 365 if len(parts) == 3 else 99.0
    try:
        return year(end) - year(start)
    except ValueError:
        return 99.0


# -- planting ----------------------------------------------------------------------------------------------------------


def bad_identifiers() -> set[str]:
    """Identifiers of the rows that the samples hold as mistakes, from their README."""
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## Bad rows"):text.index("## Gaps")]
    return {name for group in re.findall(r"\(([^)]*)\)", part) for name in re.findall(r"[A-Z0-9]+(?:-\d+)+", group)}


def plant(folder: Path, defects: Iterable[Defect] = DEFECTS) -> list[Path]:
    """Copy the samples into a folder and plant the defects; the folders, in the order in which they are ingested."""
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    _copy_some_again(folder)
    used = bad_identifiers()
    by_file: dict[tuple[str, str], list[Defect]] = {}
    for defect in defects:
        by_file.setdefault((defect.source, defect.file), []).append(defect)
    for (source, file), planted in by_file.items():
        form = FORMS[source, file]
        header, rows = read_rows(folder / source / file, form)
        # Whole columns first: what is put into single rows must stay as it is put.
        for defect in sorted(planted, key=lambda one: one.rows > 0):
            _plant_one(defect, rows, form, used)
        write_rows(folder / source / file, header, rows, form)
    again = folder / "cz_again"
    return [*sorted(path for path in folder.iterdir() if path.is_dir() and path != again), again]


def _plant_one(defect: Defect, rows: list[Row], form: Form, used: set[str]) -> None:
    free = [row for row in rows if row[form.identifier] not in used and defect.where(row)]
    if not defect.rows:
        defect.edit(rows, free)
        return
    taken = free[:defect.rows]
    assert len(taken) == defect.rows, (defect.planted, len(taken))
    used.update(row[form.identifier] for row in taken)
    defect.edit(rows, taken)


def _copy_some_again(folder: Path) -> None:
    """A second Czech source: twenty patients of the first under other identifiers, and ten with other values."""
    target = folder / "cz_again"
    shutil.copytree(folder / "cz_cpho", target)
    manifest = target / "source.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("source: cz_cpho", "source: cz_again"),
                        encoding="utf-8")
    form = FORMS["cz_again", "pacienti.csv"]
    header, rows = read_rows(target / "pacienti.csv", form)
    bad = bad_identifiers()
    kept = [row for row in rows if row[form.identifier] not in bad][:45]
    for place, row in enumerate(kept):
        row[form.identifier] = f"CZA-{place:04d}"
        if place >= 20:
            row["Leukocyty (10^9/l)"] = f"{place + 3},7"
    write_rows(target / "pacienti.csv", header, kept, form)


def read_rows(path: Path, form: Form) -> tuple[list[list[str]], list[Row]]:
    """The header lines of a file, and its rows by heading as ingest joins them."""
    text = path.read_bytes().decode(form.encoding)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter))
    header = lines[:form.headers]
    names = [" ".join(filter(None, parts)).strip() for parts in zip(*header, strict=True)]
    return header, [dict(zip(names, line, strict=True)) for line in lines[form.headers:] if line]


def write_rows(path: Path, header: Sequence[Sequence[str]], rows: Sequence[Row], form: Form) -> None:
    """Write the file as it was."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=form.delimiter, lineterminator=form.end)
    writer.writerows(header)
    writer.writerows(list(row.values()) for row in rows)
    path.write_bytes(text.getvalue().encode(form.encoding))
