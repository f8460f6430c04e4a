"""A deployment over the project's synthetic samples, for tests that ask through the services."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.settings import Settings
from harmony_dash.synthetic.sources import write_sources
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW
from tests.made_once import make_once

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
STEERING = Actor("stefan", Role.STEERING, "s2")
SAMPLES = Path(__file__).parents[2] / "data_samples"
# These tests ask more in a minute than a person may in a day.
NO_BUDGET = 1_000_000


def open_house(folder: Path, store: Path | None = None) -> Deployment:
    """Services over whatever is published in `folder`/store, or in another folder."""
    settings = Settings(store or folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY, disclosure_key=DISCLOSURE_KEY, daily_questions=NO_BUDGET)
    return open_deployment(settings, now=lambda: NOW)


def ingest_samples(folder: Path) -> Deployment:
    """Publish `data_samples` and open the services over it."""
    deployment = open_house(folder)
    ingest_sources(deployment, OPERATOR, [path.parent for path in sorted(SAMPLES.glob("*/source.yaml"))])
    return deployment


def samples_of_run(factory: pytest.TempPathFactory) -> Path:
    """The store of `data_samples` that all tests of a run share; nobody writes into it."""
    return make_once(factory, "samples", ingest_samples) / "store"


def synthesise_house(folder: Path, patients: int, seed: int = 7) -> Deployment:
    """Publish patients of the project's generator and open the services over it."""
    write_sources(patients, seed, folder / "sources")
    deployment = open_house(folder)
    ingest_sources(deployment, OPERATOR, [path.parent for path in sorted((folder / "sources").glob("*/source.yaml"))])
    return deployment
