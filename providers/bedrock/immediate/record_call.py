"""One record's call to Bedrock's runtime: tried again where it passes, and put into a line."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from providers.bedrock.immediate.result_line import render_error, render_output
from providers.bedrock.invocation import InvocationType
from providers.credential import Caller
from providers.errors import FerryError

TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0

Pause = Callable[[float], Awaitable[None]]


class RecordCall(Protocol):
    async def __call__(
        self, caller: Caller, model: str, invocation: InvocationType, model_input: bytes
    ) -> bytes:
        """`modelOutput`, a JSON object. Raises FerryError, UNAUTHENTICATED for a bad credential."""


class CredentialRefused(Exception):
    """The caller's credential is not, or no longer, good; the record was not looked at."""


def retrying(pause: Pause, passes: Callable[[BaseException], bool]) -> AsyncRetrying:
    """A few tries of what fails for reasons that pass; the last failure is raised as it is."""
    return AsyncRetrying(
        sleep=pause,
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential_jitter(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS),
        retry=retry_if_exception(passes),
        reraise=True,
    )


class TriedCall:
    """One call. `undone` while Bedrock certainly does nothing for it and has done nothing."""

    def __init__(self, send: Callable[[], Awaitable[bytes]], pause: Pause) -> None:
        self._send = send
        self._pause = pause
        self.undone = True

    async def line(self, record_id: str) -> bytes:
        """The record's result. Raises CredentialRefused, and what `pause` raises."""
        try:
            output: bytes = await retrying(self._pause, _passes)(self._try)
        except FerryError as error:
            if error.status == "UNAUTHENTICATED":
                raise CredentialRefused from None
            self.undone = False
            # Without our own name for the upstream: as a job's line would say it.
            said = error.message.removeprefix(f"{error.provider}: ")
            return render_error(record_id, error.upstream_status or error.code, said)
        try:
            return render_output(record_id, output)
        except ValueError:
            return render_error(record_id, 503, "the model's answer is no JSON object")

    async def _try(self) -> bytes:
        self.undone = False
        try:
            return await self._send()
        except FerryError:
            self.undone = True
            raise


def outcome_unknown(record_id: str) -> bytes:
    """The result of a record whose calls all began, and of which none was heard of again."""
    return render_error(
        record_id,
        500,
        "the outcome of this request is unknown: the proxy was interrupted during its call, and "
        "again when it repeated it",
    )


def _passes(error: BaseException) -> bool:
    return isinstance(error, FerryError) and not error.permanent
