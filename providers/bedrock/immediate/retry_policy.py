"""For how long a run bears it that Bedrock begins none of its calls."""

from typing import Final

from providers.bedrock.immediate.clock import Clock

# On-demand quotas are per minute, and shared with whatever else the account does.
RETRY_SECONDS: Final = 15 * 60.0


class RetryPolicy:
    """Of one run: any answer renews it, so that it ends only where none comes at all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None

    def answered(self) -> None:
        self._since = None

    def may_retry(self) -> bool:
        """Whether a call that was not begun is to be tried again."""
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since < RETRY_SECONDS
