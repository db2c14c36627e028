from ipaddress import ip_network

import pytest

from middlewares.trusted_proxies import TrustedProxies
from proxy.connection_slots import ConnectionSlots, Limit

PROXIES = TrustedProxies((ip_network("10.0.0.0/8"),))


def test_all_connections_are_limited_and_given_back() -> None:
    slots = ConnectionSlots(2, 100, PROXIES)
    first, second = slots.take("127.0.0.1"), slots.take("192.0.2.1")
    assert first is not None
    assert second is not None
    assert slots.full
    assert slots.take("192.0.2.2") is None
    second()
    assert not slots.full
    assert slots.take("192.0.2.2") is not None
    assert slots.open == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_the_connections_of_a_peer_are_limited(one: str, other: str, same: bool) -> None:
    slots = ConnectionSlots(100, 1, PROXIES)
    first = slots.take(one)
    assert first is not None
    assert (slots.take(other) is None) is same
    assert not slots.full
    first()
    assert slots.take(one) is not None


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_trusted_proxies_and_this_machine_have_no_limit_of_their_own(peer: str) -> None:
    slots = ConnectionSlots(100, 1, PROXIES)
    assert all(slots.take(peer) for _ in range(50))


def test_every_change_and_every_refusal_is_told_with_its_limit() -> None:
    open_ones: list[int] = []
    refused: list[Limit] = []
    slots = ConnectionSlots(2, 1, PROXIES, open_ones.append, refused.append)
    first = slots.take("192.0.2.1")
    assert slots.take("192.0.2.1") is None
    assert slots.take("192.0.2.2") is not None
    assert slots.take("192.0.2.3") is None
    assert first is not None
    first()
    assert open_ones == [1, 2, 1]
    assert refused == [Limit.PEER, Limit.TOTAL]


def test_nothing_is_remembered_of_peers_that_left() -> None:
    slots = ConnectionSlots(None, 10, PROXIES)
    for number in range(256):
        release = slots.take(f"192.0.2.{number}")
        assert release is not None
        release()
    assert not slots._by_peer
    assert slots.open == 0
