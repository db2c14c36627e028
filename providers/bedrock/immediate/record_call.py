"""One record's call to Bedrock's runtime, and what it means for the record where it fails."""

from enum import Enum, auto
from typing import Final, Protocol

from tenacity import RetryCallState, wait_random_exponential

from providers.bedrock.invocation import InvocationType
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.client import outcome_unknown
from providers.status import Status
from providers.upstream import UpstreamError

_LONGEST_PAUSE_SECONDS: Final = 60
# Spread at random, so that calls refused together do not come back together.
_PAUSE: Final = wait_random_exponential(multiplier=2, min=1, max=_LONGEST_PAUSE_SECONDS)
# Unverified: after these no model has begun on the request (bedrock.md section 2).
_NOT_BEGUN: Final = frozenset({"ServiceUnavailableException", "ModelNotReadyException"})


class RecordCall(Protocol):
    async def __call__(
        self, caller: Caller, model: str, invocation: InvocationType, model_input: bytes
    ) -> bytes:
        """`modelOutput`, a JSON object. Raises FerryError.

        One that names no provider, and is no UpstreamError, was raised before anything was sent.
        """


class NoCalls(Exception):
    """No call of this caller's can be made now; Bedrock has not looked at the record."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class NotBegun(Exception):
    """Bedrock has done nothing, and may do it a little later."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class Failure(Enum):
    """What a failed call has done."""

    NO_CALLS = auto()
    """Nothing, as no call of this caller's would: the record was not looked at."""
    NOT_BEGUN = auto()
    """Nothing, and the same call may be begun a little later."""
    UNKNOWN = auto()
    """Perhaps everything: the model may have answered, and the answer cost its price."""
    REFUSED = auto()
    """It was answered: with an error that is the record's result."""


def failure_of(error: FerryError) -> Failure:
    if isinstance(error, UpstreamError):
        return Failure.NOT_BEGUN if error.unsent else Failure.UNKNOWN
    if error.provider is None or error.status == Status.UNAUTHENTICATED:
        return Failure.NO_CALLS
    if error.status == Status.RESOURCE_EXHAUSTED or error.reason in _NOT_BEGUN:
        return Failure.NOT_BEGUN
    return Failure.UNKNOWN if outcome_unknown(error) else Failure.REFUSED


def pause_before_next(state: RetryCallState) -> float:
    """Seconds after NotBegun until the call is tried again: what Bedrock asks, if that is little.

    A Retry-After that is a date, or long, says less than trying does.
    """
    asked = _seconds(state.outcome.exception() if state.outcome else None)
    return max(_PAUSE(state), asked if asked <= _LONGEST_PAUSE_SECONDS else 0.0)


def _seconds(error: BaseException | None) -> float:
    said = error.error.retry_after if isinstance(error, NotBegun) else None
    return float(said) if said and said.isascii() and said.isdigit() else 0.0
