"""What the served snapshot holds."""

from __future__ import annotations

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.disclosure import release
from harmony_dash.disclosure.release_info import DiseaseInfo, ReleaseInfo
from harmony_dash.services.admission import admit_to_all, check_still_admitted
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.counts import fetch_diseases
from harmony_dash.store.reader import Snapshot

ACTION = "describe release"


def describe_release(deployment: Deployment, actor: Actor) -> ReleaseInfo:
    """Diseases, patients, countries and sources of the snapshot, and the dictionary it carries.

    Raises
    ------
    AccessRefused, StoreError.
    """
    check_and_record(deployment, actor, Permission.VIEW_HOME, ACTION)
    admission = admit_to_all(deployment)
    snapshot, scope = admission.snapshot, admission.scope
    released = deployment.releases.get((snapshot.snapshot, admission.withdrawn, scope.key),
                                       lambda: release(_describe(snapshot), scope))
    with refusals_recorded(deployment, actor, ACTION, ""):
        check_still_admitted(deployment, actor, admission)
    record_answer(deployment, actor, ACTION, snapshot=snapshot.snapshot, level=released.scope.level)
    return released.value


def _describe(snapshot: Snapshot) -> ReleaseInfo:
    diseases = {code: DiseaseInfo(snapshot.dictionary.diseases[code].label, n, countries, sources)
                for code, n, countries, sources in fetch_diseases(snapshot)}
    return ReleaseInfo(snapshot.snapshot, snapshot.created, snapshot.synthetic, diseases, snapshot.dictionary,
                       snapshot.code_values)
