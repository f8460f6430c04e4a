"""One patient unlike all others must not be read from the balance, the weights or the overlap of a comparison.

White cells are cut at 60 and the target is known to be in an arm; whether theirs are 60 or 1,500 is the secret.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.what_if_results import WhatIfResult
from tests.what_if_cohort import COHORT, ask, draw_cohort, open_house

QUESTION = WhatIfQuestion(COHORT, adjust=("mrd_eoi_band", "cyto_group", "wbc_dx"), horizon_days=1096)
RULES = Scope(Level.PROTECTED).rules
# Of white cells and their curve: between two and four standard deviations from the mean, whoever is the farthest.
REACH = 4


def ask_of(folder: Path, frame: pd.DataFrame, level: Level = Level.PROTECTED) -> WhatIfResult:
    return ask(open_house(folder, frame), QUESTION, level)


def with_cells(n: int, seed: int, arm: str, cells: float) -> pd.DataFrame:
    frame = draw_cohort(n, seed, choice=0.3)
    frame["trial"] = np.where(np.arange(n) % 2, "Trial A", "Trial B")
    frame["wbc_dx"] = frame.wbc_dx.clip(upper=60.0)
    frame.loc[frame.index[(frame.intensity_assigned == arm) & (frame.efs_days > 400)][0], "wbc_dx"] = cells
    return frame


@pytest.mark.parametrize("arm", ["reduced", "standard"])
@pytest.mark.parametrize(("n", "seed"), [(500, 1), (500, 2), (500, 3), (1500, 1), (1500, 2)])
def test_white_cells_of_one_patient_move_the_balance_by_a_step_at_most(tmp_path: Path, arm: str, n: int, seed: int,
                                                                       ) -> None:
    usual, far = (ask_of(tmp_path / str(cells), with_cells(n, seed, arm, cells)) for cells in (60, 1500))
    sizes = [one.n for one in usual.patients[0].arms]
    assert None not in sizes
    step = step_height(min(one or 0 for one in sizes), RULES)
    cells = [one.name for one in usual.diagnostics.balance if "white" in one.name.lower()]
    assert len(cells) == 2
    for before, after in zip(usual.diagnostics.balance, far.diagnostics.balance, strict=True):
        assert before.name == after.name
        moved = abs(after.before - before.before) / step
        steps = (0, 1, 2, REACH) if before.name in cells else (0,)
        assert any(moved == pytest.approx(one, abs=1e-6) for one in steps)
    # What hangs on weights tells no more than the verdict.
    told = {(one.where, one.threshold) for one in usual.reasons if one.code == "BALANCE"}
    if told == {(one.where, one.threshold) for one in far.reasons if one.code == "BALANCE"}:
        assert ([one.after_below for one in usual.diagnostics.balance]
                == [one.after_below for one in far.diagnostics.balance])
    assert all(one.after is None for one in (*usual.diagnostics.balance, *far.diagnostics.balance))
    assert usual.diagnostics.common_support == far.diagnostics.common_support
    assert [one.largest_share for one in usual.diagnostics.arms] == [one.largest_share for one in far.diagnostics.arms]
    assert [replace(one, largest_share=0) for one in usual.diagnostics.arms] == [
        replace(one, largest_share=0) for one in far.diagnostics.arms]


def test_the_secret_would_be_told_by_exact_diagnostics(tmp_path: Path) -> None:
    """The attack works where nothing is protected."""
    usual, far = (ask_of(tmp_path / str(cells), with_cells(500, 1, "reduced", cells), Level.EXACT)
                  for cells in (60, 1500))
    step = step_height(min(one.n or 0 for one in usual.patients[0].arms), RULES)
    assert max(abs(after.before - before.before) / step
               for before, after in zip(usual.diagnostics.balance, far.diagnostics.balance, strict=True)) > 1
