"""Which credentials the providers accepted or refused lately. Each process has its own memory.

Credentials are known by `Caller.known_as`, a hash of the upstream, the key and its scope.
"""

import time
from collections.abc import Callable
from math import inf
from typing import Final

ACCEPTED_SECONDS: Final = 300.0
REFUSED_SECONDS: Final = 10.0
# So that requests with made-up keys cannot fill the memory. Refusals never displace acceptances.
MOST_ENTRIES: Final = 10_000

Clock = Callable[[], float]


class KnownCredentials:
    """The newest answer of a provider counts. `clock` is in seconds and never runs backwards."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._accepted = _Recent(ACCEPTED_SECONDS, clock)
        self._refused = _Recent(REFUSED_SECONDS, clock)

    def accepted(self, tenant: str) -> bool:
        """Whether the provider accepted this tenant's credential lately."""
        return tenant in self._accepted

    def refused(self, tenant: str) -> bool:
        """Whether the provider said lately that this tenant's credential is invalid."""
        return tenant in self._refused

    def accept(self, tenant: str) -> None:
        self._refused.discard(tenant)
        self._accepted.add(tenant)

    def refuse(self, tenant: str) -> None:
        self._accepted.discard(tenant)
        self._refused.add(tenant)


class _Recent:
    """Tenants that were added within the last `seconds`; beyond the limit the oldest is dropped."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends: dict[str, float] = {}  # the oldest first, so also the first to end

    def __contains__(self, tenant: str) -> bool:
        return self._clock() < self._ends.get(tenant, -inf)

    def add(self, tenant: str) -> None:
        self.discard(tenant)
        self._ends[tenant] = self._clock() + self._seconds
        if len(self._ends) > MOST_ENTRIES:
            del self._ends[next(iter(self._ends))]

    def discard(self, tenant: str) -> None:
        self._ends.pop(tenant, None)
