"""What is said of one outcome or randomised comparison alone stands under its name."""

from __future__ import annotations

from harmony_dash.disclosure.results import Unapplied, UnappliedKind
from harmony_dash.services.what_if_outcomes import Differing, put_cautions, tell_apart
from harmony_dash.services.what_if_tables import PlannedArms
from harmony_dash.stats.refusal import Reason

FEW = Reason("CELL_SMALL", "amber", "too few events", "reduced", 6, 10)
NAMES = {"reduced": "Reduced treatment"}


def planned(*not_applied: Unapplied, notes: tuple[str, ...] = ()) -> PlannedArms:
    return PlannedArms(None, "", not_applied, notes)


def left(words: str, kind: UnappliedKind = "not applied", *groups: str) -> Unapplied:
    return Unapplied(words, {"one_of": words}, kind, groups)


def test_a_caution_names_its_outcome_and_its_randomised_comparison() -> None:
    assert [one.where for one in put_cautions([FEW], NAMES)] == ["Reduced treatment"]
    assert [one.where for one in put_cautions([FEW], NAMES, "relapse")] == ["Reduced treatment for relapse"]
    (one,) = put_cautions([FEW], NAMES, "relapse", within="R1")
    assert (one.where, one.code, one.severity, one.value) == ("Reduced treatment for relapse, R1", "CELL_SMALL",
                                                              "amber", 6)


def test_what_is_true_of_both_is_said_once() -> None:
    sex, age = left("sex: female"), left("age: 1 to 9")
    part, main = planned(sex, age, notes=("a", "b")), planned(age, sex, notes=("b", "a"))
    assert tell_apart(part, main, "Relapse") == Differing()


def test_what_is_true_of_a_part_alone_is_said_under_its_name() -> None:
    sex = left("sex: female", "not applied", "Reduced")
    found = tell_apart(planned(sex, notes=("the filter is not applied.",)), planned(), "Relapse")

    assert found.not_applied == (left("sex: female", "not applied", "Relapse", "Reduced"),)
    assert found.notes == ("Relapse: the filter is not applied.",)


def test_a_filter_that_a_part_applies_and_the_main_answer_does_not_is_told() -> None:
    main = planned(left("sex: female"), left("T", "left out"), left("B", "taken in"), notes=("something",))

    assert tell_apart(planned(), main, "Relapse") == Differing((), (
        "Relapse: the filter 'sex: female' was applied.", "Relapse: 'T' is not left out.",
        "Relapse: 'B' is not taken in."))


def test_a_note_of_a_part_alone_is_told_with_the_same_filters() -> None:
    assert tell_apart(planned(notes=("late",)), None, "R1").notes == ("R1: late",)
