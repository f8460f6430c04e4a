from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harmony_dash.access.database import AccessDatabase
from tests.factories import ACCESS_KEY

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AccessDatabase]:
    database = AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY)
    yield database
    database.close()
