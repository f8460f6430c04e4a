"""What a planned question is recorded and counted as."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from harmony_dash.cohort.question import Question


@dataclass(frozen=True)
class PlannedQuestion:
    """A question with the numbers beside its figure that tell what it loses patients by.

    Attributes
    ----------
    question : as it is answered.
    known : the variables that must be known. What each of them loses is another answer for another set of them, though
        the question may be the same: that a variable is known can be asked by a filter, too.
    """

    question: Question
    known: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that equal plans share; those of the question where no losses are counted."""
        if not self.known:
            return self.question.fingerprint
        text = f"{self.question.canonical_json} known {' '.join(sorted(set(self.known)))}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def for_the_record(self) -> str:
        """Fingerprint and canonical text of the question, and what is counted beside it."""
        lost = ", ".join(("and by what is not known", *dict.fromkeys(self.known)))
        return f"{self.fingerprint} {self.question.canonical_json} counted by source, {lost}"
