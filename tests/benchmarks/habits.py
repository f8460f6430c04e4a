"""What people do at the dashboard, by role: which pages they open, and what they change there.

The shares are a guess of ours, no measurement: clinicians and analysts turn the controls of survival and subgroups,
the others read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from harmony_dash.access.actor import Role
from tests.benchmarks.tab import Run, Tab, Trouble

# Of ten people who sign in.
CROWD: Final = (*[Role.CLINICIAN] * 6, *[Role.ANALYST] * 2, Role.STEERING, Role.DATA_MANAGER)
WHAT_IF: Final = "what_if"
_FILTERS: Final = 2  # at once
_READERS: Final = {Role.STEERING: ("", "coverage", "coverage", "data_quality"),
                   Role.DATA_MANAGER: ("", "coverage", "data_quality", "access")}
_LOOKED_FOR: Final = 300.0


@dataclass(frozen=True)
class Deed:
    """Something a person did and waited for: its kind, the moment it began on the run's clock, and its seconds."""

    kind: str
    begun: float
    seconds: float
    figures: int = 0


@dataclass
class Person:
    """Somebody with a tab, and what they did so far.

    Attributes
    ----------
    compares : whether they do nothing but ask for comparisons of treatments.
    tell : what is called with each deed.
    until : when they leave, on the run's clock; nobody waits for a comparison beyond it.
    """

    username: str
    role: Role
    tab: Tab
    rng: np.random.Generator
    clock: Callable[[], float]
    tell: Callable[[Deed], None]
    compares: bool = False
    until: float = np.inf
    _signed_in: bool = False
    _page: str = ""
    _chosen: dict[str, str] = field(default_factory=dict)

    async def arrive(self, password: str) -> None:
        """Sign in through the form, or load the page anew after an error."""
        if self._signed_in:
            self._page = ""
            await self._do("reload", self.tab.reload())
        else:
            await self._do("sign in", self.tab.sign_in(self.username, password))
            self._signed_in = True

    async def act(self) -> None:
        """The next thing they do."""
        if self.compares:
            await self._compare()
        elif self.role in _READERS:
            await self._open(self._one_of(_READERS[self.role]))
        elif self._page == "survival" and self._chance(0.85):
            await self._change_survival()
        elif self._page == "subgroups" and self._chance(0.6):
            await self._change_filter("subgroups")
        else:
            page = self._one_of(("survival",) * 12 + ("subgroups",) * 4 + ("", "", "coverage", "coverage"))
            await self._open(page)

    async def _change_survival(self) -> None:
        match self._one_of(("group",) * 5 + ("filter",) * 3 + ("horizon", "endpoint")):
            case "group":
                await self._choose("survival: group", "Group by")
            case "filter":
                await self._change_filter("survival")
            case "horizon":
                await self._choose("survival: horizon", "Show up to")
            case _:
                await self._choose("survival: endpoint", "Endpoint")

    async def _change_filter(self, page: str) -> None:
        """Set a filter, or take one away."""
        labels = [label for label, control in self.tab.controls.items()
                  if control.kind == "multiselect" and control.options and label != "Find a variable"]
        label = self._one_of(list(self._chosen) if len(self._chosen) >= _FILTERS else labels)
        if self._chosen.pop(label, None) is not None and label in self.tab.controls:
            await self._do(f"{page}: filter", self.tab.choose(label))
        elif label in self.tab.controls:
            self._chosen[label] = self._one_of(self.tab.controls[label].options)
            await self._do(f"{page}: filter", self.tab.choose(label, self._chosen[label]))

    async def _compare(self) -> None:
        """Ask what if, wait for the answer, now and then give up."""
        if self._page != WHAT_IF:
            await self._open(WHAT_IF)
        else:
            await self._choose("what if: begin", self._one_of(("At", "Outcome")))
        begun, patience = self.clock(), 3.0 if self._chance(0.2) else _LOOKED_FOR
        while self.tab.looking and self.clock() < self.until:
            if self.clock() - begun > patience and "Cancel" in self.tab.buttons:
                await self._do("what if: cancel", self.tab.press("Cancel"))
                return
            if self.clock() - begun > _LOOKED_FOR:
                raise Trouble("no comparison within five minutes")
            await self._do("what if: look", self.tab.look_again())
        if not self.tab.looking:
            self.tell(Deed("what if: answer", begun, self.clock() - begun))

    async def _open(self, page: str) -> None:
        await self._do(f"open {page or 'home'}", self.tab.open(page))
        self._page = page

    async def _choose(self, kind: str, label: str) -> None:
        if label not in self.tab.controls:
            raise Trouble(f"{kind}: no control '{label}'")
        await self._do(kind, self.tab.choose(label, self._one_of(self.tab.controls[label].options)))

    async def _do(self, kind: str, run: Awaitable[Run]) -> None:
        begun = self.clock()
        try:
            done = await run
        except KeyError as missing:
            raise Trouble(f"{kind}: no control {missing}") from missing
        self.tell(Deed(kind, begun, done.seconds, done.figures))

    def _one_of(self, choices: Sequence[str]) -> str:
        return choices[self.rng.integers(len(choices))]

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)


async def go_about(person: Person, password: str, *, think: Callable[[], float], note: Callable[[str], None]) -> None:
    """Arrive at a random moment of the first pause, then act and pause until it is time to leave.

    A person who meets an error reports it and loads the page anew, as people do.

    Parameters
    ----------
    think : mean seconds of a pause, asked each time; pauses are normal with a quarter of it as standard deviation.
    note : told of every error.
    """
    arrived = False
    await asyncio.sleep(person.rng.uniform(0, think()))
    while person.clock() < person.until:
        try:
            if arrived:
                await person.act()
            else:
                await person.arrive(password)
            arrived = True
        except Trouble as trouble:
            note(f"{person.username}: {trouble}")
            arrived = False
        mean = think()
        await asyncio.sleep(max(0.1, person.rng.normal(mean, mean / 4)))
