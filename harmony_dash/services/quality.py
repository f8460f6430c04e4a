"""How good the data of each source are: checks, reasons of refusal, trend; and the data managers' word on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, Decision, RecordedEvent, list_events, record_event
from harmony_dash.access.permissions import Permission
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.protect_quality import only_findings
from harmony_dash.disclosure.quality_results import QualityResult, SignOff
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import Admission, check_still_admitted, read_withdrawn, scope_for_all
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.quality_answers import describe_sources
from harmony_dash.store.quality_reports import fetch_countries, fetch_key_fingerprint
from harmony_dash.store.reader import Snapshot

REVIEW = "review data quality"
# Renaming it is a migration: the trail is where sign-offs are kept.
SIGN_OFF = "sign off data quality"
LONGEST_WORDS = 500
# As many sign-offs as a screen shows of a source.
_NEWEST = 5
_MOST_EVENTS = 1_000


def ask_quality(deployment: Deployment, actor: Actor, source: str | None = None, snapshot: str | None = None, *,
                level: Level = Level.PROTECTED) -> Released[QualityResult]:
    """What failed or warned in every source, or everything of one: checks, reasons of refusal, risk groups, trend.

    Everybody who may ask gets protected numbers, the data manager too: a data manager looks after several providers'
    data, and whoever holds the files has exact numbers from `ingest --check-only`. Exact numbers are the operator's.

    Parameters
    ----------
    source : its name; None for all sources, with the checks that failed or warned and no details.
    snapshot : id of one that is still kept; None for the one being served.

    Raises
    ------
    AccessRefused, QuestionError for a source the snapshot does not hold or that is withdrawn, or a snapshot made with
    another disclosure key, StoreError.
    """
    question = source or ""
    check_and_record(deployment, actor, Permission.VIEW_QUALITY, REVIEW, question=question[:40])
    if level is Level.EXACT:
        check_and_record(deployment, actor, Permission.VIEW_EXACT, REVIEW, question=question[:40])
    with deployment.store.at(snapshot) as opened:
        withdrawn = read_withdrawn(deployment)
        withheld = _withdrawn_sources(opened, withdrawn)
        with refusals_recorded(deployment, actor, REVIEW, question[:40]):
            if level is not Level.EXACT:
                _check_same_key(deployment, opened)
            _check_source(opened, source, withheld)
        scope = Scope(level) if level is Level.EXACT else scope_for_all(deployment, opened)
        released = _release(deployment, opened, source, withdrawn, scope)
        with refusals_recorded(deployment, actor, REVIEW, question[:40]):
            check_still_admitted(deployment, actor, Admission(opened, scope, withdrawn))
    record_answer(deployment, actor, REVIEW, question=question, snapshot=released.value.snapshot, level=scope.level)
    return released


def _release(deployment: Deployment, snapshot: Snapshot, source: str | None, withdrawn: frozenset[str],
             scope: Scope) -> Released[QualityResult]:
    """The released checks; protected ones are computed once for a snapshot, what is withdrawn, and the sign-offs."""
    signed = _newest_of_each(list_sign_offs(deployment), source)

    def compute() -> Released[QualityResult]:
        return release(_describe(snapshot, source, withdrawn, scope, signed), scope)

    if not scope.is_protected:
        return compute()
    return deployment.quality.get((snapshot.snapshot, withdrawn, scope.key, source, signed), compute)


def _describe(snapshot: Snapshot, source: str | None, withdrawn: Collection[str], scope: Scope,
              signed: Sequence[SignOff]) -> QualityResult:
    withheld = _withdrawn_sources(snapshot, withdrawn)
    sources = tuple(replace(one, signed=tuple(word for word in signed if word.source == one.source))
                    for one in describe_sources(snapshot, source, with_rows=not scope.is_protected,
                                                unprotected=scope.level is Level.OFF, withdrawn=withdrawn)
                    if one.source not in withheld)
    if source is None and not scope.is_protected:
        sources = tuple(map(only_findings, sources))  # protected ones once their verdicts are known
    return QualityResult(snapshot.snapshot, snapshot.created, snapshot.synthetic, sources, source is not None, withheld,
                         describe_methods(snapshot))


def describe_methods(snapshot: Snapshot) -> str:
    """How it was counted, in two sentences."""
    of = f" Snapshot {snapshot.snapshot}." if snapshot.snapshot else ""
    return (f"Checks made from dictionary {snapshot.dictionary.version} and asked of every source at ingest; "
            f"categories after Kahn and others (eGEMs 2016).{of}")


def sign_off(deployment: Deployment, actor: Actor, source: str, snapshot: str, words: str) -> SignOff:
    """Record that a data manager has looked at a source in a snapshot, and what they say of it.

    Parameters
    ----------
    words : what they found, 1 to 500 characters; no value of a patient.

    Raises
    ------
    AccessRefused, QuestionError for a source or words that are none, StoreError, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.SIGN_OFF_QUALITY, SIGN_OFF, question=source[:40])
    said = " ".join(words.split())
    with deployment.store.at(snapshot) as opened, refusals_recorded(deployment, actor, SIGN_OFF, source[:40]):
        _check_source(opened, source, _withdrawn_sources(opened, read_withdrawn(deployment)))
        if not 1 <= len(said) <= LONGEST_WORDS:
            raise QuestionError(f"a sign-off says something in at most {LONGEST_WORDS} characters", where="words",
                                remedy="Write in a sentence or two what you looked at and what is agreed.")
    now = deployment.now()
    event = AuditEvent.of(actor, SIGN_OFF, question=json.dumps({"source": source, "words": said}, ensure_ascii=False),
                          snapshot=snapshot)
    record_event(deployment.access, event, now=now)
    return SignOff(source, snapshot, actor.username, now.isoformat(timespec="minutes"), said)


def list_sign_offs(deployment: Deployment) -> tuple[SignOff, ...]:
    """All sign-offs that the trail holds, newest first; for callers that have checked who asks."""
    events = list_events(deployment.access, limit=_MOST_EVENTS, action=SIGN_OFF, decision=Decision.ALLOWED)
    return tuple(map(_read_sign_off, events))


def _read_sign_off(recorded: RecordedEvent) -> SignOff:
    said = json.loads(recorded.event.question)
    return SignOff(said["source"], recorded.event.snapshot, recorded.event.username,
                   recorded.at.isoformat(timespec="minutes"), said["words"])


def _newest_of_each(signed: Sequence[SignOff], source: str | None) -> tuple[SignOff, ...]:
    """What is shown of the sign-offs, which come newest first: of every source, or of one."""
    seen = Counter[str]()
    kept = []
    for one in signed:
        if source in (None, one.source) and seen[one.source] < _NEWEST:
            seen[one.source] += 1
            kept.append(one)
    return tuple(kept)


def _withdrawn_sources(snapshot: Snapshot, withdrawn: Collection[str]) -> tuple[str, ...]:
    """Sources with patients of a withdrawn country: their numbers were counted before, and cannot be taken apart."""
    return tuple(sorted(source for source, countries in fetch_countries(snapshot).items()
                        if not countries.isdisjoint(withdrawn)))


def _check_same_key(deployment: Deployment, snapshot: Snapshot) -> None:
    """Two roundings of the same patients tell more than either."""
    if fetch_key_fingerprint(snapshot) != fetch_key_fingerprint(deployment.store.current()):
        raise QuestionError("the snapshot was made with another disclosure key: its numbers are rounded differently, "
                            "and setting them side by side would tell too much", where="snapshot",
                            remedy="Ask for the snapshot that is served, or an earlier one made with its key.")


def _check_source(snapshot: Snapshot, source: str | None, withheld: Sequence[str]) -> None:
    if source is None:
        return
    if source in withheld:
        raise QuestionError("a country of this source was withdrawn, so that its checks are not shown", where="source",
                            remedy="They are asked anew at the next ingest.")
    known = sorted(set(fetch_countries(snapshot)) - set(withheld))
    if source not in known:
        raise QuestionError(f"the snapshot holds no source '{source[:40]}'", where="source",
                            remedy=f"Choose one of: {', '.join(known)}.")
