"""Rules every test keeps: nobody touches the global random generators."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _global_random_generators_stay_untouched() -> Iterator[None]:
    """Code under test takes its generator as an argument; a test that moves a global one fails."""
    before, before_numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    yield
    after_numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    assert random.getstate() == before, "the global generator of random was used"
    assert before_numpy["state"]["pos"] == after_numpy["state"]["pos"], "the global generator of NumPy was used"
    assert np.array_equal(before_numpy["state"]["key"], after_numpy["state"]["key"])
