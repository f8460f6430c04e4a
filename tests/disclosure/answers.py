"""Survival results of made-up patients, straight from event tables with keys: what a service hands to `release`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import KeyedCount, keyed, union
from harmony_dash.disclosure.results import AttritionStep, Exclusion, IntervalType, SurvivalResult
from harmony_dash.services.estimates import estimate_group, risk_table_days, run_tests
from harmony_dash.services.late_entry import find_together
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import count_keyed_patients

Ints = NDArray[np.int64]


def make_keys(n: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Record keys as ingest makes them: 64 bits nobody can guess."""
    return rng.integers(0, 2**64, n, dtype=np.uint64)


def random_count(n: int, rng: np.random.Generator) -> KeyedCount:
    """A number of patients with the key of some set of that size."""
    return KeyedCount(n, int(np.bitwise_xor.reduce(make_keys(n, rng))) if n else 0)


def make_days(n: int, rng: np.random.Generator, *, yearly_hazard: float = 0.15, followed_years: float = 8,
              causes: int = 1) -> tuple[Ints, Ints]:
    """Days and causes of patients with a falling hazard, like those of acute leukaemia, and uniform censoring."""
    event = rng.weibull(0.7, n) / yearly_hazard * 365.25
    end = rng.uniform(0.3, followed_years, n) * 365.25
    days = np.minimum(event, end).astype(np.int64)
    return days, np.where(event < end, rng.integers(1, causes + 1, n), 0)


def make_table(sizes: Mapping[str, int], rng: np.random.Generator, *, endpoint: str = "os",
               entry_share: float = 0.0, yearly_hazard: float = 0.15) -> EventTable:
    """One event table of several groups."""
    causes = endpoint_named(endpoint).causes
    n = sum(sizes.values())
    days, cause = make_days(n, rng, causes=len(causes), yearly_hazard=yearly_hazard)
    days += 1
    entry = np.where(rng.random(n) < entry_share, rng.integers(0, days), 0) if entry_share else None
    return EventTable.from_patients(
        days, cause, group=np.repeat(list(sizes), list(sizes.values())), groups=tuple(sizes), causes=causes,
        entry=entry, record_keys=make_keys(n, rng))


def answer(table: EventTable, *, endpoint: str = "os", days: Sequence[int] = (365, 1096, 1826),
           exclusions: Sequence[Exclusion] = (), removed: KeyedCount | None = None, landmark: int = 0,
           horizon: int | None = None, interval: IntervalType = IntervalType.LOG_LOG) -> SurvivalResult:
    """The unreleased result of a table, all groups in it."""
    by = "sex" if table.groups != ("all",) else None
    question = Question("ALL", endpoint, by=by, landmark_days=landmark, horizon_days=horizon)
    together = find_together(table, Scope(Level.PROTECTED), horizon)
    table, start = table.select_groups(together.groups), together.start
    names = {group: group for group in table.groups}
    tests = run_tests(table, table.groups, question, names, Scope(Level.PROTECTED))
    groups = tuple(estimate_group(
        table, group, label={by: group} if by else {}, name=group, question=question, interval=interval, days=days,
        ticks=risk_table_days(table, question), restricted_mean=tests.restricted_mean(group), from_day=start,
        followed=table, grid=grid_days(int(table.day.max()))) for group in table.groups)
    cohort = union([*keyed(count_keyed_patients(table)), *(e.n for e in exclusions if isinstance(e.n, KeyedCount))])
    steps = [AttritionStep("patients with ALL", cohort, None)]
    if removed is not None:
        steps = [AttritionStep("patients with ALL", union([cohort, removed]), None),
                 AttritionStep("a filter", cohort, removed)]
    return SurvivalResult(
        question=question, title="Overall survival of {n} patients with ALL", snapshot="20261101-ab12", synthetic=True,
        n=sum(group.n for group in groups), groups=groups, withheld=(), log_rank=tests.log_rank,
        pairwise=tests.pairwise, gray=tests.gray, restricted_mean_differences=tests.differences,
        attrition=tuple(steps), exclusions=tuple(exclusions), interval=interval, notes=(), methods="", summary="")
