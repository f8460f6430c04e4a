"""What an ingest would find and say, for a provider who wants to know before sending; nothing is published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harmony_dash.dictionary import Dictionary
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.anonymity import Limits
from harmony_dash.disclosure.quality_results import QualityResult
from harmony_dash.errors import SourceError, StoreError, UserError
from harmony_dash.quality.catalogue import build_rules
from harmony_dash.services.anonymity import report_anonymity
from harmony_dash.services.ingest import IngestReport, Takings, check_anonymity
from harmony_dash.services.quality import describe_methods
from harmony_dash.services.quality_answers import describe_sources
from harmony_dash.store.rehearsal import rehearse_snapshot

Progress = Callable[[str, float], None]
# Identifiers are hashed and forgotten again; nothing that leaves depends on the key.
_NO_SECRET = b"a rehearsal keeps no identifiers"


@dataclass(frozen=True)
class Rehearsal:
    """What became of the sources.

    Attributes
    ----------
    report : as an ingest gives it, without a snapshot.
    quality : checks and reasons with exact numbers and the rows of the files: whoever runs this holds the files.
    refused : why an ingest would refuse them, None if it would not.
    """

    report: IngestReport
    quality: Released[QualityResult]
    refused: UserError | None


def rehearse_ingest(folders: Sequence[Path], dictionary: Dictionary, limits: Limits, now: datetime, *,
                    progress: Progress = lambda _words, _share: None) -> Rehearsal:
    """Check sources as an ingest would, in memory, without a store, keys or accounts.

    There is no actor: it reads what the person at the command line holds, and tells them alone. Several folders are
    compared with each other as an ingest compares them; there is no earlier snapshot to compare with.

    Raises
    ------
    SourceError for a folder that cannot be read at all.
    """
    if not folders:
        raise SourceError("no source folder is named", remedy="Name one or more folders with a source.yaml.")
    takings = Takings(dictionary, _NO_SECRET)
    with rehearse_snapshot(dictionary, now) as (writer, complete):
        reports = []
        for place, folder in enumerate(folders):
            def scaled(words: str, share: float, place: int = place, folder: Path = folder) -> None:
                progress(f"{folder.name}: {words}", 0.9 * (place + share) / len(folders))

            reports.append(takings.add_source(writer, folder, scaled))
        anonymity = report_anonymity(writer, dictionary, limits)
        writer.assess_quality(build_rules(dictionary), takings.supplied, now.date())
        snapshot = complete()
        sources = tuple(one for record in writer.sources
                        for one in describe_sources(snapshot, record.source, with_rows=True))
        result = QualityResult("", now.isoformat(timespec="seconds"), snapshot.synthetic, sources,
                               methods=describe_methods(snapshot))
        quality = release(result, Scope(Level.EXACT))
    report = IngestReport("", sum(one.accepted for one in reports), tuple(reports), anonymity)
    progress("Done", 1.0)
    return Rehearsal(report, quality, _refusal(report, dictionary))


def _refusal(report: IngestReport, dictionary: Dictionary) -> UserError | None:
    if not report.patients:
        return StoreError("no patient was accepted", remedy="See the reasons of each source and mend them.")
    try:
        check_anonymity(report, dictionary)
    except UserError as refused:
        return refused
    return None
