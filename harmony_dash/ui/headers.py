"""Security headers for every answer.

The content security policy is the strictest under which the application works: scripts come from this server alone or
are named by their hash, nothing is evaluated from text, and nothing may be loaded from, sent to, or framed by any
other place. Two looser parts are needed: styles inside elements (the interface library writes them) and blob workers.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harmony_dash.errors import SettingsError
from harmony_dash.ui.browser_scripts import END_SCRIPT, ESTABLISH_SCRIPT, script_hash

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# Files whose names change with their content: Streamlit lets browsers keep them.
_CACHEABLE = ("/static/", "/component/", "/_stcore/bidi-components/")


def _inline_hashes(page: Path) -> list[str]:
    """Hashes of the inline scripts of a page that an installed package ships."""
    return [script_hash(script) for script in _INLINE_SCRIPT.findall(page.read_text(encoding="utf-8"))]


def _policy(script_hashes: list[str], frame_ancestors: str) -> str:
    return "; ".join((
        "default-src 'none'",
        f"script-src 'self' {' '.join(script_hashes)}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        f"frame-ancestors {frame_ancestors}",
    ))


def build_page_policy() -> str:
    """The policy of the application itself."""
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    return _policy([*_inline_hashes(index), script_hash(ESTABLISH_SCRIPT), script_hash(END_SCRIPT)], "'none'")


def build_component_policy() -> str:
    """The policy of component frames, which our own pages must be able to frame."""
    # found, not imported: the package draws on the page as soon as it is imported
    package = find_spec("extra_streamlit_components")
    if package is None or package.origin is None:
        raise SettingsError("the package extra_streamlit_components is missing",
                            remedy="Install the packages of requirements.txt.")
    frame = Path(package.origin).parent / "CookieManager" / "frontend" / "build" / "index.html"
    return _policy(_inline_hashes(frame), "'self'")


class SecurityHeaders:
    """ASGI middleware that sets the headers on whatever comes back, and answers for a failure inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._page_policy = build_page_policy()
        self._component_policy = build_component_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the headers on the way back."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._set(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _set(self, headers: MutableHeaders, path: str) -> None:
        is_component = path.startswith("/component/")
        headers["Content-Security-Policy"] = self._component_policy if is_component else self._page_policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "SAMEORIGIN" if is_component else "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not path.startswith(_CACHEABLE):
            headers["Cache-Control"] = "no-store"
