"""Creations at Google, also with `x-ferry-idempotency-key`, a header that Google does not know.

A batch at Google cannot be found again by its key. So only one attempt for a key is relayed: if its
outcome is unknown, the caller gets an error and no second batch is created.
"""

import hashlib
from dataclasses import replace
from typing import Final

from yarl import URL

from providers.batches.repeats import Repeat, with_unknown_outcome
from providers.body import Body, in_memory
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument
from providers.gemini.buffered_reply import BufferedReply
from providers.json_api.json_text import parse_answer
from providers.limits import RELAYED_ANSWER
from providers.memory import MemoryBudget, Reservation
from providers.provider import Relay, RelayedRequest
from providers.state import State
from providers.upstream import Reply, UpstreamError, invalid_answer

KEY_HEADER: Final = "x-ferry-idempotency-key"
_CREATIONS: Final = (":batchGenerateContent", ":asyncBatchEmbedContent")
# The received pieces, and the body that is joined from them.
_COPIES_IN_MEMORY: Final = 2


class RepeatableCreations:
    """Implements `providers.provider.Relay` around another one, which gets all other calls."""

    def __init__(
        self, name: str, relay: Relay, state: State, memory: MemoryBudget, limit: int
    ) -> None:
        """`limit` in bytes bounds an inline body."""
        self._name = name
        self._limit = limit
        self._relay = relay
        self._state = state
        self._memory = memory

    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply:
        if not request.target.raw_path.endswith(_CREATIONS):
            return await self._relay.relay(caller, request)
        try:
            key = request.headers.get(KEY_HEADER)
            if key:
                return await self._create_once(caller, request, key)
            return await self._relay.relay(caller, request)
        except UpstreamError as error:
            if error.unsent:
                raise
            raise with_unknown_outcome(error) from None

    async def _create_once(self, caller: Caller, request: RelayedRequest, key: str) -> Reply:
        with self._memory.reserve() as reservation:
            data = await self._hold(request.body, reservation)
            fingerprint = hashlib.sha256(request.target.raw_path.encode() + b"\0" + data)
            repeat = Repeat(self._name, self._state, caller.tenant, key, fingerprint.hexdigest())
            recorded = await repeat.recorded()
            if recorded is not None:
                return await self._get(caller, request, recorded)
            await repeat.begin_single()
            return await self._create(caller, replace(request, body=in_memory(data)), repeat)

    async def _hold(self, body: Body | None, reservation: Reservation) -> bytes:
        """The whole body: it must be known before anything is sent."""
        if body is None:
            return b""
        data = await reservation.read(body.chunks, self._limit, _COPIES_IN_MEMORY)
        if data is None:
            raise invalid_argument(
                f"with {KEY_HEADER} the body has at most {self._limit} bytes "
                "(FERRY_INLINE_MAX_BYTES)"
            )
        return data

    async def _create(self, caller: Caller, request: RelayedRequest, repeat: Repeat) -> Reply:
        try:
            reply = await self._relay.relay(caller, request)
        except FerryError as error:
            if not isinstance(error, UpstreamError) or error.unsent:
                await repeat.forget()
            raise
        if reply.status != 200:
            if reply.status < 500:
                await repeat.forget()
            return reply
        async with reply:
            data = await reply.read(RELAYED_ANSWER)
        await repeat.record(await _batch_name(data))
        return BufferedReply(reply.status, reply.headers, data)

    async def _get(self, caller: Caller, request: RelayedRequest, name: str) -> Reply:
        version, _, _ = request.target.raw_path.strip("/").rpartition("models/")
        target = URL(f"/{version}{name}", encoded=True)
        return await self._relay.relay(
            caller, RelayedRequest("GET", target, request.headers, body=None)
        )


async def _batch_name(data: bytes) -> str:
    name = (await parse_answer(data) or {}).get("name")
    if not isinstance(name, str):
        raise invalid_answer("Google's answer names no batch")
    return name
