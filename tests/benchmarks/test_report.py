"""What the benchmarks say of what they measured."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import BEGIN, END, Action, put_into, write_time
from tests.benchmarks.habits import Deed
from tests.benchmarks.load import RECOVERY, Load, describe, judge


def deeds(*seconds: float, kind: str = "survival: group", begun: float = 0.0) -> list[Deed]:
    return [Deed(kind, begun, one) for one in seconds]


def verdicts(load: Load) -> list[bool]:
    return [held for _, held in judge(load)]


@pytest.mark.parametrize(("change", "held"), [
    ({}, [True, True, True, True]),
    ({"errors": ["person000: an incident on the page"]}, [False, True, True, True]),
    ({"deeds": deeds(*[0.1] * 90, *[2.5] * 10)}, [True, False, True, True]),
    ({"deeds": deeds(*[0.1] * 97, *[6.0] * 3)}, [True, True, False, True]),
    ({"peak_mb": 601.0}, [True, True, True, False]),
    # whoever waits for a comparison, or for a password to be checked, is no click
    ({"deeds": [*deeds(0.1), *deeds(60.0, kind="what if: answer"), *deeds(9.0, kind="sign in")]}, [True] * 4),
    ({"deeds": []}, [True, False, True]),
])
def test_every_target_is_judged_by_itself(change: dict[str, object], held: list[bool]) -> None:
    load = Load(50, 10.0, 0, deeds=deeds(*[0.1] * 100), peak_mb=500.0)
    for name, value in change.items():
        setattr(load, name, value)
    assert verdicts(load) == held


@pytest.mark.parametrize(("after", "held"), [(0.2, True), (2.5, False)])
def test_more_people_than_promised_are_judged_by_the_time_after_them(after: float, held: bool) -> None:
    load = Load(100, 10.0, 0, overload=600.0, deeds=[
        *deeds(*[8.0] * 50, begun=300.0), *deeds(*[8.0] * 50, begun=600.0 + RECOVERY - 1),
        *deeds(*[after] * 50, begun=600.0 + RECOVERY)])
    assert verdicts(load)[:2] == [True, held]


@pytest.mark.parametrize(("busy", "held"), [(0.3, True), (0.5, False)])
def test_an_ingest_may_double_the_time_of_the_others(busy: float, held: bool) -> None:
    load = Load(20, 10.0, 0, ingest=(100.0, 130.0),
                deeds=[*deeds(*[0.2] * 20, begun=50.0), *deeds(*[busy] * 20, begun=110.0)])
    assert verdicts(load)[-1] is held


def test_the_table_has_a_line_for_each_kind_and_names_errors_once() -> None:
    load = Load(50, 10.0, 3, deeds=[*deeds(0.1, 0.2), *deeds(1.0, kind="open coverage")], errors=["a", "a", "b"])
    text = describe(load)
    assert "| open coverage | 1 | 1.00 s |" in text
    assert "| survival: group | 2 | 0.15 s |" in text
    assert "3 more who compare treatments: 3 errors" in text
    assert "2 x a" in text
    assert "DOES NOT HOLD: no error (3)" in text


def test_times_are_written_in_the_unit_that_is_read_best() -> None:
    assert [write_time(seconds) for seconds in (0.0204, 0.9, 1.25, 23.4, 1500)] == [
        "20 ms", "900 ms", "1.2 s", "23 s", "1,500 s"]
    assert Action("Ask", 0.02, 0.366, "lifelines").row == "| Ask | 20 ms | 366 ms, lifelines | 18.3× |"
    assert Action("Look", 0.25, more="p90 300 ms").row == "| Look | 250 ms (p90 300 ms) | – | – |"


def test_the_readme_changes_between_its_marks_alone() -> None:
    assert put_into(f"before\n{BEGIN}\nold\n{END}\nafter", "new") == f"before\n{BEGIN}\nnew\n{END}\nafter"


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_readme_without_its_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        put_into(text, "new")
