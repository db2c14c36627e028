"""Which failed calls to an upstream are sent again, how often, and after which pause.

A call is repeated at most twice, after a random pause or the `Retry-After` of the refusal, and only
while the client's call has time left. A stream that was read cannot be sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic
from typing import Final, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from providers.deadlines import CALL_LIMITS
from providers.errors import FerryError
from providers.observation import UNOBSERVED, Observer
from providers.status import Status
from providers.upstream import UpstreamError

T = TypeVar("T")

# As many as AWS's own SDKs make.
ATTEMPTS: Final = 3
# From the first attempt to the last, for calls that may take long.
_LONGEST_SECONDS: Final = 60.0

USUAL_PAUSE: Final[wait_base] = wait_exponential_jitter(initial=0.1, max=2.0, jitter=0.1)
_TRANSIENT: Final = (Status.UNAVAILABLE, Status.RESOURCE_EXHAUSTED, Status.DEADLINE_EXCEEDED)
# These do not recover in time.
_LASTING: Final = "ServiceQuotaExceededException"


class Retries:
    """Repeats calls to one provider. `pause` is what it waits if the provider names no time."""

    def __init__(
        self,
        observer: Observer = UNOBSERVED,
        pause: wait_base | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._observer = observer
        self._pause = pause
        self._sleep = sleep

    async def idempotent(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that may be carried out more than once."""
        return await self._repeated(call, _is_transient)

    async def unsent(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that is repeated only if the upstream received nothing of it.

        Then nothing of its body was read either, even if that is a stream.
        """
        return await self._repeated(call, _was_not_sent)

    async def deletion(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """As `idempotent`. None if a repeat finds nothing: an earlier attempt has deleted it."""
        perhaps_deleted = False

        async def delete() -> T | None:
            nonlocal perhaps_deleted
            try:
                return await call()
            except FerryError as error:
                if perhaps_deleted and error.status is Status.NOT_FOUND:
                    return None
                perhaps_deleted = perhaps_deleted or not _was_not_sent(error)
                raise

        return await self.idempotent(delete)

    async def _repeated(
        self, call: Callable[[], Awaitable[T]], may_repeat: Callable[[BaseException], bool]
    ) -> T:
        began = monotonic()
        try:
            return await call()
        except FerryError as error:
            if not may_repeat(error):
                raise
            first = error
        # Made only now, since it costs a tenth of a small call.
        attempts = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS) | _TooLate(began),
            wait=self._wait,
            retry=retry_if_exception(may_repeat),
            before_sleep=lambda _: self._observer.call_retried(),
            reraise=True,
        )
        result: T = await attempts(_after(first, call))
        return result

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        named = retry_after_seconds(error) if isinstance(error, FerryError) else 0.0
        return max((self._pause or USUAL_PAUSE)(state), named)


def retry_after_seconds(error: FerryError) -> float:
    """The pause that the refusal asks for; 0 if it asks for none."""
    return float(error.retry_after or 0)


def _after(first: FerryError, call: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """As `call`, whose first attempt was made and ended with `first`."""
    failures = [first]

    async def attempt() -> T:
        if failures:
            raise failures.pop()
        return await call()

    return attempt


class _TooLate(stop_base):
    """Whether the next attempt would begin after the end of the call that it is for.

    `began` is when the first attempt began, on the clock of `time.monotonic`.
    """

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, retry_state: RetryCallState) -> bool:
        limits = CALL_LIMITS.get()
        left = inf if limits is None else limits.seconds_left()
        left = min(left, _LONGEST_SECONDS - (monotonic() - self._began))
        return retry_state.upcoming_sleep >= left


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, FerryError) and error.status in _TRANSIENT and error.reason != _LASTING


def _was_not_sent(error: BaseException) -> bool:
    return isinstance(error, UpstreamError) and error.unsent and _is_transient(error)


USUAL_RETRIES: Final = Retries()
