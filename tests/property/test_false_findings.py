from __future__ import annotations

from tests.benchmarks.false_findings import simulate


def test_markers_that_mean_nothing_are_seldom_a_finding() -> None:
    found = simulate(150, patients=500, seed=4)
    assert 0.35 < found.any_p < 0.65  # every other table, if every p-value were believed
    assert found.any_q < 0.12  # 5 in 100, within three standard errors and a half
