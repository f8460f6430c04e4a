"""A small OpenID provider on this machine: discovery, authorisation, tokens, keys; strict where the standard is.

It asks for no password: its page names the person that a test has put in front of it, and has one button. It answers
under `localhost`, which to a browser is another site than the `127.0.0.1` of the application.

`tamper` changes the claims of the next ID tokens, `wrong_key` signs them with a key that is not published.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "harmony-dash"
CLIENT_SECRET = secrets.token_urlsafe(32)


@dataclass
class Person:
    """Somebody with an account at the provider."""

    subject: str
    username: str
    name: str
    groups: object = ()

    def claims(self) -> dict[str, object]:
        groups = list(self.groups) if isinstance(self.groups, tuple) else self.groups
        return {"sub": self.subject, "preferred_username": self.username, "name": self.name,
                "email": f"{self.username}@example.org", "email_verified": True, "groups": groups}


@dataclass
class _Grant:
    """An authorisation that waits for its code to be redeemed."""

    redirect_uri: str
    challenge: str
    claims: dict[str, object]


@dataclass
class Provider:
    """The provider's state; tests set `person` and the rest as they go."""

    url: str
    person: Person
    tamper: Callable[[dict[str, object]], None] = lambda claims: None
    wrong_key: bool = False
    refuses: bool = False
    is_down: bool = False
    prompts: list[str] = field(default_factory=list)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "published", "use": "sig"}))
    _other_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "published", "use": "sig"}))
    _grants: dict[str, _Grant] = field(default_factory=dict)

    def reset(self, person: Person) -> None:
        """Behave well again, with this person in front of it."""
        self.person, self.tamper, self.wrong_key = person, lambda claims: None, False
        self.refuses = self.is_down = False

    def build_app(self) -> Starlette:
        return Starlette(routes=[
            Route("/.well-known/openid-configuration", self._discovery), Route("/keys", self._keys),
            Route("/authorize", self._authorize), Route("/token", self._token, methods=["POST"])])

    async def _discovery(self, request: Request) -> Response:
        if self.is_down:
            return PlainTextResponse("down", status_code=503)
        return JSONResponse({
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"]})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        """The page with the button, or straight back if the request says `go`."""
        asked = request.query_params
        problem = _problem_of(dict(asked))
        if problem:
            return PlainTextResponse(problem, status_code=400)
        self.prompts.append(asked.get("prompt", ""))
        if "go" not in asked:
            hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                             for name, value in (*asked.items(), ("go", "1")))
            return HTMLResponse(f"<title>Provider</title><p>You are {escape(self.person.name)}.</p>"
                                f"<form>{hidden}<button>Continue</button></form>")
        if self.refuses:
            back = {"error": "access_denied", "error_description": "no", "state": asked["state"]}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", status_code=302)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
                  **self.person.claims()}
        self.tamper(claims)
        code = secrets.token_urlsafe(24)
        self._grants[code] = _Grant(asked["redirect_uri"], asked["code_challenge"], claims)
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}",
                                status_code=302)

    async def _token(self, request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        grant = self._grants.pop(given.get("code", ""), None)
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if (grant is None or given.get("grant_type") != "authorization_code"
                or given.get("redirect_uri") != grant.redirect_uri
                or base64.urlsafe_b64encode(verifier).decode().rstrip("=") != grant.challenge):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        key = self._other_key if self.wrong_key else self._key
        token = jwt.encode({"alg": "RS256", "kid": "published"}, grant.claims, key)
        return JSONResponse({"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 300,
                             "id_token": token}, headers={"Cache-Control": "no-store"})


def _problem_of(asked: dict[str, str]) -> str:
    """What is wrong with an authorisation request; empty if nothing is."""
    checks = {"client": asked.get("client_id") == CLIENT_ID, "type": asked.get("response_type") == "code",
              "scope": "openid" in asked.get("scope", "").split(), "state": len(asked.get("state", "")) >= 16,
              "nonce": len(asked.get("nonce", "")) >= 16, "pkce": asked.get("code_challenge_method") == "S256"
              and len(asked.get("code_challenge", "")) == 43,
              "redirect": asked.get("redirect_uri", "").startswith("http://127.0.0.1:")
              and asked.get("redirect_uri", "").endswith("/oauth2callback")}
    return ", ".join(name for name, fine in checks.items() if not fine)


@contextmanager
def start_provider(person: Person) -> Iterator[Provider]:
    """Run a provider on a free port, in a thread of this process."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    provider = Provider(f"http://localhost:{listener.getsockname()[1]}", person)
    server = uvicorn.Server(uvicorn.Config(provider.build_app(), log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
