"""DE: German; AIEOP-BFM with two header rows, CoALL with old-Macintosh line ends, GMALL adults in UTF-16."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import ALL_MISTAKES, FileLayout, Layout
from harmony_dash.synthetic.mistakes import Mistake
from harmony_dash.synthetic.native import Code, Days, DiagnosisDate, EventDate, Ignored, Mrd, Number, Part, Words

_BLANK = "k.A."
_TEST = ("positiv", "negativ", "nicht auswertbar", "nicht untersucht")
_ARMS = {"reduced": "reduziert", "standard": "Standard", "intensified": "intensiviert"}
_EVENTS = {"none": "0", "induction_death": "1", "treatment_failure": "2", "relapse": "3", "death_in_cr": "4",
           "smn": "5"}
_CAUSES = {"leukaemia": "Leukämie", "toxic": "Toxizität", "smn": "Zweitmalignom", "other": "sonstige"}
_SITES = {"BM": "Knochenmark", "CNS": "ZNS", "testis": "Hoden", "combined": "kombiniert", "other": "sonstige"}
_CNS = {"CNS1": "ZNS1", "CNS2": "ZNS2", "CNS3": "ZNS3", "TLP+": "TLP+", "TLP-": "TLP-"}
_MARROW = {"M1": "M1", "M2": "M2", "M3": "M3"}

# -- AIEOP-BFM: two header rows, dates, white cells per µL with a point for thousands ---------------------------------
_DX = "Diagnose|Datum"


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX.replace("|", " "), "%d.%m.%Y")


def _mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "fraction", c.fraction_text("{:.0E}", ","), "neg", "PNQ", "nicht durchgeführt",
               "nicht auswertbar", {"lod_column": f"MRD Sensitivität Tag {day}", "method": "igtr_qpcr", "day": day})


_BFM = FileLayout(
    "studie.csv", "csv", "|PatNr", delimiter=";", encoding="cp1252", decimal=",", thousands=".", newline="\r\n",
    header_rows=2, columns=(
        Ignored("|Klinik", "K", 9),
        Code("|Protokoll", "trial"),
        DiagnosisDate(_DX, "%d.%m.%Y"),
        Number("Diagnose|Alter", "age_dx_years", "years", 1.0, 2, ","),
        Words("Diagnose|Geschlecht", "sex", {"M": "m", "F": "w"}),
        c.yes_no("Diagnose|Trisomie 21", "down_syndrome", "ja", "nein", _BLANK),
        Number("Diagnose|Leukozyten /µl", "wbc_dx", "/uL", 1_000.0, 0, ",", ".", _BLANK),
        Number("Diagnose|Hb g/dl", "hb", "g/dL", 1.0, 1, ",", blank=_BLANK),
        Number("Diagnose|Thrombozyten /nl", "plt", "/nL", 1.0, 0, ",", blank=_BLANK),
        Number("Diagnose|Blasten KM %", "blasts_bm", "%", 1.0, 0, ",", blank=_BLANK),
        Words("Diagnose|Immunologie", "immunophenotype", {"B": ("c-ALL", "prä-B-ALL", "pro-B-ALL"), "T": "T-ALL"}),
        c.yes_no("Diagnose|ETP", "etp", "ja", "nein"),
        Words("Diagnose|ZNS", "cns_status", _CNS, _BLANK),
        c.yes_no("Diagnose|Mediastinum", "mediastinum", "ja", "nein", _BLANK),
        c.subtypes("Genetik|Subtyp", {
            "ETV6::RUNX1": ("TEL-AML1", "TEL/AML1", "t(12;21)"), "HeH": "Hyperdiploidie >50",
            "BCR::ABL1": ("BCR-ABL", "BCR/ABL"), "KMT2A-r": ("MLL-AF4", "MLL"), "TCF3::PBX1": "E2A-PBX1",
            "TCF3::HLF": "E2A-HLF", "near-haploid": "fast haploid", "low-hypodiploid": "niedrig hypodiploid",
            "B-other (tested)": "B-Vorläufer sonstige"}, _BLANK,
            frozenset({"TEL-AML1", "TEL/AML1", "t(12;21)", "BCR-ABL", "BCR/ABL", "MLL-AF4", "MLL", "E2A-PBX1",
                       "E2A-HLF"})),
        *c.markers({"etv6_runx1": "Genetik|TEL-AML1", "heh": "Genetik|Hyperdiploidie", "bcr_abl1": "Genetik|BCR-ABL",
                    "kmt2a_r": "Genetik|MLL", "tcf3_pbx1": "Genetik|E2A-PBX1", "tcf3_hlf": "Genetik|E2A-HLF",
                    "iamp21": "Genetik|iAMP21", "near_haploid": "Genetik|fast haploid",
                    "low_hypodiploid": "Genetik|niedrig hypodiploid", "crlf2_r": "Genetik|CRLF2",
                    "abl_class": "Genetik|ABL-Klasse"}, _TEST, _BLANK),
        *c.deletions(lambda locus: f"MLPA|{locus}", ("del", "wt", "nicht auswertbar", "")),
        *c.mutations(lambda gene: f"Mutation|{gene}", ("mut", "wt", "")),
        Words("Ansprechen|Prednison Tag 8", "prednisone_response_d8", {"PGR": "PGR", "PPR": "PPR"}, _BLANK),
        Words("Ansprechen|KM Tag 15", "marrow_d15", _MARROW, _BLANK),
        Words("Ansprechen|KM Tag 33", "marrow_eoi", _MARROW, _BLANK),
        _mrd("MRD|Tag 33", "mrd_eoi", 33),
        _mrd("MRD|Tag 78", "mrd_eoc", 78),
        Part("MRD|Sensitivität Tag 33", "mrd_eoi_lod", scientific=True),
        Part("MRD|Sensitivität Tag 78", "mrd_eoc_lod", scientific=True),
        Words("Remission|Status", "cr_status", {"CR1": "CR", "noCR": "keine CR", "early_death": "Frühtod"}, _BLANK),
        _date("Remission|Datum", "cr_days"),
        Words("Therapie|Risikogruppe", "risk_group_reported", {"SR": "SR", "MR": "MR", "HR": "HR"}, _BLANK),
        Words("Therapie|zugewiesen", "intensity_assigned", _ARMS, _BLANK),
        Words("Therapie|erhalten", "intensity_received", _ARMS, _BLANK),
        c.yes_no("Randomisierung|ja/nein", "randomised", "ja", "nein"),
        Words("Randomisierung|Frage", "rand_id", {"AIEOP-BFM 2000 delayed intensification": "P-III/P-II"}),
        Words("Randomisierung|Arm", "rand_arm", {"reduced": "P-III", "standard": "P-II"}),
        _date("Randomisierung|Datum", "rand_days"),
        c.yes_no("SZT|in CR1", "hsct_cr1", "ja", "nein"),
        _date("SZT|Datum", "hsct_days"),
        Words("Ereignis|Code", "first_event", _EVENTS),
        _date("Ereignis|Datum", "first_event_days"),
        Words("Ereignis|Rezidivort", "relapse_site", _SITES, _BLANK),
        c.yes_no("Verlauf|verstorben", "death", "ja", "nein"),
        _date("Verlauf|Todesdatum", "death_days"),
        Words("Verlauf|Todesursache", "cause_death", _CAUSES, _BLANK),
        _date("Verlauf|letzter Kontakt", "last_contact_days"),
    ))

DE_BFM = Layout(
    source="de_aieop_bfm", title="Synthetic: childhood ALL, AIEOP-BFM trials, Germany", provider="SYN-DE-BFM",
    description="Invented patients in the manner of AIEOP-BFM ALL 2000 and 2009 and of Interfant-06.",
    look="German; one CSV with two header rows, `;`, decimal comma, point for thousands, cp1252, CRLF; dates "
         "dd.mm.yyyy; white cells per µL; sex m/w; MRD as 3E-04 with the sensitivity beside it; randomised delayed "
         "intensification",
    files=(_BFM,), prefix="BFM-", constants={"country": "DE"}, missing=("k.A.",),
    gaps=Gaps(mrd=0.10, sequenced=0.3, limits_known=True))

# -- CoALL: flags and days, CR-only line ends --------------------------------------------------------------------------
_FLAG = {"yes": "1", "no": "0"}


def _coall_mrd(heading: str, stem: str) -> tuple[Mrd, Part]:
    day = f"{heading}_Tag"
    return (Mrd(heading, stem, "percent", c.percent_text(".", " %"), "negativ", "pos n.q.", "nicht untersucht", "",
                {"lod": 1e-4, "method": "igtr_qpcr", "day_column": day}),
            Part(day, f"{stem}_day"))


_COALL = FileLayout(
    "coall.txt", "csv", "Pat_Nr", delimiter="\t", encoding="iso8859-1", newline="\r", columns=(
        Code("Studie", "trial"),
        Number("Diagnosejahr", "dx_year", "", 1.0, 0),
        Number("Alter_Monate", "age_dx_years", "months", 12.0, 1),
        Words("Geschlecht", "sex", {"M": "1", "F": "2"}, "-9"),
        Words("Down", "down_syndrome", _FLAG, "-9"),
        Number("Leukozyten_Tsd_µl", "wbc_dx", "Tsd/uL", 1.0, 1, blank="-9"),
        Number("Hb", "hb", "g/dL", 1.0, 1, blank="-9"),
        Number("Thrombozyten", "plt", "Tsd/uL", 1.0, 0, blank="-9"),
        Words("Linie", "immunophenotype", {"B": "B", "T": "T"}),
        Words("ZNS", "cns_status", _CNS, "-9"),
        c.subtypes("Genetik", {
            "ETV6::RUNX1": "TEL/AML1", "HeH": "hyperdiploid", "BCR::ABL1": "BCR/ABL", "KMT2A-r": "MLL/AF4",
            "TCF3::PBX1": "E2A/PBX1", "TCF3::HLF": "E2A/HLF", "B-other (tested)": "sonstige B"}, "-9"),
        *c.markers({"etv6_runx1": "TEL_AML1", "heh": "Hyperdiploidie", "bcr_abl1": "BCR_ABL", "kmt2a_r": "MLL_AF4",
                    "tcf3_pbx1": "E2A_PBX1", "tcf3_hlf": "E2A_HLF", "iamp21": "iAMP21", "near_haploid": "nahe_haploid",
                    "low_hypodiploid": "hypodiploid"}, ("+", "-", "x", "nd"), "-9"),
        *c.deletions(lambda locus: f"{locus}_del", ("1", "0", "x", ""), "-9"),
        *_coall_mrd("MRD_Tag29", "mrd_eoi"),
        *_coall_mrd("MRD_Ende_Konsolidierung", "mrd_eoc"),
        Words("CR", "cr_status", {"CR1": "1", "noCR": "0", "early_death": "2"}, "-9"),
        Days("CR_Tag", "cr_days"),
        Words("Risiko", "risk_group_reported", {"SR": "LR", "MR": "LR-S", "HR": "HR"}, "-9"),
        Words("Therapie", "intensity_assigned", _ARMS),
        Words("Therapie_erhalten", "intensity_received", _ARMS),
        Words("SZT_CR1", "hsct_cr1", _FLAG),
        Days("SZT_Tag", "hsct_days"),
        Words("Rezidiv", "relapse", _FLAG),
        Days("Rezidiv_Tag", "relapse_days"),
        Words("Therapieversagen", "treatment_failure", _FLAG),
        Days("Therapieversagen_Tag", "treatment_failure_days"),
        Words("Zweitmalignom", "smn", _FLAG),
        Days("Zweitmalignom_Tag", "smn_days"),
        Words("Tod", "death", _FLAG),
        Days("Tod_Tag", "death_days"),
        Words("Todesursache", "cause_death", _CAUSES, "-9"),
        Days("Beobachtung_Tage", "last_contact_days"),
    ))

DE_COALL = Layout(
    source="de_coall", title="Synthetic: childhood ALL, CoALL trial, Germany", provider="SYN-DE-COALL",
    description="Invented patients in the manner of CoALL 07-03.",
    look="German; one tab-separated file, ISO 8859-1, CR-only line ends; days since diagnosis; sex and yes/no as "
         "numbers, -9 unknown; age in months; MRD such as 0.03 %; events as flags with days",
    files=(_COALL,), prefix="CO03-", constants={"country": "DE"}, missing=("-9",), gaps=Gaps(mrd=0.14, sequenced=0.1),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind is not Mistake.IMPOSSIBLE_DATE))

# -- GMALL: adults, UTF-16, months with decimal comma ------------------------------------------------------------------


def _months(heading: str, variable: str) -> Days:
    return Days(heading, variable, "months", 2, ",")


def _gmall_mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "fraction", c.power_text(","), "<1x10^-4", "PNQ", "nicht durchgeführt",
               "nicht auswertbar", {"lod": 1e-4, "below_limit": "undetectable", "method": "igtr_qpcr",
                                    "day": day})


_GMALL = FileLayout(
    "erwachsene.csv", "csv", "Registernummer", delimiter=";", encoding="utf-16", decimal=",", newline="\r\n", columns=(
        Code("Studie", "trial"),
        Number("Jahr der Diagnose", "dx_year", "", 1.0, 0),
        Number("Alter", "age_dx_years", "years", 1.0, 0, ","),
        Words("Geschlecht", "sex", {"M": "männlich", "F": "weiblich"}, _BLANK),
        Number("Leukozyten (Gpt/l)", "wbc_dx", "Gpt/L", 1.0, 1, ",", blank=_BLANK),
        Number("Hämoglobin (g/dl)", "hb", "g/dL", 1.0, 1, ",", blank=_BLANK),
        Number("Thrombozyten (Gpt/l)", "plt", "Gpt/L", 1.0, 0, ",", blank=_BLANK),
        Words("Immunphänotyp", "immunophenotype", {"B": ("c-ALL", "pro-B", "prä-B"), "T": ("T kortikal", "T früh",
                                                                                         "T reif")}, _BLANK),
        Words("ZNS-Befall", "cns_status", {"CNS1": "nein", "CNS2": "fraglich", "CNS3": "ja", "TLP+": "TLP+",
                                           "TLP-": "TLP-"}, _BLANK),
        c.yes_no("Mediastinaltumor", "mediastinum", "ja", "nein", _BLANK),
        c.subtypes("Molekulargenetik", {
            "BCR::ABL1": ("BCR-ABL1", "Ph+"), "KMT2A-r": ("KMT2A-AFF1", "MLL-AF4"), "ETV6::RUNX1": "ETV6-RUNX1",
            "TCF3::PBX1": "TCF3-PBX1", "TCF3::HLF": "TCF3-HLF", "B-other (tested)": "B-ALL sonstige",
            "low-hypodiploid": "hypodiploid/near-triploid"}, _BLANK),
        *c.markers({"bcr_abl1": "BCR-ABL1", "kmt2a_r": "KMT2A", "etv6_runx1": "ETV6-RUNX1", "heh": "Hyperdiploidie",
                    "tcf3_pbx1": "TCF3-PBX1", "tcf3_hlf": "TCF3-HLF", "iamp21": "iAMP21",
                    "near_haploid": "nahe haploid", "low_hypodiploid": "hypodiploid", "ph_like": "Ph-like",
                    "dux4_r": "DUX4", "znf384_r": "ZNF384"}, _TEST, _BLANK),
        *c.deletions(lambda locus: f"{locus}-Deletion", ("ja", "nein", "nicht auswertbar", ""), _BLANK,
                     ("ikzf1", "cdkn2a", "cdkn2b", "pax5", "etv6", "btg1", "rb1", "ebf1", "par1")),
        *c.mutations(lambda gene: f"{gene}-Mutation", ("ja", "nein", ""), _BLANK),
        _gmall_mrd("MRD Ende Induktion", "mrd_eoi", 40),
        _gmall_mrd("MRD Konsolidierung I", "mrd_eoc", 84),
        Words("Remission", "cr_status", {"CR1": "CR", "noCR": "refraktär", "early_death": "Frühtod"}, _BLANK),
        _months("Monate bis CR", "cr_days"),
        Words("Risikogruppe", "risk_group_reported", {"SR": "SR", "HR": "HR", "VHR": "VHR", "MR": "MR"}, _BLANK),
        Words("Therapie geplant", "intensity_assigned", _ARMS, _BLANK),
        Words("Therapie erhalten", "intensity_received", _ARMS, _BLANK),
        c.yes_no("SZT in CR1", "hsct_cr1", "ja", "nein"),
        _months("Monate bis SZT", "hsct_days"),
        Words("Erstes Ereignis", "first_event",
              {"none": "keines", "induction_death": "Tod in Induktion", "treatment_failure": "Therapieversagen",
               "relapse": "Rezidiv", "death_in_cr": "Tod in CR", "smn": "Zweitmalignom"}),
        _months("Monate bis Ereignis", "first_event_days"),
        Words("Rezidivort", "relapse_site", _SITES, _BLANK),
        Words("Status", "death", {"yes": "verstorben", "no": "lebt"}),
        _months("Monate bis Tod", "death_days"),
        Words("Todesursache", "cause_death", _CAUSES, _BLANK),
        _months("Monate Beobachtung", "last_contact_days"),
    ))

DE_GMALL = Layout(
    source="de_gmall", title="Synthetic: adult ALL, Germany", provider="SYN-DE-ADULT",
    description="Invented adults in the manner of GMALL 07/2003, BCR::ABL1 included.",
    look="German; one CSV, `;`, decimal comma, UTF-16, CRLF; age in whole years; times in months; sex in words; white "
         "cells in Gpt/L; MRD such as 3x10^-4, undetectable as <1x10^-4",
    files=(_GMALL,), prefix="GM-", constants={"country": "DE"}, missing=("k.A.",),
    gaps=Gaps(mrd=0.15, cytogenetics_failed=0.10, sequenced=0.3),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind is not Mistake.IMPOSSIBLE_DATE))
