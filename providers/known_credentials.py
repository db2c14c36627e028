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

    def accepted(self, known_as: str) -> bool:
        """Whether the provider accepted this credential lately."""
        return known_as in self._accepted

    def refused(self, known_as: str) -> bool:
        """Whether the provider said lately that this credential is invalid."""
        return known_as in self._refused

    def accept(self, known_as: str) -> None:
        self._refused.discard(known_as)
        self._accepted.add(known_as)

    def refuse(self, known_as: str) -> None:
        self._accepted.discard(known_as)
        self._refused.add(known_as)


class _Recent:
    """Credentials of the last `seconds`; beyond the limit the oldest is dropped."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends: dict[str, float] = {}  # the oldest first, so also the first to end

    def __contains__(self, known_as: str) -> bool:
        return self._clock() < self._ends.get(known_as, -inf)

    def add(self, known_as: str) -> None:
        self.discard(known_as)
        self._ends[known_as] = self._clock() + self._seconds
        if len(self._ends) > MOST_ENTRIES:
            del self._ends[next(iter(self._ends))]

    def discard(self, known_as: str) -> None:
        self._ends.pop(known_as, None)
