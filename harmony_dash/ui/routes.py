"""The addresses that are not pages: taking up a session, ending one, health, and the icon."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from harmony_dash.access.sessions import end_session
from harmony_dash.access.sign_in import establish_session
from harmony_dash.errors import AccessRefused
from harmony_dash.services.health import review_health
from harmony_dash.ui.cookies import build_own_cookie, own_cookie_of
from harmony_dash.ui.outside_gate import expire_identity
from harmony_dash.ui.preload import broken_modules
from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE
from harmony_dash.ui.startup import get_deployment
from harmony_dash.ui.theme import ICON

_LONGEST_TICKET = 200
# Seconds; whoever watches gives up after a few, and would learn nothing.
_LONGEST_WAIT = 1.0


async def establish(request: Request) -> Response:
    """Take a sign-in ticket and answer with the session cookie; 401 if the ticket is not good here."""
    deployment = get_deployment()
    ticket = await _read_ticket(request)
    try:
        token = await run_in_threadpool(establish_session, deployment.access, ticket,
                                        browser=own_cookie_of(request, BROWSER_COOKIE), now=deployment.now())
    except AccessRefused as refused:
        response: Response = PlainTextResponse(refused.message, status_code=401)
    else:
        response = Response(status_code=204)
        response.headers.append("Set-Cookie", build_own_cookie(request, SESSION_COOKIE, token))
    expire_identity(request, response.headers)
    return response


async def end(request: Request) -> Response:
    """End the session on the server, then have the browser forget its cookie."""
    deployment = get_deployment()
    token = own_cookie_of(request, SESSION_COOKIE)
    if token:
        await run_in_threadpool(end_session, deployment.access, token, now=deployment.now())
    response = Response(status_code=204)
    if token:
        response.headers.append("Set-Cookie", build_own_cookie(request, SESSION_COOKIE, "", expire=True))
    expire_identity(request, response.headers)
    return response


async def health(request: Request) -> Response:
    """200 while the access database answers, and nothing else; with the operator's token the state as JSON.

    401 for another token; 503 if the database does not answer, or something else needs a look.
    """
    if not await run_in_threadpool(get_deployment().access.answers, _LONGEST_WAIT):
        return PlainTextResponse("busy", status_code=503)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":  # a proxy may have a password of its own
        return PlainTextResponse("ok")
    try:
        # headers are read as Latin-1, whatever was sent
        found = await run_in_threadpool(review_health, get_deployment(), token.strip().encode("latin-1"),
                                        broken_modules())
    except AccessRefused as refused:
        return PlainTextResponse(refused.message, status_code=401, headers={"WWW-Authenticate": "Bearer"})
    return JSONResponse({"ok": found.ok, **asdict(found)}, status_code=200 if found.ok else 503)


async def icon(request: Request) -> Response:
    """The icon of the browser's tab."""
    return Response(ICON, media_type="image/svg+xml")


async def _read_ticket(request: Request) -> str:
    """The body, as far as a ticket can be long; a stranger's gigabyte is not read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_TICKET:
            return ""
    return body.decode("ascii", "replace")


routes = [Route("/auth/establish", establish, methods=["POST"]), Route("/auth/end", end, methods=["POST"]),
          Route("/healthz", health), Route("/favicon.png", icon)]
