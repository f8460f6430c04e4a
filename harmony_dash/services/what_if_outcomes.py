"""What is said of one outcome or one randomised comparison alone, told under its name beside the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harmony_dash.disclosure.results import Unapplied
from harmony_dash.disclosure.what_if_results import WhatIfReason
from harmony_dash.services.what_if_evidence import put_reason
from harmony_dash.services.what_if_tables import PlannedArms
from harmony_dash.stats.refusal import Reason

_AS_ASKED: Mapping[str, str] = {
    "not applied": "the filter '{}' was applied", "left out": "'{}' is not left out",
    "taken in": "'{}' is not taken in"}


@dataclass(frozen=True)
class Differing:
    """In what one part of an answer differs from its question, for programs and in words."""

    not_applied: tuple[Unapplied, ...] = ()
    notes: tuple[str, ...] = ()


def put_cautions(reasons: Sequence[Reason], names: Mapping[str, str], outcome: str = "", *, within: str = "",
                 ) -> tuple[WhatIfReason, ...]:
    """Reasons for caution about one outcome, which say so.

    Parameters
    ----------
    names : words for arms.
    outcome : words for the outcome; empty for the main one.
    within : the randomised comparison, if it is one.
    """
    put = [put_reason(one, names) for one in reasons]
    arms = [f"{one.where} for {outcome}" if outcome else one.where for one in put]
    return tuple(replace(one, where=", ".join(filter(None, (arm, within)))) for one, arm in zip(put, arms, strict=True))


def tell_apart(part: PlannedArms, main: PlannedArms | None, name: str) -> Differing:
    """What a part of the answer says of its filters, where it is something else than what the main one says.

    Parameters
    ----------
    part, main : how both were planned; None where the main one was not.
    name : of the part.
    """
    said = main.not_applied if main is not None else ()
    of_main = main.notes if main is not None else ()
    if _same(part.not_applied, said):
        return Differing(notes=tuple(f"{name}: {note}" for note in part.notes if note not in of_main))
    here = [_without_groups(one) for one in part.not_applied]
    notes = [f"{name}: {note}" for note in part.notes]
    notes += [f"{name}: {_AS_ASKED[one.kind].format(one.words)}." for one in said if _without_groups(one) not in here]
    return Differing(tuple(replace(one, groups=(name, *one.groups)) for one in part.not_applied),
                     tuple(dict.fromkeys(notes)))


def _without_groups(one: Unapplied) -> Unapplied:
    return replace(one, groups=())


def _same(some: Sequence[Unapplied], others: Sequence[Unapplied]) -> bool:
    return all(one in others for one in some) and all(one in some for one in others)
