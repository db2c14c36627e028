"""`x-ferry-idempotency-key`: a creation that is repeated within a day gives the same batch.

Two write-once objects record it: the attempt (before the provider is called), and the batch (after
it was created). An attempt without a batch has an unknown outcome and is looked up at the provider.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import orjson

from providers.errors import FerryError, already_exists, invalid_argument
from providers.json_api.client import outcome_unknown
from providers.limits import IDEMPOTENCY_KEY
from providers.state import State, read_as, write
from providers.status import Status
from providers.stored_objects import IDEMPOTENCY

_LIFE: Final = timedelta(hours=24)
# A batch that the proxy did not see made is in no client's list where clients share a key.
_LOOK_FOR_IT: Final = (
    "look for it in the list of batches or, if clients share the proxy's own key, at the provider"
)

E = TypeVar("E", bound=FerryError)


@dataclass(frozen=True, slots=True)
class _Record:
    """`value` is a job id or a native id, or empty. The request has `fingerprint`."""

    fingerprint: str
    value: str


class Repeat:
    """One idempotency key of one tenant at one upstream. The provider may store `creation_key`.

    `fingerprint` is a digest of the whole request that has the key.
    """

    def __init__(
        self, upstream: str, state: State, tenant: str, key: str, fingerprint: str
    ) -> None:
        if len(key) > IDEMPOTENCY_KEY:
            raise invalid_argument(
                f"x-ferry-idempotency-key has at most {IDEMPOTENCY_KEY} characters"
            )
        digest = hashlib.sha256(key.encode()).hexdigest()
        self._name = IDEMPOTENCY.name(upstream, tenant, digest)
        self._state = state
        self._fingerprint = fingerprint
        self.creation_key = hashlib.sha256(f"{tenant}{digest}{fingerprint}".encode()).hexdigest()

    async def recorded(self) -> str | None:
        """The native id of the batch that this key created before."""
        return await self._read("batch")

    async def begin(self) -> bool:
        """Record an attempt. False if there is one already; its outcome is unknown."""
        if await self._read("attempt") is not None:
            return False
        return await self._write("attempt", "")

    async def begin_single(self) -> None:
        """As `begin`, for a provider that cannot show an attempt's outcome.

        Raises ABORTED after another attempt.
        """
        if not await self.begin():
            raise FerryError(
                Status.ABORTED,
                "an earlier request with this x-ferry-idempotency-key, or an equal one in the last "
                "minute, is still running, or whether its batch was made is unknown: "
                f"{_LOOK_FOR_IT}, and send a new x-ferry-idempotency-key to create one anyway",
            )

    async def join(self, job: str) -> str:
        """The job id that all attempts share: `job`, or that of the first attempt."""
        first = await self._read("attempt")
        if first is None and await self._write("attempt", job):
            return job
        return first or await self._read("attempt") or job

    async def forget(self) -> None:
        """Remove the record of an attempt that certainly created nothing."""
        await self._state.delete(f"{self._name}/attempt")

    async def settled(self) -> bool:
        """Whether the outcome of the attempt is known: its batch, or that there is none."""
        return await self.recorded() is not None or await self._read("attempt") is None

    async def record(self, native_id: str) -> str:
        """Record the batch of this key. Returns it, or the batch that was recorded first."""
        if await self._write("batch", native_id):
            return native_id
        return await self._read("batch") or native_id

    async def _write(self, kind: str, value: str) -> bool:
        record = _Record(self._fingerprint, value)
        return await write(self._state, f"{self._name}/{kind}", orjson.dumps(record))

    async def _read(self, kind: str) -> str | None:
        name = f"{self._name}/{kind}"
        info = await self._state.head(name)
        if info is None:
            return None
        if datetime.now(UTC) - info.created > _LIFE:
            await self._state.delete(name)
            return None
        record = await read_as(self._state, name, _Record)
        if record is None:
            return None
        if record.fingerprint != self._fingerprint:
            raise already_exists("x-ferry-idempotency-key was used for another request")
        return record.value


class Attempt:
    """One creation of a batch with an idempotency key.

    The target uses `begin`, `join` or `single` before the call that creates the batch, and
    `sending` before the provider can have received that call as a whole.
    """

    # Whether another attempt may be under way.
    repeatable = True

    def __init__(self, repeat: Repeat) -> None:
        self.repeat = repeat
        self._first = False
        self._sent = asyncio.Event()

    @property
    def creation_key(self) -> str:
        """The same for all attempts with one key, for the provider to store."""
        return self.repeat.creation_key

    @property
    def sent(self) -> bool:
        return self._sent.is_set()

    async def wait_sent(self) -> None:
        await self._sent.wait()

    async def sending(self) -> None:
        self._sent.set()

    async def remember(self) -> None:
        """Let a repeat of the request find this attempt, whose outcome is not known yet."""

    async def begin(self) -> bool:
        """Record the attempt. False if an earlier one is recorded; its outcome is unknown."""
        self._first = await self.repeat.begin()
        return self._first

    async def join(self, job: str) -> str:
        """The job id that all attempts share: `job`, or that of the first attempt."""
        shared = await self.repeat.join(job)
        self._first = shared == job
        return shared

    @asynccontextmanager
    async def single(self) -> AsyncIterator[None]:
        """Enter this around the call that creates the batch. Raises ABORTED after another attempt.

        The key can be used again after an attempt that certainly created nothing.
        """
        await self._begin_single()
        try:
            yield
        except Exception as error:
            if not may_have_created(error):
                await self.forget()
            raise

    async def _begin_single(self) -> None:
        await self.repeat.begin_single()
        self._first = True

    async def forget(self) -> None:
        """The attempt certainly created nothing. What an earlier one did stays unknown."""
        if self._first:
            await self.repeat.forget()


def with_unknown_outcome(error: E) -> E:
    """The error of a creation that may have made a batch, with what its client should do."""
    return error.adding(
        f"; whether the batch was made is unknown: before you create it again, {_LOOK_FOR_IT}"
    )


def may_have_created(error: Exception) -> bool:
    """Whether there may be a batch in spite of `error`.

    An error that is not ours comes from the request's own body, which then was not complete.
    """
    return isinstance(error, FerryError) and outcome_unknown(error)
