"""How long to retry when the provider accepts no call."""

from typing import Final

from providers.batches.immediate.clock import Clock

# On-demand quotas are per minute and shared with the account's other calls.
RETRY_SECONDS: Final = 15 * 60.0


class RetryPolicy:
    """The policy of one run. Any answer starts the time again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None

    def answered(self) -> None:
        self._since = None

    def may_retry(self) -> bool:
        """Whether to retry a call that the provider did not begin."""
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since < RETRY_SECONDS
