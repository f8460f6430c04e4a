"""Signing in through an identity provider: a real server, a real provider, and a browser without a screen.

`tests/browser/test_oidc.py` walks the main paths in Chromium.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from harmony_dash.access.accounts import ACCOUNT_ROLES, Account, disable_account, enable_account, list_accounts
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.audit import list_events
from harmony_dash.ui.session import BROWSER_COOKIE, LOGIN_COOKIE, SESSION_COOKIE
from tests.security.oidc_provider import CLIENT_ID, CLIENT_SECRET, Person, Provider, start_provider
from tests.security.oidc_server import FAILED, NO_ROLE, person_of, start_oidc_server
from tests.security.server import Server, start_server
from tests.security.visitor import IDENTITY, Visitor, VisitorStream, ticket_of, words_of

USED = "This confirmation of your identity was used before"
HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy",
           "cross-origin-opener-policy")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with start_provider(person_of()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_oidc_server(tmp_path_factory.mktemp("oidc"), provider) as running:
        yield running


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a provider."""
    with start_server(tmp_path_factory.mktemp("plain") / "data") as running:
        yield running


def account_of(server: Server, person: Person) -> Account:
    (account,) = [account for account in list_accounts(server.access) if account.name == person.name]
    return account


def new_events(server: Server, count: int = 3) -> list[str]:
    return [f"{row.event.action} {row.event.decision} {row.event.reason}"
            for row in list_events(server.access, limit=count)]


# What a person lives through.


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_each_role_signs_in_and_keeps_no_identity_cookie(server: Server, provider: Provider, role: Role) -> None:
    provider.reset(person_of(role.value, "strangers"))
    visitor = Visitor(server)
    assert visitor.sign_in() == ""
    assert visitor.has_session and not visitor.has_identity and LOGIN_COOKIE not in visitor.cookies()
    account = account_of(server, provider.person)
    assert (account.role, account.username) == (role, provider.person.username)
    assert provider.person.name in visitor.open_page()
    with server.access.read() as connection:
        method = connection.execute("select method from session where username = ?", (account.username,)).fetchone()[0]
    assert method == "identity provider"


def test_every_answer_on_the_way_carries_the_security_headers_and_no_cache(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    visitor = Visitor(server)
    assert visitor.sign_in() == ""
    assert visitor.post("/auth/end").status_code == 204
    paths = {urlsplit(str(answer.url)).path for answer in visitor.answers}
    assert {"/auth/login", "/oauth2callback", "/auth/establish", "/auth/end"} <= paths
    for answer in visitor.answers:
        assert all(name in answer.headers for name in HEADERS), answer.url
        assert answer.headers["cache-control"] == "no-store"


def test_the_cookies_on_the_way_are_short_lived_tied_down_and_hold_no_token(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    visitor = Visitor(server)
    answer = visitor.prove()
    lines = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert "Max-Age=300" in lines[IDENTITY] and "SameSite=Strict" in lines[IDENTITY] and "HttpOnly" in lines[IDENTITY]
    assert not any("_tokens" in name and "Max-Age=0" not in line for name, line in lines.items())
    (login,) = [answer for answer in visitor.answers if answer.url.path == "/auth/login"]
    (binding,) = [line for line in login.headers.get_list("set-cookie") if line.startswith(LOGIN_COOKIE)]
    assert "SameSite=Strict" in binding and "HttpOnly" in binding
    visitor.open_page()
    assert not visitor.has_identity


def test_a_large_identity_in_pieces_is_read_and_forgotten_whole(server: Server, provider: Provider) -> None:
    provider.reset(person_of("analyst", *(secrets.token_hex(16) for _ in range(200))))
    visitor = Visitor(server)
    visitor.prove()
    assert {f"{IDENTITY}_1", f"{IDENTITY}_2"} <= set(visitor.cookies())
    said = visitor.open_page()
    assert "data-ticket" in said
    assert not visitor.has_identity


def test_an_unknown_group_is_told_so_recorded_and_can_try_another_account(server: Server, provider: Provider) -> None:
    provider.reset(person_of("strangers"))
    visitor = Visitor(server)
    assert NO_ROLE in visitor.sign_in()
    assert not visitor.has_session and not visitor.has_identity
    assert not [account for account in list_accounts(server.access) if account.name == provider.person.name]
    (event,) = new_events(server, 1)
    assert event == f"sign-in refused identity provider {provider.url}: no group has a role"
    provider.reset(person_of("clinician"))
    assert visitor.sign_in() == ""
    assert visitor.has_session


def test_groups_of_two_roles_are_refused(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician", "analyst"))
    visitor = Visitor(server)
    assert "its groups have several roles here" in visitor.sign_in()
    assert not visitor.has_session and not visitor.has_identity


@pytest.mark.parametrize("groups", ["allbd-clinician", {"allbd-clinician": True}, [1], None], ids=str)
def test_a_claim_that_is_no_list_of_groups_is_refused(server: Server, provider: Provider, groups: object) -> None:
    provider.reset(person_of())
    provider.person.groups = groups
    visitor = Visitor(server)
    assert "does not say which groups you belong to" in visitor.sign_in()
    assert not visitor.has_session


def test_the_message_stays_when_the_page_runs_again(server: Server, provider: Provider) -> None:
    provider.reset(person_of("strangers"))
    visitor = Visitor(server)
    visitor.prove()
    with VisitorStream(visitor) as stream:
        assert NO_ROLE in words_of(stream.ask())
        again = words_of(stream.ask())
    assert NO_ROLE in again and USED not in again


# What somebody does with a stolen cookie.


def test_a_stolen_identity_cookie_opens_nothing_after_signing_out(server: Server, provider: Provider) -> None:
    provider.reset(person_of("analyst"))
    visitor = Visitor(server)
    visitor.prove()
    stolen = visitor.cookies()
    said = visitor.open_page()
    assert visitor.post("/auth/establish", ticket_of(said)).status_code == 204
    assert visitor.post("/auth/end").status_code == 204
    assert not visitor.has_session
    # in the same browser, all of whose cookies somebody kept
    visitor.keep(stolen)
    assert USED in visitor.open_page()
    assert not visitor.has_session and not visitor.has_identity
    assert "data-ticket" not in visitor.open_page()


def test_a_stolen_identity_cookie_opens_nothing_in_another_browser_even_first(
        server: Server, provider: Provider) -> None:
    provider.reset(person_of("analyst"))
    victim, thief = Visitor(server), Visitor(server)
    victim.prove()
    thief.keep({name: value for name, value in victim.cookies().items()
                if name not in (BROWSER_COOKIE, "_streamlit_xsrf")})
    said = thief.open_page()
    assert "was not asked for by this browser" in said and "data-ticket" not in said
    (event,) = new_events(server, 1)
    assert event == "sign-in refused identity provider: the proof was not asked for by this browser"
    # the person themselves can still use their proof
    assert "data-ticket" in victim.open_page()


def test_an_identity_that_the_server_did_not_sign_is_nobody(server: Server) -> None:
    visitor = Visitor(server)
    visitor.keep({IDENTITY: "eyJpc3MiOiJ4In0.forged.forged"})
    said = visitor.open_page()
    assert "Account name" in said and "data-ticket" not in said
    assert not visitor.has_identity


def test_a_code_that_was_sent_back_before_is_worth_nothing(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    visitor = Visitor(server)
    back = httpx.get(f"{visitor.go_to_provider()}&go=1").headers["location"]
    stranger = Visitor(server)
    refused = stranger.get(back, **{"Sec-Fetch-Site": "cross-site"})
    assert refused.headers["location"] == "/" and not stranger.has_identity
    assert FAILED in stranger.open_page()
    assert IDENTITY in visitor.get(back).headers["set-cookie"]
    visitor.open_page()
    assert not visitor.has_identity
    visitor.get(back)
    assert not visitor.has_identity


# What a provider, or somebody in its place, might send.


def change(**values: object) -> Callable[[dict[str, object]], None]:
    return lambda claims: claims.update(values)


@pytest.mark.parametrize(("tamper", "words"), [
    (change(nonce="another nonce of some length"), FAILED), (change(aud="another"), FAILED),
    (change(iss="https://evil.example"), FAILED), (change(exp=1), FAILED), (change(iat=4_000_000_000), FAILED),
    (lambda claims: claims.pop("nonce"), FAILED), (lambda claims: claims.pop("sub"), FAILED),
    (change(aud="another", azp=CLIENT_ID), "meant for another application"),
    (change(auth_time=int(datetime.now(UTC).timestamp()) - 3600), "too long ago"),
    (change(iat=int(datetime.now(UTC).timestamp()) - 3600), "too long ago"), (change(sub=""), "lacks what is needed")],
    ids=["nonce", "audience", "issuer", "expired", "future", "no nonce", "no subject", "audience with party",
         "old login", "old token", "empty subject"])
def test_a_token_that_is_not_right_opens_nothing(
        server: Server, provider: Provider, tamper: Callable[[dict[str, object]], None], words: str) -> None:
    provider.reset(person_of("clinician"))
    provider.tamper = tamper
    visitor = Visitor(server)
    said = visitor.sign_in()
    assert words in said and "Traceback" not in said
    assert not visitor.has_session and not visitor.has_identity
    assert not [account for account in list_accounts(server.access) if account.name == provider.person.name]


def test_a_token_signed_with_another_key_opens_nothing(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    provider.wrong_key = True
    visitor = Visitor(server)
    answer = visitor.prove()
    assert "Traceback" not in answer.text and not visitor.has_identity
    assert FAILED in visitor.open_page()
    assert FAILED not in visitor.open_page()  # once


def test_a_provider_that_says_no_or_nothing_leads_back_to_the_page(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    provider.refuses = True
    visitor = Visitor(server)
    assert FAILED in visitor.sign_in()
    provider.reset(person_of("clinician"))
    visitor = Visitor(server)
    provider.is_down = True
    with pytest.raises(AssertionError):
        visitor.go_to_provider()
    down = visitor.answers[-1]
    assert (down.status_code, down.headers["location"]) == (303, "/")
    assert FAILED in visitor.open_page()
    provider.is_down = False
    assert visitor.sign_in() == ""


# What becomes of accounts.


def test_a_disabled_account_stays_refused(server: Server, provider: Provider) -> None:
    provider.reset(person_of("analyst"))
    visitor = Visitor(server)
    assert visitor.sign_in() == ""
    username = account_of(server, provider.person).username
    disable_account(server.access, username, by=OPERATOR, now=datetime.now(UTC))
    assert provider.person.name not in visitor.open_page()
    assert "Your account here is disabled. Ask a data manager." in visitor.sign_in()
    enable_account(server.access, username, by=OPERATOR, now=datetime.now(UTC))
    assert visitor.sign_in() == ""
    assert provider.person.name in visitor.open_page()


def test_another_group_gives_another_role_and_ends_the_old_session(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    first, second = Visitor(server), Visitor(server)
    assert first.sign_in() == ""
    assert provider.person.name in first.open_page()
    provider.person.groups = ("allbd-steering",)
    assert second.sign_in() == ""
    assert account_of(server, provider.person).role is Role.STEERING
    assert provider.person.name in second.open_page()
    said = first.open_page()
    assert provider.person.name not in said and "Your account was changed" in said


def test_whoever_leaves_their_group_loses_the_open_session_too(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    first, second = Visitor(server), Visitor(server)
    assert first.sign_in() == ""
    provider.person.groups = ()
    assert NO_ROLE in second.sign_in()
    assert provider.person.name not in first.open_page()


def test_the_log_names_nobody_and_holds_no_code(server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    visitor = Visitor(server)
    assert visitor.sign_in() == ""
    log = server.log.read_text()
    assert provider.person.username not in log and provider.person.subject not in log
    assert "code=" not in log and CLIENT_SECRET not in log


# What is open, and to whom.

OUTSIDE = ("/auth/login", "/auth/logout", "/oauth2callback")


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_without_a_provider_its_addresses_are_shut_for_everybody(plain_server: Server, path: str, method: str) -> None:
    token = plain_server.open_session(Role.DATA_MANAGER)
    for cookies in ({}, {"Cookie": f"{SESSION_COOKIE}={token}"}):
        for headers in (plain_server.own_page, {"Sec-Fetch-Site": "cross-site"}, {}):
            answer = httpx.request(method, f"{plain_server.url}{path}?code=x&state=y&provider=z",
                                   headers={**headers, **cookies})
            assert answer.status_code in (401, 405)
            assert "set-cookie" not in answer.headers


def test_without_a_provider_there_is_no_button_and_no_identity(plain_server: Server) -> None:
    visitor = Visitor(plain_server)
    visitor.keep({IDENTITY: "x.y.z"})
    said = visitor.open_page()
    assert "organisation" not in said and "Account name" in said


@pytest.mark.parametrize(("path", "headers"), [
    ("/auth/login", {"Sec-Fetch-Site": "cross-site"}), ("/auth/login", {"Sec-Fetch-Site": "same-site"}),
    ("/auth/login", {}), ("/auth/logout", {"Sec-Fetch-Site": "cross-site"}), ("/auth/logout", {}),
    ("/oauth2callback", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
    ("/oauth2callback", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
    ("/auth/login", {"Sec-Fetch-Site": "same-origin", "Cookie": "none=1"})], ids=str)
def test_other_pages_cannot_begin_or_end_a_login(server: Server, path: str, headers: dict[str, str]) -> None:
    answer = httpx.get(server.url + path, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
def test_the_providers_addresses_are_for_reading_only(server: Server, path: str, method: str) -> None:
    assert httpx.request(method, server.url + path, headers=server.own_page).status_code == 405


@pytest.mark.parametrize("path", ["/auth/login/", "/auth/loginx", "/auth/other", "/oauth2callback/",
                                  "/oauth2callback/x"])
def test_nothing_beside_them_is_opened(server: Server, path: str) -> None:
    assert httpx.get(server.url + path, headers=server.own_page).status_code in (401, 405)


def test_a_login_token_that_the_page_did_not_give_leads_nowhere(server: Server) -> None:
    visitor = Visitor(server)
    for token in ("", "x", "eyJhbGciOiJub25lIn0.eyJwcm92aWRlciI6ImRlZmF1bHQifQ."):
        answer = visitor.get(f"/auth/login?provider={token}", **server.own_page)
        assert (answer.status_code, answer.headers["location"]) == (302, "/")
