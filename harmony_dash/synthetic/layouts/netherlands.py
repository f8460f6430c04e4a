"""NL: Dutch; CSV with decimal comma in Windows-1252; dates; haemoglobin in mmol/L; `v` is female."""

from __future__ import annotations

from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import FileLayout, Layout
from harmony_dash.synthetic.native import Code, DiagnosisDate, EventDate, Ignored, Mrd, Number, Words

_DATE = "%d-%m-%Y"
_DX = "Diagnosedatum"
_BLANK = "nb"


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, _DATE)


def _mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "fraction", c.fraction_text("{:.1E}", ","), "neg", "pos <QR", "niet gedaan", "mislukt",
               {"lod": 1e-4, "method": "igtr_qpcr", "day": day})


_PATIENTS = FileLayout(
    "patienten.csv", "csv", "Studienummer", delimiter=";", encoding="cp1252", decimal=",", newline="\r\n", columns=(
        Ignored("Centrum", "C", 7),
        Code("Protocol", "trial"),
        DiagnosisDate(_DX, _DATE),
        Number("Leeftijd (jaren)", "age_dx_years", "years", 1.0, 2, ","),
        Words("Geslacht", "sex", {"M": "m", "F": "v"}),
        c.spoken("Downsyndroom", "down_syndrome", "ja", "nee", "nl", _BLANK),
        Number("Leukocyten (10^9/l)", "wbc_dx", "10^9/L", 1.0, 1, ",", blank=_BLANK),
        Number("Hb (mmol/l)", "hb", "mmol/L", 1 / 1.611, 1, ",", blank=_BLANK),
        Number("Trombocyten", "plt", "10^9/L", 1.0, 0, ",", blank=_BLANK),
        Words("Immunofenotype", "immunophenotype", {"B": ("precursor-B", "common", "pre-B", "pro-B"), "T": "T"}),
        Words("CZS-status", "cns_status", {"CNS1": "CZS1", "CNS2": "CZS2", "CNS3": "CZS3", "TLP+": "TLP+",
                                           "TLP-": "TLP-"}, _BLANK),
        c.subtypes("Genetisch subtype", {
            "ETV6::RUNX1": ("TEL-AML1", "t(12;21)"), "HeH": "hoog-hyperdiploïd", "BCR::ABL1": "BCR-ABL1",
            "KMT2A-r": "MLL", "TCF3::PBX1": "E2A-PBX1", "TCF3::HLF": "E2A-HLF", "B-other (tested)": "B-overig (getest)",
        }, _BLANK, frozenset({"TEL-AML1", "t(12;21)", "BCR-ABL1", "MLL", "E2A-PBX1", "E2A-HLF"})),
        *c.markers({"etv6_runx1": "TEL_AML1", "heh": "Hyperdiploïdie", "kmt2a_r": "MLL_herschikking",
                    "bcr_abl1": "BCR_ABL1", "iamp21": "iAMP21", "tcf3_pbx1": "E2A_PBX1", "tcf3_hlf": "E2A_HLF",
                    "near_haploid": "Near-haploïd", "low_hypodiploid": "Laag-hypodiploïd", "dux4_r": "DUX4",
                    "crlf2_r": "CRLF2", "abl_class": "ABL-klasse"},
                   ("positief", "negatief", "mislukt", "niet gedaan"), _BLANK),
        *c.deletions(lambda locus: f"MLPA_{locus}", ("deletie", "normaal", "mislukt", "niet gedaan")),
        *c.trisomies(lambda number: f"Trisomie {number}", "ja", "nee", _BLANK),
        *c.mutations(lambda gene: f"{gene}-mutatie", ("gemuteerd", "wildtype", "niet gedaan"), _BLANK),
    ))

_COURSE = FileLayout(
    "beloop.csv", "csv", "Studienummer", delimiter=";", encoding="cp1252", decimal=",", newline="\r\n", columns=(
        Words("Prednisonrespons dag 8", "prednisone_response_d8", {"PGR": "goed", "PPR": "slecht"}, _BLANK),
        _mrd("MRD TP1", "mrd_eoi", 33),
        _mrd("MRD TP2", "mrd_eoc", 79),
        _date("Datum CR", "cr_days"),
        Words("Remissie", "cr_status", {"CR1": "CR", "noCR": "geen CR", "early_death": "vroege dood"}, _BLANK),
        Words("Risicogroep", "risk_group_reported", {"SR": "SR", "MR": "MR", "HR": "HR"}, _BLANK),
        Words("Behandelarm", "intensity_assigned", {"reduced": "gereduceerd", "standard": "standaard",
                                                    "intensified": "intensief"}, _BLANK),
        Words("Gegeven behandeling", "intensity_received", {"reduced": "gereduceerd", "standard": "standaard",
                                                            "intensified": "intensief"}, _BLANK),
        c.spoken("SCT in CR1", "hsct_cr1", "ja", "nee", "nl"),
        _date("Datum SCT", "hsct_days"),
        c.spoken("Recidief", "relapse", "ja", "nee", "nl"),
        _date("Datum recidief", "relapse_days"),
        Words("Plaats recidief", "relapse_site", {"BM": "beenmerg", "CNS": "CZS", "testis": "testis",
                                                  "combined": "gecombineerd", "other": "elders"}, _BLANK),
        c.spoken("Therapiefalen", "treatment_failure", "ja", "nee", "nl"),
        _date("Datum therapiefalen", "treatment_failure_days"),
        c.spoken("Tweede maligniteit", "smn", "ja", "nee", "nl"),
        _date("Datum tweede maligniteit", "smn_days"),
        c.spoken("Overleden", "death", "ja", "nee", "nl"),
        _date("Datum overlijden", "death_days"),
        Words("Doodsoorzaak", "cause_death", {"leukaemia": "leukemie", "toxic": "toxiciteit",
                                              "smn": "tweede maligniteit", "other": "overig"}, _BLANK),
        _date("Laatste contact", "last_contact_days"),
    ))

NL = Layout(
    source="nl_dcog", title="Synthetic: childhood ALL trials, Netherlands", provider="SYN-NL-CHILD",
    description="Invented patients in the manner of the DCOG trials ALL10 and ALL11 and of Interfant-06.",
    look="Dutch; two CSV files, `;`, decimal comma, cp1252, CRLF; dates dd-mm-yyyy; haemoglobin mmol/L; sex m/v; "
         "events as flags with dates; MRD as fractions such as 3,1E-04",
    files=(_PATIENTS, _COURSE), prefix="NLK-", constants={"country": "NL"}, missing=("nb",))
