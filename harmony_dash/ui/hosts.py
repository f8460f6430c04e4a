"""Host names, origins and what a browser says about where a request comes from."""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#@]+)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def host_name(host: str) -> str:
    """The name of a Host header without its port, in lower case; empty unless the whole header is `name[:port]`."""
    found = _HOST.fullmatch(host)
    return (found["six"] or found["name"]).lower() if found else ""


def is_allowed_host(host: str, allowed: list[str]) -> bool:
    """Whether a Host header names this application."""
    name = host_name(host)
    if not name:
        return False
    if not allowed:
        return is_own_machine(name)
    return any(rule == "*" or name == rule.lower() or (rule.startswith("*.") and name.endswith(rule[1:].lower()))
               for rule in allowed)


def is_own_machine(name: str) -> bool:
    """Whether a host name can only mean the machine itself."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header is that of a page served under this Host header, port included.

    The scheme is not compared: behind a proxy the browser speaks HTTPS and we hear HTTP.
    """
    found = _ORIGIN.fullmatch(origin)
    if not found or not host_name(host):
        return False
    default = _DEFAULT_PORTS[found["scheme"].lower()]
    return _with_port(found["host"], default) == _with_port(host, default)


def _with_port(host: str, default: str) -> tuple[str, str]:
    found = _HOST.fullmatch(host)
    return (host_name(host), found["port"] or default) if found else ("", "")


def is_from_own_page(headers: Headers) -> bool:
    """Whether a request was made by a page of ours, or typed by the person; no other site, no sibling domain."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # A browser too old to say so still names the origin of a POST.
    return is_same_origin(headers.get("origin", ""), headers.get("host", ""))
