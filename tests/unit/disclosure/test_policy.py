"""The levels and who may be without protection."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harmony_dash.disclosure import Level, Scope, check_may_be_off, scope_without_protection, too_few
from harmony_dash.disclosure.policy import RULES
from harmony_dash.errors import SettingsError


@dataclass
class Flags:
    protection_may_be_off: bool


def test_the_public_level_is_stricter_everywhere() -> None:
    public, protected = RULES[Level.PUBLIC], RULES[Level.PROTECTED]
    assert (public.minimum_cell, protected.minimum_cell) == (20, 10)
    for name in ("minimum_patients", "minimum_events", "minimum_at_risk", "rounding_base", "minimum_events_for_test"):
        assert getattr(public, name) >= getattr(protected, name)


@pytest.mark.parametrize(("n", "events", "carries"), [(30, 10, True), (29, 10, False), (30, 9, False)])
def test_a_curve_takes_thirty_patients_and_ten_events(n: int, events: int, carries: bool) -> None:
    assert RULES[Level.PROTECTED].carries_curve(n, events) is carries
    assert too_few(RULES[Level.PROTECTED]) == "fewer than 30 patients or 10 events"


def test_protection_is_off_only_where_the_snapshot_allows_it() -> None:
    check_may_be_off(Flags(True))
    assert not scope_without_protection(Flags(True)).is_protected
    for attempt in (check_may_be_off, scope_without_protection):
        with pytest.raises(SettingsError, match="synthetic or public"):
            attempt(Flags(False))


def test_nobody_makes_a_scope_without_protection_by_hand() -> None:
    with pytest.raises(TypeError):
        Scope(Level.OFF)


def test_levels_grants_and_rules_keep_caches_apart() -> None:
    keys = {Scope(Level.PUBLIC).key, Scope(Level.PROTECTED).key, Scope(Level.EXACT).key, Scope(Level.EXACT, "g1").key}
    assert len(keys) == 4
