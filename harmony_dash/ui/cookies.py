"""Set-Cookie lines of ours."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from harmony_dash.ui.hosts import host_name, is_own_machine


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
