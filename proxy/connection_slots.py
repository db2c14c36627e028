"""Counts what clients hold open, in total and for each peer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from middlewares.trusted_proxies import TrustedProxies, parse_address, peer_network

Release = Callable[[], object]


class Limit(StrEnum):
    """What is reached when no slot is free."""

    TOTAL = "total"
    PEER = "peer"


def _ignore(_: object) -> None:
    pass


@dataclass(slots=True)
class ConnectionSlots:
    """At most `total` connections, if that is not None, and `per_peer` of a peer.

    Trusted proxies and this machine have no limit of their own: many clients may be behind them.
    `changed` is called with the number of open connections, `refused` with the limit.
    """

    total: int | None
    per_peer: int
    proxies: TrustedProxies
    changed: Callable[[int], object] = _ignore
    refused: Callable[[Limit], object] = _ignore
    open: int = 0
    _by_peer: Counter[str] = field(default_factory=Counter)

    def take(self, address: str) -> Release | None:
        """Takes a slot, and returns the function that gives it back; None if no slot is free."""
        peer = self._limited(address)
        if self.full or (peer and self._by_peer[peer] >= self.per_peer):
            self.refused(Limit.TOTAL if self.full else Limit.PEER)
            return None
        self.open += 1
        self.changed(self.open)
        if peer:
            self._by_peer[peer] += 1
        return lambda: self._give_back(peer)

    @property
    def full(self) -> bool:
        return self.total is not None and self.open >= self.total

    def _give_back(self, peer: str) -> None:
        self.open -= 1
        self.changed(self.open)
        if peer:
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]

    def _limited(self, address: str) -> str:
        """The peer whose connections are counted; empty if it has no limit."""
        parsed = parse_address(address)
        if self.proxies.trusts(address) or (parsed is not None and parsed.is_loopback):
            return ""
        return peer_network(address)
