"""A server of the application that a provider is set up for, and people whom the provider knows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harmony_dash.access.accounts import ACCOUNT_ROLES
from tests.security.oidc_provider import CLIENT_ID, CLIENT_SECRET, Person, Provider
from tests.security.server import Server, start_server

GROUPS = ";".join(f"allbd-{role.value}={role.value}" for role in ACCOUNT_ROLES)
LABEL = "Sign in with the hospital"
# What the sign-in page says.
NO_ROLE = "Your organisation's account is known, but none of its groups has a role here. Ask a data manager."
FAILED = "Signing in with your organisation did not work"


def person_of(*groups: str) -> Person:
    """Somebody whom the provider has never seen, in groups of which those named after a role have it."""
    number = secrets.token_hex(4)
    return Person(f"subject-{number}", f"person.{number}", f"Person {number}",
                  tuple(f"allbd-{name}" for name in groups))


def write_secrets(file: Path, provider: str, **changes: str) -> Path:
    """Write the file of secrets for the provider at this address, with some values changed."""
    values = {"redirect_uri": "http://127.0.0.1:{port}/oauth2callback", "cookie_secret": secrets.token_hex(32),
              "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
              "server_metadata_url": f"{provider}/.well-known/openid-configuration", **changes}
    file.write_text("[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    file.chmod(0o600)
    return file


@contextmanager
def start_oidc_server(folder: Path, provider: Provider) -> Iterator[Server]:
    """Run the application with the provider; each role has a group."""
    file = write_secrets(folder / "secrets.toml", provider.url)
    with start_server(folder / "data", options=("--secrets.files", str(file)),
                      environment={"HARMONY_OIDC_GROUPS": GROUPS, "HARMONY_OIDC_LABEL": LABEL}) as running:
        yield running
