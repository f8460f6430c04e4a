"""A feasibility result as a service would release it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.feasibility_results import (
    CountryCount,
    FeasibilityResult,
    JointLoss,
    Loss,
    SourceFlow,
    Stage,
)
from harmony_dash.disclosure.results import AttritionStep


def make_feasibility(question: Question | None = None, **changes: Any) -> FeasibilityResult:
    """Two countries with a number, one with few, one without an answer; names that Markdown would take for its own."""
    result = FeasibilityResult(
        question=replace(question or Question("ALL", "os"), horizon_days=1826), known=("cyto_group", "mrd_group"),
        title="Overall survival of patients with ALL", snapshot="20261101-ab12", synthetic=True, n=2560,
        by_country=(CountryCount("IT", 530), CountryCount("SE", 145, differs=True), CountryCount("FI", None),
                    CountryCount("IS", None, answered=False)),
        steps=(AttritionStep("patients with ALL", 5000, None), AttritionStep("sex: Female", None, None),
               AttritionStep("MRD group known", 2700, None)),
        not_followed=AttritionStep("followed for overall survival", 2560, 140),
        losses=(Loss("cyto_group", "Cytogenetic risk group", 740, 585), Loss("mrd_group", "MRD group", 755, None)),
        joint=(JointLoss(("cyto_group", "mrd_group"), ("Cytogenetic risk group", "MRD group"), 150),),
        sources=(SourceFlow("a", "Synthetic: adults, <b>Germany</b>", Stage(None, True), Stage(370), Stage(None, True),
                            None),
                 SourceFlow("b", "Synthetic: children, Italy", Stage(None, True), Stage(800), Stage(None, True),
                            Stage(530), differs=True)),
        follow_up_median_days=2739.4, not_applied=(), notes=("One.", "Two.", "Three."), methods="Made up.")
    return replace(result, **changes)
