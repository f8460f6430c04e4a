"""Our cookies: how they are called, set and read.

Where they travel encrypted their names begin with `__Host-`. A browser takes such a cookie from this very host alone;
one without may be planted by any host of the same domain, and would put a person into somebody else's session.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection

from harmony_dash.ui.hosts import host_name, is_own_machine

HOST_PREFIX = "__Host-"


def read_own_cookie(cookies: Mapping[str, str], host: str, name: str) -> str:
    """The value of a cookie of ours; empty if the browser showed none.

    The name without prefix counts on one's own machine only, where it may have been set over plain HTTP.

    Parameters
    ----------
    host : the Host header of the request that brought the cookies.
    name : without prefix.
    """
    value = cookies.get(f"{HOST_PREFIX}{name}", "")
    if not value and is_own_machine(host_name(host)):
        return cookies.get(name, "")
    return value


def own_cookie_of(connection: HTTPConnection, name: str) -> str:
    """The value of a cookie of ours that came with a request; empty without one."""
    return read_own_cookie(connection.cookies, connection.headers.get("host", ""), name)


def build_own_cookie(connection: HTTPConnection, name: str, value: str, *, expire: bool = False,
                     seconds: int | None = None) -> str:
    """`build_cookie` for a cookie of ours; `name` is without prefix."""
    prefix = HOST_PREFIX if must_be_secure(connection) else ""
    return build_cookie(connection, f"{prefix}{name}", value, expire=expire, seconds=seconds)


def build_cookie(connection: HTTPConnection, name: str, value: str, *, expire: bool = False,
                 seconds: int | None = None) -> str:
    """A Set-Cookie line that scripts cannot read and other sites cannot use.

    Parameters
    ----------
    expire : have the browser forget it.
    seconds : how long the browser keeps it; None until it is closed.
    """
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if must_be_secure(connection):
        parts.append("Secure")
    if expire or seconds is not None:
        parts.append(f"Max-Age={0 if expire else seconds}")
    return "; ".join(parts)


def must_be_secure(connection: HTTPConnection) -> bool:
    """Whether a cookie may travel encrypted only.

    Always, except over plain HTTP to one's own machine, where some browsers would then drop it.
    """
    return (connection.url.scheme in ("https", "wss")
            or not is_own_machine(host_name(connection.headers.get("host", ""))))
