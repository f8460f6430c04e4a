"""IT: Italian; UTF-8 CSV with decimal comma; white cells per mm³; dates gg/mm/aaaa."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import FileLayout, Layout
from harmony_dash.synthetic.native import Code, DiagnosisDate, EventDate, Ignored, Mrd, Number, Words

_DATE = "%d/%m/%Y"
_DX = "Data diagnosi"
_BLANK = "n.n."
_TEST = ("positivo", "negativo", "fallito", "non eseguito")
_ARMS = {"reduced": "ridotta", "standard": "standard", "intensified": "intensificata"}


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, _DATE)


def _mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "fraction", c.fraction_text("{:.1E}", ","), "negativo", "PNQ", "non eseguita", "fallita",
               {"lod": 1e-4, "method": "igtr_qpcr", "day": day})


_PATIENTS = FileLayout(
    "pazienti.csv", "csv", "Codice paziente", delimiter=";", encoding="utf-8", decimal=",", newline="\r\n", columns=(
        Ignored("Centro", "IT", 12),
        Code("Protocollo", "trial"),
        DiagnosisDate(_DX, _DATE),
        Number("Età (anni)", "age_dx_years", "years", 1.0, 2, ","),
        Words("Sesso", "sex", {"M": "M", "F": "F"}),
        c.spoken("Sindrome di Down", "down_syndrome", "sì", "no", "it", _BLANK),
        Number("GB (/mm3)", "wbc_dx", "/mm3", 1_000.0, 0, ",", blank=_BLANK),
        Number("Hb (g/dl)", "hb", "g/dL", 1.0, 1, ",", blank=_BLANK),
        Number("Piastrine (/mm3)", "plt", "/mm3", 1_000.0, 0, ",", blank=_BLANK),
        Words("Immunofenotipo", "immunophenotype", {"B": ("B-precursore", "LLA-B"), "T": "LLA-T"}),
        c.spoken("ETP", "etp", "sì", "no", "it"),
        Words("SNC", "cns_status", {"CNS1": "CNS1", "CNS2": "CNS2", "CNS3": "CNS3", "TLP+": "TLP+", "TLP-": "TLP-"},
              _BLANK),
        c.spoken("Massa mediastinica", "mediastinum", "sì", "no", "it", _BLANK),
        c.subtypes("Sottotipo", {
            "ETV6::RUNX1": ("TEL/AML1", "t(12;21)"), "HeH": "iperdiploidia >50", "BCR::ABL1": "t(9;22)",
            "KMT2A-r": ("t(4;11)", "MLL"), "TCF3::PBX1": "t(1;19)", "TCF3::HLF": "t(17;19)",
            "near-haploid": "quasi aploidia", "low-hypodiploid": "ipodiploidia bassa",
            "B-other (tested)": "B-altro (testato)"}, _BLANK,
            frozenset({"TEL/AML1", "t(12;21)", "t(9;22)", "t(4;11)", "MLL", "t(1;19)", "t(17;19)"})),
        *c.markers({"etv6_runx1": "TEL_AML1", "heh": "Iperdiploidia", "bcr_abl1": "BCR_ABL", "kmt2a_r": "MLL",
                    "tcf3_pbx1": "E2A_PBX1", "tcf3_hlf": "E2A_HLF", "iamp21": "iAMP21",
                    "near_haploid": "Quasi_aploide", "low_hypodiploid": "Ipodiploide", "crlf2_r": "P2RY8_CRLF2"},
                   _TEST, _BLANK),
        *c.deletions(lambda locus: f"Delezione {locus}", ("sì", "no", "fallito", ""), _BLANK),
        *c.mutations(lambda gene: f"Mutazione {gene}", ("mutato", "wild type", ""), _BLANK),
        Words("Risposta al prednisone", "prednisone_response_d8", {"PGR": "PGR", "PPR": "PPR"}, _BLANK),
        Words("Midollo g15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        Words("Midollo g33", "marrow_eoi", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        _mrd("MRD g33", "mrd_eoi", 33),
        _mrd("MRD g78", "mrd_eoc", 78),
        Words("Remissione", "cr_status", {"CR1": "RC", "noCR": "non RC", "early_death": "morte precoce"}, _BLANK),
        _date("Data RC", "cr_days"),
        Words("Gruppo di rischio", "risk_group_reported", {"SR": "SR", "MR": "MR", "HR": "HR"}, _BLANK),
        Words("Intensità assegnata", "intensity_assigned", _ARMS, _BLANK),
        Words("Intensità ricevuta", "intensity_received", _ARMS, _BLANK),
        c.spoken("Randomizzato", "randomised", "sì", "no", "it"),
        Words("Quesito", "rand_id", {"AIEOP-BFM 2000 delayed intensification": "PIII vs PII"}),
        Words("Braccio", "rand_arm", {"reduced": "PIII", "standard": "PII"}),
        _date("Data randomizzazione", "rand_days"),
        c.spoken("TCSE in RC1", "hsct_cr1", "sì", "no", "it"),
        _date("Data TCSE", "hsct_days"),
        Words("Primo evento", "first_event",
              {"none": "nessuno", "induction_death": "morte in induzione", "treatment_failure": "resistenza",
               "relapse": "recidiva", "death_in_cr": "morte in RC", "smn": "seconda neoplasia"}),
        _date("Data evento", "first_event_days"),
        Words("Sede recidiva", "relapse_site", {"BM": "midollo", "CNS": "SNC", "testis": "testicolo",
                                                "combined": "combinata", "other": "altra"}, _BLANK),
        c.spoken("Deceduto", "death", "sì", "no", "it"),
        _date("Data decesso", "death_days"),
        Words("Causa decesso", "cause_death", {"leukaemia": "leucemia", "toxic": "tossicità",
                                               "smn": "seconda neoplasia", "other": "altro"}, _BLANK),
        _date("Ultimo controllo", "last_contact_days"),
    ))

IT = Layout(
    source="it_aieop", title="Synthetic: childhood ALL, Italy", provider="SYN-IT",
    description="Invented patients in the manner of AIEOP-BFM ALL 2000 and 2009 and of Interfant-06.",
    look="Italian; one CSV, `;`, decimal comma, UTF-8, CRLF; dates dd/mm/yyyy; white cells and platelets per mm³; "
         "yes/no sì/no; subtypes as translocations; randomised delayed intensification",
    files=(_PATIENTS,), prefix="AIEOP-", constants={"country": "IT"}, missing=("n.n.",), gaps=Gaps(mrd=0.10))
