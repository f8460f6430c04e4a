"""Whether everything that an answer stands on is there, for whoever watches the server; never a number of the data.

It leaves no line in the audit trail: one a minute would bury the others, and it tells of no patient.
"""

from __future__ import annotations

import hmac
import platform
import shutil
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from harmony_dash import __version__
from harmony_dash.access.verification import HeadFile, check_newest
from harmony_dash.errors import AccessRefused, HarmonyError
from harmony_dash.services.deployment import Deployment

# What decides about numbers and about who gets in.
_LIBRARIES = ("streamlit", "starlette", "duckdb", "numpy", "pandas", "scipy", "lifelines", "plotly", "cryptography",
              "bcrypt")
# Below it an ingest, which writes a second snapshot beside the first, may not fit any more.
LEAST_FREE_SHARE = 0.05
_WHOLE = "whole"


class StoreState(StrEnum):
    """What can be served."""

    READABLE = "readable"
    EMPTY = "empty"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Health:
    """The state of one deployment.

    Attributes
    ----------
    snapshot, published : id of the snapshot being served and the UTC time of its making; empty without one.
    application, libraries : versions.
    trail : what became of the head of the audit trail; "broken" where its newest rows are not as they were written.
    installation : "whole", or that it is broken and which modules could not be imported.
    free_share : free part of the fuller one of the two disks that are written to, 0 to 1.
    """

    snapshot: str
    published: str
    application: str
    libraries: dict[str, str]
    store: StoreState
    trail: str
    installation: str
    free_share: float

    @property
    def ok(self) -> bool:
        """Whether nobody needs to look."""
        return (self.store is not StoreState.DAMAGED and self.trail in (HeadFile.KEPT, HeadFile.NONE)
                and self.installation == _WHOLE and self.free_share >= LEAST_FREE_SHARE)


def review_health(deployment: Deployment, token: bytes, broken_modules: Collection[str] = ()) -> Health:
    """The state of the deployment, for whoever shows the token of `HARMONY_HEALTH_TOKEN`.

    Parameters
    ----------
    broken_modules : names of the modules that pages stand on and that could not be imported.

    Raises
    ------
    AccessRefused for another token, and for every token if none is set.
    """
    expected = deployment.settings.health_token
    if not expected or not hmac.compare_digest(expected, token):
        raise AccessRefused("details need the token of HARMONY_HEALTH_TOKEN")
    snapshot, published, state = _look_at_store(deployment)
    libraries = {name: version(name) for name in _LIBRARIES}
    settings = deployment.settings
    return Health(
        snapshot, published, __version__,
        {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **libraries}, state,
        check_newest(deployment.access),
        f"the installation is broken: {', '.join(broken_modules)}" if broken_modules else _WHOLE,
        min(_free_share(settings.store), _free_share(settings.access_database)))


def _look_at_store(deployment: Deployment) -> tuple[str, str, StoreState]:
    try:
        if deployment.store.is_empty:
            return "", "", StoreState.EMPTY
        snapshot = deployment.store.current()
        state = StoreState.READABLE if snapshot.is_readable() else StoreState.DAMAGED
    except HarmonyError:
        return "", "", StoreState.DAMAGED
    return snapshot.snapshot, snapshot.created, state


def _free_share(path: Path) -> float:
    """Of the disk that holds a path, or will."""
    place = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    usage = shutil.disk_usage(place)
    return round(usage.free / usage.total, 3)
