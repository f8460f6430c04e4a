"""What an identity provider says about a person, read with suspicion.

The claims come from an ID token whose signature, issuer and nonce the web server has checked. Here it is asked whether
they are meant for this application, fresh, complete, and which one role they give. Nothing here looks at a database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from harmony_dash.access.actor import Role
from harmony_dash.errors import AccessRefused, SettingsError

# A person is sent back within seconds; what is older was kept by somebody.
LONGEST_AGE = timedelta(minutes=5)
# The provider's clock may run ahead of ours by as much; a clock that runs behind uses up part of the age.
CLOCK_SKEW = timedelta(minutes=2)
# A subject has at most 255 characters (OpenID Connect Core, section 2); an issuer is an address.
_LONGEST_TEXT = 255
_LONGEST_USERNAME = 56  # of 64: room for the number that makes it unique
_LONGEST_NAME = 100


class Reason(StrEnum):
    """Why an identity was refused, in the words of the audit trail."""

    INCOMPLETE = "the claims lack an issuer, a subject, a nonce or a moment"
    OTHER_CLIENT = "the proof is meant for another application"
    TOO_OLD = "the proof is too old"
    USED = "the proof was used before"
    OTHER_BROWSER = "the proof was not asked for by this browser"
    NO_GROUPS = "the claims hold no list of groups"
    NO_ROLE = "no group has a role"
    SEVERAL_ROLES = "the groups have several roles"
    DISABLED = "disabled"


_AGAIN = "Choose your organisation's sign-in again."
_WORDS = {
    Reason.INCOMPLETE: ("Your organisation's answer lacks what is needed to recognise you",
                        "Tell whoever runs the server."),
    Reason.OTHER_CLIENT: ("Your organisation's answer is meant for another application",
                          "Tell whoever runs the server."),
    Reason.TOO_OLD: ("Your organisation confirmed your identity too long ago",
                     "Sign out at your organisation, then choose its sign-in again."),
    Reason.USED: ("This confirmation of your identity was used before, and it counts once only", _AGAIN),
    Reason.OTHER_BROWSER: ("This confirmation of your identity was not asked for by this browser", _AGAIN),
    Reason.NO_GROUPS: ("Your organisation's account is known, but it does not say which groups you belong to",
                       "Ask a data manager."),
    Reason.NO_ROLE: ("Your organisation's account is known, but none of its groups has a role here",
                     "Ask a data manager."),
    Reason.SEVERAL_ROLES: ("Your organisation's account is known, but its groups have several roles here, and a "
                           "person has exactly one", "Ask a data manager which group you should leave."),
    Reason.DISABLED: ("Your account here is disabled", "Ask a data manager."),
}


class IdentityRefused(AccessRefused):
    """The provider's word is not enough to sign in; `reason` is for the trail, the message for the person."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        problem, remedy = _WORDS[reason]
        super().__init__(problem, remedy=remedy)


@dataclass(frozen=True)
class OutsideRules:
    """Whom a deployment believes, and what it makes of it.

    Attributes
    ----------
    client : the identifier under which the provider knows this application.
    roles : the role of each group that has one.
    groups_claim : name of the claim that lists a person's groups.
    """

    client: str
    roles: Mapping[str, Role]
    groups_claim: str = "groups"


@dataclass(frozen=True)
class OutsideIdentity:
    """A person as their provider knows them.

    Attributes
    ----------
    issuer, subject : together they are the person; neither a name nor an address is.
    nonce : the random value of the request that this proof answers.
    proof : hash of what makes the proof this one and no other.
    username, name : what an account of theirs may be called; nobody is recognised by it.
    """

    issuer: str
    subject: str
    nonce: str
    proof: str
    username: str
    name: str

    @property
    def link(self) -> str:
        """Issuer and subject as an account keeps them."""
        return json.dumps([self.issuer, self.subject])


def read_group_roles(pairs: Iterable[tuple[str, str]]) -> dict[str, Role]:
    """The role of each group, from the pairs of the settings.

    Raises
    ------
    SettingsError for a role that no account may have, a group named twice, or no group at all.
    """
    roles: dict[str, Role] = {}
    for group, role in pairs:
        if role not in set(Role) - {Role.OPERATOR}:
            raise _mapping_refused(f"'{role}' is no role of an account",
                                   "Choose clinician, steering, analyst or data_manager.")
        if group in roles:
            raise _mapping_refused(f"the group '{group}' is named twice", "Give each group one role.")
        roles[group] = Role(role)
    if not roles:
        raise _mapping_refused("sign-in through an identity provider is set up, but no group has a role",
                               "Name groups and roles, e.g. allbd-clinicians=clinician;allbd-analysts=analyst, or "
                               "remove the [auth] section of secrets.toml.")
    return roles


def read_identity(claims: Mapping[str, object], *, client: str, now: datetime) -> OutsideIdentity:
    """Who the claims are about, if they are complete, fresh and meant for us.

    Parameters
    ----------
    claims : of a verified ID token.
    client : the identifier under which the provider knows this application.

    Raises
    ------
    IdentityRefused with the first reason that is found.
    """
    issuer, subject, nonce = (_plain_text(claims.get(name)) for name in ("iss", "sub", "nonce"))
    issued, expires = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if not issuer or not subject or not nonce or issued is None or expires is None:
        raise IdentityRefused(Reason.INCOMPLETE)
    # Authlib lets a token for another application pass if it names us as the authorised party.
    if not _is_for(claims, client):
        raise IdentityRefused(Reason.OTHER_CLIENT)
    moments = [issued]
    if claims.get("auth_time") is not None:
        moments.append(_moment(claims["auth_time"]) or datetime.min.replace(tzinfo=UTC))
    if expires + CLOCK_SKEW <= now or not all(_is_fresh(moment, now) for moment in moments):
        raise IdentityRefused(Reason.TOO_OLD)
    extras = [_plain_text(claims.get(name)) for name in ("jti", "at_hash")]
    proof = hashlib.sha256(json.dumps([issuer, subject, claims["iat"], nonce, *extras]).encode()).hexdigest()
    username = _username(claims, issuer, subject)
    return OutsideIdentity(issuer, subject, nonce, proof, username, _name(claims.get("name")) or username)


def find_role(claims: Mapping[str, object], rules: OutsideRules) -> Role:
    """The one role that the person's groups give.

    Raises
    ------
    IdentityRefused if there is no list of groups, or its groups have no role or more than one.
    """
    groups = claims.get(rules.groups_claim)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise IdentityRefused(Reason.NO_GROUPS)
    # No order of precedence: the highest role would be a surprise, and so would the lowest.
    roles = {rules.roles[group] for group in groups if group in rules.roles}
    if len(roles) != 1:
        raise IdentityRefused(Reason.SEVERAL_ROLES if roles else Reason.NO_ROLE)
    return roles.pop()


def bind_login(key: bytes, *, nonce: str, browser: str) -> str:
    """What a browser keeps while its person is at the provider: that it, and no other, asked under this nonce."""
    message = json.dumps([nonce, browser]).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def check_login_binding(key: bytes, *, nonce: str, browser: str, binding: str) -> None:
    """Raise `IdentityRefused` unless this browser asked for the proof with this nonce."""
    expected = bind_login(key, nonce=nonce, browser=browser)
    if not browser or not hmac.compare_digest(expected.encode(), binding.encode("utf-8", "replace")):
        raise IdentityRefused(Reason.OTHER_BROWSER)


def _is_for(claims: Mapping[str, object], client: str) -> bool:
    """Whether the token is meant for this application (OpenID Connect Core, section 3.1.3.7, steps 3 to 5)."""
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    return client in meant and (party == client or (party is None and len(meant) == 1))


def _is_fresh(moment: datetime, now: datetime) -> bool:
    return now - LONGEST_AGE <= moment <= now + CLOCK_SKEW


def _moment(value: object) -> datetime | None:
    """A number of seconds as a moment; None for whatever else stands there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _plain_text(value: object) -> str:
    """The text, if it is one of a sane length that can be printed and stored; else empty."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > _LONGEST_TEXT:
        return ""
    return value


def _username(claims: Mapping[str, object], issuer: str, subject: str) -> str:
    """A readable account name: the provider's name for the person, else the first part of the address."""
    for name, text in (("preferred_username", claims.get("preferred_username")), ("email", claims.get("email"))):
        if isinstance(text, str):
            wished = text.partition("@")[0] if name == "email" else text
            plain = unicodedata.normalize("NFKD", wished.casefold()).encode("ascii", "ignore").decode()
            fitting = re.sub(r"[^a-z0-9._@-]+", "-", plain)[:_LONGEST_USERNAME].strip("._@-")
            if fitting:
                return fitting
    return f"person-{hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()[:8]}"


def _name(value: object) -> str:
    """The person's name without signs that cannot be seen, some of which turn text around."""
    if not isinstance(value, str):
        return ""
    visible = "".join(sign if unicodedata.category(sign)[0] not in "CZ" else " " for sign in value)
    return " ".join(visible.split())[:_LONGEST_NAME].strip()


def _mapping_refused(problem: str, remedy: str) -> SettingsError:
    return SettingsError(problem, where="HARMONY_OIDC_GROUPS", remedy=remedy)
