"""Which jobs are not resumed for a while, because their caller's credential was just refused."""

import hashlib
import secrets
from typing import Final

from providers.batches.immediate.job import JobKey
from providers.batches.immediate.leases import Clock
from providers.credential import Caller

# A caller that polls its batch every second must not cause a refusal every second.
DELAY_SECONDS: Final = 60.0


class RetryDelays:
    """The delays of one process. Another credential is tried immediately.

    Credentials are not kept, only their keyed hashes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._until: dict[tuple[JobKey, bytes], float] = {}

    def start(self, key: JobKey, caller: Caller) -> None:
        now = self._clock.monotonic()
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[key, self._mark(caller)] = now + DELAY_SECONDS

    def is_delayed(self, key: JobKey, caller: Caller) -> bool:
        until = self._until.get((key, self._mark(caller)))
        return until is not None and self._clock.monotonic() < until

    def _mark(self, caller: Caller) -> bytes:
        said = "\n".join([caller.credential.secret, *map(str, sorted(caller.headers.items()))])
        return hashlib.blake2b(said.encode(), key=self._salt).digest()
