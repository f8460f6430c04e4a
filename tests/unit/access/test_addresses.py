from __future__ import annotations

import pytest

from harmony_dash.access.addresses import OWN_MACHINE, address_to_count, network_of


@pytest.mark.parametrize(("address", "has_proxy", "counted"), [
    (None, False, OWN_MACHINE), ("127.0.0.1", False, OWN_MACHINE), ("::1", False, OWN_MACHINE),
    ("::ffff:127.0.0.1", False, OWN_MACHINE), (None, True, ""), ("", True, ""), ("127.0.0.1", True, ""),
    ("127.8.0.1", True, ""), ("::1", True, ""), ("::ffff:127.0.0.1", True, ""), ("192.0.2.7", True, "192.0.2.7"),
    ("192.0.2.7", False, "192.0.2.7"), ("2001:db8::1", True, "2001:db8::1"), ("::ffff:192.0.2.7", True, "192.0.2.7"),
    ("unknown", True, ""), ("unknown", False, ""), ("192.0.2.7, 127.0.0.1", True, "")])
def test_an_address_is_counted_if_it_can_be_the_visitors(address: str | None, has_proxy: bool, counted: str) -> None:
    assert address_to_count(address, has_proxy=has_proxy) == counted


@pytest.mark.parametrize(("one", "other", "shared"), [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True), ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("2001:DB8::1", "2001:db8:0:0::2", True), ("fe80::1%eth0", "fe80::2%eth1", True),
    ("192.0.2.7", "192.0.2.8", False), ("192.0.2.7", "::ffff:192.0.2.7", True),
    ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False), ("loopback", "loopback", True), ("loopback", "other", False)])
def test_an_ipv6_network_counts_as_one_and_each_ipv4_address_for_itself(one: str, other: str, shared: bool) -> None:
    assert (network_of(one) == network_of(other)) is shared
