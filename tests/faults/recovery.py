"""R10: a deployment is lost, and comes back on an empty machine from its backup and its keys."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harmony_dash.access.accounts import list_accounts
from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.services.audit_trail import verify_trail
from harmony_dash.services.backup import make_backup
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.coverage_json import coverage_as_json
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.restore import restore_backup
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.services.synthesis import write_synthetic_sources
from harmony_dash.settings import KEY_FILES, Settings
from tests.factories import ACCESS_KEY, NOW
from tests.faults.installation import Outcome, Tell, run_apart

_KEYS = dict(zip(KEY_FILES, (b"made-up-4f7b2c90d1e86a35b7c2f4018e9d6a53", b"made-up-90c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f",
                             ACCESS_KEY), strict=True))
_QUESTIONS = [Question("ALL", endpoint, by=by) for endpoint in ("os", "efs", "relapse")
              for by in (None, "sex", "country")]


@dataclass(frozen=True)
class Recovery:
    """What came back.

    Attributes
    ----------
    patients : that the backup held.
    bytes : of the backup.
    backing_up, restoring : seconds; the second from an empty folder to the first answers and the proof of the trail.
    same : whether every answer and the trail up to the backup are what they were.
    """

    patients: int
    bytes: int
    backing_up: float
    restoring: float
    same: bool


def lose_and_recover(folder: Path, patients: int, seed: int = 20240501) -> Recovery:
    """Ingest so many synthetic patients, ask, back up, lose everything but file and keys, restore, and ask again.

    Raises
    ------
    AssertionError if the restore was refused.
    """
    lost, new, file = folder / "lost", folder / "new", folder / "one.backup"
    deployment = _open(lost)
    held = ingest_sources(deployment, OPERATOR, write_synthetic_sources(patients, seed, folder / "sources")).patients
    before = _answers(deployment)
    begun = time.perf_counter()
    report = make_backup(deployment, OPERATOR, file)
    backing_up = time.perf_counter() - begun
    deployment.access.close()
    shutil.rmtree(lost)
    shutil.rmtree(folder / "sources")
    outcome = run_apart(_recover, file, new)
    if outcome.ending != "done":
        raise AssertionError(outcome.words)
    return Recovery(held, report.bytes, backing_up, outcome.seconds, _is_same(outcome, before, report.manifest.trail))


def _open(folder: Path) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=_KEYS["HARMONY_PATIENT_KEY"],
                        disclosure_key=_KEYS["HARMONY_DISCLOSURE_KEY"], access_key=ACCESS_KEY,
                        audit_head=folder / "audit.head")
    return open_deployment(settings, now=lambda: NOW + timedelta(hours=1))


def _answers(deployment: Deployment) -> str:
    """What people are shown, protected as always: equal texts are equal numbers, and equal rounding."""
    given: list[Any] = [survival_as_json(ask_survival(deployment, OPERATOR, question)) for question in _QUESTIONS]
    given.append(coverage_as_json(review_coverage(deployment, OPERATOR, "ALL")))
    given.append([account.username for account in list_accounts(deployment.access)])
    return json.dumps(given, sort_keys=True)


def _recover(tell: Tell, file: Path, into: Path) -> None:
    report = restore_backup(OPERATOR, file, into, environment={name: key.decode() for name, key in _KEYS.items()},
                            now=lambda: NOW + timedelta(hours=2))
    deployment = _open(into)
    tell(_answers(deployment))
    proof = verify_trail(deployment, OPERATOR)
    tell(f"{proof.intact} {report.manifest.trail}")
    deployment.access.close()


def _is_same(outcome: Outcome, before: str, trail: int) -> bool:
    return outcome.told == (before, f"True {trail}")
