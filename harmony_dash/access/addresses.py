"""Where an attempt to sign in comes from, as the counter of failures takes it."""

from __future__ import annotations

import ipaddress

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

OWN_MACHINE = "loopback"
# One household or hospital is given a whole network of IPv6; each of its computers chooses its own addresses, and a
# new one as often as it likes.
_IPV6_PREFIX = 64


def address_to_count(address: str | None, *, has_proxy: bool) -> str:
    """The address to count failures for; empty if it is not known where somebody is.

    Whoever seems to come from this machine while other machines can reach the server comes through a proxy that does
    not say for whom. All its visitors would share one counter, and twenty failures of a stranger would shut it for
    everybody.

    Parameters
    ----------
    address : of the other end of the connection, or what a proxy on this machine said in its place; None for this
        machine or nothing known.
    has_proxy : whether visitors from elsewhere may arrive by way of this machine.
    """
    known = _parse(address) if address else None
    if address and known is None:
        return ""
    if known is None or known.is_loopback:
        return "" if has_proxy else OWN_MACHINE
    return str(known)


def network_of(address: str) -> str:
    """What shares one counter: an IPv4 address, or the /64 network of an IPv6 address; anything else as it is."""
    known = _parse(address)
    if known is None:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(known), _IPV6_PREFIX), strict=False))
    return str(known)


def _parse(address: str) -> _IPAddress | None:
    """The address; an IPv4 address that is written as one of IPv6 is still one of IPv4."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known
