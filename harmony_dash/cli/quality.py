"""`quality`, and `ingest --check-only`: how good the data of each source are."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.quality_results import CheckResult, QualityResult, SourceQuality
from harmony_dash.disclosure.quality_words import (
    VERDICTS,
    asked_words,
    failing_words,
    found_words,
    limit_words,
    reason_words,
    rows_words,
    tally_words,
)
from harmony_dash.disclosure.released import Released
from harmony_dash.errors import SettingsError
from harmony_dash.quality.model import Verdict

_LOOK_AT = (Verdict.FAIL, Verdict.WARN)


def add_quality(commands: Any) -> None:
    """The command `quality`."""
    parser = add_command(commands, "quality", _quality)
    parser.add_argument("--source", metavar="NAME",
                        help="one source, with all its checks, reasons of refusal, risk groups and trend; without it "
                             "what failed or warned in each")
    parser.add_argument("--snapshot", metavar="ID", help="an earlier snapshot that is still kept")
    parser.add_argument("--exact", action="store_true", help="unprotected counts; recorded in the audit trail")
    add_report_option(parser)


def add_report_option(parser: argparse.ArgumentParser) -> None:
    """The option `--report`."""
    parser.add_argument("--report", type=Path, metavar="DIR",
                        help="also write quality.html and quality.csv into this folder")


def _quality(options: argparse.Namespace) -> int:
    from harmony_dash.services.quality import ask_quality

    if options.report is not None and options.source is None:
        raise SettingsError("a report is about one source", where="--report", remedy="Name it with --source.")
    deployment = require_store(deployment_of(options))
    level = Level.EXACT if options.exact else Level.PROTECTED
    released = ask_quality(deployment, OPERATOR, options.source, options.snapshot, level=level)
    print_quality(released, options)
    return 0


def rehearse(options: argparse.Namespace) -> int:
    """`ingest --check-only`: the provider's report, with nothing published; exit code 2 if it would be refused."""
    from harmony_dash.dictionary import load_dictionary
    from harmony_dash.disclosure.anonymity import Limits
    from harmony_dash.services.rehearsal import rehearse_ingest
    from harmony_dash.settings import Settings, read_share

    environment = dict(os.environ)
    # A provider has no deployment: neither a store nor keys are read or made.
    limits = Limits(read_share("HARMONY_MAX_MEAN_RISK", environment, Settings.max_mean_risk, above_zero=True),
                    read_share("HARMONY_MAX_UNIQUE_SHARE", environment, Settings.max_unique_share))
    extra = [Path(part) for part in environment.get("HARMONY_DICTIONARY", "").split(os.pathsep) if part]

    def progress(words: str, share: float) -> None:
        say(f"[{share:4.0%}] {words}")

    found = rehearse_ingest(options.folders, load_dictionary([*extra, *(options.dictionary or ())]), limits,
                            datetime.now(UTC), progress=progress)
    print_quality(found.quality, options)
    if found.refused is not None:
        raise found.refused
    failed = sum(one.verdict is Verdict.FAIL for source in found.quality.value.sources for one in source.results)
    although = f", although {failed} quality check{'s' if failed > 1 else ''} failed" if failed else ""
    say(f"Nothing was published. An ingest would take these sources in{although}.")
    return 0


def print_quality(released: Released[QualityResult], options: argparse.Namespace) -> None:
    """The answer as JSON or in words, and as files if they are asked for."""
    if options.report is not None:
        _write_files(released, options.report)
    if options.json:
        print_json(quality_as_json(released))
        return
    minimum, exact = released.scope.rules.minimum_cell, not released.scope.is_protected
    for source in released.value.sources:
        show(f"{source.source}  {source.title}")
        for tally in source.tallies:
            show(f"  {tally.category.value:14} {tally_words(tally)}")
        for verdict in _LOOK_AT:
            for one in source.results:
                if one.verdict is verdict:
                    show(f"  {VERDICTS[verdict]:7} {one.check.id:42} {failing_words(one, minimum, exact=exact):>11} of "
                         f"{asked_words(one, minimum, exact=exact):>7}  {found_words(one):>8}  {one.check.words}")
        for reason in source.reasons:
            n = reason_words(reason, minimum)
            rows = f"; rows {rows_words(reason.rows)}" if reason.rows else ""
            show(f"  {'refused' if reason.refused else 'kept':7} {reason.file}, {reason.column or 'no column'}: "
                 f"{reason.message} ({reason.reason}, {n}{rows})")
    if released.value.withheld:
        say(f"Not shown, because a country was withdrawn: {', '.join(released.value.withheld)}.")
    show(released.value.methods)


def _write_files(released: Released[QualityResult], folder: Path) -> None:
    from harmony_dash.export.quality_report import write_quality_csv, write_quality_html

    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "quality.html").write_bytes(write_quality_html(released, made))
        (folder / "quality.csv").write_bytes(write_quality_csv(released))
    except OSError as problem:
        raise SettingsError(f"the report cannot be written ({problem.strerror})", where=str(folder),
                            remedy="Name a folder that you may write to.") from None
    say(f"Wrote quality.html and quality.csv to {folder}.")


# -- JSON --------------------------------------------------------------------------------------------------------------


def quality_as_json(released: Released[QualityResult]) -> dict[str, Any]:
    """The whole answer; numbers that are hidden are null, and a hidden large part says so."""
    result = released.value
    return {"snapshot": result.snapshot, "level": str(released.scope.level), "withheld": list(result.withheld),
            "sources": [_source_json(source) for source in result.sources], "methods": result.methods}


def _source_json(source: SourceQuality) -> dict[str, Any]:
    return {
        "source": source.source, "title": source.title, "accepted": source.accepted, "refused": source.refused,
        "verdicts": {tally.category.value: {"fail": tally.failed, "warn": tally.warned, "pass": tally.passed,
                                            "not_applicable": tally.not_applicable} for tally in source.tallies},
        "checks": [_check_json(one) for one in source.results],
        "reasons": [{"file": one.file, "column": one.column, "variable": one.variable, "reason": one.reason,
                     "message": one.message, "refused": one.refused, "rows": one.n, "row_numbers": list(one.rows)}
                    for one in source.reasons],
        "risk_groups": {matrix.variable: [{"reported": cell.reported or None, "derived": cell.derived or None,
                                           "n": cell.n} for cell in matrix.cells] for matrix in source.matrices},
        "trend": [{"snapshot": point.snapshot, "created": point.created, "not_comparable": list(point.not_comparable),
                   "verdicts": {one.check.id: one.verdict.value for one in point.results}} for point in source.trend],
        "signed_off": [{"snapshot": one.snapshot, "by": one.username, "at": one.at, "words": one.words}
                       for one in source.signed],
        "not_supplied": list(source.not_supplied)}


def _check_json(one: CheckResult) -> dict[str, Any]:
    check = one.check
    return {"id": check.id, "type": check.type, "category": check.category.value, "variable": check.variable or None,
            "words": check.words, "asked_of": check.asked, "showing": check.showing.value,
            "failing": one.failing, "asked": one.asked,
            "share": one.share, "value": one.value, "all_but_a_few": one.nearly_all, "comparable": one.comparable,
            "limit": limit_words(check), "verdict": one.verdict.value}
