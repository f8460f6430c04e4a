"""What an entry of the audit trail tells, in words: who, what was done or asked, and why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from harmony_dash.access.actor import Role
from harmony_dash.cohort.describe import describe_question
from harmony_dash.cohort.question import question_from_json
from harmony_dash.cohort.what_if_question import is_what_if, what_if_from_json
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import UserError
from harmony_dash.services.what_if_words import write_title
from harmony_dash.ui.components.access_words import variable_label
from harmony_dash.ui.components.text import capital
from harmony_dash.ui.theme import ROLE_LABELS

# The actions of the code, in the words of a committee; what is refused is told by the same words and its decision.
ACTIONS: Mapping[str, str] = {
    "survival": "Survival question", "subgroups": "Table of subgroups", "what-if": "Comparison of treatments",
    "table one": "Characteristics by group",
    "outcome map": "Map of outcomes", "count choices": "Counts in the cohort panel",
    "export": "Export", "preview export": "Preview of an export", "list receipts": "List of receipts of exports",
    "verify export": "Checked an exported file",
    "review differencing": "Looked for questions about nearly the same patients",
    "review coverage": "Coverage", "compare coverage": "Changes of coverage", "feasibility": "Can a question be asked",
    "describe release": "Contents of the release",
    "signed in": "Signed in", "signed out": "Signed out", "sign-in": "Tried to sign in",
    "session ended": "Ended a session", "sessions ended": "Ended sessions",
    "grant proposed": "Proposed a grant", "grant approved": "Approved a grant", "grant ended": "Ended a grant",
    "grant member removed": "Took a person out of a grant", "country withdrawn": "Withdrew a country",
    "country restored": "Restored a country",
    "propose grant": "Tried to propose a grant", "approve grant": "Tried to approve a grant",
    "end grant": "Tried to end a grant", "remove grant member": "Tried to take a person out of a grant",
    "withdraw country": "Tried to withdraw a country", "restore country": "Tried to restore a country",
    "account created": "Added a person", "account disabled": "Disabled an account",
    "account enabled": "Enabled an account", "role changed": "Changed a role", "password set": "Set a password",
    "own password changed": "Changed their own password", "attempts cleared": "Cleared failed attempts",
    "second factor turned on": "Turned two-step sign-in on", "second factor turned off": "Turned two-step sign-in off",
    "second factor reset": "Reset two-step sign-in",
    "add account": "Tried to add a person", "disable account": "Tried to disable an account",
    "enable account": "Tried to enable an account", "change role": "Tried to change a role",
    "set password": "Tried to set a password", "reset second factor": "Tried to reset two-step sign-in",
    "clear attempts": "Tried to clear failed attempts", "list sessions": "Tried to list a person's sessions",
    "end sessions": "Tried to end a person's sessions", "see own account": "Tried to open their own account",
    "list own sessions": "Tried to list their own sessions", "end own session": "Tried to end a session of their own",
    "end own sessions": "Tried to end their own sessions", "change own password": "Tried to change their own password",
    "start second factor": "Tried to set two-step sign-in up",
    "turn on second factor": "Tried to turn two-step sign-in on",
    "turn off second factor": "Tried to turn two-step sign-in off", "list people": "List of people",
    "list grants": "List of grants", "list own grants": "List of own grants",
    "list withdrawn countries": "List of withdrawn countries",
    "read audit trail": "Read the audit trail", "export audit trail": "Downloaded the audit trail",
    "verify audit trail": "Checked the audit trail", "export audit head": "Exported the head of the trail",
    "review data quality": "Data quality", "sign off data quality": "Signed off the data of a source",
    "write quality report": "Prepared a report on data quality",
    "ingest": "Published a release", "roll back": "Went back to an earlier release",
    "list snapshots": "List of releases",
    "clock accepted": "Accepted the clock", "accept clock": "Tried to accept the clock",
    "audit chain begun": "Chaining of the trail began",
    "audit head missing": "Head of the trail was missing",
}
_RECORDED_QUESTION = re.compile(r"([0-9a-f]{16}) (\{.*)", re.DOTALL)
_COUNTED_BY = " counted by "
_LONGEST = 160
_PAGE = "page: "


def action_words(action: str) -> str:
    """What was done or asked for; an action that has no words yet is shown as it stands."""
    if action.startswith(_PAGE):
        return f"Tried to open a page: {action.removeprefix(_PAGE)}"
    return ACTIONS.get(action) or capital(action)


def what_words(action: str, question: str, dictionary: Dictionary) -> str:
    """What was done, and to what question."""
    words = question_words(question, dictionary)
    if action == "survival" and _RECORDED_QUESTION.fullmatch(question):
        return capital(words)  # its title says what it is
    return f"{action_words(action)}: {words}" if words else action_words(action)


def question_words(question: str, dictionary: Dictionary) -> str:
    """A recorded question as its title; its fingerprint where this version cannot read it.

    Parameters
    ----------
    question : as the trail holds it: fingerprint and canonical JSON, a disease, conditions, or any short text.
    """
    recorded = _RECORDED_QUESTION.fullmatch(question)
    if recorded:
        fingerprint, rest = recorded.groups()
        return _title(rest, dictionary) or f"question {fingerprint}"
    if question in dictionary.diseases:
        return dictionary.diseases[question].label
    if question.startswith("{"):
        return _conditions(question)
    return _cut(question)


def role_words(role: str) -> str:
    """The role an entry names; empty for nobody, and for the command line, which is no person."""
    if role == Role.OPERATOR:
        return ""
    return ROLE_LABELS[Role(role)] if role in set(Role) else role


def _title(text: str, dictionary: Dictionary) -> str:
    try:
        value, end = json.JSONDecoder().raw_decode(text)
        title = (write_title(what_if_from_json(value), dictionary) if is_what_if(value)
                 else describe_question(question_from_json(value), dictionary))
    except (ValueError, KeyError, RecursionError, UserError):
        return ""
    rest = text[end:]
    if not rest.startswith(_COUNTED_BY):
        return title
    names = rest.removeprefix(_COUNTED_BY).split(", ")
    return f"{title}; counted by {', '.join(variable_label(name, dictionary) for name in names)}"


def _conditions(text: str) -> str:
    """What somebody looked for in the trail."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _cut(text)
    return _cut(", ".join(f"{name} {part}" for name, part in value.items())) if isinstance(value, dict) else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
