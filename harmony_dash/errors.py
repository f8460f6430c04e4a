"""The tree of errors.

A `UserError` is the person's to mend: it says what is wrong, where, and what to do next, and it never holds
SQL, a path outside the person's own files, or a value of a patient. Everything else is a bug.
"""

from __future__ import annotations

import traceback


class HarmonyError(Exception):
    """Root of every error this package raises on purpose."""


class Cancelled(HarmonyError):
    """Long work ended because the person who asked for it no longer waits."""


class ComputationLost(HarmonyError):
    """The machine ended a computation in another process before it was done."""


class ComputationFailed(HarmonyError):
    """A fault in a computation in another process.

    Parameters
    ----------
    places : of the fault there, as `describe_error` has it.
    """

    def __init__(self, places: str) -> None:
        self.places = places
        super().__init__("a computation failed")


class UserError(HarmonyError):
    """Something the person can mend.

    Parameters
    ----------
    problem : what is wrong, one sentence.
    where : file, row, column, field or option; empty when there is no place to point at.
    remedy : what to do next, one sentence.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The three parts as one readable line."""
        parts = [f"{self.where}: {self.problem}" if self.where else self.problem]
        if self.remedy:
            parts.append(self.remedy)
        return " ".join(part if part.endswith((".", "?", "!")) else part + "." for part in parts)


class DictionaryError(UserError):
    """A data dictionary file contradicts itself or the format."""


class SourceError(UserError):
    """A source folder cannot be read or mapped; nothing of it is published."""


class QuestionError(UserError):
    """A question cannot be asked as it stands."""


class StoreError(UserError):
    """The store is missing, locked, damaged or full."""


class StatisticsError(UserError):
    """A statistic is refused because the data cannot carry it."""


class AccessRefused(UserError):
    """The actor may not do this; the reason is safe to show."""


class TooManyQuestions(UserError):
    """The person has asked as much as one may in a day or at once; a web service would answer with status 429."""


class SettingsError(UserError):
    """The deployment is configured in a way the application refuses to run with."""


def describe_error(error: BaseException) -> str:
    """Type and place of an error and of its causes, without any message: messages hold values."""
    parts = []
    current: BaseException | None = error
    seen = set[int]()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)
        places = " < ".join(f"{frame.name} ({_short(frame.filename)}:{frame.lineno})"
                            for frame in reversed(frames[-8:]))
        parts.append(f"{type(current).__name__} in {places}")
        if isinstance(current, ComputationFailed):
            parts.append(current.places)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "; caused by ".join(parts)


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").rsplit("/", 3)[-3:])
