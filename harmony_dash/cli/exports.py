"""`export`: files of protected results, their receipts, and whether a file is one of them."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli.command import add_command, deployment_of, print_json, require_store, say, show
from harmony_dash.cli.questions import add_question, parse_days, question_of
from harmony_dash.cli.subgroups import NO_STRATA, split_names
from harmony_dash.cohort.description_question import MRD_COLUMNS, OutcomeMapQuestion, TableOneQuestion
from harmony_dash.cohort.subgroup_question import FIVE_YEARS, SubgroupsQuestion
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError, UserError

if TYPE_CHECKING:
    from harmony_dash.access.receipts import SavedReceipt
    from harmony_dash.services.export_answers import ExportQuestion

_PROVENANCE = "provenance.json"
_KINDS = ("survival", "subgroups", "table-one", "outcome-map")


def add_export(commands: Any) -> None:
    """The command `export`."""
    parser = add_command(commands, "export", _run)
    add_question(parser, required=False)
    parser.add_argument("--kind", choices=list(_KINDS), default=_KINDS[0],
                        help="what to export (default: %(default)s); a table of subgroups takes --variables, "
                             "--treatment, --arms, --strata and --at, a Table 1 --by and --variables, a map --by (its "
                             "rows), --columns and --at")
    parser.add_argument("--variables", default="", metavar="VAR,VAR")
    parser.add_argument("--treatment", metavar="VAR")
    parser.add_argument("--arms", default="", metavar="A,B")
    parser.add_argument("--columns", default=MRD_COLUMNS, metavar="VAR")
    parser.add_argument("--at", type=int, default=FIVE_YEARS, metavar="DAYS", help="day of a table's estimates")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a folder that holds no export yet; made if missing")
    parser.add_argument("--formats", default="html,xlsx,csv,parquet,svg,png,pdf", metavar="F,F",
                        help="which files to write (default: %(default)s)")
    parser.add_argument("--all-causes", action="store_true", help="draw competing causes side by side")
    parser.add_argument("--verify", type=Path, metavar="FILE",
                        help="instead: whether the file is as it was exported; exit code 2 if it is not")
    parser.add_argument("--receipts", action="store_true", help="instead: list the newest receipts")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many receipts (default 50)")


def _run(options: argparse.Namespace) -> int:
    if options.verify is not None:
        return _verify(options)
    return _receipts(options) if options.receipts else _export(options)


def _export(options: argparse.Namespace) -> int:
    # the figure's library takes half a second to load, which other commands should not wait for
    from harmony_dash.export.files import parse_formats
    from harmony_dash.export.kinds import Looks
    from harmony_dash.services.exports import make_export

    if options.kind == "table-one" and options.endpoint is None:
        options.endpoint = "os"  # who is in a cohort does not hang on it
    for name in ("disease", "endpoint", "out"):
        if getattr(options, name) is None:
            raise QuestionError("is missing", where=f"--{name}",
                                remedy="An export needs --disease, --endpoint and --out; see `export --help`.")
    formats = parse_formats(options.formats)
    deployment = require_store(deployment_of(options))
    _check_folder(options.out)
    export = make_export(deployment, OPERATOR, _question(options), formats=formats,
                         interval=IntervalType(options.interval), days=parse_days(options.times),
                         looks=Looks(all_causes=options.all_causes))
    for file in export.bundle.files:
        _write_new(options.out / file.name, file.content)
    receipt = export.saved.receipt
    if options.json:
        print_json({"folder": str(options.out), **_as_json(export.saved)})
    else:
        show(receipt.title)
        for file in export.bundle.files:
            show(f"  {file.name:44} {len(file.content):>10,} bytes  {file.sha256[:16]}…")
    say(f"Receipt {receipt.number}, audit entry {export.saved.audit_id}: {len(receipt.files)} files in {options.out}.")
    return 0


def _question(options: argparse.Namespace) -> ExportQuestion:
    """The question of the chosen kind."""
    asked = question_of(options)
    if options.kind == "subgroups":
        strata = "trial" if options.strata is None else None if options.strata == NO_STRATA else options.strata
        return SubgroupsQuestion(replace(asked, strata=None), split_names(options.variables), strata,
                                 options.treatment, split_names(options.arms), options.at)
    if options.kind == "table-one":
        return TableOneQuestion(asked, split_names(options.variables))
    if options.kind == "outcome-map":
        return OutcomeMapQuestion(asked, options.columns, options.at)
    return asked


def _verify(options: argparse.Namespace) -> int:
    from harmony_dash.services.receipts import MOST_BYTES, Match, verify_export

    try:
        with options.verify.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise UserError(f"the file cannot be read ({problem.strerror})", where="--verify") from None
    found = verify_export(deployment_of(options), OPERATOR, content)
    if options.json:
        print_json({"match": found.match.value, "file": found.file, "receipt_intact": found.sealed,
                    "receipt": None if found.saved is None else _as_json(found.saved)})
    if found.match is Match.SAME and found.saved is not None and found.sealed:
        say(f"The file is {found.file} of receipt {_words(found.saved)}, unchanged.")
        return 0
    say(_doubt(found.match is Match.SAME, found.saved))
    return 2


def _doubt(same: bool, saved: SavedReceipt | None) -> str:
    """Why a file proves nothing."""
    if saved is None:
        return ("No receipt knows this file: it was not exported here, or was changed since. A CSV file names no "
                "receipt; check the other files of its export.")
    if same:
        return (f"The file fits receipt {saved.receipt.number}, but that receipt is not the one that the audit trail "
                "tells of; run `audit verify`.")
    return f"The file was changed: it names receipt {_words(saved)}, which has no such file."


def _receipts(options: argparse.Namespace) -> int:
    from harmony_dash.services.receipts import review_receipts

    found = review_receipts(deployment_of(options), OPERATOR, limit=options.limit)
    if options.json:
        print_json({"receipts": [_as_json(saved) for saved in found]})
        return 0
    if not found:
        say("Nothing was exported yet.")
    for saved in found:
        show(f"{_words(saved)}  {saved.receipt.title}")
    return 0


def _words(saved: SavedReceipt) -> str:
    receipt = saved.receipt
    return f"{receipt.number} ({receipt.made:%Y-%m-%d %H:%M} UTC, {receipt.username}, audit entry {saved.audit_id})"


def _as_json(saved: SavedReceipt) -> dict[str, object]:
    receipt = saved.receipt
    return {"receipt": receipt.number, "audit": saved.audit_id, "made": receipt.made.isoformat(),
            "username": receipt.username, "role": receipt.role, "title": receipt.title, "question": receipt.question,
            "fingerprint": receipt.fingerprint, "snapshot": receipt.snapshot, "level": receipt.level,
            "grant": receipt.grant, "data_sha256": receipt.data_sha256,
            "files": [{"name": file.name, "bytes": file.bytes, "sha256": file.sha256} for file in receipt.files]}


def _check_folder(folder: Path) -> None:
    """Before anything is recorded: whether the files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise UserError(f"files cannot be written there ({problem.strerror})", where="--out",
                        remedy="Name a folder that you may write to.") from None
    if (folder / _PROVENANCE).exists():
        raise UserError("the folder holds an export already", where="--out", remedy="Name another one.")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there: an export is no reason to lose another file."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as problem:
        raise UserError(f"{path.name} cannot be written ({problem.strerror})", where="--out",
                        remedy="Export again into an empty folder; this receipt's files are not complete.") from None
