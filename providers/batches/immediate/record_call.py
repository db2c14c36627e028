"""What the failure of the call for one record means for the record."""

from enum import Enum, auto
from typing import Final

from tenacity import RetryCallState, wait_random_exponential

from providers.errors import FerryError
from providers.json_api.client import outcome_unknown
from providers.status import Status
from providers.upstream import UpstreamError

_LONGEST_PAUSE_SECONDS: Final = 60
# Random, so calls that were refused together do not repeat together.
_PAUSE: Final = wait_random_exponential(multiplier=2, min=1, max=_LONGEST_PAUSE_SECONDS)


class NoCalls(Exception):
    """No call can be made for this caller now; the provider has not read the record."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class NotBegun(Exception):
    """The provider has not begun the call, and may accept it later."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class Failure(Enum):
    """The effect of a failed call."""

    NO_CALLS = auto()
    """None: no call of this caller can succeed, and the record was not read."""
    NOT_BEGUN = auto()
    """None: the same call may succeed later."""
    UNKNOWN = auto()
    """Unknown: the model may have answered, and the answer is paid for."""
    REFUSED = auto()
    """An error that is the record's result."""


def failure_of(error: FerryError, not_begun: frozenset[str]) -> Failure:
    """`not_begun` is that of `Answerer`."""
    if isinstance(error, UpstreamError):
        return Failure.NOT_BEGUN if error.unsent else Failure.UNKNOWN
    if error.provider is None or error.status == Status.UNAUTHENTICATED:
        return Failure.NO_CALLS
    if error.status == Status.RESOURCE_EXHAUSTED or error.reason in not_begun:
        return Failure.NOT_BEGUN
    return Failure.UNKNOWN if outcome_unknown(error) else Failure.REFUSED


def pause_before_next(state: RetryCallState) -> float:
    """Seconds until the call is retried after NotBegun; at least a short Retry-After.

    A Retry-After that is long or a date is ignored: a try tells more.
    """
    asked = _seconds(state.outcome.exception() if state.outcome else None)
    return max(_PAUSE(state), asked if asked <= _LONGEST_PAUSE_SECONDS else 0.0)


def _seconds(error: BaseException | None) -> float:
    said = error.error.retry_after if isinstance(error, NotBegun) else None
    return float(said) if said and said.isascii() and said.isdigit() else 0.0
