"""What a proposal must hold before anybody is asked to approve it."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from harmony_dash.access.actor import Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError

LONGEST_TEXT = 1000
_COUNTRY = re.compile(r"[A-Z]{2}")


def check_proposal(proposal: GrantProposal, now: datetime) -> GrantProposal:
    """The proposal in its one form: texts trimmed, lists sorted.

    Raises
    ------
    UserError for a part that is empty or too long, or a span of days that is over, reversed or longer than a year.
    """
    today = now.astimezone(UTC).date()
    if proposal.valid_to < proposal.valid_from:
        raise UserError("the last day lies before the first", where="valid_to", remedy="Swap the two days.")
    if proposal.valid_to < today:
        raise UserError("the last day is over already", where="valid_to", remedy="Choose a later day.")
    last = _year_after(proposal.valid_from) - timedelta(days=1)
    if proposal.valid_to > last:
        raise UserError("a grant lasts at most twelve months", where="valid_to",
                        remedy=f"End it by {last}.")
    parts = {"disease": proposal.diseases, "country": proposal.countries, "variable": proposal.variables,
             "member": proposal.members}
    for name, values in parts.items():
        if not values:
            raise UserError(f"the grant names no {name}", where=name, remedy=f"Name at least one {name}.")
    if proposal.level not in (Level.PROTECTED, Level.EXACT):
        raise UserError("a grant is for protected or for exact results", where="level")
    return replace(
        proposal, project=check_text(proposal.project, "project", "Give the name that the committee knows."),
        purpose=check_text(proposal.purpose, "purpose", "Say in a sentence what the data are needed for."),
        countries=tuple(sorted({check_country(country) for country in proposal.countries})),
        diseases=tuple(sorted(set(proposal.diseases))), variables=tuple(sorted(set(proposal.variables))),
        members=tuple(sorted({member.strip().lower() for member in proposal.members})))


def check_text(text: str, where: str, remedy: str) -> str:
    """The text on one line; raises `UserError` if it is empty or too long."""
    text = " ".join(text.split())
    if any(unicodedata.category(character).startswith("C") for character in text):
        raise UserError("this holds characters that cannot be seen", where=where, remedy="Type it anew.")
    if not text or len(text) > LONGEST_TEXT:
        raise UserError("this is empty" if not text else f"this is longer than {LONGEST_TEXT} characters", where=where,
                        remedy=remedy)
    return text


def check_country(code: str) -> str:
    """The two capital letters of a country; raises `UserError` on anything else."""
    code = code.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise UserError(f"'{code[:20]}' is not the code of a country", where="country",
                        remedy="Use the two letters of ISO 3166, e.g. NL.")
    return code


def check_member(connection: sqlite3.Connection, username: str) -> None:
    """Raise `UserError` unless the name is that of an analyst with an open account."""
    row = connection.execute("select role, disabled from account where username = ?", (username,)).fetchone()
    if row is None or row["disabled"]:
        raise UserError(f"there is no open account '{username}'", where="member",
                        remedy="Make the account first, or leave the person out.")
    if row["role"] != Role.ANALYST:
        raise UserError(f"{username} is not an analyst", where="member",
                        remedy="Grants are for analysts; change the role first, or leave the person out.")


def _year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 2, 28)  # from the 29th of February
