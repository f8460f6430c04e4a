"""Which harmonised variables a source supplies, as its manifest declares them."""

from __future__ import annotations

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary
from harmony_dash.ingest.manifest.model import FieldSpec, Manifest

# Ingest completes the event record from whatever parts of it a source gives.
_EVENT_RECORD = ("first_event", "first_event_days", "death", "death_days", "last_contact_days")


def supplied_variables(manifest: Manifest, dictionary: Dictionary) -> frozenset[str]:
    """The variables with a column or a constant, parts of composites and the event record built from others included.

    A variable can be supplied and still be empty in every row; then its completeness says so.
    """
    found: set[str] = set()
    for name, spec in manifest.fields.items():
        found.update([name] if name in dictionary else _parts(name, spec))
    if set(ENDPOINTS) - set(manifest.endpoints_not_recorded):
        found.update(_EVENT_RECORD)
    return frozenset(name for name in found if name in dictionary)


def _parts(stem: str, spec: FieldSpec) -> list[str]:
    """What an MRD field gives: value, operator and status always, the rest where it is declared."""
    declared = {"lod": (spec.lod, spec.lod_column), "loq": (spec.loq, spec.loq_column),
                "day": (spec.day, spec.day_column), "method": (spec.method, spec.method_column)}
    parts = ["value", "op", "status", *(name for name, given in declared.items() if any(
        one is not None for one in given))]
    return [f"{stem}_{part}" for part in parts]
