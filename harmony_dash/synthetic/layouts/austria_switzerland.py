"""AT, CH: German; two XLSX workbooks with native numbers and dates, each behind a sheet that explains the codes."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import ALL_MISTAKES, FileLayout, Layout
from harmony_dash.synthetic.mistakes import Mistake
from harmony_dash.synthetic.native import Code, DiagnosisDate, EventDate, Ignored, Mrd, Number, Part, Words

_BLANK = "keine Angabe"
_DX = "Diagnosedatum"
_TEST = ("pos", "neg", "n.b.", "n.d.")
_ARMS = {"reduced": "red", "standard": "std", "intensified": "int"}


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, "native")


def _mrd(heading: str, stem: str) -> Mrd:
    return Mrd(heading, stem, "fraction", c.fraction_text("{:.1e}"), "negativ", "PNQ", "nicht gemacht",
               "nicht bestimmbar", {"lod": 1e-4, "method": "igtr_qpcr", "day_column": f"{heading} Tag"})


_PATIENTS = FileLayout(
    "Patienten.xlsx", "xlsx", "Pseudonym", sheet="Patienten", columns=(
        Words("Land", "country", {"AT": ("Österreich", "A"), "CH": ("Schweiz", "CH")}),
        Code("Protokoll", "trial"),
        DiagnosisDate(_DX, "native"),
        Number("Alter", "age_dx_years", "years", 1.0, 2, native=True),
        Words("Geschlecht", "sex", {"M": "m", "F": "w"}),
        c.yes_no("Down-Syndrom", "down_syndrome", "j", "n", _BLANK),
        Number("Leukozyten G/L", "wbc_dx", "G/L", 1.0, 1, native=True),
        Number("Hb g/dL", "hb", "g/dL", 1.0, 1, native=True),
        Number("Thrombozyten G/L", "plt", "G/L", 1.0, 0, native=True),
        Words("Immunphänotyp", "immunophenotype", {"B": ("BCP", "c-ALL"), "T": "T"}),
        Words("ZNS-Status", "cns_status", {"CNS1": "1", "CNS2": "2", "CNS3": "3", "TLP+": "TLP+", "TLP-": "TLP-"},
              _BLANK),
        c.subtypes("Subtyp", {
            "ETV6::RUNX1": "ETV6-RUNX1", "HeH": "HD", "BCR::ABL1": "BCR-ABL1", "KMT2A-r": "KMT2A",
            "TCF3::PBX1": "TCF3-PBX1", "TCF3::HLF": "TCF3-HLF", "B-other (tested)": "B-other"}, _BLANK),
        *c.markers({"etv6_runx1": "ETV6-RUNX1", "heh": "Hyperdiploidie", "bcr_abl1": "BCR-ABL1", "kmt2a_r": "KMT2A",
                    "tcf3_pbx1": "TCF3-PBX1", "tcf3_hlf": "TCF3-HLF", "iamp21": "iAMP21",
                    "near_haploid": "near haploid", "low_hypodiploid": "low hypodiploid", "crlf2_r": "CRLF2",
                    "abl_class": "ABL-Klasse", "pax5alt": "PAX5alt"}, _TEST, _BLANK),
        *c.deletions(lambda locus: f"{locus} MLPA", ("del", "nodel", "n.b.", "")),
        *c.mutations(lambda gene: f"{gene} NGS", ("mut", "wt", "")),
        Ignored("Dateneingabe", "V", 3),
    ))

_COURSE = FileLayout(
    "Verlauf.xlsx", "xlsx", "Pseudonym", sheet="Verlauf", columns=(
        Words("Prednison-Response", "prednisone_response_d8", {"PGR": "PGR", "PPR": "PPR"}, _BLANK),
        Words("KM d15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        _mrd("MRD TP1", "mrd_eoi"), Part("MRD TP1 Tag", "mrd_eoi_day", native=True),
        _mrd("MRD TP2", "mrd_eoc"), Part("MRD TP2 Tag", "mrd_eoc_day", native=True),
        Words("CR", "cr_status", {"CR1": "j", "noCR": "n", "early_death": "ED"}, _BLANK),
        _date("CR-Datum", "cr_days"),
        Words("Risiko", "risk_group_reported", {"SR": "SR", "MR": "MR", "HR": "HR"}, _BLANK),
        Words("Arm geplant", "intensity_assigned", _ARMS, _BLANK),
        Words("Arm erhalten", "intensity_received", _ARMS, _BLANK),
        c.yes_no("randomisiert", "randomised", "j", "n"),
        Words("Randomisierung", "rand_id", {"AIEOP-BFM 2000 delayed intensification": "R2 SR"}),
        Words("Rand-Arm", "rand_arm", {"reduced": "P III", "standard": "P II"}),
        _date("Rand-Datum", "rand_days"),
        c.yes_no("SZT CR1", "hsct_cr1", "j", "n"),
        _date("SZT-Datum", "hsct_days"),
        Words("Erstereignis", "first_event", {"none": "-", "induction_death": "ED", "treatment_failure": "NR",
                                              "relapse": "REL", "death_in_cr": "DCR", "smn": "SMN"}),
        _date("Ereignisdatum", "first_event_days"),
        c.yes_no("verstorben", "death", "j", "n"),
        _date("Todesdatum", "death_days"),
        _date("letzter Status", "last_contact_days"),
    ))

AT_CH = Layout(
    source="at_ch_bfm", title="Synthetic: childhood ALL, Austria and Switzerland", provider="SYN-AT-CH",
    description="Invented patients in the manner of AIEOP-BFM ALL 2000 and 2009; the country is given row by row.",
    look="German; two XLSX workbooks (patients, follow-up), each with a legend sheet first; native dates; sex m/w; "
         "yes/no j/n; country in words or by number plate; randomised delayed intensification",
    files=(_PATIENTS, _COURSE), prefix="ATCH-", missing=("keine Angabe",), gaps=Gaps(mrd=0.11, sequenced=0.4),
    mistakes=tuple(kind for kind in ALL_MISTAKES if kind is not Mistake.IMPOSSIBLE_DATE))
