"""Hand-made answers of treatment comparisons: answered, amber, refused, between protocols, randomised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure.released import Level, Released, Scope, make_released
from harmony_dash.disclosure.results import Curve
from harmony_dash.disclosure.subgroup_results import Interval
from harmony_dash.disclosure.what_if_diagnostics import (
    ArmDiagnostics,
    Balance,
    Diagnostics,
    EValueShown,
    MissingConfounder,
    PropensityBin,
    Sensitivity,
)
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    RANDOMISED,
    AllocationCell,
    Anchor,
    ComparedArm,
    ComparedPatients,
    Contrast,
    LevelArm,
    LevelEffect,
    Mark,
    Measure,
    Method,
    NeededNumber,
    Status,
    StrategyCurve,
    WhatIfReason,
    WhatIfResult,
)

HORIZON = 1826
ARMS = (("standard", "standard"), ("reduced", "reduced"))
OUTCOMES = (("efs", "Event-free survival"), ("relapse", "Relapse"), ("death_in_cr", "Death in remission"))
QUESTION = WhatIfQuestion(Question("ALL", "efs", (OneOf("age_group", ("1-9",)),), landmark_days=90),
                          adjust=("mrd_group", "cyto_group"), modifiers=("cyto_group",), horizon_days=HORIZON)
# Of each outcome: the estimates of the reference and of the compared arm at the horizon.
ENDS = {"efs": (0.92, 0.88), "relapse": (0.05, 0.10), "death_in_cr": (0.03, 0.02)}


def make_curve(start: float, end: float) -> Curve:
    """A straight fall or rise with a band."""
    days = np.linspace(0, HORIZON, 9)
    estimate = np.linspace(start, end, 9)
    return Curve(days, estimate, np.clip(estimate - 0.02, 0, 1), np.clip(estimate + 0.02, 0, 1), np.full(9, np.nan))


def make_curves(method: Method, outcomes: tuple[str, ...]) -> tuple[StrategyCurve, ...]:
    return tuple(StrategyCurve(method, outcome, arm, make_curve(1.0 if outcome == "efs" else 0.0, end))
                 for outcome in outcomes for (arm, _), end in zip(ARMS, ENDS[outcome], strict=True))


def make_patients(population: str = OBSERVED, outcomes: tuple[str, ...] = ("efs", "relapse", "death_in_cr"),
                  ) -> tuple[ComparedPatients, ...]:
    labels = dict(OUTCOMES)
    arms = (ComparedArm("standard", "standard", 1200, 150, 640, 120),
            ComparedArm("reduced", "reduced", 800, 110, 410, 90))
    return tuple(ComparedPatients(population, outcome, labels[outcome], "day 90 after diagnosis", arms, HORIZON)
                 for outcome in outcomes)


def make_contrasts(method: Method = Method.STANDARDISED) -> tuple[Contrast, ...]:
    return (Contrast(method, Measure.SURVIVAL, "efs", HORIZON, -0.0392, -0.0721, -0.0061),
            Contrast(method, Measure.RESTRICTED_MEAN, "efs", HORIZON, -36.5, -61.0, -12.0),
            Contrast(method, Measure.INCIDENCE, "relapse", HORIZON, 0.05, 0.02, 0.08),
            Contrast(method, Measure.INCIDENCE, "death_in_cr", HORIZON, -0.01, -0.02, 0.004))


def make_reason(code: str, severity: str = "refused", **changes: Any) -> WhatIfReason:
    return replace(WhatIfReason(code, severity, f"the rule {code} is not kept", "", None, None, f"data for {code}"),
                   **changes)


def make_what_if(**changes: Any) -> WhatIfResult:
    """An answered comparison of reduced with standard treatment."""
    every = ("efs", "relapse", "death_in_cr")
    trials = (("OLD", Mark.ONE, ((300, 40), (0, 0))), ("BOTH", Mark.BOTH, ((600, 70), (400, 50))),
              ("COIN", Mark.RANDOMISED, ((300, 40), (400, None))))
    allocation = tuple(AllocationCell(trial, trial, arm, n, events, mark, mark is not Mark.ONE)
                       for trial, mark, counts in trials for (arm, _), (n, events) in zip(ARMS, counts, strict=True))
    contrasts = (*make_contrasts(), Contrast(Method.AUGMENTED, Measure.SURVIVAL, "efs", HORIZON, -0.03, -0.07, 0.01),
                 Contrast(Method.WEIGHTED, Measure.SURVIVAL, "efs", HORIZON, -0.035, -0.08, 0.01),
                 Contrast(Method.PLAIN, Measure.SURVIVAL, "efs", HORIZON, 0.041, 0.02, 0.062))
    diagnostics = Diagnostics(
        (ArmDiagnostics("standard", 900, 0.01), ArmDiagnostics("reduced", 500, 0.02)), 0.97,
        tuple(PropensityBin(n / 10, (n + 1) / 10, (0.1 if n else None, 0.1), (100, 80)) for n in range(10)),
        (Balance("MRD group: high", 0.52, 0.04), Balance("log white cell count", -0.3, -0.12)), "inverse",
        EValueShown(1.5, 2.37, 1.2), (Sensitivity("MRD group", 0.01, 0.0492),),
        (MissingConfounder("cyto_group", "Cytogenetic risk group", 0.15, "'not known' as a value of its own"),))
    effects = (
        LevelEffect("cyto_group", "Cytogenetic risk group", "good", "good risk", LevelArm("standard", 500, 40),
                    LevelArm("reduced", 400, 30), Interval(-0.001, -0.03, 0.03)),
        LevelEffect("cyto_group", "Cytogenetic risk group", "high", "high risk", LevelArm("standard", None, None),
                    LevelArm("reduced", None, None), None, "too few patients"))
    needed = tuple(NeededNumber(Method.STANDARDISED, outcome, 20, words) for outcome, words in (
        ("efs", "1 extra event for every 26 patients treated reduced"),
        ("relapse", "1 extra relapse for every 20 patients treated reduced"),
        ("death_in_cr", "1 fewer death in remission for every 100 patients treated reduced")))
    anchor = Anchor("AIEOP-BFM ALL 2000", "reduced against standard", "standard risk", True,
                    ("4-year DFS 91.8 v 95.8",), "Schrappe, J Clin Oncol 2018")
    result = WhatIfResult(
        QUESTION, "What if: reduced instead of standard", "20261101-ab12", True, Status.ANSWERED, (),
        (("Population", "patients with ALL"), ("Time zero", "day 90 after diagnosis"), ("Horizon", "5 years")), ARMS,
        allocation, False, Method.STANDARDISED, make_patients(),
        (*make_curves(Method.STANDARDISED, every), *make_curves(Method.AUGMENTED, ("efs",)),
         *make_curves(Method.WEIGHTED, ("efs",)), *make_curves(Method.PLAIN, ("efs",))),
        contrasts, needed, effects, diagnostics, (anchor,), methods="A: g-formula.", summary="A summary.",
        replicates=200)
    return replace(result, **changes)


def make_amber() -> WhatIfResult:
    """The same, where one rule asks for caution."""
    reasons = tuple(make_reason("BALANCE", "amber", message=f"weighted, the arms still differ ({name})", where=name,
                                value=value, threshold=0.1) for name, value in (("age", 0.12), ("sex", -0.15)))
    return make_what_if(status=Status.AMBER, reasons=reasons)


def make_refused(code: str = "CELL_SMALL") -> WhatIfResult:
    """A refusal: counts and reasons, nothing else."""
    return make_what_if(status=Status.REFUSED, reasons=(make_reason(code),), primary=None, curves=(), contrasts=(),
                        needed=(), effects=(), diagnostics=Diagnostics(), patients=make_patients(outcomes=("efs",)))


def make_between_protocols() -> WhatIfResult:
    """No trial used both arms: plain curves."""
    return replace(make_refused("BETWEEN_PROTOCOL"), between_protocol=True,
                   curves=make_curves(Method.PLAIN, ("efs",)))


def make_randomised() -> WhatIfResult:
    """A randomised answer, with the adjusted comparison beneath it."""
    usual = make_what_if()
    every = ("efs", "relapse", "death_in_cr")
    return replace(usual, primary=Method.RANDOMISED, patients=(*usual.patients, *make_patients(RANDOMISED)),
                   curves=(*usual.curves, *make_curves(Method.RANDOMISED, every)),
                   contrasts=(*usual.contrasts, *make_contrasts(Method.RANDOMISED)))


def release(result: WhatIfResult, level: Level = Level.PROTECTED) -> Released[WhatIfResult]:
    return make_released(result, Scope(level))
