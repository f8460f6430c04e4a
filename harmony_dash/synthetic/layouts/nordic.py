"""SE, DK, NO, FI, IS: Danish and Swedish words; tab-separated UTF-8; days since diagnosis; `K` is female."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import FileLayout, Layout
from harmony_dash.synthetic.native import Code, Days, Ignored, Mrd, Number, Part, Words

_BLANK = "okänd"
_TEST = ("positiv", "negativ", "misslyckad", "ej utförd")


def _mrd(heading: str, stem: str, day: str) -> tuple[Mrd, Part, Part]:
    limit = f"{heading} LOD"
    return (Mrd(heading, stem, "percent", c.percent_text("."), "0", "pos <QR", "ej utförd", "misslyckad",
                {"lod_column": limit, "day_column": day, "method": "flow"}),
            Part(limit, f"{stem}_lod", scientific=True), Part(day, f"{stem}_day"))


_REGISTRY = FileLayout(
    "leukemiregister.tsv", "csv", "LopNr", delimiter="\t", encoding="utf-8", columns=(
        Words("Land", "country", {"SE": "Sverige", "DK": "Danmark", "NO": "Norge", "FI": "Finland", "IS": "Island"}),
        Code("Protokoll", "trial"),
        Number("Diagnosår", "dx_year", "", 1.0, 0),
        Number("Ålder", "age_dx_years", "years", 1.0, 2),
        Words("Kön", "sex", {"M": "M", "F": "K"}),
        c.spoken("Down", "down_syndrome", "ja", "nej", "sv", _BLANK),
        Number("LPK", "wbc_dx", "10^9/L", 1.0, 1, blank=_BLANK),
        Number("Hb_g_per_L", "hb", "g/L", 10.0, 0, blank=_BLANK),
        Number("TPK", "plt", "10^9/L", 1.0, 0, blank=_BLANK),
        Words("Immunfenotyp", "immunophenotype", {"B": ("B-linje", "pre-B", "pro-B"), "T": "T-linje"}),
        c.yes_no("ETP", "etp", "1", "0"),
        Words("CNS", "cns_status", {"CNS1": "CNS1", "CNS2": "CNS2", "CNS3": "CNS3", "TLP+": "TLP+", "TLP-": "TLP-"},
              _BLANK),
        c.yes_no("Mediastinum", "mediastinum", "1", "0"),
        c.subtypes("Genetik", {
            "ETV6::RUNX1": ("t(12;21)", "ETV6-RUNX1"), "HeH": "hyperdiploid 51-67", "KMT2A-r": ("11q23/KMT2A", "KMT2A"),
            "TCF3::PBX1": "t(1;19)", "TCF3::HLF": "t(17;19)", "low-hypodiploid": "hypodiploid 31-39",
            "near-haploid": "hypodiploid 24-30", "B-other (tested)": "B-other"}, _BLANK),
        *c.markers({"etv6_runx1": "t1221", "heh": "hyperdiploid", "kmt2a_r": "r11q23", "bcr_abl1": "t922",
                    "tcf3_pbx1": "t119", "tcf3_hlf": "t1719", "iamp21": "iamp21", "near_haploid": "nearhaploid",
                    "low_hypodiploid": "lowhypo", "dux4_r": "dux4", "znf384_r": "znf384", "ph_like": "phlike"},
                   _TEST, _BLANK),
        *c.deletions(lambda locus: f"del_{locus}", ("del", "normal", "misslyckad", "ej utförd")),
        *c.mutations(lambda gene: f"mut_{gene}", ("mut", "vildtyp", "ej utförd"), _BLANK),
        Words("BM_d15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        Words("BM_d29", "marrow_eoi", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        *_mrd("MRD d29 %", "mrd_eoi", "MRD d29 dag"),
        *_mrd("MRD d79 %", "mrd_eoc", "MRD d79 dag"),
        Words("CR1", "cr_status", {"CR1": "ja", "noCR": "nej", "early_death": "död"}),
        Days("CR1_dag", "cr_days"),
        Words("Riskgrupp", "risk_group_reported", {"SR": "SR", "MR": "IR", "HR": "HR", "VHR": "HR+SCT"}),
        Words("Behandling_avsedd", "intensity_assigned", {"reduced": "SR", "standard": "IR", "intensified": "HR"}),
        Words("Behandling_given", "intensity_received", {"reduced": "SR", "standard": "IR", "intensified": "HR"}),
        c.spoken("SCT_CR1", "hsct_cr1", "ja", "nej", "sv"),
        Days("SCT_dag", "hsct_days"),
        Words("Första_händelse", "first_event",
              {"none": "0", "induction_death": "1", "treatment_failure": "2", "relapse": "3", "death_in_cr": "4",
               "smn": "5"}),
        Days("Första_händelse_dag", "first_event_days"),
        Words("Recidivlokal", "relapse_site", {"BM": "BM", "CNS": "CNS", "testis": "testis", "combined": "kombinerad",
                                               "other": "annan"}, _BLANK),
        c.spoken("Död", "death", "ja", "nej", "sv"),
        Days("Död_dag", "death_days"),
        Words("Dödsorsak", "cause_death", {"leukaemia": "leukemi", "toxic": "toxisk", "smn": "SMN", "other": "annan"},
              _BLANK),
        Days("Sista_kontakt_dag", "last_contact_days"),
        Ignored("Formulärversion", "v", 4),
    ))

NORDIC = Layout(
    source="nordic_nopho", title="Synthetic: childhood and young adult ALL, Nordic countries", provider="SYN-NORDIC",
    description="Invented patients aged 1 to 45 in the manner of NOPHO ALL2008; the country is given row by row.",
    look="Swedish; one TSV, UTF-8; days since diagnosis; haemoglobin g/L; sex M/K; MRD by flow in per cent, 0 is "
         "negative; event codes 0 to 5; no prednisone response",
    files=(_REGISTRY,), prefix="NO08-", missing=("okänd",),
    gaps=Gaps(mrd=0.10, sequenced=0.45, t_panel=0.4, limits_known=True))
