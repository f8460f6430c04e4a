"""A long computation behind a page: it runs in a thread of its own, shows how far it is, and can be stopped.

A thread of ours may not touch Streamlit, so the two sides share a `WhatIfRun`: the thread writes, the page looks at it
from time to time. Whoever leaves the page stops looking, and then the work stops by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.errors import Cancelled, ComputationFailed, ComputationLost
from harmony_dash.ui.guard import require

# An answer that is known already comes within this time, and nobody sees a progress bar flash.
PATIENCE_SECONDS: Final = 0.4
LOOK_SECONDS: Final = 0.5
# The page looks every half second; a browser tab in the background may look only once a minute.
FORGOTTEN_SECONDS: Final = 90.0
_RUN, _STOPPED = "what_if.run", "what_if.stopped"


class Ask(Protocol):
    """The question, ready to be asked."""

    def __call__(self, *, progress: Callable[[int, int], None], waiting: Callable[[int], None],
                 cancelled: Callable[[], bool]) -> Released[WhatIfResult]:
        """Answer it, telling how far that is, or how many are before it, and looking whether to go on."""
        ...


class WhatIfRun:
    """One computation. `key` says of what, so that another question is another run."""

    def __init__(self, key: str, ask: Ask) -> None:
        self.key = key
        self.done, self.total, self.ahead = 0, 0, 0
        self._ask = ask
        self._answer: Released[WhatIfResult] | None = None
        self._problem: Exception | None = None
        self._stop, self._finished = threading.Event(), threading.Event()
        self._looked = time.monotonic()
        threading.Thread(target=self._work, name="what-if", daemon=True).start()

    def _work(self) -> None:
        try:
            self._answer = self._ask(progress=self._note, waiting=self._note_ahead, cancelled=self._is_unwanted)
        except Exception as problem:
            self._problem = problem  # raised again where somebody can be told
        finally:
            self._finished.set()

    def _note(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _note_ahead(self, ahead: int) -> None:
        self.ahead = ahead

    def _is_unwanted(self) -> bool:
        return self._stop.is_set() or time.monotonic() - self._looked > FORGOTTEN_SECONDS

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that time; also tells it that somebody still waits."""
        self._looked = time.monotonic()
        return self._finished.wait(seconds)

    def stop(self) -> None:
        """End it as soon as it looks up from its work."""
        self._stop.set()

    def result(self) -> Released[WhatIfResult]:
        """The answer of a finished run, or whatever went wrong."""
        if self._problem is not None:
            raise self._problem
        if self._answer is None:
            raise Cancelled
        return self._answer

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def follow(key: str, ask: Ask) -> Released[WhatIfResult] | None:
    """The answer, or None while it is being computed or after it was stopped; then the page shows that.

    Every run of the page asks anew, so that rights are looked at each time; the services keep answers, and a second
    question costs nothing. So the answer of a computation that an earlier run of the page began is thrown away.

    Raises
    ------
    Whatever the question raises.
    """
    run: WhatIfRun | None = st.session_state.get(_RUN)
    if run is not None and run.key != key:
        run.stop()
        run = None
    if st.session_state.get(_STOPPED) == key:
        _show_stopped()
        return None
    if run is None:
        return _begin(key, ask)
    if _finish(run) is None:
        return None
    try:
        return ask(progress=_tell_nobody, waiting=_tell_nobody, cancelled=lambda: True)
    except Cancelled:  # it is kept no longer, because others asked so much meanwhile
        return _begin(key, ask)


def _begin(key: str, ask: Ask) -> Released[WhatIfResult] | None:
    st.session_state.pop(_STOPPED, None)
    st.session_state[_RUN] = run = WhatIfRun(key, ask)
    return _finish(run)


def _finish(run: WhatIfRun) -> Released[WhatIfResult] | None:
    """What a computation found; None while it goes on or if it was stopped, and then the page shows that."""
    if not run.wait(PATIENCE_SECONDS):
        _show_progress()
        return None
    st.session_state.pop(_RUN, None)
    try:
        return run.result()
    except (ComputationFailed, ComputationLost):
        st.session_state[_STOPPED] = run.key  # minutes that would end the same way; whoever wants them asks for them
        raise
    except Cancelled:
        st.session_state[_STOPPED] = run.key
        _show_stopped()
        return None


def _tell_nobody(*_: int) -> None:
    """Nobody looks at how far an answer is that is there already."""


@st.fragment(run_every=LOOK_SECONDS)
def _show_progress() -> None:
    require(Permission.VIEW_SURVIVAL)
    run: WhatIfRun | None = st.session_state.get(_RUN)
    if run is None or run.wait(0):
        st.rerun()
    with st.container(border=True, key="what_if.progress"):
        st.markdown("**Waiting**" if run.ahead else "**Computing**")
        st.progress(run.share, text=_describe(run))
        st.caption("Differences and their intervals come from re-drawing the patients many times. The answer is kept, "
                   "so that asking again takes no time.")
        st.button("Cancel", key="what_if.cancel", icon=":material/stop_circle:", on_click=_cancel)


def _describe(run: WhatIfRun) -> str:
    if run.ahead:
        return f"Waiting for {run.ahead} {'other' if run.ahead == 1 else 'others'}"
    if run.total:
        return f"Re-drawing the patients, {run.done} of {run.total}"
    return "Checking whether the data can carry an answer"


def _cancel() -> None:
    run: WhatIfRun | None = st.session_state.pop(_RUN, None)
    if run is not None:
        run.stop()
        st.session_state[_STOPPED] = run.key


def _show_stopped() -> None:
    with st.container(border=True, key="what_if.stopped_here"):
        st.markdown("**Stopped**")
        st.caption("Nothing was computed to its end, so nothing is shown. A question that was begun counts as "
                   "asked.")
        st.button("Compute again", key="what_if.again", icon=":material/refresh:",
                  on_click=lambda: st.session_state.pop(_STOPPED, None))
