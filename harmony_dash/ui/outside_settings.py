"""Whether people sign in through an identity provider, and which one.

Streamlit's own settings of it stand in the [auth] section of secrets.toml, ours in the environment. Both are checked
before the first request and read once: whoever changes them starts the application anew.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from harmony_dash.access.outside_claims import OutsideRules, read_group_roles
from harmony_dash.errors import SettingsError
from harmony_dash.settings import Settings, check_secret
from harmony_dash.ui.hosts import is_allowed_host, is_own_machine
from harmony_dash.ui.startup import get_deployment

_log = logging.getLogger("harmony_dash.outside_settings")

CALLBACK_PATH = "/oauth2callback"
_REQUIRED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_KNOWN = frozenset({*_REQUIRED, "client_kwargs"})


@dataclass(frozen=True)
class OutsideSignIn:
    """Sign-in through an identity provider.

    Attributes
    ----------
    rules : whom the deployment believes.
    origin : the one address of this application to which the provider sends people back.
    label : words on the button.
    """

    rules: OutsideRules
    origin: str
    label: str


@functools.cache
def outside_sign_in() -> OutsideSignIn | None:
    """How people sign in through an identity provider; None if they do not.

    Raises
    ------
    SettingsError for a set-up that would be unsafe or could not work.
    """
    settings = get_deployment().settings
    files = [Path(name) for name in st.get_option("secrets.files") or () if Path(name).exists()]
    if files and not st.secrets.load_if_toml_exists():
        raise SettingsError("the file of secrets cannot be read", where="secrets.toml",
                            remedy="Correct its TOML, or remove it.")
    auth = st.secrets.get("auth") if files else None
    if auth is None:
        if settings.oidc_groups:
            _log.warning("HARMONY_OIDC_GROUPS is set, but no identity provider is: secrets.toml has no [auth] section")
        return None
    _check_modes(files)
    if not isinstance(auth, Mapping):
        raise _auth_refused("auth", "this is not a section", "Write [auth] above its settings.")
    return read_outside_sign_in(auth, settings, port=st.get_option("server.port"),
                                allowed_hosts=list(st.get_option("server.allowedHosts") or ()))


def read_outside_sign_in(auth: Mapping[str, object], settings: Settings, *, port: int, allowed_hosts: list[str]
                         ) -> OutsideSignIn:
    """The set-up from Streamlit's section and our settings.

    Parameters
    ----------
    auth : the [auth] section.
    port : what `{port}` in the address of return stands for.
    allowed_hosts : the host names the application answers to.

    Raises
    ------
    SettingsError for the first thing that is unsafe or cannot work.
    """
    values = {name: _text(auth, name) for name in _REQUIRED}
    # More than one provider would need a word about which of them may make whom; exposed tokens would reach the pages.
    for name in sorted(set(auth) - _KNOWN):
        raise _auth_refused(name, "this is not supported", "Describe one provider, in [auth] itself; see "
                            "docs/sign-in.md.")
    check_secret("auth.cookie_secret", values["cookie_secret"].encode())
    _check_scope(auth.get("client_kwargs", {}))
    _check_address("server_metadata_url", values["server_metadata_url"])
    back = values["redirect_uri"].replace("{port}", str(port))
    _check_address("redirect_uri", back)
    parts = urlsplit(back)
    if parts.path != CALLBACK_PATH or parts.query or parts.fragment:
        raise _auth_refused("redirect_uri", "people could not be sent back here",
                            f"End it with {CALLBACK_PATH} right after the host name.")
    if not is_allowed_host(parts.netloc, allowed_hosts):
        raise _auth_refused("redirect_uri", "the application does not answer to this host name",
                            "Name it in server.allowedHosts, too.")
    rules = OutsideRules(values["client_id"], read_group_roles(settings.oidc_groups), settings.oidc_groups_claim)
    return OutsideSignIn(rules, f"{parts.scheme}://{parts.netloc}", settings.oidc_label)


def _text(auth: Mapping[str, object], name: str) -> str:
    value = auth.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _auth_refused(name, "this is missing", "Add it as a text; docs/sign-in.md has a sample.")
    return value


def _check_scope(options: object) -> None:
    """Without the scope openid there is neither a nonce nor an ID token."""
    if not isinstance(options, Mapping):
        raise _auth_refused("client_kwargs", "this is not a table", 'Write e.g. { prompt = "login" }.')
    scope = options.get("scope", "openid")
    if "openid" not in (scope.split() if isinstance(scope, str) else scope if isinstance(scope, Iterable) else ()):
        raise _auth_refused("client_kwargs.scope", "the scope openid is missing", 'Write e.g. "openid email profile".')


def _check_address(name: str, address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own_machine(parts.hostname or "")):
        raise _auth_refused(name, "identities would travel unencrypted", "Use an address that begins with https://.")


def _check_modes(files: list[Path]) -> None:
    for file in files:
        if os.name == "posix" and file.is_file() and file.stat().st_mode & 0o077:
            raise SettingsError("the file of secrets can be read by others", where=file.name,
                                remedy=f"Run `chmod 600` on {file.name}.")


def _auth_refused(name: str, problem: str, remedy: str) -> SettingsError:
    return SettingsError(problem, where="auth" if name == "auth" else f"auth.{name}", remedy=remedy)
