"""Installations whose quality is asked for."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW
from tests.made_once import make_once

SAMPLES = Path(__file__).parents[3] / "data_samples"
STEERING = Actor("steering.test", Role.STEERING, "s")
MANAGER = Actor("manager.test", Role.DATA_MANAGER, "m")
CLINICIAN = Actor("clinician.test", Role.CLINICIAN, "c")


def deployment_at(folder: Path, moment: datetime = NOW, *, key: bytes = DISCLOSURE_KEY,
                  dictionary: tuple[Path, ...] = ()) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, dictionary_files=dictionary,
                        patient_key=b"k" * 32, disclosure_key=key, access_key=ACCESS_KEY)
    return open_deployment(settings, now=lambda: moment)


def publish(folder: Path, *names: str) -> Path:
    opened = deployment_at(folder)
    ingest_sources(opened, OPERATOR, [SAMPLES / name for name in names])
    opened.access.close()
    return folder


def czech_and_nordic(factory: pytest.TempPathFactory) -> Path:
    """An installation in which the Czech and the Nordic sample were published, to be copied."""
    return make_once(factory, "czech and nordic", lambda folder: publish(folder, "cz_cpho", "nordic_nopho"))


def copy_of(installation: Path, folder: Path) -> Deployment:
    """The installation once more, in a folder of a test's own."""
    shutil.copytree(installation, folder, dirs_exist_ok=True)
    return deployment_at(folder)


def only_patients(folder: Path, n: int) -> Path:
    source = Path(shutil.copytree(SAMPLES / "cz_cpho", folder / "few"))
    lines = (source / "pacienti.csv").read_bytes().decode("cp1250").split("\r\n")
    (source / "pacienti.csv").write_bytes("\r\n".join([*lines[:n + 1], ""]).encode("cp1250"))
    return source
