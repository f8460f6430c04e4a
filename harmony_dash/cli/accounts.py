"""`accounts`: who may sign in, and as what."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from harmony_dash.access.accounts import (
    change_role,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.cli.command import add_command, deployment_of, print_json, say


def add_accounts(commands: Any) -> None:
    """The command `accounts`."""
    parser = add_command(commands, "accounts", _list_accounts, "List and change accounts.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    roles = [role.value for role in Role if role is not Role.OPERATOR]
    add = actions.add_parser("add", help="create an account; the password is asked for, or read from stdin")
    add.add_argument("username")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=roles)
    add.set_defaults(run=_add_account)
    role = actions.add_parser("role", help="change the role of an account; its sessions end")
    role.add_argument("username")
    role.add_argument("role", choices=roles)
    role.set_defaults(run=_change_role)
    for name, run, words in (("password", _set_password, "set a new password; its sessions end"),
                             ("disable", _disable, "shut an account; its sessions end"),
                             ("enable", _enable, "open a disabled account")):
        action = actions.add_parser(name, help=words)
        action.add_argument("username")
        action.set_defaults(run=run)


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


def _list_accounts(options: argparse.Namespace) -> int:
    accounts = list_accounts(deployment_of(options).access)
    if options.json:
        print_json({"accounts": [{"username": a.username, "name": a.name, "role": a.role.value,
                                   "disabled": a.disabled} for a in accounts]})
        return 0
    for account in accounts:
        print(f"{account.username:24} {account.role.value:14} {'disabled' if account.disabled else 'open':9} "
              f"{account.name}")
    return 0


def _add_account(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    create_account(deployment.access, username=options.username, name=options.name, role=Role(options.role),
                   password=_read_password(), by=OPERATOR, now=deployment.now())
    say(f"Account {options.username} created.")
    return 0


def _change_role(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    change_role(deployment.access, options.username, Role(options.role), by=OPERATOR, now=deployment.now())
    say(f"Account {options.username} is now {options.role}.")
    return 0


def _set_password(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    set_password(deployment.access, options.username, _read_password(), by=OPERATOR, now=deployment.now())
    say(f"Password of {options.username} changed.")
    return 0


def _disable(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    disable_account(deployment.access, options.username, by=OPERATOR, now=deployment.now())
    say(f"Account {options.username} is disabled.")
    return 0


def _enable(options: argparse.Namespace) -> int:
    deployment = deployment_of(options)
    enable_account(deployment.access, options.username, by=OPERATOR, now=deployment.now())
    say(f"Account {options.username} is open.")
    return 0
