"""The grants of a deployment: proposing, approving, ending and reading them. Every change is saved with its record."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.grant import NEEDED_APPROVALS, Grant, GrantProposal, GrantStatus
from harmony_dash.access.grant_proposals import check_country, check_member, check_proposal, check_text
from harmony_dash.access.grant_rules import check_user_can_approve
from harmony_dash.access.permissions import ROLE_PERMISSIONS, Permission, check_user_can, user_can
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, UserError


def propose_grant(database: AccessDatabase, proposal: GrantProposal, *, by: Actor, now: datetime) -> Grant:
    """Write a proposal; it opens nothing until two people have approved it.

    Raises
    ------
    AccessRefused if `by` may not propose grants.
    UserError for a part that is empty, too long, or a span of days that is over, reversed or longer than a year.
    """
    check_user_can(by, Permission.PROPOSE_GRANTS)
    proposal = check_proposal(proposal, now)
    with database.write() as connection:
        for username in proposal.members:
            check_member(connection, username)
        identifier = _next_id(connection, now)
        connection.execute(
            "insert into data_grant (id, project, purpose, diseases, countries, variables, level, valid_from, "
            "valid_to, proposed_by, proposed) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (identifier, proposal.project, proposal.purpose, _list(proposal.diseases), _list(proposal.countries),
             _list(proposal.variables), proposal.level.value, proposal.valid_from.isoformat(),
             proposal.valid_to.isoformat(), by.username, to_text(now)))
        connection.executemany("insert into grant_member (grant_id, username) values (?, ?)",
                               [(identifier, username) for username in proposal.members])
        # the whole of it, so that the trail can prove what was approved
        record(connection, AuditEvent.of(by, "grant proposed", grant=identifier, level=proposal.level.value,
                                         question=_canonical(proposal)), now=now)
    return find_grant(database, identifier)


def approve_grant(database: AccessDatabase, identifier: str, *, by: Actor, now: datetime) -> Grant:
    """Add one approval.

    Raises
    ------
    AccessRefused for somebody who may not approve this grant, see `check_user_can_approve`, or whose account was made
    or changed by the proposer or by the other approver, who could have signed in with it.
    """
    with database.write() as connection:
        # read inside the transaction: two approvals at once must not both be the first
        grant = _read_one(connection, identifier)
        check_user_can_approve(by, grant, now)
        approvers = _strike_lapsed(connection, grant, by, now)
        _check_apart(connection, by, grant.proposed_by, approvers)
        connection.execute("insert into grant_approval (grant_id, username, approved) values (?, ?, ?)",
                           (grant.id, by.username, to_text(now)))
        record(connection, AuditEvent.of(by, "grant approved", grant=grant.id), now=now)
    return find_grant(database, identifier)


def end_grant(database: AccessDatabase, identifier: str, reason: str, *, by: Actor, now: datetime) -> Grant:
    """Reject a proposal, or end a grant before its time; final, and in force at once.

    Whoever may propose or approve grants may end one.

    Raises
    ------
    AccessRefused, UserError for a grant that has ended already or a reason that is empty.
    """
    if not user_can(by, Permission.PROPOSE_GRANTS):
        check_user_can(by, Permission.APPROVE_GRANTS)
    reason = check_text(reason, "reason", "Say why in a few words; the members read it.")
    with database.write() as connection:
        grant = _read_one(connection, identifier)
        if grant.status(now) in (GrantStatus.ENDED, GrantStatus.EXPIRED):
            raise UserError(f"the grant {grant.id} is over already", where="grant")
        connection.execute("update data_grant set ended = ?, ended_by = ?, end_reason = ? where id = ?",
                           (to_text(now), by.username, reason, grant.id))
        record(connection, AuditEvent.of(by, "grant ended", grant=grant.id, reason=reason), now=now)
    return find_grant(database, identifier)


def remove_member(database: AccessDatabase, identifier: str, username: str, *, by: Actor, now: datetime) -> Grant:
    """Take a person out of a grant, in force at once. Nobody is ever added: that is a new grant.

    Raises
    ------
    AccessRefused, UserError for somebody who is not a member.
    """
    check_user_can(by, Permission.PROPOSE_GRANTS)
    with database.write() as connection:
        grant = _read_one(connection, identifier)
        if username not in grant.proposal.members:
            raise UserError(f"{username} is not a member of {grant.id}", where="member")
        connection.execute("update grant_member set removed = ? where grant_id = ? and username = ?",
                           (to_text(now), grant.id, username))
        record(connection, AuditEvent.of(by, "grant member removed", grant=grant.id, reason=username), now=now)
    return find_grant(database, identifier)


def withdraw_country(database: AccessDatabase, country: str, reason: str, *, by: Actor, now: datetime) -> None:
    """On a provider's word, shut a country's patients out of every answer to everybody, at once.

    Raises
    ------
    AccessRefused, UserError for a code that is not one of a country or a reason that is empty.
    """
    check_user_can(by, Permission.PROPOSE_GRANTS)
    country = check_country(country)
    reason = check_text(reason, "reason", "Say who asked for it.")
    with database.write() as connection:
        connection.execute("insert or ignore into withdrawn_country (country, withdrawn, withdrawn_by, reason) "
                           "values (?, ?, ?, ?)", (country, to_text(now), by.username, reason))
        record(connection, AuditEvent.of(by, "country withdrawn", reason=f"{country}: {reason}"), now=now)


def restore_country(database: AccessDatabase, country: str, reason: str, *, by: Actor, now: datetime) -> None:
    """Take a withdrawal back.

    Raises
    ------
    AccessRefused, UserError for a country that is not withdrawn or a reason that is empty.
    """
    check_user_can(by, Permission.PROPOSE_GRANTS)
    country = check_country(country)
    reason = check_text(reason, "reason", "Say who asked for it.")
    with database.write() as connection:
        if connection.execute("delete from withdrawn_country where country = ? returning country",
                              (country,)).fetchone() is None:
            raise UserError(f"{country} is not withdrawn", where="country")
        record(connection, AuditEvent.of(by, "country restored", reason=f"{country}: {reason}"), now=now)


def list_grants(database: AccessDatabase) -> tuple[Grant, ...]:
    """All grants there ever were, newest first."""
    with database.read() as connection:
        return _read(connection)


def find_grant(database: AccessDatabase, identifier: str) -> Grant:
    """One grant.

    Raises
    ------
    UserError if there is none of this id.
    """
    with database.read() as connection:
        return _read_one(connection, identifier)


def active_grant_ids(connection: sqlite3.Connection, username: str, now: datetime) -> tuple[str, ...]:
    """Ids of the grants that are active for a person, oldest first."""
    ids = [row[0] for row in connection.execute(
        "select grant_id from grant_member where username = ? and removed is null order by grant_id", (username,))]
    return tuple(grant.id for grant in sorted(_read(connection, ids), key=lambda grant: grant.id)
                 if grant.status(now) is GrantStatus.ACTIVE)


def withdrawn_countries(database: AccessDatabase) -> dict[str, str]:
    """Withdrawn country to the reason that was given."""
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(
            "select country, reason from withdrawn_country order by country")}


def _read(connection: sqlite3.Connection, ids: Sequence[str] | None = None) -> tuple[Grant, ...]:
    """Grants with their members, approvals and withdrawn countries, newest first."""
    if ids is not None and not ids:
        return ()
    chosen = "" if ids is None else f"where id in ({', '.join('?' * len(ids))})"
    rows = connection.execute(f"select * from data_grant {chosen} order by proposed desc, id desc",
                              tuple(ids or ())).fetchall()
    withdrawn = {row[0] for row in connection.execute("select country from withdrawn_country")}
    return tuple(_grant(connection, row, withdrawn) for row in rows)


def _read_one(connection: sqlite3.Connection, identifier: str) -> Grant:
    found = _read(connection, [identifier.strip()])
    if not found:
        raise UserError("there is no such grant", where="grant", remedy="Look it up in the list of grants.")
    return found[0]


def _grant(connection: sqlite3.Connection, row: sqlite3.Row, withdrawn: set[str]) -> Grant:
    members = tuple(r[0] for r in connection.execute(
        "select username from grant_member where grant_id = ? and removed is null order by username", (row["id"],)))
    approvals = connection.execute("select username, approved from grant_approval where grant_id = ? order by rowid",
                                   (row["id"],)).fetchall()
    approved = from_text(approvals[NEEDED_APPROVALS - 1]["approved"]) if len(approvals) >= NEEDED_APPROVALS else None
    countries = tuple(json.loads(row["countries"]))
    proposal = GrantProposal(
        row["project"], row["purpose"], tuple(json.loads(row["diseases"])), countries,
        tuple(json.loads(row["variables"])), Level(row["level"]), members, date.fromisoformat(row["valid_from"]),
        date.fromisoformat(row["valid_to"]))
    return Grant(row["id"], proposal, row["proposed_by"], from_text(row["proposed"]),
                 tuple(one["username"] for one in approvals), approved,
                 tuple(country for country in countries if country in withdrawn),
                 from_text(row["ended"]) if row["ended"] else None, row["ended_by"], row["end_reason"])


def _next_id(connection: sqlite3.Connection, now: datetime) -> str:
    year = f"G-{now.astimezone(UTC).year}-"
    count = connection.execute("select count(*) from data_grant where id like ?", (f"{year}%",)).fetchone()[0]
    return f"{year}{count + 1:03d}"


def _strike_lapsed(connection: sqlite3.Connection, grant: Grant, by: Actor, now: datetime) -> list[str]:
    """Take back the approvals of people who are out or may no longer approve; the approvers who are left."""
    left = []
    for username in grant.approvers:
        row = connection.execute("select role, disabled from account where username = ?", (username,)).fetchone()
        if row is not None and not row["disabled"] and Permission.APPROVE_GRANTS in ROLE_PERMISSIONS[Role(row["role"])]:
            left.append(username)
            continue
        connection.execute("delete from grant_approval where grant_id = ? and username = ?", (grant.id, username))
        record(connection, AuditEvent.of(by, "approval lapsed", grant=grant.id, reason=username), now=now)
    return left


def _check_apart(connection: sqlite3.Connection, by: Actor, proposer: str, approvers: Sequence[str]) -> None:
    """Refuse an approval if one of the three could have signed in as another.

    Whoever runs the server could do anything, so accounts that the operator made or changed are nobody's tool.
    """
    managers = {row["username"]: row["managed_by"] for row in connection.execute(
        "select username, managed_by from account")}
    others = {proposer, *approvers}
    clash = managers.get(by.username, "") in others - {Role.OPERATOR.value} or any(
        managers.get(username, "") == by.username for username in approvers)
    if clash:
        raise AccessRefused("this account was made or changed by somebody who proposed or approved this grant",
                            remedy="Somebody else has to propose or approve it; or whoever runs the server sets this "
                                   "account's password on the command line.")


def _canonical(proposal: GrantProposal) -> str:
    """The proposal as one line of JSON."""
    return json.dumps({**asdict(proposal), "level": proposal.level.value,
                       "valid_from": proposal.valid_from.isoformat(), "valid_to": proposal.valid_to.isoformat()},
                      sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return json.dumps(sorted(set(values)))
