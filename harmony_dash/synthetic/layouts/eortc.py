"""FR, BE, PT children: English, UTF-8 with a byte-order mark, baseline and follow-up files, times in years."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import ALL_MISTAKES, FileLayout, Layout
from harmony_dash.synthetic.mistakes import Mistake
from harmony_dash.synthetic.native import Code, Days, Ignored, Mrd, Number, Words

_BLANK = "NR"
_FLAG = {"yes": "1", "no": "2"}


def _years(heading: str, variable: str) -> Days:
    return Days(heading, variable, "years", 4)


def _mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "percent", c.percent_text(), "<0.01", "PNQ", "ND", "failed",
               {"lod": 1e-4, "below_limit": "undetectable", "method": "igtr_qpcr", "day": day})


_BASELINE = FileLayout(
    "baseline.csv", "csv", "SEQID", encoding="utf-8-sig", columns=(
        Words("COUNTRY", "country", {"FR": "France", "BE": "Belgium", "PT": "Portugal"}),
        Code("STUDY", "trial"),
        Number("YEAR_DX", "dx_year", "", 1.0, 0),
        Number("AGE_MONTHS", "age_dx_years", "months", 12.0, 1),
        Words("SEX", "sex", {"M": "1", "F": "2"}),
        Words("DOWN", "down_syndrome", _FLAG, "9"),
        Number("WBC", "wbc_dx", "10^3/uL", 1.0, 2, blank=_BLANK),
        Number("HGB", "hb", "g/dL", 1.0, 1, blank=_BLANK),
        Number("PLT", "plt", "10^3/uL", 1.0, 0, blank=_BLANK),
        Number("BM_BLASTS", "blasts_bm", "%", 1.0, 0, blank=_BLANK),
        Words("LINEAGE", "immunophenotype", {"B": ("common", "pre-B", "pro-B"), "T": "T-ALL"}),
        Words("CNS", "cns_status", {"CNS1": "CNS-1", "CNS2": "CNS-2", "CNS3": "CNS-3", "TLP+": "TLP+", "TLP-": "TLP-"},
              _BLANK),
        c.subtypes("GENETICS", {
            "ETV6::RUNX1": ("TEL-AML1", "ETV6/RUNX1"), "HeH": ("hyperdiploid 51-53", "hyperdiploid 54-57",
                                                              "hyperdiploid 58-66"),
            "BCR::ABL1": "BCR-ABL", "KMT2A-r": ("MLL-AF4", "MLL other"), "TCF3::PBX1": "E2A-PBX1",
            "TCF3::HLF": "E2A-HLF", "B-other (tested)": "other B"}, _BLANK),
        *c.markers({"etv6_runx1": "TEL_AML1", "heh": "HYPERDIPLOID", "bcr_abl1": "BCR_ABL", "kmt2a_r": "MLL",
                    "tcf3_pbx1": "E2A_PBX1", "tcf3_hlf": "E2A_HLF", "iamp21": "IAMP21",
                    "near_haploid": "NEAR_HAPLOID", "low_hypodiploid": "LOW_HYPODIPLOID"},
                   ("positive", "negative", "failed", "not done"), _BLANK),
        *c.trisomies(lambda number: f"TRISOMY_{number}", "1", "2", "9"),
        *c.deletions(lambda locus: f"DEL_{locus}", ("1", "0", "failed", ""), "",
                     ("ikzf1", "cdkn2a", "cdkn2b", "pax5", "etv6", "btg1", "rb1", "ebf1", "par1")),
        Words("PREPHASE_RESPONSE", "prednisone_response_d8", {"PGR": "good", "PPR": "poor"}, _BLANK),
        Words("BM_DAY15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        Ignored("CRF_VERSION", "2.", 5),
    ))

_FOLLOW_UP = FileLayout(
    "followup.csv", "csv", "SEQID", encoding="utf-8-sig", columns=(
        _mrd("MRD_EOI_PCT", "mrd_eoi", 35),
        _mrd("MRD_EOC_PCT", "mrd_eoc", 84),
        Words("CR", "cr_status", {"CR1": "yes", "noCR": "no", "early_death": "early death"}, _BLANK),
        _years("CR_YEARS", "cr_days"),
        Words("RISK_GROUP", "risk_group_reported", {"SR": "VLR", "MR": "AR", "HR": "VHR"}, _BLANK),
        Words("ARM", "intensity_assigned", {"reduced": "VLR", "standard": "short asparaginase",
                                            "intensified": ("long asparaginase", "VHR")}, _BLANK),
        Words("ARM_GIVEN", "intensity_received", {"reduced": "reduced", "standard": "standard",
                                                  "intensified": "intensified"}, _BLANK),
        Words("RANDOMISED", "randomised", _FLAG),
        Words("QUESTION", "rand_id", {"EORTC 58951 asparaginase": "ASP"}),
        Words("RAND_ARM", "rand_arm", {"standard": "short", "intensified": "long"}),
        _years("RAND_YEARS", "rand_days"),
        Words("BMT_CR1", "hsct_cr1", _FLAG),
        _years("BMT_YEARS", "hsct_days"),
        Words("FIRST_EVENT", "first_event", {"none": "0", "induction_death": "1", "treatment_failure": "2",
                                             "relapse": "3", "death_in_cr": "4", "smn": "5"}),
        _years("EVENT_YEARS", "first_event_days"),
        Words("RELAPSE_SITE", "relapse_site", {"BM": "marrow", "CNS": "CNS", "testis": "testis",
                                               "combined": "combined", "other": "other"}, _BLANK),
        Words("SURVIVAL_STATUS", "death", {"yes": "dead", "no": "alive"}),
        _years("DEATH_YEARS", "death_days"),
        _years("FU_YEARS", "last_contact_days"),
    ))

EORTC = Layout(
    source="eortc_cldlg", title="Synthetic: childhood ALL, France, Belgium and Portugal", provider="SYN-EORTC",
    description="Invented patients in the manner of EORTC 58951; the country is given row by row.",
    look="English; two CSV files, comma, UTF-8 with byte-order mark; times in years; sex 1/2; yes/no 1/2 with 9 "
         "unknown; MRD in per cent, undetectable as <0.01; randomised asparaginase",
    files=(_BASELINE, _FOLLOW_UP), prefix="58951-", missing=("NR", "9"), gaps=Gaps(mrd=0.15, sequenced=0.1),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind is not Mistake.IMPOSSIBLE_DATE))
