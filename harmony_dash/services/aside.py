"""Long computations in a process of their own and of lower priority, so that whoever clicks meanwhile does not wait.

In a thread they would take turns with every page that is being drawn. The process is handed what it computes with,
pickled, over a pair of sockets that nobody else knows; of the environment it gets what Python and its libraries need,
no settings, and of open files the log. It ends with its block, or with the process that began it.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from harmony_dash.errors import Cancelled, ComputationFailed, ComputationLost, HarmonyError, describe_error

# Beside a process of ordinary priority a thread of it gets about a thirtieth of a core that both want.
NICE: Final = 15
# How often whoever waits looks whether to go on waiting.
LOOK_SECONDS: Final = 0.25
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_NAMES: Final = frozenset({"HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ"})
_PREFIXES: Final = ("LC_", "LD_", "DYLD_", "GLIBC_", "MALLOC_", "PYTHON", "OPENBLAS_", "OMP_", "MKL_", "KMP_", "NPY_")
_LOST: Final = "the machine ended a computation, perhaps for lack of memory"
_SERVE: Final = "import sys; sys.path.insert(0, {root!r}); from {name} import serve; serve({descriptor}, {modules!r})"

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

    error: HarmonyError


class Aside:
    """The other process, from the beginning of a block to its end.

    Parameters
    ----------
    modules : what its tasks need, imported while the first of them is still being made ready.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self._modules = tuple(modules)

    def __enter__(self) -> Self:
        """Start the process.

        Raises
        ------
        ComputationLost if the machine starts none.
        """
        environment = {name: value for name, value in os.environ.items()
                       if name in _NAMES or name.startswith(_PREFIXES)}
        try:
            self._ours, theirs = Pipe()
            with theirs:
                words = _SERVE.format(root=str(_PACKAGE_ROOT), name=__name__, descriptor=theirs.fileno(),
                                      modules=self._modules)
                self._process = subprocess.Popen(  # noqa: S603  # the interpreter that runs this, and our own words
                    [sys.executable, "-c", words], pass_fds=(theirs.fileno(),),
                    env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # tasks bring their own threads
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                    process_group=0)  # a key pressed in the terminal ends the server, and the server this
        except OSError as problem:
            if hasattr(self, "_ours"):
                self._ours.close()
            raise ComputationLost(_LOST) from problem
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.kill()
        self._process.communicate()

    def call(self, task: Callable[..., T], /, *args: Any, progress: Callable[..., None] | None = None,
             cancel: Callable[[], bool] | None = None, **kwargs: Any) -> T:
        """What a task returns. After a call that was given up there is no other.

        Parameters
        ----------
        task : a function at the top of a module.
        args, kwargs : what it is called with; they and its result can be pickled.
        progress : told here what the task tells its own argument of that name, which it gets only then.
        cancel : asked from time to time; a true answer gives up waiting, and the end of the block ends the process.

        Raises
        ------
        Errors of ours that the task raises; ComputationFailed for any other; Cancelled; ComputationLost if the machine
        ended the process.
        """
        answered = False
        try:
            self._send(pickle.dumps((task, args, kwargs, progress is not None)))
            while True:
                if cancel is not None and cancel():
                    raise Cancelled
                message = self._receive()
                if isinstance(message, _Told) and progress is not None:
                    progress(*message.words)
                elif isinstance(message, _Done):
                    answered = True
                    value: T = message.value
                    return value
                elif isinstance(message, _Failed):
                    answered = True
                    raise message.error
        finally:
            if not answered:  # its answer would be taken for that of the next task
                self._ours.close()

    def _send(self, request: bytes) -> None:
        try:
            self._ours.send_bytes(request)
        except OSError as problem:
            raise ComputationLost(_LOST) from problem

    def _receive(self) -> object:
        """What the process sends within a moment, or None."""
        try:
            return self._ours.recv() if self._ours.poll(LOOK_SECONDS) else None
        except (EOFError, OSError) as problem:
            raise ComputationLost(_LOST) from problem


def serve(descriptor: int, modules: Sequence[str]) -> None:
    """Do what the other end of a pair of sockets asks for, until it is closed.

    Parameters
    ----------
    descriptor : of our end.
    modules : imported while the first request comes in.
    """
    import resource  # other systems have none, and come here never

    threading.Thread(target=_end_with_owner, daemon=True).start()
    imports = threading.Thread(target=_import, args=(modules,))
    imports.start()
    with suppress(OSError):  # a sandbox may forbid it; then it takes its turn like any other
        os.nice(NICE)
    with suppress(OSError):  # where memory runs out, Linux is to end this and not the server
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold patients
    # The other end is closed when nobody waits for an answer any more.
    with suppress(EOFError, OSError), Connection(descriptor) as asker:
        while True:
            request = asker.recv_bytes()
            imports.join()  # two threads that import parts of one package may each see the other's half-done
            asker.send_bytes(_answer(request, partial(_tell, asker)))


def _end_with_owner() -> None:
    """End this process as soon as nobody holds the other end of its standard input."""
    os.read(0, 1)  # not through `sys.stdin`, whose lock Python wants when it ends by itself
    os._exit(1)


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        with suppress(Exception):  # the request needs it, and tells what is wrong with it
            importlib.import_module(name)


def _tell(asker: Connection, *words: object) -> None:
    asker.send(_Told(words))


def _answer(request: bytes, tell: Callable[..., None]) -> bytes:
    error: HarmonyError
    try:
        task, args, kwargs, listens = pickle.loads(request)  # noqa: S301  # both ends of the pair are this program
        if listens:
            kwargs["progress"] = tell
        return pickle.dumps(_Done(task(*args, **kwargs)))
    except HarmonyError as refusal:
        error = refusal
    except MemoryError:
        error = ComputationLost(_LOST)
    except Exception as fault:
        error = ComputationFailed(describe_error(fault))  # its message holds values
    return pickle.dumps(_Failed(error))
