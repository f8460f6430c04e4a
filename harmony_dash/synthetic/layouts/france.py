"""FR children: French, Latin-1, MRD as logarithms; FR, BE, CH adults: one Parquet table in months."""

from __future__ import annotations

from math import log10

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import ALL_MISTAKES, FileLayout, Layout
from harmony_dash.synthetic.mistakes import Mistake
from harmony_dash.synthetic.native import Code, Days, DiagnosisDate, EventDate, Ignored, Mrd, Number, Words

_DATE = "%d/%m/%Y"
_DX = "Date diagnostic"
_BLANK = "inconnu"
_TEST = ("positif", "négatif", "échec", "non fait")


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, _DATE)


def _log(heading: str, stem: str, day: int) -> Mrd:
    def write(value: float) -> str:
        return f"{log10(value):.2f}".replace(".", ",")
    return Mrd(heading, stem, "log10", write, "négatif", "PNQ", "non fait", "échec",
               {"lod": 1e-4, "method": "igtr_qpcr", "day": day})


_CHILD = FileLayout(
    "lal_enfants.csv", "csv", "N° inclusion", delimiter=";", encoding="iso8859-1", decimal=",", thousands=" ",
    newline="\r\n", columns=(
        Ignored("Centre", "CHU", 9),
        Code("Essai", "trial"),
        DiagnosisDate(_DX, _DATE),
        Number("Âge (mois)", "age_dx_years", "months", 12.0, 1, ","),
        Words("Sexe", "sex", {"M": "H", "F": "F"}),
        c.spoken("Trisomie 21", "down_syndrome", "oui", "non", "fr", _BLANK),
        Number("GB (/mm3)", "wbc_dx", "/mm3", 1_000.0, 0, ",", " ", _BLANK),
        Number("Hb (g/dl)", "hb", "g/dL", 1.0, 1, ",", blank=_BLANK),
        Number("Plaquettes (G/l)", "plt", "G/L", 1.0, 0, ",", blank=_BLANK),
        Words("Lignée", "immunophenotype", {"B": ("LAL-B", "B commune"), "T": "LAL-T"}),
        c.spoken("ETP", "etp", "oui", "non", "fr"),
        Words("SNC", "cns_status", {"CNS1": "SNC1", "CNS2": "SNC2", "CNS3": "SNC3", "TLP+": "PL traum+",
                                    "TLP-": "PL traum-"}, _BLANK),
        c.spoken("Médiastin", "mediastinum", "oui", "non", "fr", _BLANK),
        c.subtypes("Sous-type", {
            "ETV6::RUNX1": ("TEL/AML1", "t(12;21)"), "HeH": "hyperdiploïdie >50", "BCR::ABL1": ("BCR/ABL", "t(9;22)"),
            "KMT2A-r": ("MLL", "MLL/AF4"), "TCF3::PBX1": ("E2A/PBX1", "t(1;19)"), "TCF3::HLF": "E2A/HLF",
            "near-haploid": "quasi-haploïdie", "low-hypodiploid": "hypodiploïdie basse",
            "B-other (tested)": "LAL-B autre"}, _BLANK),
        *c.markers({"etv6_runx1": "TEL_AML1", "heh": "Hyperdiploïdie", "kmt2a_r": "MLL", "bcr_abl1": "BCR_ABL",
                    "tcf3_pbx1": "E2A_PBX1", "tcf3_hlf": "E2A_HLF", "iamp21": "iAMP21",
                    "near_haploid": "Quasi-haploïde", "low_hypodiploid": "Hypodiploïde"}, _TEST, _BLANK),
        *c.deletions(lambda locus: f"Délétion {locus}", ("oui", "non", "échec", "non fait"), _BLANK),
        *c.mutations(lambda gene: f"{gene} muté", ("oui", "non", "non fait"), _BLANK),
        Words("Corticosensibilité J8", "prednisone_response_d8", {"PGR": "CS", "PPR": "CR"}, _BLANK),
        Words("Moelle J15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        _log("MRD fin induction (log)", "mrd_eoi", 36),
        _log("MRD fin consolidation (log)", "mrd_eoc", 84),
        Words("Rémission", "cr_status", {"CR1": "RC", "noCR": "échec", "early_death": "décès précoce"}, _BLANK),
        _date("Date RC", "cr_days"),
        Words("Groupe de risque", "risk_group_reported", {"SR": "standard", "MR": "intermédiaire", "HR": "élevé"},
              _BLANK),
        Words("Intensité prévue", "intensity_assigned", {"reduced": "réduite", "standard": "standard",
                                                         "intensified": "intensifiée"}, _BLANK),
        Words("Intensité reçue", "intensity_received", {"reduced": "réduite", "standard": "standard",
                                                        "intensified": "intensifiée"}, _BLANK),
        c.spoken("Allogreffe RC1", "hsct_cr1", "oui", "non", "fr"),
        _date("Date allogreffe", "hsct_days"),
        Words("Premier événement", "first_event",
              {"none": "aucun", "induction_death": "décès en induction", "treatment_failure": "échec",
               "relapse": "rechute", "death_in_cr": "décès en RC", "smn": "second cancer"}),
        _date("Date événement", "first_event_days"),
        Words("Site de rechute", "relapse_site", {"BM": "moelle", "CNS": "SNC", "testis": "testicule",
                                                  "combined": "combinée", "other": "autre"}, _BLANK),
        Words("Statut vital", "death", {"yes": "décédé", "no": "vivant"}),
        _date("Date décès", "death_days"),
        _date("Dernières nouvelles", "last_contact_days"),
    ))

FR_CHILD = Layout(
    source="fr_sfce", title="Synthetic: childhood ALL, France", provider="SYN-FR-CHILD",
    description="Invented patients in the manner of FRALLE 2000 and CAALL-F01.",
    look="French; one CSV, `;`, decimal comma, space for thousands, ISO 8859-1, CRLF; dates dd/mm/yyyy; white cells "
         "per mm³; sex H/F; age in months; MRD as log10",
    files=(_CHILD,), prefix="FRE-", constants={"country": "FR"}, missing=("inconnu",), gaps=Gaps(sequenced=0.25),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind is not Mistake.MRD))

_LEVELS = {"reduced": "A", "standard": "B", "intensified": "C"}
_FLAG = {"yes": "1", "no": "0"}


def _months(heading: str, variable: str) -> Days:
    return Days(heading, variable, "months", 2, native=True)


def _fraction(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "fraction", c.fraction_text("{:.1e}"), "neg", "PNQ", "ND", "echec",
               {"lod": 1e-4, "method": "igtr_qpcr", "day": day})


_ADULT = FileLayout(
    "adultes.parquet", "parquet", "id_patient", columns=(
        Words("pays", "country", {"FR": "France", "BE": "Belgique", "CH": "Suisse"}),
        Code("protocole", "trial"),
        DiagnosisDate("date_diagnostic", "native"),
        Number("age", "age_dx_years", "years", 1.0, 1, native=True),
        Words("sexe", "sex", {"M": "1", "F": "2"}),
        Number("leucocytes_giga_l", "wbc_dx", "G/L", 1.0, 1, native=True),
        Number("hb_g_dl", "hb", "g/dL", 1.0, 1, native=True),
        Number("plaquettes_giga_l", "plt", "G/L", 1.0, 0, native=True),
        Number("blastes_moelle", "blasts_bm", "fraction", 0.01, 2, native=True),
        Words("lignee", "immunophenotype", {"B": "B", "T": "T"}),
        Words("etp", "etp", _FLAG),
        Words("snc", "cns_status", {"CNS1": "non", "CNS2": "douteux", "CNS3": "oui", "TLP+": "traumatique +",
                                    "TLP-": "traumatique -"}),
        c.subtypes("sous_type_genetique", {
            "BCR::ABL1": ("Ph+", "BCR-ABL1"), "KMT2A-r": ("MLL", "MLL-AF4", "KMT2A::AFF1"), "ETV6::RUNX1": "TEL-AML1",
            "TCF3::PBX1": "E2A-PBX1", "TCF3::HLF": "E2A-HLF", "low-hypodiploid": "HoTr",
            "B-other (tested)": "B autre (teste)", "IGH-r other": "IGH autre"}, "",
            frozenset({"Ph+", "BCR-ABL1", "MLL", "MLL-AF4", "KMT2A::AFF1", "TEL-AML1", "E2A-PBX1", "E2A-HLF", "HoTr"})),
        *c.markers({"bcr_abl1": "bcr_abl1", "kmt2a_r": "kmt2a", "etv6_runx1": "etv6_runx1", "heh": "hyperdiploidie",
                    "tcf3_pbx1": "tcf3_pbx1", "tcf3_hlf": "tcf3_hlf", "iamp21": "iamp21",
                    "near_haploid": "quasi_haploidie", "low_hypodiploid": "hypodiploidie_basse", "crlf2_r": "crlf2",
                    "abl_class": "classe_abl", "dux4_r": "dux4", "mef2d_r": "mef2d"}, ("pos", "neg", "echec", "ND")),
        *c.deletions(lambda locus: f"cna_{locus.lower()}", ("del", "nodel", "echec", "ND")),
        *c.mutations(lambda gene: gene.lower(), ("mut", "wt", "ND")),
        _fraction("mrd1", "mrd_eoi", 39),
        _fraction("mrd2", "mrd_eoc", 82),
        Words("reponse_induction", "cr_status", {"CR1": "RC", "noCR": "echec", "early_death": "deces"}),
        _months("mois_rc", "cr_days"),
        Words("risque", "risk_group_reported", {"SR": "SR", "MR": "MR", "HR": "HR", "VHR": "Ph+"}),
        Words("bras_prevu", "intensity_assigned", _LEVELS),
        Words("bras_recu", "intensity_received", _LEVELS),
        Words("randomise", "randomised", _FLAG),
        Words("question", "rand_id", {"GRAALL-2005 hyper-C": "hyper-C"}),
        Words("bras_randomise", "rand_arm", _LEVELS),
        _months("mois_randomisation", "rand_days"),
        Words("allogreffe_rc1", "hsct_cr1", _FLAG),
        _months("mois_allogreffe", "hsct_days"),
        Words("evenement", "first_event", {"none": "0", "induction_death": "DI", "treatment_failure": "ECH",
                                           "relapse": "RE", "death_in_cr": "DRC", "smn": "SMN"}),
        _months("mois_evenement", "first_event_days"),
        Words("deces", "death", _FLAG),
        _months("mois_deces", "death_days"),
        Words("cause_deces", "cause_death", {"leukaemia": "LAL", "toxic": "toxicite", "smn": "second cancer",
                                             "other": "autre"}),
        _months("mois_suivi", "last_contact_days"),
    ))

FR_ADULT = Layout(
    source="fr_be_ch_graall", title="Synthetic: adult ALL, France, Belgium and Switzerland", provider="SYN-FR-ADULT",
    description="Invented adults in the manner of GRAALL-2005 (Ph-negative) and GRAAPH-2005 (Ph-positive).",
    look="French headings; one Parquet table with native numbers and dates; times in months; sex 1/2; blasts as a "
         "fraction; country row by row; randomised hyper-C",
    files=(_ADULT,), prefix="GRA-", gaps=Gaps(mrd=0.15, cytogenetics_failed=0.09, sequenced=0.4, down=1.0),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind not in (Mistake.NOT_A_NUMBER, Mistake.IMPOSSIBLE_DATE)))
