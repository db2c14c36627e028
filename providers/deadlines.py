"""How long a call may take, and how long it may wait for an upstream.

The limits that hold for the running task are in a context variable. The chain sets it once for each
request, so that no provider has to pass it along; background work has the limits of the client.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Self

from providers.errors import FerryError
from providers.status import Status

_STALL: Final = "FERRY_STALL_SECONDS"
_CALL: Final = "FERRY_CALL_SECONDS"
_ANSWER: Final = "FERRY_ANSWER_SECONDS"
_SENDING: Final = ("POST", "PUT")
_UNDO_SECONDS: Final = 10.0
SERVER_TIMEOUT: Final = "X-Server-Timeout"


@dataclass(frozen=True, slots=True)
class Wait:
    """The longest wait. `named`: the setting that it comes from; empty if it is no setting."""

    seconds: float
    named: str = ""

    def __str__(self) -> str:
        return f"{self.seconds:g} seconds" + (f" ({self.named})" if self.named else "")


NO_LIMIT: Final = Wait(inf)


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The limits of one call of a client.

    `answer` is the wait for the answer to an upstream call that makes something or sends a body,
    from the end of that body on, and for the next part of the answer; `other` is that of every
    other upstream call. `most` is the client's own limit for each of them. The whole call may take
    `whole`, and ends at `ends`, on the clock of `time.monotonic`.
    """

    answer: Wait
    other: Wait
    most: Wait = NO_LIMIT
    whole: Wait = NO_LIMIT
    ends: float = inf

    def within(self, server_timeout: float, arrived: float) -> Self:
        """Also ends when the client stops waiting: `server_timeout` after its request arrived."""
        ends = arrived + server_timeout
        if ends >= self.ends:
            return self
        return replace(self, whole=Wait(server_timeout, SERVER_TIMEOUT), ends=ends)

    def seconds_left(self) -> float:
        return self.ends - time.monotonic()

    def exceeded(self) -> FerryError:
        """The error for a call whose time is over."""
        return FerryError(Status.DEADLINE_EXCEEDED, f"the call took longer than {self.whole}")

    def wait_for(self, method: str, own: float | None) -> Wait:
        """The wait of an upstream call; `own` replaces the usual wait for an answer."""
        usual = self.answer if method in _SENDING else self.other
        return min(
            usual if own is None else Wait(own),
            self.most,
            Wait(self.seconds_left(), self.whole.named),
            key=lambda wait: wait.seconds,
        )


CALL_LIMITS: Final[ContextVar[CallLimits | None]] = ContextVar("call_limits", default=None)


@contextmanager
def time_to_undo() -> Iterator[None]:
    """For the calls that remove what an operation made, also if its own time is over."""
    limits = CALL_LIMITS.get()
    if limits is not None and limits.seconds_left() < _UNDO_SECONDS:
        ends = time.monotonic() + _UNDO_SECONDS
        limits = replace(limits, most=NO_LIMIT, whole=Wait(_UNDO_SECONDS), ends=ends)
    token = CALL_LIMITS.set(limits)
    try:
        yield
    finally:
        CALL_LIMITS.reset(token)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The settings FERRY_STALL_SECONDS, FERRY_CALL_SECONDS and FERRY_ANSWER_SECONDS."""

    stall: float = 60
    call: float = 60
    answer: float = 600

    @property
    def stalled(self) -> Wait:
        """Without progress while a body is moved."""
        return Wait(self.stall, _STALL)

    @property
    def whole(self) -> Wait:
        """For a short call as a whole."""
        return Wait(self.call, _CALL)

    def short_call(self) -> CallLimits:
        ends = time.monotonic() + self.call
        return CallLimits(self.whole, self.whole, whole=self.whole, ends=ends)

    def moving_call(self) -> CallLimits:
        return CallLimits(self.stalled, self.stalled)

    def answered_call(self) -> CallLimits:
        return CallLimits(self._answered, self.stalled)

    def sending_call(self, server_timeout: float = inf) -> CallLimits:
        """`server_timeout` is what the client's header says."""
        return CallLimits(self._answered, self.stalled, Wait(server_timeout, SERVER_TIMEOUT))

    def relayed_call(self, server_timeout: float = inf) -> CallLimits:
        return CallLimits(self._answered, self._answered, Wait(server_timeout, SERVER_TIMEOUT))

    @property
    def _answered(self) -> Wait:
        return Wait(self.answer, _ANSWER)


DEFAULT_LIMITS: Final = TimeLimits()
