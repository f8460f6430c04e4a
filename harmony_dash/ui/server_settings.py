"""Which settings of the web server the application refuses to run with."""

from __future__ import annotations

from collections.abc import Callable

from harmony_dash.access.demo import is_loopback
from harmony_dash.errors import SettingsError

_REQUIRED = {
    "server.enableAgentApi": (False, "programs could use the application without a browser"),
    "server.enableStaticServing": (False, "files would be served without sign-in"),
    "server.enableXsrfProtection": (True, "other sites could send uploads"),
    "server.enableCORS": (True, "other sites could open the application's websocket"),
    "server.baseUrlPath": ("", "the gate knows its addresses from the root of the host only"),
    "client.showErrorDetails": ("none", "error messages may hold values of patients"),
    "browser.gatherUsageStats": (False, "nothing may leave this machine"),
}


def check_server_settings(get_option: Callable[[str], object]) -> None:
    """Raise `SettingsError` for the first setting that would open a door.

    Parameters
    ----------
    get_option : usually `streamlit.get_option`.
    """
    for name, (wanted, reason) in _REQUIRED.items():
        if get_option(name) != wanted:
            raise SettingsError(f"the setting must be {wanted!r}, because otherwise {reason}", where=name,
                                remedy="Change it back in .streamlit/config.toml, or drop the option that sets it.")
    if get_option("server.trustedUserHeaders"):
        raise SettingsError("identity comes from our own sessions only", where="server.trustedUserHeaders",
                            remedy="Remove the setting.")
    if not is_loopback(str(get_option("server.address") or "")) and not get_option("server.allowedHosts"):
        raise SettingsError("the server can be reached from other machines, but no host name is named",
                            where="server.allowedHosts",
                            remedy="List the host names that people use, or bind to 127.0.0.1.")
