"""`accounts`: who may sign in, and as what."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.cli.command import add_command, add_part, deployment_of, print_json, say, say_changed, show
from harmony_dash.services import people
from harmony_dash.services.deployment import Deployment

_ROLES = [role.value for role in Role if role is not Role.OPERATOR]


def add_accounts(commands: Any) -> None:
    """The command `accounts`."""
    parser = add_command(commands, "accounts", _list_accounts, makes_access=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add = _add_action(actions, "add", _add_account, "create an account; the password is asked for, or read from stdin")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=_ROLES)
    role = _add_action(actions, "role", _change_role, "change the role of an account; its sessions end")
    role.add_argument("role", choices=_ROLES)
    _add_action(actions, "password", _set_password, "set a new password; the account's sessions end")
    _add_action(actions, "disable", _disable, "shut an account; its sessions end")
    _add_action(actions, "enable", _enable, "open a disabled account")
    _add_action(actions, "reset-second-factor", _reset_second_factor,
                "take two-step sign-in off an account whose device is lost; its sessions end")
    _add_action(actions, "clear-attempts", _clear_attempts, "end the pause after failed attempts at a name")
    sessions = _add_action(actions, "sessions", _show_sessions, "list the open sessions of an account, or end them")
    sessions.add_argument("--end", action="store_true", help="end them all")


def _add_action(actions: Any, name: str, run: Callable[[argparse.Namespace], int], words: str
                ) -> argparse.ArgumentParser:
    """An action on one account."""
    action = add_part(actions, name, run, words)
    action.add_argument("username")
    return action


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


def _list_accounts(options: argparse.Namespace) -> int:
    rows = people.list_people(deployment_of(options), OPERATOR)
    if options.json:
        print_json({"accounts": [_person_json(row) for row in rows]})
        return 0
    for row in rows:
        marks = [mark for mark, holds in (("two-step sign-in", row.second_factor), ("demonstration", row.demo),
                                          ("identity provider", row.outside_identity)) if holds]
        last = row.last_sign_in.date().isoformat() if row.last_sign_in else "never"
        note = f" ({', '.join(marks)})" if marks else ""
        show(f"{row.username:24} {row.role.value:14} {'disabled' if row.disabled else 'open':9} {last:11} "
             f"{row.name}{note}")
    return 0


def _person_json(row: people.PersonRow) -> dict[str, object]:
    return {"username": row.username, "name": row.name, "role": row.role.value, "disabled": row.disabled,
            "demo": row.demo, "second_factor": row.second_factor, "outside_identity": row.outside_identity,
            "last_sign_in": _moment(row.last_sign_in), "open_sessions": row.open_sessions}


def _add_account(options: argparse.Namespace) -> int:
    deployment = deployment_of(options, first_account=True)
    people.add_person(deployment, OPERATOR, username=options.username, name=options.name, role=Role(options.role),
                      password=_read_password())
    return _done(deployment, options, "created", f"Account {options.username} created.")


def _change_role(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.change_person_role(deployment, OPERATOR, options.username, Role(options.role))
    return _done(deployment, options, "role changed", f"Account {options.username} is now {options.role}.")


def _set_password(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.set_person_password(deployment, OPERATOR, options.username, _read_password())
    return _done(deployment, options, "password set", f"Password of {options.username} changed.")


def _disable(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.disable_person(deployment, OPERATOR, options.username)
    return _done(deployment, options, "disabled", f"Account {options.username} is disabled.")


def _enable(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.enable_person(deployment, OPERATOR, options.username)
    return _done(deployment, options, "enabled", f"Account {options.username} is open.")


def _reset_second_factor(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.reset_person_second_factor(deployment, OPERATOR, options.username)
    return _done(deployment, options, "second factor reset",
                 f"Two-step sign-in of {options.username} is off; the person can turn it on again.")


def _clear_attempts(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    people.clear_person_attempts(deployment, OPERATOR, options.username)
    return _done(deployment, options, "attempts cleared", f"The failed attempts at {options.username} are forgotten.")


def _show_sessions(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    if options.end:
        count = people.end_person_sessions(deployment, OPERATOR, options.username)
        if options.json:
            print_json({"username": options.username, "ended": count})
        say(f"{count} session{'' if count == 1 else 's'} of {options.username} ended.")
        say_changed(deployment)
        return 0
    found = people.list_person_sessions(deployment, OPERATOR, options.username)
    if options.json:
        print_json({"username": options.username, "sessions": [
            {"id": one.id, "opened": _moment(one.opened), "last_seen": _moment(one.last_seen), "method": one.method}
            for one in found]})
        return 0
    for one in found:
        show(f"{one.id}  opened {one.opened:%Y-%m-%d %H:%M}  last seen {one.last_seen:%Y-%m-%d %H:%M} UTC  "
             f"{one.method}")
    return 0


def _done(deployment: Deployment, options: argparse.Namespace, action: str, words: str) -> int:
    """Say what was done, and where; with `--json`, also the account as it is now."""
    if options.json:
        wanted = options.username.strip().lower()
        rows = people.list_people(deployment, OPERATOR)
        account = next((_person_json(row) for row in rows if row.username == wanted), None)
        print_json({"action": action, "username": wanted, "account": account})
    say(words)
    say_changed(deployment)
    return 0


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
