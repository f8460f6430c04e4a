"""Importing what takes seconds, while people wait for something else anyhow.

What the sign-in form stands on is imported while the first browser works through the interface that it has fetched, and
what the pages of signed-in people stand on while the first person signs in. Both begin a moment late: an import holds
the interpreter, and a browser that is waiting for one of its many files would wait for the import as well. Not the
form's own package: a custom component that is imported before the first run of a page is never served.
"""

from __future__ import annotations

import functools
import gc
import importlib
import sys
import threading
from collections.abc import Iterable

FOR_SIGN_IN = ("requests", "jwt", "cryptography.fernet", "PIL.Image", "numpy")
FOR_PAGES = ("pandas", "plotly.graph_objects", "harmony_dash.services.survival")
# Seconds until a browser has fetched the interface, and until it has drawn the form.
INTERFACE_FETCHED, FORM_DRAWN = 0.4, 1.5
# One thread imports and the others wait: two that import parts of one package may each see the other's half-done.
_lock = threading.Lock()
_broken: set[str] = set()


def preload(names: Iterable[str]) -> None:
    """Import modules, or wait for the thread that does; at once from the second time on.

    Raises
    ------
    Whatever the first module raises that cannot be imported; `broken_modules` names it from then on.
    """
    with _lock:
        for name in names:
            try:
                importlib.import_module(name)
            except BaseException:  # a library in Rust that panics raises no Exception
                _broken.add(name)
                raise
            _broken.discard(name)


def broken_modules() -> tuple[str, ...]:
    """Modules whose last import failed, in order; with one of them no page can be shown."""
    return tuple(sorted(_broken))


def _preload_for_good(names: tuple[str, ...]) -> None:
    """Import modules, and tell the garbage collector that what is there by now stays.

    The objects of modules, which are nearly all there are, need not be looked through each time: so it takes less to
    find what figures leave behind, and Python looks sooner.
    """
    are_there = all(name in sys.modules for name in names)
    preload(names)
    if not are_there:  # otherwise people have long been at work, and what they leave behind would stay, too
        gc.collect()
        gc.freeze()


@functools.cache
def begin_preload(names: tuple[str, ...], wait: float = 0.0) -> None:
    """Begin to import modules in the background, `wait` seconds from now, once in a process."""
    timer = threading.Timer(wait, _preload_for_good, args=(names,))
    timer.name, timer.daemon = "preload", True
    timer.start()
