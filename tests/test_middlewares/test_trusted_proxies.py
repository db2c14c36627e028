"""Which client a request comes from, as far as trusted proxies say so."""

from ipaddress import ip_network

import pytest

from middlewares.trusted_proxies import TrustedProxies, peer_network
from tests.test_middlewares.test_public_address import request_from

PROXIES = TrustedProxies((ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")))


@pytest.mark.parametrize(
    ("remote", "hops", "client"),
    [
        ("192.0.2.1", None, None),
        ("192.0.2.1", "198.51.100.7", None),
        ("10.0.0.1", None, None),
        ("10.0.0.1", "", None),
        ("10.0.0.1", " , ", None),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "forged, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "forged, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("2001:db8:1::1", "2001:db8:2::7, [2001:db8:1::2]:443", "2001:db8:2::7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", None),
        ("10.0.0.1", "unknown", "unknown"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(
    remote: str, hops: str | None, client: str | None
) -> None:
    headers = {} if hops is None else {"X_Forwarded_For": hops}
    assert PROXIES.client(request_from(remote, **headers)) == client


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4000", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:db8::2]:4000", "2001:db8::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_what_counts_as_one_peer(address: str, network: str) -> None:
    assert peer_network(address) == network
