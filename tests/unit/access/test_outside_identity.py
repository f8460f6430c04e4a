"""What is believed of an identity provider's word, whose account it opens, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from harmony_dash.access.accounts import (
    Account,
    create_account,
    disable_account,
    find_account,
    list_accounts,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.outside_claims import (
    CLOCK_SKEW,
    LONGEST_AGE,
    IdentityRefused,
    OutsideRules,
    Reason,
    find_role,
    read_group_roles,
    read_identity,
)
from harmony_dash.access.outside_identity import admit_identity, begin_login
from harmony_dash.access.sessions import SessionState, SignInMethod, look_up_session
from harmony_dash.access.sign_in import check_password, establish_session, issue_ticket
from harmony_dash.errors import SettingsError, UserError
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account, sign_in

CLIENT = "harmony"
ISSUER = "https://id.example.org"
BROWSER = "random value of a browser"
RULES = OutsideRules(CLIENT, {"clinic": Role.CLINICIAN, "ward": Role.CLINICIAN, "numbers": Role.ANALYST})
HOUR = timedelta(hours=1)


def claims(*, now: datetime = NOW, nonce: str = "nonce-1", **changes: object) -> dict[str, object]:
    """What a provider says of a clinician; a change to None leaves the claim out."""
    said = {"iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 300, "nonce": nonce, "name": "Vera Berg",
            "preferred_username": "vera.berg", "email": "vera@example.org", "groups": ["clinic"], **changes}
    return {name: value for name, value in said.items() if value is not None}


def admit(database: AccessDatabase, said: dict[str, object], *, now: datetime = NOW, browser: str = BROWSER) -> Account:
    binding = begin_login(database, nonce=str(said.get("nonce")), browser=browser)
    return admit_identity(database, said, rules=RULES, browser=browser, binding=binding, now=now, rounds=CHEAP)


def refusal_of(database: AccessDatabase, said: dict[str, object], *, now: datetime = NOW) -> Reason:
    with pytest.raises(IdentityRefused) as refused:
        admit(database, said, now=now)
    event = list_events(database)[0].event
    assert (event.action, event.decision) == ("sign-in", Decision.REFUSED)
    assert refused.value.reason.value in event.reason
    return refused.value.reason


def open_for(database: AccessDatabase, account: Account, *, now: datetime = NOW) -> str:
    ticket = issue_ticket(database, account, browser=BROWSER, now=now, method=SignInMethod.IDENTITY_PROVIDER)
    return establish_session(database, ticket, browser=BROWSER, now=now)


def state_of(database: AccessDatabase, token: str) -> SessionState:
    return look_up_session(database, token, idle=HOUR, lifetime=HOUR, now=NOW).state


def test_the_first_sign_in_makes_an_account_and_records_it(database: AccessDatabase) -> None:
    account = admit(database, claims())
    assert (account.username, account.name, account.role) == ("vera.berg", "Vera Berg", Role.CLINICIAN)
    assert account.outside_identity
    event = list_events(database)[0].event
    assert (event.action, event.username, event.role) == ("account created", "vera.berg", "clinician")
    assert ISSUER in event.reason
    assert look_up_session(database, open_for(database, account), idle=HOUR, lifetime=HOUR, now=NOW).actor is not None


def test_the_session_says_how_it_was_opened(database: AccessDatabase) -> None:
    open_for(database, admit(database, claims()))
    with database.read() as connection:
        assert connection.execute("select method from session").fetchone()[0] == "identity provider"


def test_the_second_sign_in_finds_the_same_account_whatever_the_names_are_then(database: AccessDatabase) -> None:
    first = admit(database, claims())
    again = admit(database, claims(nonce="nonce-2", preferred_username="other", email="x@y.org", name="Somebody Else"))
    assert again == first
    assert len(list_accounts(database)) == 1


def test_a_proof_counts_once(database: AccessDatabase) -> None:
    said = claims()
    admit(database, said)
    assert refusal_of(database, said) is Reason.USED
    assert refusal_of(database, said, now=NOW + timedelta(minutes=4)) is Reason.USED


def test_a_proof_is_used_up_by_a_refusal_too(database: AccessDatabase) -> None:
    assert refusal_of(database, claims(groups=["strangers"])) is Reason.NO_ROLE
    assert refusal_of(database, claims()) is Reason.USED


def test_a_used_proof_is_remembered_as_long_as_it_would_be_fresh(database: AccessDatabase) -> None:
    ahead = claims(iat=int((NOW + CLOCK_SKEW).timestamp()), exp=int((NOW + HOUR).timestamp()))
    admit(database, ahead)
    last = NOW + CLOCK_SKEW + LONGEST_AGE
    assert refusal_of(database, ahead, now=last) is Reason.USED
    assert refusal_of(database, ahead, now=last + timedelta(seconds=1)) is Reason.TOO_OLD
    admit(database, claims(now=last + HOUR, nonce="later"), now=last + HOUR)
    with database.read() as connection:
        assert connection.execute("select count(*) from used_proof").fetchone()[0] == 1


@pytest.mark.parametrize(("changes", "reason"), [
    ({"iss": None}, Reason.INCOMPLETE), ({"sub": None}, Reason.INCOMPLETE), ({"sub": ""}, Reason.INCOMPLETE),
    ({"sub": 7}, Reason.INCOMPLETE), ({"sub": "x" * 256}, Reason.INCOMPLETE), ({"sub": "a\ud800"}, Reason.INCOMPLETE),
    ({"sub": "a\nb"}, Reason.INCOMPLETE), ({"sub": "vera\u0430"}, Reason.INCOMPLETE),
    ({"nonce": ""}, Reason.INCOMPLETE),
    ({"iat": None}, Reason.INCOMPLETE), ({"iat": True}, Reason.INCOMPLETE), ({"iat": "now"}, Reason.INCOMPLETE),
    ({"iat": float("nan")}, Reason.INCOMPLETE), ({"iat": 1e300}, Reason.INCOMPLETE), ({"exp": None}, Reason.INCOMPLETE),
    ({"aud": "another"}, Reason.OTHER_CLIENT), ({"aud": None}, Reason.OTHER_CLIENT), ({"aud": []}, Reason.OTHER_CLIENT),
    ({"aud": "another", "azp": CLIENT}, Reason.OTHER_CLIENT), ({"azp": "another"}, Reason.OTHER_CLIENT),
    ({"aud": [CLIENT, "another"]}, Reason.OTHER_CLIENT), ({"aud": {CLIENT: 1}}, Reason.OTHER_CLIENT),
    ({"iat": int((NOW - LONGEST_AGE).timestamp()) - 1}, Reason.TOO_OLD),
    ({"iat": int((NOW + CLOCK_SKEW).timestamp()) + 1}, Reason.TOO_OLD),
    ({"exp": int((NOW - CLOCK_SKEW).timestamp())}, Reason.TOO_OLD),
    ({"auth_time": int((NOW - HOUR).timestamp())}, Reason.TOO_OLD), ({"auth_time": "x"}, Reason.TOO_OLD),
    ({"groups": None}, Reason.NO_GROUPS), ({"groups": "clinic"}, Reason.NO_GROUPS),
    ({"groups": {"clinic": 1}}, Reason.NO_GROUPS), ({"groups": ["clinic", 7]}, Reason.NO_GROUPS),
    ({"groups": [["clinic"]]}, Reason.NO_GROUPS), ({"groups": []}, Reason.NO_ROLE),
    ({"groups": ["Clinic", "clinic ", "clin"]}, Reason.NO_ROLE),
    ({"groups": ["clinic", "numbers"]}, Reason.SEVERAL_ROLES)], ids=str)
def test_what_is_refused_opens_and_makes_nothing(
        database: AccessDatabase, changes: dict[str, object], reason: Reason) -> None:
    assert refusal_of(database, claims(**changes)) is reason
    assert list_accounts(database) == ()


@pytest.mark.parametrize("changes", [
    {"aud": [CLIENT]}, {"aud": [CLIENT, "another"], "azp": CLIENT}, {"azp": CLIENT},
    {"auth_time": int((NOW - timedelta(minutes=4)).timestamp())}, {"iat": NOW.timestamp() - 0.5},
    {"iat": int((NOW - LONGEST_AGE).timestamp())}, {"iat": int((NOW + CLOCK_SKEW).timestamp())},
    {"exp": int(NOW.timestamp()) - 60}, {"groups": ["clinic", "ward", "strangers"]},
    {"email_verified": False}], ids=str)
def test_what_is_believed(database: AccessDatabase, changes: dict[str, object]) -> None:
    assert admit(database, claims(**changes)).role is Role.CLINICIAN


def test_the_trail_holds_no_claim_but_the_issuer(database: AccessDatabase) -> None:
    refusal_of(database, claims(groups=["secret-group"]))
    refusal_of(database, claims(aud="elsewhere", nonce="n2"))
    trail = "".join(str(row.event) for row in list_events(database))
    assert ISSUER in trail
    for word in ("248289761001", "vera", "Vera", "secret-group", "nonce-1", "elsewhere"):
        assert word not in trail


def test_another_browser_cannot_use_the_proof_and_does_not_spoil_it(database: AccessDatabase) -> None:
    said = claims()
    binding = begin_login(database, nonce="nonce-1", browser=BROWSER)
    for browser, shown in (("another browser", binding), (BROWSER, ""), (BROWSER, "failed"), ("", binding),
                           ("", begin_login(database, nonce="nonce-1", browser="")), (BROWSER, "\ud800")):
        with pytest.raises(IdentityRefused) as refused:
            admit_identity(database, said, rules=RULES, browser=browser, binding=shown, now=NOW, rounds=CHEAP)
        assert refused.value.reason is Reason.OTHER_BROWSER
    assert admit(database, said).username == "vera.berg"


def test_an_account_of_the_same_name_is_never_taken_over(database: AccessDatabase) -> None:
    local = add_account(database, "vera.berg", Role.DATA_MANAGER, now=NOW)
    account = admit(database, claims(email="vera.berg@example.org", email_verified=True))
    assert (account.username, account.role) == ("vera.berg-2", Role.CLINICIAN)
    assert find_account(database, "vera.berg") == local
    other = admit(database, claims(sub="another", nonce="n2"))
    third = admit(database, claims(iss="https://other.example.org", nonce="n3"))
    assert [other.username, third.username] == ["vera.berg-3", "vera.berg-4"]


@pytest.mark.parametrize(("changes", "username"), [
    ({"preferred_username": "Åsa Öberg"}, "asa-oberg"),
    ({"preferred_username": "VERA@Example.org"}, "vera@example.org"),
    ({"preferred_username": None}, "vera"), ({"preferred_username": "<script>"}, "script"),
    ({"preferred_username": "operator"}, "operator-2"), ({"preferred_username": "x" * 300}, "x" * 56),
    ({"preferred_username": "..", "email": "strauß@x"}, "strauss"),
    ({"preferred_username": 7, "email": None}, "person-"),
    ({"preferred_username": "ＶＥＲＡ"}, "vera"), ({"preferred_username": "\u202everа"}, "ver")], ids=str)
def test_account_names_are_readable_and_keep_the_rules(
        database: AccessDatabase, changes: dict[str, object], username: str) -> None:
    made = admit(database, claims(**changes)).username
    assert made == username or (username.endswith("-") and made.startswith(username))
    # the same name passes the rules for accounts that a person types
    create_account(database, username=f"{made[:60]}.1", name="Another", role=Role.ANALYST, password=PASSWORD,
                   by=OPERATOR, now=NOW, rounds=CHEAP)


@pytest.mark.parametrize(("name", "shown"), [
    ("  Vera \u202e Berg\n", "Vera Berg"), ("", "vera.berg"), (None, "vera.berg"), (["Vera"], "vera.berg"),
    ("\u200b\u200b", "vera.berg"), ("V" * 500, "V" * 100), ("Vera\ud800", "Vera"), ("Åsa Öberg", "Åsa Öberg")])
def test_display_names_hold_nothing_invisible(database: AccessDatabase, name: object, shown: str) -> None:
    assert admit(database, claims(name=name)).name == shown


def test_no_password_opens_such_an_account(database: AccessDatabase) -> None:
    admit(database, claims())
    for attempt in ("", "!", PASSWORD, "vera.berg"):
        assert check_password(database, "vera.berg", attempt, address="10.0.0.1", now=NOW, rounds=CHEAP) is None
    with pytest.raises(UserError):
        set_password(database, "vera.berg", PASSWORD, by=OPERATOR, now=NOW, rounds=CHEAP)


def test_another_group_changes_the_role_and_ends_the_old_sessions(database: AccessDatabase) -> None:
    first = admit(database, claims())
    token = open_for(database, first)
    waiting = issue_ticket(database, first, browser=BROWSER, now=NOW, method=SignInMethod.IDENTITY_PROVIDER)
    again = admit(database, claims(nonce="n2", groups=["numbers"]))
    assert (again.role, again.epoch) == (Role.ANALYST, first.epoch + 1)
    assert state_of(database, token) is SessionState.ACCOUNT_CHANGED
    with database.read() as connection:
        assert connection.execute("select count(*) from ticket").fetchone()[0] == 0
    assert waiting
    assert list_events(database)[0].event.action == "role changed"
    assert state_of(database, open_for(database, again)) is SessionState.OPEN


def test_the_same_role_leaves_other_sessions_open(database: AccessDatabase) -> None:
    token = open_for(database, admit(database, claims()))
    admit(database, claims(nonce="n2", groups=["ward"]))
    assert state_of(database, token) is SessionState.OPEN


@pytest.mark.parametrize("groups", [[], ["clinic", "numbers"], "clinic"], ids=str)
def test_whoever_has_no_role_any_more_loses_their_sessions(database: AccessDatabase, groups: object) -> None:
    token = open_for(database, admit(database, claims()))
    refusal_of(database, claims(nonce="n2", groups=groups))
    assert state_of(database, token) is SessionState.ACCOUNT_CHANGED
    assert list_events(database)[0].event.username == "vera.berg"


def test_a_disabled_account_stays_refused(database: AccessDatabase) -> None:
    admit(database, claims())
    disable_account(database, "vera.berg", by=OPERATOR, now=NOW)
    assert refusal_of(database, claims(nonce="n2")) is Reason.DISABLED
    assert refusal_of(database, claims(nonce="n3", groups=["numbers"])) is Reason.DISABLED
    account = find_account(database, "vera.berg")
    assert account is not None
    assert (account.disabled, account.role) == (True, Role.CLINICIAN)


def test_a_local_session_of_another_account_is_left_alone(database: AccessDatabase) -> None:
    add_account(database, "nils", now=NOW)
    token = sign_in(database, "nils", now=NOW)
    refusal_of(database, claims(preferred_username="nils", groups=[]))
    assert state_of(database, token) is SessionState.OPEN


def test_every_reason_is_said_in_words() -> None:
    for reason in Reason:
        message = IdentityRefused(reason).message
        assert message[0].isupper() and message.endswith(".")
    assert IdentityRefused(Reason.NO_ROLE).message == (
        "Your organisation's account is known, but none of its groups has a role here. Ask a data manager.")


@pytest.mark.parametrize("pairs", [(), (("a", "operator"),), (("a", "Clinician"),), (("a", ""),),
                                   (("a", "clinician"), ("a", "analyst")), (("a", "clinician"), ("a", "clinician"))])
def test_a_mapping_that_says_too_little_or_too_much_is_refused(pairs: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(SettingsError) as refused:
        read_group_roles(pairs)
    assert refused.value.where == "HARMONY_OIDC_GROUPS"
    assert refused.value.remedy


def test_another_claim_may_list_the_groups() -> None:
    rules = OutsideRules(CLIENT, {"clinic": Role.CLINICIAN}, groups_claim="roles")
    assert find_role(claims(groups=None, roles=["clinic"]), rules) is Role.CLINICIAN
    with pytest.raises(IdentityRefused):
        find_role(claims(), rules)


def test_two_proofs_of_one_person_differ() -> None:
    proofs = {read_identity(claims(**changes), client=CLIENT, now=NOW).proof
              for changes in ({}, {"nonce": "n2"}, {"sub": "x"}, {"iss": "https://x"}, {"jti": "1"}, {"at_hash": "1"})}
    assert len(proofs) == 6
