"""Pages run against a house of fakes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.services.choices
import harmony_dash.services.coverage
import harmony_dash.services.feasibility
import harmony_dash.services.grants
import harmony_dash.services.release_info
import harmony_dash.services.snapshots
import harmony_dash.services.survival
import harmony_dash.services.what_if
import harmony_dash.ui.components
import harmony_dash.ui.components.analysis_page
import harmony_dash.ui.components.coverage_files
import harmony_dash.ui.components.feasibility
import harmony_dash.ui.components.what_if_run
import harmony_dash.ui.guard
import harmony_dash.ui.startup
from tests.pages.fakes import FakeHouse

ROOT = Path(__file__).parents[2]

# A component that is imported first while the fakes are in place would keep them for every test after.
for module in pkgutil.iter_modules(harmony_dash.ui.components.__path__, "harmony_dash.ui.components."):
    importlib.import_module(module.name)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> FakeHouse:
    """The fakes, in place of the real services, guard and deployment."""
    fakes = FakeHouse()
    monkeypatch.setattr(harmony_dash.ui.guard, "require", fakes.require)
    monkeypatch.setattr(harmony_dash.ui.components.feasibility, "require", fakes.require)
    monkeypatch.setattr(harmony_dash.ui.components.coverage_files, "require", fakes.require)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", object())
    monkeypatch.setattr(harmony_dash.services.choices, "count_choices", fakes.count_choices)
    monkeypatch.setattr(harmony_dash.services.coverage, "review_coverage", fakes.review_coverage)
    monkeypatch.setattr(harmony_dash.services.coverage, "review_changes", fakes.review_changes)
    monkeypatch.setattr(harmony_dash.services.feasibility, "ask_feasibility", fakes.ask_feasibility)
    monkeypatch.setattr(harmony_dash.services.grants, "my_grants", lambda *_: fakes.grants)
    monkeypatch.setattr(harmony_dash.services.grants, "list_all_grants", lambda *_: fakes.grants)
    monkeypatch.setattr(harmony_dash.services.snapshots, "review_snapshots", lambda *_: ("", fakes.snapshots))
    monkeypatch.setattr(harmony_dash.services.release_info, "describe_release", fakes.describe_release)
    monkeypatch.setattr(harmony_dash.services.survival, "ask_survival", fakes.ask_survival)
    monkeypatch.setattr(harmony_dash.services.what_if, "ask_what_if", fakes.ask_what_if)
    # these were imported with the real services
    monkeypatch.setattr(harmony_dash.ui.components.analysis_page, "count_choices", fakes.count_choices)
    monkeypatch.setattr(harmony_dash.ui.components.analysis_page, "describe_release", fakes.describe_release)
    # its fragment guards itself and was imported with the real guard
    monkeypatch.setattr(harmony_dash.ui.components.what_if_run, "require", fakes.require)
    return fakes


@pytest.fixture
def open_page(house: FakeHouse) -> Callable[[str], AppTest]:
    """Run one page as Streamlit would."""
    def run(name: str, **query: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=20)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()
    return run
