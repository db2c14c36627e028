"""Creations without an idempotency key whose client has not seen the outcome.

SDKs repeat a POST by themselves: after a broken connection, after 503 and 504. Such a repeat gets
the batch of the first request: if the client left, or the answer was lost, the key that the first
request would have had is stored for a minute. Two requests whose clients are both connected are two
batches, even if they are equal.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from providers.batches.repeats import Attempt, Repeat
from providers.errors import FerryError
from providers.state import State, read_as, write
from providers.status import Status
from providers.stored_objects import LOST

_LIFE: Final = timedelta(seconds=60)
# How long a repeat waits for the end of the first request, and how often it looks.
_WAIT_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Record:
    key: str


class LostBefore(FerryError):
    """An equal request was lost within the last minute; `key` finds what it created."""

    def __init__(self, key: str) -> None:
        super().__init__(Status.ABORTED, "an equal request was lost a moment ago")
        self.key = key


class LostCreations:
    """Those at one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        # Until they are stored: a client repeats its request sooner.
        self._leaving: dict[str, str] = {}

    def attempt(self, tenant: str, fingerprint: str) -> "UnkeyedAttempt":
        key = f"unkeyed-{secrets.token_hex(16)}"
        repeat = Repeat(self._upstream, self._state, tenant, key, fingerprint)
        return UnkeyedAttempt(self, self._name(tenant, fingerprint), key, repeat)

    async def wait_settled(self, repeat: Repeat) -> None:
        """Wait for the outcome of the lost request, which may still be running somewhere."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not await repeat.settled():  # noqa: ASYNC110 - another process changes it
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            return

    async def forget(self, tenant: str, fingerprint: str) -> None:
        await self._state.delete(self._name(tenant, fingerprint))

    async def find(self, name: str) -> str | None:
        if name in self._leaving:
            return self._leaving[name]
        info = await self._state.head(name)
        if info is None:
            return None
        if datetime.now(UTC) - info.created > _LIFE:
            await self._state.delete(name)
            return None
        record = await read_as(self._state, name, _Record)
        return None if record is None else record.key

    async def store(self, name: str, key: str) -> None:
        self._leaving[name] = key
        try:
            await write(self._state, name, orjson.dumps(_Record(key)))
        finally:
            del self._leaving[name]

    def _name(self, tenant: str, fingerprint: str) -> str:
        return LOST.name(self._upstream, tenant, fingerprint)


class UnkeyedAttempt(Attempt):
    """The only attempt at a creation, until `remember` makes it the first of its key."""

    repeatable = False

    def __init__(self, lost: LostCreations, name: str, key: str, repeat: Repeat) -> None:
        super().__init__(repeat)
        self._lost = lost
        self._name = name
        self._key = key
        self._job = ""

    async def sending(self) -> None:
        """Raises LostBefore. Asked as late as possible: the first request may just be lost."""
        key = await self._lost.find(self._name)
        if key is not None:
            raise LostBefore(key)
        await super().sending()

    async def begin(self) -> bool:
        return True

    async def join(self, job: str) -> str:
        self._job = job
        return job

    async def _begin_single(self) -> None:
        return

    async def remember(self) -> None:
        await asyncio.gather(self._lost.store(self._name, self._key), self.repeat.join(self._job))
        self._first = True
