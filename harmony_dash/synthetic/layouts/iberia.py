"""ES, PT: Spanish; ISO 8859-1; H is male (hombre) and M female (mujer); decimal comma; children and adults."""

from __future__ import annotations

from harmony_dash.synthetic.gaps import Gaps
from harmony_dash.synthetic.layouts import columns as c
from harmony_dash.synthetic.layouts.layout import FileLayout, Layout
from harmony_dash.synthetic.native import Code, DiagnosisDate, EventDate, Ignored, Mrd, Number, Words

_DATE = "%d/%m/%Y"
_DX = "Fecha de diagnóstico"
_BLANK = "desconocido"
_TEST = ("positivo", "negativo", "fallido", "no realizado")
_ARMS = {"reduced": "reducida", "standard": "estándar", "intensified": "intensificada"}


def _date(heading: str, variable: str) -> EventDate:
    return EventDate(heading, variable, _DX, _DATE)


def _mrd(heading: str, stem: str, day: int) -> Mrd:
    return Mrd(heading, stem, "percent", c.percent_text(","), "<0,01", "PNQ", "no realizado", "fallido",
               {"lod": 1e-4, "below_limit": "undetectable", "method": "flow", "day": day})


_PATIENTS = FileLayout(
    "pacientes.csv", "csv", "Código", delimiter=";", encoding="iso8859-1", decimal=",", newline="\r\n", columns=(
        Words("País", "country", {"ES": "España", "PT": "Portugal"}),
        Code("Protocolo", "trial"),
        Ignored("Hospital", "H", 15),
        DiagnosisDate(_DX, _DATE),
        Number("Edad (años)", "age_dx_years", "years", 1.0, 1, ","),
        Words("Sexo", "sex", {"M": "H", "F": "M"}),
        c.spoken("Síndrome de Down", "down_syndrome", "sí", "no", "es", _BLANK),
        Number("Leucocitos (10^9/L)", "wbc_dx", "10^9/L", 1.0, 2, ",", blank=_BLANK),
        Number("Hb (g/dL)", "hb", "g/dL", 1.0, 1, ",", blank=_BLANK),
        Number("Plaquetas (10^9/L)", "plt", "10^9/L", 1.0, 0, ",", blank=_BLANK),
        Words("Inmunofenotipo", "immunophenotype", {"B": ("LAL-B", "B común", "pro-B"), "T": "LAL-T"}),
        Words("SNC", "cns_status", {"CNS1": "SNC1", "CNS2": "SNC2", "CNS3": "SNC3", "TLP+": "PLT+", "TLP-": "PLT-"},
              _BLANK),
        c.subtypes("Subtipo genético", {
            "ETV6::RUNX1": ("ETV6-RUNX1", "t(12;21)"), "HeH": "hiperdiploide", "BCR::ABL1": "t(9;22)",
            "KMT2A-r": ("KMT2A", "t(4;11)"), "TCF3::PBX1": "t(1;19)", "TCF3::HLF": "t(17;19)",
            "near-haploid": "casi haploide", "low-hypodiploid": "hipodiploide baja",
            "B-other (tested)": "B-otra (estudiada)"}, _BLANK),
        *c.markers({"etv6_runx1": "ETV6-RUNX1", "heh": "Hiperdiploidía", "bcr_abl1": "BCR-ABL1", "kmt2a_r": "KMT2A",
                    "tcf3_pbx1": "TCF3-PBX1", "tcf3_hlf": "TCF3-HLF", "iamp21": "iAMP21",
                    "near_haploid": "Casi haploidía", "low_hypodiploid": "Hipodiploidía"}, _TEST, _BLANK),
        *c.deletions(lambda locus: f"Deleción {locus}", ("delecionado", "normal", "fallido", "no realizado"), _BLANK),
        Words("Respuesta a prednisona", "prednisone_response_d8", {"PGR": "buena", "PPR": "mala"}, _BLANK),
        Words("Médula d15", "marrow_d15", {"M1": "M1", "M2": "M2", "M3": "M3"}, _BLANK),
        _mrd("EMR inducción (%)", "mrd_eoi", 33),
        _mrd("EMR consolidación (%)", "mrd_eoc", 80),
        Words("Remisión completa", "cr_status", {"CR1": "sí", "noCR": "no", "early_death": "muerte precoz"}, _BLANK),
        _date("Fecha RC", "cr_days"),
        Words("Grupo de riesgo", "risk_group_reported", {"SR": "estándar", "MR": "intermedio", "HR": "alto"}, _BLANK),
        Words("Intensidad asignada", "intensity_assigned", _ARMS, _BLANK),
        Words("Intensidad recibida", "intensity_received", _ARMS, _BLANK),
        c.spoken("TPH en RC1", "hsct_cr1", "sí", "no", "es"),
        _date("Fecha TPH", "hsct_days"),
        c.spoken("Recaída", "relapse", "sí", "no", "es"),
        _date("Fecha recaída", "relapse_days"),
        Words("Lugar de recaída", "relapse_site", {"BM": "médula", "CNS": "SNC", "testis": "testículo",
                                                   "combined": "combinada", "other": "otro"}, _BLANK),
        c.spoken("Fracaso terapéutico", "treatment_failure", "sí", "no", "es"),
        _date("Fecha fracaso", "treatment_failure_days"),
        c.spoken("Segunda neoplasia", "smn", "sí", "no", "es"),
        _date("Fecha segunda neoplasia", "smn_days"),
        c.spoken("Fallecido", "death", "sí", "no", "es"),
        _date("Fecha de muerte", "death_days"),
        Words("Causa de muerte", "cause_death", {"leukaemia": "leucemia", "toxic": "toxicidad",
                                                 "smn": "segunda neoplasia", "other": "otra"}, _BLANK),
        _date("Última visita", "last_contact_days"),
    ))

ES_PT = Layout(
    source="es_pt_sehop_pethema", title="Synthetic: ALL in children and adults, Spain and Portugal",
    provider="SYN-ES-PT",
    description="Invented patients in the manner of SEHOP-PETHEMA 2013 (children) and PETHEMA ALL-HR-11 (adults).",
    look="Spanish; one CSV, `;`, decimal comma, ISO 8859-1, CRLF; dates dd/mm/yyyy; sex H (hombre) / M (mujer); MRD by "
         "flow in per cent, undetectable as <0,01; events as flags with dates; children and adults",
    files=(_PATIENTS,), prefix="IB-", missing=("desconocido",),
    gaps=Gaps(mrd=0.15, cytogenetics_failed=0.10, sequenced=0.15))
