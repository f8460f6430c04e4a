"""What an attack achieved, against what it may achieve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.disclosure.attacks.population import BASE_RATE


@dataclass(frozen=True)
class Claims:
    """What an attacker claims to know of one target: that the secret is yes, that it is no, both or neither."""

    positive: bool
    says_yes: bool
    says_no: bool


@dataclass(frozen=True)
class Verdict:
    """One line of the table.

    Attributes
    ----------
    attack : its name.
    targets : patients attacked, of whom `positives` have the secret.
    right_yes, right_no : targets of whom it was claimed rightly.
    claimed_yes : targets of whom yes was claimed, rightly or not.
    measure : another figure, where claims are not what the attack makes.
    threshold : in words.
    passed : None where the scheme does not promise to withstand the attack: then the figure is a residual risk.
    """

    attack: str
    targets: int
    positives: int = 0
    right_yes: int = 0
    right_no: int = 0
    claimed_yes: int = 0
    measure: str = ""
    threshold: str = ""
    passed: bool | None = None

    @property
    def chance(self) -> float:
        """The right claims of yes that somebody makes who claims as many at random."""
        return self.claimed_yes * BASE_RATE

    @property
    def no_better_than_chance(self) -> bool:
        """Whether the share of right claims of yes is within two standard errors of the base rate."""
        if not self.claimed_yes:
            return True
        error = math.sqrt(BASE_RATE * (1 - BASE_RATE) / self.claimed_yes)
        return self.right_yes / self.claimed_yes <= BASE_RATE + 2 * error


def judge_claims(attack: str, claims: Sequence[Claims], *, promised: bool = True) -> Verdict:
    """D2: no negative learnt, and claims of yes no better than chance."""
    counted = Verdict(
        attack, len(claims), sum(one.positive for one in claims),
        right_yes=sum(one.says_yes and one.positive for one in claims),
        right_no=sum(one.says_no and not one.positive for one in claims),
        claimed_yes=sum(one.says_yes for one in claims))
    passed = counted.right_no == 0 and counted.no_better_than_chance
    return Verdict(**{**vars(counted), "threshold": "negatives 0; yes ≤ base rate + 2 SE" if promised else "residual",
                      "passed": passed if promised else None})


HEADER = ("| attack | targets | negatives learnt | yes: right / claimed (chance) | measured | threshold | pass |\n"
          "|---|---:|---:|---:|---|---|---|")


def write_row(one: Verdict) -> str:
    """The verdict as a row of a Markdown table."""
    claims = f"{one.right_yes} / {one.claimed_yes} ({one.chance:.1f})" if not one.measure else "–"
    negatives = f"{one.right_no} / {one.targets - one.positives}" if not one.measure else "–"
    word = {True: "yes", False: "**no**", None: "residual risk"}[one.passed]
    return (f"| {one.attack} | {one.targets} | {negatives} | {claims} | {one.measure or '–'} | {one.threshold} "
            f"| {word} |")
