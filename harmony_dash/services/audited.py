"""The first and the last line of every service: may this person, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, Decision, record_event
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services.deployment import Deployment


def check_and_record(deployment: Deployment, actor: Actor, permission: Permission, action: str, *,
                     question: str = "", grant: str = "") -> None:
    """Let the actor pass, or record the refusal and raise it.

    Raises
    ------
    AccessRefused with a reason that may be shown.
    """
    try:
        check_user_can(actor, permission)
    except AccessRefused as refused:
        record_refusal(deployment, actor, action, refused, question=question, grant=grant)
        raise


@contextmanager
def refusals_recorded(deployment: Deployment, actor: Actor, action: str, question: str, *,
                      grant: str = "") -> Iterator[None]:
    """Record a question that cannot be asked before its refusal goes to the person."""
    try:
        yield
    except UserError as refused:
        record_refusal(deployment, actor, action, refused, question=question, grant=grant)
        raise


def record_refusal(deployment: Deployment, actor: Actor, action: str, refused: UserError, *, question: str = "",
                   grant: str = "") -> None:
    """Record that something was asked for and why it was not given.

    Raises
    ------
    AuditUnavailable.
    """
    record_event(deployment.access, AuditEvent.of(actor, action, question=question, decision=Decision.REFUSED,
                                                  reason=refused.problem, grant=grant), now=deployment.now())


def record_answer(deployment: Deployment, actor: Actor, action: str, *, question: str = "", snapshot: str = "",
                  level: str = "", n: int | None = None, grant: str = "") -> None:
    """Record what is about to be handed over; if the trail cannot be written, nothing is.

    Raises
    ------
    AuditUnavailable.
    """
    event = answer_event(actor, action, question=question, snapshot=snapshot, level=level, n=n, grant=grant)
    record_event(deployment.access, event, now=deployment.now())


def answer_event(actor: Actor, action: str, *, question: str = "", snapshot: str = "", level: str = "",
                 n: int | None = None, grant: str = "") -> AuditEvent:
    """The line of an answer.

    The trail is read by people who may see protected results only, so of an exact answer it keeps the size as they
    might see it: none under ten, else the multiple of five below it.
    """
    if n is not None and level == Level.EXACT:
        n = n - n % 5 if n >= 10 else None
    return AuditEvent.of(actor, action, question=question, snapshot=snapshot, level=level, n=n, grant=grant)
