"""What changed between two snapshots: only numbers that were released of each are set side by side.

Nothing is counted anew and nothing is rounded twice: a difference is that of two released numbers, so it tells nothing
that the two pages did not. Where the same patients are in both, the numbers are the same, because both were rounded by
the same key; with two keys the same patients would have two roundings, and there is no comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harmony_dash.disclosure.coverage_results import NOT_STATED, CountCell, CoverageResult
from harmony_dash.disclosure.released import Released, make_released


@dataclass(frozen=True)
class Change:
    """Patients before and now; None where it may not be shown, and where one of the snapshots does not have it."""

    name: str
    before: int | None
    now: int | None
    is_new: bool = False
    is_gone: bool = False

    @property
    def difference(self) -> int | None:
        """Now less before, as far as both are shown."""
        return None if self.before is None or self.now is None else self.now - self.before


@dataclass(frozen=True)
class CoverageChanges:
    """A disease in the served snapshot and in the one before it.

    Attributes
    ----------
    before : id of the earlier snapshot, empty if there is nothing to compare; `reason` then says why.
    variables_new, variables_gone : labels of variables that one of the two dictionaries does not have.
    variables_changed : labels of those whose values, unit, bands or definition differ.
    """

    snapshot: str
    before: str
    reason: str = ""
    before_created: str = ""
    total: Change | None = None
    by_source: tuple[Change, ...] = ()
    by_country: tuple[Change, ...] = ()
    variables_new: tuple[str, ...] = ()
    variables_gone: tuple[str, ...] = ()
    variables_changed: tuple[str, ...] = ()


def compare_coverage(now: Released[CoverageResult], before: Released[CoverageResult]) -> Released[CoverageChanges]:
    """The changes between two released results of the same disease.

    Raises
    ------
    TypeError for results of different diseases, levels or grants.
    """
    if now.scope != before.scope or now.value.disease != before.value.disease:
        raise TypeError("only results of one disease that were released alike can be compared")
    new, old = now.value, before.value
    meant_now, meant_before = ({one.name: one for one in result.variables} for result in (new, old))
    return make_released(CoverageChanges(
        new.snapshot, old.snapshot, before_created=old.created, total=Change("", old.n, new.n),
        by_source=_compare({one.source: one.accepted for one in old.sources},
                           {one.source: one.accepted for one in new.sources}),
        by_country=_compare(_countries(old.by_country), _countries(new.by_country)),
        variables_new=tuple(one.label for name, one in meant_now.items() if name not in meant_before),
        variables_gone=tuple(one.label for name, one in meant_before.items() if name not in meant_now),
        variables_changed=tuple(one.label for name, one in meant_now.items()
                                if name in meant_before and one.digest != meant_before[name].digest)), now.scope)


def nothing_to_compare(now: Released[CoverageResult], reason: str) -> Released[CoverageChanges]:
    """No comparison, and why."""
    return make_released(CoverageChanges(now.value.snapshot, "", reason), now.scope)


def _countries(cells: Sequence[CountCell]) -> dict[str, int | None]:
    # Whether somebody has no country may be hidden in one of the snapshots alone.
    return {cell.labels["country"]: cell.n for cell in cells if cell.labels["country"] != NOT_STATED}


def _compare(before: Mapping[str, int | None], now: Mapping[str, int | None]) -> tuple[Change, ...]:
    return tuple(Change(name, before.get(name), now.get(name), name not in before, name not in now)
                 for name in sorted({**before, **now}))
