"""R10: a backup restored on an empty machine gives the same answers, and its trail verifies."""

from __future__ import annotations

from pathlib import Path

from tests.faults.recovery import lose_and_recover

# as many as in the samples
PATIENTS = 5_000


def test_a_lost_deployment_comes_back_with_the_same_answers(tmp_path: Path) -> None:
    found = lose_and_recover(tmp_path, PATIENTS)
    assert found.same
    assert found.patients > 0.95 * PATIENTS
    assert found.restoring < 600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "one.backup"]
