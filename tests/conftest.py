"""Rules every test keeps (nobody touches the global random generators), and what a run keeps to be fast."""

from __future__ import annotations

import os
import random
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and is nothing a test may fail on.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Keep bytecode for the length of the run where the environment says that none is to be written.

    Some hundred processes are started, each of which would otherwise compile pandas and Streamlit again. The workers
    inherit what is set here.
    """
    if not sys.dont_write_bytecode:
        return
    folder = tempfile.mkdtemp(prefix="bytecode-")
    _link_installed_bytecode(Path(folder))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = folder
    sys.dont_write_bytecode = False


def _link_installed_bytecode(folder: Path) -> None:
    """Put what was compiled when Python and the libraries were installed where it is looked for from now on."""
    for installed in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}:
        for place, folders, files in os.walk(installed):
            if Path(place).name == "__pycache__":
                beside = folder.joinpath(*Path(place).parent.parts[1:])
                beside.mkdir(parents=True, exist_ok=True)
                for name in files:
                    (beside / name).symlink_to(Path(place, name))
            elif place == sysconfig.get_path("stdlib"):
                folders[:] = [name for name in folders if name not in ("site-packages", "test")]


# A file is one worker's, and whichever ends last ends the run: these take long and would come late in the alphabet.
LONG = ("tests/unit/test_house.py", "tests/unit/services/test_quality_over_time.py",
        "tests/unit/services/test_what_if_randomised.py", "tests/unit/store/test_publishing.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; all others keep their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session", autouse=True)
def _same_patients_are_published_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hundreds of tests ask a small store of the same patients; each has a copy of its own."""
    # here, because the process that only hands out tests needs neither pandas nor the application
    from tests.factories import keep_stores

    keep_stores(tmp_path_factory.mktemp("stores"))
    yield
    keep_stores(None)


@pytest.fixture(autouse=True)
def _global_random_generators_stay_untouched() -> Iterator[None]:
    """Code under test takes its generator as an argument; a test that moves a global one fails."""
    before, before_numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    yield
    after_numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    assert random.getstate() == before, "the global generator of random was used"
    assert before_numpy["state"]["pos"] == after_numpy["state"]["pos"], "the global generator of NumPy was used"
    assert np.array_equal(before_numpy["state"]["key"], after_numpy["state"]["key"])
