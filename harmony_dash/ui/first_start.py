"""Filling an empty store from the sample sources, once, while the first visitor watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from harmony_dash.access.actor import OPERATOR
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.ui.theme import show_sign_in_frame

_REFRESH_SECONDS = 0.4


@dataclass(frozen=True)
class FirstStart:
    """How far it has come; `problem` is set if it could not be done."""

    running: bool = False
    words: str = ""
    share: float = 0.0
    problem: str = ""


_state = FirstStart()
_lock = threading.Lock()


def sample_folders(samples: Path | None) -> list[Path]:
    """The source folders among the samples, in order; none if there are no samples."""
    return [] if samples is None else sorted(path.parent for path in samples.glob("*/source.yaml"))


def begin_first_start(deployment: Deployment, on_ready: Callable[[], None]) -> None:
    """Begin to build the sample store in the background if the store is empty and there are samples.

    Parameters
    ----------
    on_ready : called once the store is filled.
    """
    folders = sample_folders(deployment.settings.samples)
    if not deployment.store.is_empty or not folders:
        return
    _set(FirstStart(running=True, words="Preparing the synthetic sample data"))
    threading.Thread(target=_build, args=(deployment, folders, on_ready), name="first-start", daemon=True).start()


def first_start() -> FirstStart:
    """How far the building of the sample store has come."""
    with _lock:
        return _state


def _set(state: FirstStart) -> None:
    global _state
    with _lock:
        _state = state


class _FilledMeanwhile(Exception):
    """Somebody else published into the store between the look at it and the writer's lock."""


def _build(deployment: Deployment, folders: list[Path], on_ready: Callable[[], None]) -> None:
    said: list[str] = []

    def check_still_empty(stage: str) -> None:
        # "opened" comes under the writer's lock: samples must never take the place of what somebody ingested
        if stage == "opened" and not deployment.store.is_empty:
            raise _FilledMeanwhile

    def progress(words: str, share: float) -> None:
        _set(FirstStart(running=True, words=words, share=share))
        source = words.split(":")[0]
        if source not in said:
            said.append(source)
            print(f"[{share:4.0%}] {source}", file=sys.stderr, flush=True)

    print("The store is empty: building it from the synthetic sample data.", file=sys.stderr, flush=True)
    try:
        # only an empty store needs what reads sources; every other start would wait for it
        from harmony_dash.services.ingest import ingest_sources

        report = ingest_sources(deployment, OPERATOR, folders, progress=progress, stage=check_still_empty)
        on_ready()
    except _FilledMeanwhile:
        print("The store was filled meanwhile: the sample data are not used.", file=sys.stderr, flush=True)
        _set(FirstStart())
        return
    except UserError as problem:
        print(f"The sample data could not be read. {problem.message}", file=sys.stderr, flush=True)
        _set(FirstStart(problem=problem.message))
        return
    except Exception:
        # Whatever else went wrong is a bug: the thread must not die with a page that waits for ever.
        _set(replace(first_start(), running=False, problem="An unexpected error stopped it; see the server's log."))
        raise
    print(f"Ready: {report.patients:,} synthetic patients.", file=sys.stderr, flush=True)
    _set(FirstStart())


def show_first_start() -> None:
    """The page shown while the sample store is being built; it reloads itself when that is done."""
    with st.container(key="sign_in"):
        show_sign_in_frame()
        st.write("Preparing the synthetic sample data. This happens once and takes a few seconds.")
        _show_progress()


@st.fragment(run_every=_REFRESH_SECONDS)
def _show_progress() -> None:
    state = first_start()
    if not state.running:
        st.rerun()
    st.progress(min(max(state.share, 0.0), 1.0), text=state.words)
