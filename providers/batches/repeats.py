"""`x-ferry-idempotency-key`: a creation that is repeated within a day gives the same batch.

Two write-once objects record it: the attempt (before the provider is called), and the batch (after
it was created). An attempt without a batch has an unknown outcome and is looked up at the provider.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from providers.errors import already_exists, invalid_argument
from providers.state import State, read, write

_LIFE: Final = timedelta(hours=24)
_KEY_LIMIT: Final = 256


class Repeat:
    """One idempotency key of one tenant at one upstream. `mark` is for the provider to store.

    `fingerprint` is a digest of the whole request that has the key.
    """

    def __init__(
        self, upstream: str, state: State, tenant: str, key: str, fingerprint: str
    ) -> None:
        if len(key) > _KEY_LIMIT:
            raise invalid_argument(f"x-ferry-idempotency-key has at most {_KEY_LIMIT} characters")
        digest = hashlib.sha256(key.encode()).hexdigest()
        self._name = f"idempotency/{upstream}/{tenant}/{digest}"
        self._state = state
        self._fingerprint = fingerprint
        self.mark = hashlib.sha256(f"{tenant}{digest}{fingerprint}".encode()).hexdigest()

    async def recorded(self) -> str | None:
        """The native id of the batch that this key created before."""
        return await self._read("batch")

    async def begin(self) -> bool:
        """Record an attempt. False if there is one already; its outcome is unknown."""
        if await self._read("attempt") is not None:
            return False
        return await self._write("attempt", "")

    async def join(self, job: str) -> str:
        """The job id that all attempts share: `job`, or that of the first attempt."""
        first = await self._read("attempt")
        if first is None and await self._write("attempt", job):
            return job
        return first or await self._read("attempt") or job

    async def forget(self) -> None:
        """Remove the record of an attempt that certainly created nothing."""
        await self._state.delete(f"{self._name}/attempt")

    async def record(self, native_id: str) -> str:
        """Record the batch of this key. Returns it, or the batch that was recorded first."""
        if await self._write("batch", native_id):
            return native_id
        return await self._read("batch") or native_id

    async def _write(self, kind: str, value: str) -> bool:
        document = orjson.dumps({"fingerprint": self._fingerprint, "value": value})
        return await write(self._state, f"{self._name}/{kind}", document)

    async def _read(self, kind: str) -> str | None:
        name = f"{self._name}/{kind}"
        info = await self._state.head(name)
        if info is None:
            return None
        if datetime.now(UTC) - info.created > _LIFE:
            await self._state.delete(name)
            return None
        data = await read(self._state, name)
        if data is None:
            return None
        document = orjson.loads(data)
        if document["fingerprint"] != self._fingerprint:
            raise already_exists("x-ferry-idempotency-key was used for another request")
        return str(document["value"])
