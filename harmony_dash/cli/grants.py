"""`grants`: who may see which variables of which countries, until when.

Approving is not possible here: it takes two people who have signed in, and the command line knows nobody by name.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import date
from typing import Any

from harmony_dash.access.actor import OPERATOR
from harmony_dash.access.grant import NEEDED_APPROVALS, GrantProposal
from harmony_dash.cli.command import add_command, add_part, deployment_of, print_json, say, say_changed, show
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services import grants
from harmony_dash.services.grants import GrantInfo

_APPROVING = ("A grant cannot be approved on the command line: that takes two people who have signed in, on the Access "
              "page, and who neither proposed it nor are in it.")


def add_grants(commands: Any) -> None:
    """The command `grants`."""
    parser = add_command(commands, "grants", _list, makes_access=False)
    parser.description = f"List and change grants. {_APPROVING}"
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_part(actions, "list", _list, "every grant there ever was, newest first (the default)")
    one = add_part(actions, "show", _show, "one grant with all that was written about it")
    one.add_argument("id", metavar="ID")
    _add_propose(actions)
    end = add_part(actions, "end", _end, "reject a proposal or end a grant; final, and in force at once")
    end.add_argument("id", metavar="ID")
    end.add_argument("--reason", required=True, help="the members read it")
    remove = add_part(actions, "remove-member", _remove_member, "take a person out of a grant, in force at once")
    remove.add_argument("id", metavar="ID")
    remove.add_argument("username", metavar="ACCOUNT")
    for name, run, words in (
            ("withdraw-country", _withdraw, "shut a country's patients out of every answer to everybody, at once"),
            ("restore-country", _restore, "take a withdrawal back")):
        action = add_part(actions, name, run, words)
        action.add_argument("country", metavar="CODE", help="two letters of ISO 3166, e.g. NL")
        action.add_argument("--reason", required=True, help="who asked for it")
    add_part(actions, "withdrawn", _withdrawn, "the countries that are withdrawn, and why")


def _add_propose(actions: Any) -> None:
    action = add_part(actions, "propose", _propose, "write a proposal; it opens nothing until it is approved")
    action.description = f"Write a proposal; it opens nothing until it is approved. {_APPROVING}"
    action.add_argument("--project", required=True, help="the name that the committee knows")
    action.add_argument("--purpose", required=True, help="what the data are needed for")
    for name, words in (("disease", "a disease code, e.g. ALL"), ("country", "two letters of ISO 3166, e.g. NL"),
                        ("variable", "a variable of the dictionary"), ("member", "the account of an analyst")):
        action.add_argument(f"--{name}", required=True, action="append", metavar="A,B",
                            help=f"{words}; repeatable, or separated by commas")
    action.add_argument("--level", required=True, choices=[level.value for level in Level],
                        help="protected results, or exact aggregates on screen")
    action.add_argument("--from", required=True, dest="valid_from", metavar="YYYY-MM-DD", help="the first day")
    action.add_argument("--to", required=True, dest="valid_to", metavar="YYYY-MM-DD",
                        help="the last day; at most twelve months after the first")


def _list(options: argparse.Namespace) -> int:
    found = grants.list_all_grants(deployment_of(options), OPERATOR)
    if options.json:
        print_json({"grants": [grant_as_json(grant) for grant in found]})
        return 0
    if not found:
        say("There are no grants.")
    for grant in found:
        show(f"{grant.id:12} {_status(grant):34} {grant.level.value:10} {grant.project}  "
             f"({', '.join(grant.members) or 'no member left'})")
    return 0


def _show(options: argparse.Namespace) -> int:
    found = grants.list_all_grants(deployment_of(options), OPERATOR)
    grant = next((grant for grant in found if grant.id == options.id.strip()), None)
    if grant is None:
        raise UserError("there is no such grant", where=options.id[:40], remedy="List them with `grants`.")
    return _print_grant(options, grant)


def _propose(options: argparse.Namespace) -> int:
    proposal = GrantProposal(
        project=options.project, purpose=options.purpose, diseases=_split(options.disease),
        countries=_split(options.country), variables=_split(options.variable), level=Level(options.level),
        members=_split(options.member), valid_from=_day(options.valid_from, "--from"),
        valid_to=_day(options.valid_to, "--to"))
    deployment = deployment_of(options)
    grant = grants.propose_grant(deployment, OPERATOR, proposal)
    say(f"Proposed {grant.id}. {_APPROVING}")
    say_changed(deployment)
    return _print_grant(options, grant)


def _end(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    grant = grants.end_grant(deployment, OPERATOR, options.id, options.reason)
    say(f"{grant.id} has ended; nobody can ask under it any more.")
    say_changed(deployment)
    return _print_grant(options, grant) if options.json else 0


def _remove_member(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    grant = grants.remove_member(deployment, OPERATOR, options.id, options.username.strip().lower())
    say(f"{options.username} is no longer a member of {grant.id}.")
    say_changed(deployment)
    return _print_grant(options, grant) if options.json else 0


def _withdraw(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    grants.withdraw_country(deployment, OPERATOR, options.country, options.reason)
    say(f"{options.country.strip().upper()} is withdrawn: its patients are in no answer any more.")
    say_changed(deployment)
    return _withdrawn(options) if options.json else 0


def _restore(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    grants.restore_country(deployment, OPERATOR, options.country, options.reason)
    say(f"{options.country.strip().upper()} is restored: its patients are in the answers again.")
    say_changed(deployment)
    return _withdrawn(options) if options.json else 0


def _withdrawn(options: argparse.Namespace) -> int:
    found = grants.list_withdrawn_countries(deployment_of(options), OPERATOR)
    if options.json:
        print_json({"withdrawn": [{"country": one.country, "reason": one.reason} for one in found]})
        return 0
    if not found:
        say("No country is withdrawn.")
    for one in found:
        show(f"{one.country}  {one.reason}")
    return 0


def grant_as_json(grant: GrantInfo) -> dict[str, Any]:
    """Plain values of a grant."""
    return {
        "id": grant.id, "status": grant.status.value, "project": grant.project, "purpose": grant.purpose,
        "diseases": list(grant.diseases), "countries": list(grant.countries), "withdrawn": list(grant.withdrawn),
        "variables": list(grant.variables), "level": grant.level.value, "members": list(grant.members),
        "proposed_by": grant.proposed_by, "approvers": list(grant.approvers),
        "approvals_missing": grant.approvals_missing, "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(), "days_left": grant.days_left, "end_reason": grant.end_reason}


def _print_grant(options: argparse.Namespace, grant: GrantInfo) -> int:
    if options.json:
        print_json(grant_as_json(grant))
        return 0
    rows = (("project", grant.project), ("purpose", grant.purpose), ("status", _status(grant)),
            ("level", grant.level.value), ("diseases", ", ".join(grant.diseases)),
            ("countries", ", ".join(grant.countries) or "none any more"), ("withdrawn", ", ".join(grant.withdrawn)),
            ("variables", ", ".join(grant.variables)), ("members", ", ".join(grant.members) or "none left"),
            ("from, to", f"{grant.valid_from} to {grant.valid_to}"), ("proposed by", grant.proposed_by),
            ("approved by", ", ".join(grant.approvers) or "nobody yet"), ("ended because", grant.end_reason))
    show(grant.id)
    for name, words in rows:
        if words:
            show(f"  {name:14} {words}")
    return 0


def _status(grant: GrantInfo) -> str:
    words = grant.status.value
    if words == "proposed":
        return f"proposed, {grant.approvals_missing} of {NEEDED_APPROVALS} approvals missing"
    return f"active, {grant.days_left} days left" if words == "active" else words


def _split(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UserError(f"'{text[:20]}' is not a day", where=option,
                        remedy="Write year, month and day, e.g. 2027-01-31.") from None
