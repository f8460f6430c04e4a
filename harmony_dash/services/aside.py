"""Long computations in a process of their own and of lower priority, so that whoever clicks meanwhile does not wait.

In a thread they would take turns with every page that is being drawn. The process is handed what it computes with,
pickled, over a pair of sockets that nobody else knows; it inherits neither the settings, which hold keys, nor any open
file. It ends with its block, and soon after the process that began it is gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from harmony_dash.errors import Cancelled, ComputationLost, HarmonyError, describe_error

# Beside a process of ordinary priority it gets about a twenty-eighth of a core that both want.
NICE: Final = 15
# How often whoever waits looks whether to go on waiting.
LOOK_SECONDS: Final = 0.25
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_SECRET: Final = ("HARMONY_", "STREAMLIT_")

T = TypeVar("T")


@dataclass(frozen=True)
class _Told:
    """What the task tells of how far it is."""

    words: tuple[Any, ...]


@dataclass(frozen=True)
class _Done:
    """What the task returned."""

    value: Any


@dataclass(frozen=True)
class _Failed:
    """What the task raised."""

    error: Exception


class Aside:
    """The other process, from the beginning of a block to its end.

    It starts with the block, while what it is to compute is still being made ready.
    """

    def __enter__(self) -> Self:
        """Start the process.

        Raises
        ------
        ComputationLost if the machine starts none.
        """
        self._ours, theirs = Pipe()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603  # the interpreter that runs this, and our own words
                    [sys.executable, "-c", f"from {__name__} import serve; serve({theirs.fileno()})"],
                    pass_fds=(theirs.fileno(),), cwd=_PACKAGE_ROOT, env=environment, stdin=subprocess.DEVNULL,
                    process_group=0)  # a key pressed in the terminal ends the server, and the server this
        except OSError as problem:
            self._ours.close()
            raise _lost() from problem
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.kill()
        self._process.wait()

    def call(self, task: Callable[..., T], /, *args: Any, progress: Callable[..., None] | None = None,
             cancel: Callable[[], bool] | None = None, **kwargs: Any) -> T:
        """What a task returns.

        Parameters
        ----------
        task : a function at the top of a module.
        args, kwargs : what it is called with; they and its result can be pickled.
        progress : told here what the task tells its own argument of that name, which it gets only then.
        cancel : asked from time to time; a true answer gives up waiting, and the end of the block ends the process.

        Raises
        ------
        What the task raises; Cancelled; ComputationLost if the machine ended the process.
        """
        try:
            self._ours.send((task, args, kwargs, progress is not None))
            while True:
                if cancel is not None and cancel():
                    raise Cancelled
                if not self._ours.poll(LOOK_SECONDS):
                    continue
                message = self._ours.recv()
                if isinstance(message, _Done):
                    value: T = message.value
                    return value
                if isinstance(message, _Failed):
                    break
                if progress is not None:
                    progress(*message.words)
        except (EOFError, OSError) as problem:
            raise _lost() from problem
        raise message.error


def serve(descriptor: int) -> None:
    """Do what the other end of a pair of sockets asks for, until it is closed."""
    with suppress(OSError):  # a sandbox may forbid it; then it takes its turn like any other
        os.nice(NICE)
    # The other end is closed when nobody waits for an answer any more.
    with suppress(EOFError, OSError), Connection(descriptor) as asker:
        while True:
            task, args, kwargs, listens = asker.recv()
            if listens:
                kwargs["progress"] = partial(_tell, asker)
            asker.send(_attempt(task, args, kwargs))


def _tell(asker: Connection, *words: object) -> None:
    try:
        asker.send(_Told(words))
    except OSError as problem:
        raise Cancelled from problem


def _attempt(task: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Done | _Failed:
    try:
        return _Done(task(*args, **kwargs))
    except HarmonyError as error:
        return _Failed(error)
    except Exception as error:
        # the place is lost on the way; a message holds values and goes to nobody
        print(f"a computation failed: {describe_error(error)}", file=sys.stderr)
        return _Failed(RuntimeError(f"{type(error).__name__} in a computation"))


def _lost() -> ComputationLost:
    return ComputationLost("the machine ended the computation before it was done, perhaps for lack of memory",
                           remedy="Ask again; if that happens again, tell whoever runs the server.")
