"""Made-up patients whose treatment was chosen by their findings, with a known effect. Nobody real is described."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.what_if import ask_what_if
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, CAUSE_OF_FIRST_EVENT, DISCLOSURE_KEY, NOW, make_patients, make_store

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
BANDS = np.array(["undetectable", "pnq", "<0.01%", "0.01-0.1%", "0.1-1%"], dtype=object)
FEW = 20
COHORT = Question("ALL", "efs")


def draw_cohort(n: int = 4000, seed: int = 5, *, effect: float = 0.7, choice: float = 0.6, missing_mrd: float = 0.05,
                effect_in_good: float = 0.0) -> pd.DataFrame:
    """Patients of three trials: the higher their MRD, the less often was treatment reduced.

    Parameters
    ----------
    effect : log hazard ratio of reduced against standard treatment, from day 91 on.
    choice : how strongly MRD and white cells decide.
    effect_in_good : the same effect among patients with ETV6::RUNX1.
    """
    rng = np.random.default_rng(seed)
    frame = make_patients(n, seed)
    band, log_wbc = rng.integers(0, len(BANDS), n), rng.normal(2.5, 1.1, n)
    good = rng.random(n) < 0.3
    less = rng.random(n) < 1 / (1 + np.exp(choice * (band - 2) + 0.5 * choice * (log_wbc - 2.5)))
    hazard = np.exp(-8.9 + 0.45 * band + 0.2 * (log_wbc - 2.5) + less * np.where(good, effect_in_good, effect))
    event = 91 + rng.exponential(1 / hazard)
    end = rng.integers(1500, 4000, n)
    seen = event < end
    days = np.where(seen, event, end).astype(int)
    cause = np.where(seen, rng.choice([1, 2, 3], n, p=[0.65, 0.3, 0.05]), 0)
    frame["wbc_dx"] = np.exp(log_wbc).round(1)
    frame["etv6_runx1"] = np.where(good, "pos", "neg")
    frame["mrd_eoi_band"] = np.where(rng.random(n) < missing_mrd, None, BANDS[band])
    frame["cyto_group"] = np.where(rng.random(n) < 0.08, None, np.where(good, "good", "intermediate"))
    frame["intensity_assigned"] = np.where(less, "reduced", "standard")
    frame["immunophenotype"] = "B"
    frame["first_event"] = np.array(["none", "relapse", "death_in_cr", "smn"])[cause]
    frame["first_event_days"] = pd.array(np.where(cause > 0, days, 0), dtype="Int32")
    frame.loc[cause == 0, "first_event_days"] = pd.NA
    frame["last_contact_days"] = pd.array(end, dtype="Int32")
    for name, causes in CAUSE_OF_FIRST_EVENT.items():
        frame[f"{name}_days"] = pd.array(days, dtype="Int32")
        frame[f"{name}_cause"] = pd.array(np.array(causes)[cause], dtype="Int32")
        frame[f"{name}_excluded"] = None
    return frame


def open_house(folder: Path, frame: pd.DataFrame) -> Deployment:
    """A deployment that serves these patients."""
    make_store(folder / "store", frame=frame)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=1000)
    return open_deployment(settings, now=lambda: NOW)


def ask(deployment: Deployment, question: WhatIfQuestion, level: Level = Level.EXACT) -> WhatIfResult:
    """The answer to whoever may see so much, from a short bootstrap."""
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    return ask_what_if(deployment, actor, question, level=level, replicates=FEW).value
