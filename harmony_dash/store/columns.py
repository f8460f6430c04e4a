"""Columns of an answer as arrays of one type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_integers(column: NDArray[Any]) -> NDArray[np.int64]:
    """A column without nulls as int64."""
    return np.ma.getdata(column).astype(np.int64)


def as_keys(column: NDArray[Any]) -> NDArray[np.uint64]:
    """A column of keys as uint64; the key of nobody is null in SQL and 0 here."""
    return np.ma.filled(column, 0).astype(np.uint64)
