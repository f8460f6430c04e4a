"""The quality of a source as files for its provider."""

from __future__ import annotations

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.export.quality_report import write_quality_csv, write_quality_html
from harmony_dash.export.quality_tables import write_quality_tables
from harmony_dash.services.audited import check_and_record, record_answer
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.quality import ask_quality

ACTION = "write quality report"


def write_quality_report(deployment: Deployment, actor: Actor, source: str) -> tuple[bytes, bytes, bytes]:
    """A page, the checks and what stands behind them, of one source of the served snapshot; protected and recorded.

    Returns
    -------
    HTML and CSV, both UTF-8, and a ZIP of further CSV files.

    Raises
    ------
    AccessRefused, QuestionError, StoreError, AuditUnavailable.
    """
    check_and_record(deployment, actor, Permission.VIEW_QUALITY, ACTION, question=source[:40])
    released = ask_quality(deployment, actor, source)
    made = deployment.now().strftime("%Y-%m-%d %H:%M UTC")
    files = (write_quality_html(released, made), write_quality_csv(released),
             write_quality_tables(released, f"quality-{source}"))
    record_answer(deployment, actor, ACTION, question=source, snapshot=released.value.snapshot,
                  level=released.scope.level)
    return files
