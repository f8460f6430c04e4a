"""From source folders to a published snapshot, or to a report of what stands in the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, Decision, record_event
from harmony_dash.access.permissions import Permission
from harmony_dash.dictionary import Dictionary
from harmony_dash.disclosure.anonymity import Limits
from harmony_dash.errors import SettingsError, SourceError, StoreError, UserError
from harmony_dash.ingest.duplicates import CrossSourceDuplicates
from harmony_dash.ingest.harmonise import harmonise_source
from harmony_dash.ingest.harmonised import HarmonisedSource
from harmony_dash.ingest.issues import Severity
from harmony_dash.ingest.manifest.model import MANIFEST_NAME, Origin
from harmony_dash.ingest.supplied import supplied_variables
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.quality.drafting import is_outcome
from harmony_dash.services.anonymity import AnonymityReport, describe_excess, describe_remedy, report_anonymity
from harmony_dash.services.audited import check_and_record
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.quality import list_sign_offs
from harmony_dash.store.counts import fetch_sources
from harmony_dash.store.quality_rows import FurtherFile
from harmony_dash.store.writer import SnapshotWriter, SourceRecord, Stage, new_snapshot

ACTION = "ingest"
# The audit trail's words for counts that are rounded anew from this snapshot on.
NEW_KEY = "with a new disclosure key"

# How a source's origin is written in the snapshot.
_MARKS = {Origin.SYNTHETIC: "true", Origin.PUBLIC: "public", Origin.PATIENTS: "false"}

# Called with words for people and the share of the work done, 0 to 1.
Progress = Callable[[str, float], None]


def _silent(_: str, __: float) -> None:
    return


@dataclass(frozen=True)
class SourceReport:
    """What became of one source.

    Attributes
    ----------
    source, title : from its source.yaml.
    read, accepted, quarantined : patients; the last two add up to the first.
    reasons : reason code to rows, for quarantined rows.
    warnings : reason code to rows that were kept and should be looked at.
    """

    source: str
    title: str
    read: int
    accepted: int
    quarantined: int
    reasons: dict[str, int]
    warnings: dict[str, int]


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did; `snapshot` is empty and there are no `patients` when nothing was published.

    `anonymity` says by source how easily patients could be recognised. `history_lost` says that the snapshot before was
    damaged, so that the trend of data quality begins anew. `left_out` are sources that the snapshot before held and
    this one does not: a snapshot holds the folders of one ingest, and nothing else.
    """

    snapshot: str
    patients: int
    sources: tuple[SourceReport, ...]
    anonymity: Mapping[str, AnonymityReport]
    history_lost: bool = False
    left_out: tuple[str, ...] = ()


class AnonymityRefused(SourceError):
    """Patients of a source could be recognised too easily; `report` says of every source what was found."""

    def __init__(self, problem: str, *, where: str, remedy: str, report: IngestReport) -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.report = report


# What the trail says of a refused ingest; the first kind that fits.
_REFUSALS: Mapping[type[UserError], str] = MappingProxyType({
    AnonymityRefused: "patients could be recognised too easily",
    SourceError: "a source cannot be read or mapped",
    SettingsError: "the settings do not allow it",
    StoreError: "the store cannot be written",
    UserError: "refused",
})


def ingest_sources(deployment: Deployment, actor: Actor, folders: Sequence[Path], *, progress: Progress = _silent,
                   stage: Stage | None = None, new_disclosure_key: bool = False) -> IngestReport:
    """Check, harmonise and publish source folders as one snapshot.

    Parameters
    ----------
    folders : one or more source folders; each source once.
    progress : called as the work goes on.
    stage : for fault tests, see `new_snapshot`.
    new_disclosure_key : go on although the current snapshot was made with another disclosure key; the audit trail
        says so. Who saw counts of both snapshots knows two roundings of the same numbers.

    Raises
    ------
    AccessRefused, AuditUnavailable, SourceError (AnonymityRefused is one), StoreError, SettingsError. Nothing is
    published then, the old snapshot is still served, and the trail says which source was refused and for what kind of
    reason.
    """
    check_and_record(deployment, actor, Permission.INGEST, ACTION)
    with _refusals_recorded(deployment, actor, folders):
        if not folders:
            raise SourceError("no source folder is named", remedy="Name one or more folders with a source.yaml.")
        return _ingest(deployment, actor, folders, progress, stage, new_disclosure_key=new_disclosure_key)


@contextmanager
def _refusals_recorded(deployment: Deployment, actor: Actor, folders: Sequence[Path]) -> Iterator[None]:
    """Record which source was refused and what kind of reason there was, before the person is told more.

    The words of a refusal may name columns of a file and groups of few patients, which the trail must not hold.
    """
    try:
        yield
    except UserError as refused:
        record_event(deployment.access, AuditEvent.of(
            actor, ACTION, question=_sources_of(refused, folders), decision=Decision.REFUSED,
            reason=next(words for kind, words in _REFUSALS.items() if isinstance(refused, kind))),
            now=deployment.now())
        raise


def _sources_of(refused: UserError, folders: Sequence[Path]) -> str:
    """The source a refusal is about, or all that were named where it does not say."""
    if isinstance(refused, AnonymityRefused):
        return refused.where
    names = [folder.name for folder in folders]
    place = refused.where.partition("/")[0]
    return place if place in names else ", ".join(names)


def _ingest(deployment: Deployment, actor: Actor, folders: Sequence[Path], progress: Progress, stage: Stage | None, *,
            new_disclosure_key: bool) -> IngestReport:
    dictionary = deployment.dictionary
    reports: list[SourceReport] = []
    takings = Takings(dictionary, deployment.settings.patient_key)

    def record_first(name: str) -> None:
        # A release that cannot be recorded is not served: the pointer moves after this.
        if name == "written":
            event = AuditEvent.of(actor, ACTION, snapshot=published[0], n=sum(r.accepted for r in reports),
                                  reason=NEW_KEY if writer.new_disclosure_key else "")
            record_event(deployment.access, event, now=deployment.now())
        if stage is not None:
            stage(name)

    settings = deployment.settings
    before = _sources_served(deployment)
    with new_snapshot(settings.store, dictionary, deployment.now(), settings.disclosure_key,
                      keep=settings.keep_snapshots, stage=record_first,
                      new_disclosure_key=new_disclosure_key) as (writer, published):
        for place, folder in enumerate(folders):
            def scaled(words: str, share: float, place: int = place, folder: Path = folder) -> None:
                progress(f"{folder.name}: {words}", 0.85 * (place + share) / len(folders))

            reports.append(takings.add_source(writer, folder, scaled))
        anonymity = report_anonymity(writer, dictionary,
                                     Limits(settings.max_mean_risk, settings.max_unique_share))
        check_anonymity(IngestReport("", 0, tuple(reports), anonymity), dictionary)
        progress("Checking quality", 0.85)
        writer.assess_quality(build_rules(dictionary), takings.supplied, deployment.now().date(),
                              {(one.source, one.snapshot) for one in list_sign_offs(deployment)})
        progress("Writing the snapshot", 0.9)
    progress("Done", 1.0)
    return IngestReport(published[0], sum(report.accepted for report in reports), tuple(reports), anonymity,
                        writer.history_lost, tuple(sorted(before - {report.source for report in reports})))


def _sources_served(deployment: Deployment) -> frozenset[str]:
    """The sources people see until now; none where nothing is served, or what is served cannot be read."""
    try:
        return frozenset(str(row["source"]) for row in fetch_sources(deployment.store.current()))
    except StoreError:
        return frozenset()


def check_anonymity(report: IngestReport, dictionary: Dictionary) -> None:
    """Refuse to publish if patients of any source could be recognised too easily; all such sources are named."""
    refused = {source: found for source, found in report.anonymity.items() if found.refused}
    if refused:
        several = len(refused) > 1
        excess = ". ".join(f"{f'In {source} ' if several else ''}{describe_excess(found, dictionary)}"
                           for source, found in refused.items())
        raise AnonymityRefused(f"patients could be recognised too easily{'. ' if several else ': '}{excess}",
                               where=", ".join(refused), remedy=describe_remedy(refused.values(), dictionary),
                               report=report)


@dataclass
class Takings:
    """What sources bring in, one after the other.

    Parameters
    ----------
    key : secret under which the providers' identifiers are hashed.

    Attributes
    ----------
    supplied : by source, the variables it supplies.
    """

    dictionary: Dictionary
    key: bytes = field(repr=False)
    duplicates: CrossSourceDuplicates = field(default_factory=CrossSourceDuplicates)
    supplied: dict[str, frozenset[str]] = field(default_factory=dict)

    def add_source(self, writer: SnapshotWriter, folder: Path, progress: Progress) -> SourceReport:
        """Harmonise a folder and hand it to the writer.

        Raises
        ------
        SourceError.
        """
        try:
            harmonised = self.duplicates.mark(harmonise_source(folder, self.dictionary, self.key, progress))
        except UserError as problem:
            # Several folders are read in one run: say which one the file belongs to.
            place = f"{folder.name}/{problem.where}" if problem.where else folder.name
            raise type(problem)(problem.problem, where=place, remedy=problem.remedy) from problem
        manifest = harmonised.manifest
        if any(record.source == manifest.source for record in writer.sources):
            raise SourceError(f"source '{manifest.source}' is named twice", where=folder.name,
                              remedy="Name each source folder once, and give each its own `source:`.")
        writer.add_source(_record(harmonised, folder, self.dictionary), harmonised.frame, harmonised.issues.to_frame())
        self.supplied[manifest.source] = supplied_variables(manifest, self.dictionary)
        return _report(harmonised)


def _record(harmonised: HarmonisedSource, folder: Path, dictionary: Dictionary) -> SourceRecord:
    manifest = harmonised.manifest
    names = [MANIFEST_NAME, *(file.path for file in manifest.files)]
    return SourceRecord(
        source=manifest.source, title=manifest.title, provider=manifest.constant("provider") or "",
        trial=manifest.constant("trial") or "", licence=manifest.licence, synthetic=_MARKS[manifest.origin],
        description=manifest.description, files={name: _sha256(folder / name) for name in names},
        read_count=harmonised.read, accepted_count=harmonised.accepted, quarantined_count=harmonised.quarantined,
        further=tuple(FurtherFile(count.file, count.read, variables,
                                  any(is_outcome(dictionary[name]) for name in variables))
                      for count, variables in zip(harmonised.counts[1:], harmonised.variables[1:], strict=True)))


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _report(harmonised: HarmonisedSource) -> SourceReport:
    def count(severity: Severity) -> dict[str, int]:
        return {str(reason): n for reason, n in harmonised.issues.count_by_reason(severity).items()}

    return SourceReport(harmonised.manifest.source, harmonised.manifest.title, harmonised.read, harmonised.accepted,
                        harmonised.quarantined, count(Severity.ERROR), count(Severity.WARNING))
