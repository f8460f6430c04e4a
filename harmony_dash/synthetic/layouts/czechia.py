"""CZ: Czech; Windows-1250; Ž is female, `ne` is no; haemoglobin in g/L."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import FileLayout, Layout
from harmony_dash.synthetic.native import Code, DiagnosisDate, EventDate, Mrd, Number, Part, Words

_DATE = "%d.%m.%Y"
_DX = "Datum diagnózy"
_BLANK = "neznámo"
_TEST = ("pozitivní", "negativní", "nehodnotitelné", "neprovedeno")
_ARMS = {"reduced": "snížená", "standard": "standardní", "intensified": "zvýšená"}


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, _DATE)


def _mrd(heading: str, stem: str) -> tuple[Mrd, Part]:
    return (Mrd(heading, stem, "fraction", c.fraction_text("{:.1e}", ","), "negativní", "PNQ", "neprovedeno",
                "nehodnotitelné", {"lod": 1e-4, "method_column": f"{heading} metoda",
                                   "method_values": {"IG/TR": "igtr_qpcr"},
                                   "day": 33 if stem == "mrd_eoi" else 78}),
            Part(f"{heading} metoda", f"{stem}_method", words={"igtr_qpcr": "IG/TR"}))


_PATIENTS = FileLayout(
    "pacienti.csv", "csv", "Kód pacienta", delimiter=";", encoding="cp1250", decimal=",", newline="\r\n", columns=(
        Code("Protokol", "trial"),
        DiagnosisDate(_DX, _DATE),
        Number("Věk (roky)", "age_dx_years", "years", 1.0, 2, ","),
        Words("Pohlaví", "sex", {"M": "M", "F": "Ž"}),
        c.spoken("Downův syndrom", "down_syndrome", "ano", "ne", "cs", _BLANK),
        Number("Leukocyty (10^9/l)", "wbc_dx", "10^9/L", 1.0, 1, ",", blank=_BLANK),
        Number("Hemoglobin (g/l)", "hb", "g/L", 10.0, 0, ",", blank=_BLANK),
        Number("Trombocyty (10^9/l)", "plt", "10^9/L", 1.0, 0, ",", blank=_BLANK),
        Words("Imunofenotyp", "immunophenotype", {"B": ("BCP-ALL", "B"), "T": "T-ALL"}),
        c.spoken("ETP", "etp", "ano", "ne", "cs"),
        Words("CNS", "cns_status", {"CNS1": "CNS1", "CNS2": "CNS2", "CNS3": "CNS3", "TLP+": "TLP+", "TLP-": "TLP-"},
              _BLANK),
        c.subtypes("Podtyp", {
            "ETV6::RUNX1": "TEL/AML1", "HeH": "hyperdiploidie", "BCR::ABL1": "BCR/ABL", "KMT2A-r": "MLL",
            "TCF3::PBX1": "E2A/PBX1", "TCF3::HLF": "E2A/HLF", "near-haploid": "téměř haploidní",
            "low-hypodiploid": "nízká hypodiploidie", "B-other (tested)": "B-ostatní"}, _BLANK),
        *c.markers({"etv6_runx1": "TEL/AML1", "heh": "Hyperdiploidie", "bcr_abl1": "BCR/ABL", "kmt2a_r": "MLL",
                    "tcf3_pbx1": "E2A/PBX1", "tcf3_hlf": "E2A/HLF", "iamp21": "iAMP21",
                    "near_haploid": "Haploidie", "low_hypodiploid": "Hypodiploidie", "dux4_r": "DUX4",
                    "crlf2_r": "CRLF2", "abl_class": "ABL skupina", "pax5alt": "PAX5alt", "ph_like": "Ph-like"},
                   _TEST, _BLANK),
        *c.deletions(lambda locus: f"Delece {locus}", ("ano", "ne", "nehodnotitelné", ""), _BLANK),
        *c.mutations(lambda gene: f"Mutace {gene}", ("ano", "ne", ""), _BLANK),
        Words("Odpověď na prednison", "prednisone_response_d8", {"PGR": "dobrá", "PPR": "špatná"}, _BLANK),
        Words("Dřeň d15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        *_mrd("MRD d33", "mrd_eoi"),
        *_mrd("MRD d78", "mrd_eoc"),
        Words("Remise", "cr_status", {"CR1": "KR", "noCR": "bez KR", "early_death": "časné úmrtí"}, _BLANK),
        _date("Datum KR", "cr_days"),
        Words("Riziková skupina", "risk_group_reported", {"SR": "SR", "MR": "IR", "HR": "HR"}, _BLANK),
        Words("Intenzita plánovaná", "intensity_assigned", _ARMS, _BLANK),
        Words("Intenzita podaná", "intensity_received", _ARMS, _BLANK),
        c.spoken("Transplantace v KR1", "hsct_cr1", "ano", "ne", "cs"),
        _date("Datum transplantace", "hsct_days"),
        Words("První událost", "first_event",
              {"none": "žádná", "induction_death": "úmrtí v indukci", "treatment_failure": "selhání léčby",
               "relapse": "relaps", "death_in_cr": "úmrtí v KR", "smn": "druhý nádor"}),
        _date("Datum události", "first_event_days"),
        c.spoken("Zemřel", "death", "ano", "ne", "cs"),
        _date("Datum úmrtí", "death_days"),
        _date("Poslední kontrola", "last_contact_days"),
    ))

CZ = Layout(
    source="cz_cpho", title="Synthetic: childhood ALL, Czechia", provider="SYN-CZ",
    description="Invented patients in the manner of AIEOP-BFM ALL 2009.",
    look="Czech; one CSV, `;`, decimal comma, Windows-1250, CRLF; dates dd.mm.yyyy; haemoglobin g/L; sex M/Ž; yes/no "
         "ano/ne; MRD with its method beside it",
    files=(_PATIENTS,), prefix="CPHO-", constants={"country": "CZ"}, missing=("neznámo",),
    gaps=Gaps(mrd=0.10, sequenced=0.5))
