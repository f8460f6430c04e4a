"""Who is in the data: patients by country, trial, period and kind, completeness, follow-up; and what has changed."""

from __future__ import annotations

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.question import Question, check_question
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.coverage_changes import CoverageChanges, compare_coverage, nothing_to_compare
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.errors import QuestionError, SettingsError, StoreError
from harmony_dash.services.admission import Admission, admit_to_all, check_still_admitted, scope_for_all
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.coverage_counts import compute_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.counts import fetch_diseases
from harmony_dash.store.layout import SnapshotRecord
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.snapshots import list_snapshots

REVIEW = "review coverage"
COMPARE = "compare coverage"
# The variables a committee asks about first.
KEY_VARIABLES = ("age_dx_years", "sex", "wbc_dx", "immunophenotype", "subtype", "cyto_group", "cna_ikzf1", "ikzf1plus",
                 "mrd_eoi_status", "mrd_group", "cr_status", "risk_group_reported", "intensity_assigned",
                 "intensity_received")
_RELEASED_OTHERWISE = ("The earlier snapshot holds patients who must be protected, so its numbers are not given in the "
                       "way those of this one are.")


def review_coverage(deployment: Deployment, actor: Actor, disease: str, *, level: Level = Level.PROTECTED,
                    ) -> Released[CoverageResult]:
    """Counts, completeness and follow-up of one disease.

    Raises
    ------
    AccessRefused, QuestionError for a disease the snapshot does not hold, StoreError.
    """
    admission, released = answer_coverage(deployment, actor, disease, REVIEW, level)
    _check_admitted(deployment, actor, admission, disease, REVIEW)
    record_answer(deployment, actor, REVIEW, question=disease, snapshot=released.value.snapshot,
                  level=released.scope.level, n=released.value.n)
    return released


def review_changes(deployment: Deployment, actor: Actor, disease: str, *, level: Level = Level.PROTECTED,
                   ) -> Released[CoverageChanges]:
    """What one disease has more or less of than in the snapshot before: patients, sources, countries, variables.

    Raises
    ------
    AccessRefused, QuestionError for a disease the snapshot does not hold, StoreError.
    """
    admission, now = answer_coverage(deployment, actor, disease, COMPARE, level)
    changes = _compare(deployment, actor, admission, now)
    _check_admitted(deployment, actor, admission, disease, COMPARE)
    record_answer(deployment, actor, COMPARE, question=disease, snapshot=now.value.snapshot, level=now.scope.level,
                  n=now.value.n)
    return changes


def answer_coverage(deployment: Deployment, actor: Actor, disease: str, action: str, level: Level,
                    ) -> tuple[Admission, Released[CoverageResult]]:
    """The released coverage and what it was computed from; whoever hands it over checks that again, and records it."""
    check_and_record(deployment, actor, Permission.VIEW_COVERAGE, action)
    if level is Level.EXACT:
        check_and_record(deployment, actor, Permission.VIEW_EXACT, action)
    with refusals_recorded(deployment, actor, action, disease[:40]):
        admission = admit_to_all(deployment, level)
        check_question(Question(disease, "os"), admission.snapshot.dictionary)
        return admission, _release(deployment, actor, admission, disease)


def _scope(deployment: Deployment, snapshot: Snapshot, level: Level) -> Scope:
    return Scope(level) if level is Level.EXACT else scope_for_all(deployment, snapshot)


def _check_admitted(deployment: Deployment, actor: Actor, admission: Admission, disease: str, action: str) -> None:
    with refusals_recorded(deployment, actor, action, disease[:40]):
        check_still_admitted(deployment, actor, admission)


def _release(deployment: Deployment, actor: Actor, admission: Admission, disease: str) -> Released[CoverageResult]:
    """The released coverage, computed once for a snapshot, what is withdrawn of it, a disease and a scope."""
    snapshot, scope = admission.snapshot, admission.scope
    key = (snapshot.snapshot, admission.withdrawn, disease, scope.key)

    def compute() -> Released[CoverageResult]:
        diseases = {code: n for code, n, _, _ in fetch_diseases(snapshot)}
        if disease not in diseases:
            raise QuestionError(f"the snapshot holds no patient with {snapshot.dictionary.diseases[disease].label}",
                                where="disease", remedy=f"Choose one of: {', '.join(diseases)}.")
        released = release(compute_coverage(snapshot, disease, diseases[disease]), scope)
        check_still_admitted(deployment, actor, admission)
        return released

    return deployment.coverage.get(key, compute)


def _compare(deployment: Deployment, actor: Actor, admission: Admission, now: Released[CoverageResult],
             ) -> Released[CoverageChanges]:
    if admission.withdrawn:
        return nothing_to_compare(now, "A country has been withdrawn since; what the earlier snapshot had of it is "
                                       "not shown.")
    served, before = _served_and_before(deployment, now.value.snapshot)
    if before is None:
        return nothing_to_compare(now, "There is no earlier snapshot.")
    if served is None or served.key_fingerprint != before.key_fingerprint:
        return nothing_to_compare(now, "The earlier snapshot was made with another disclosure key. Its numbers are "
                                       "rounded differently, and setting them side by side would tell too much.")
    try:
        with deployment.store.at(before.snapshot) as earlier:
            if _scope(deployment, earlier, now.scope.level) != now.scope:
                return nothing_to_compare(now, _RELEASED_OTHERWISE)
            admitted = Admission(earlier, now.scope, admission.withdrawn)
            return compare_coverage(now, _release(deployment, actor, admitted, now.value.disease))
    except SettingsError:
        return nothing_to_compare(now, _RELEASED_OTHERWISE)
    except QuestionError:
        return nothing_to_compare(now, "The earlier snapshot holds no patient with this disease.")
    except StoreError:
        return nothing_to_compare(now, "The earlier snapshot cannot be read: it is damaged, or of an older format.")


def _served_and_before(deployment: Deployment, snapshot: str) -> tuple[SnapshotRecord | None, SnapshotRecord | None]:
    """The records of the served snapshot and of the newest one that is older."""
    records = list_snapshots(deployment.settings.store)
    served = next((record for record in records if record.snapshot == snapshot), None)
    return served, next((record for record in records if record.snapshot < snapshot), None)
