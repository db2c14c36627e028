"""A reply of which the beginning, or all, is in memory."""

from collections.abc import AsyncIterator, Mapping
from typing import Self

from providers.body import Body, in_memory, joined, read_up_to
from providers.upstream import Reply, invalid_answer


class BufferedReply:
    """Implements `providers.upstream.Reply`. `data` is all of the body, or the part before `rest`.

    `rest` comes from the wire of `source`.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        data: bytes,
        rest: AsyncIterator[bytes] | None = None,
        source: Reply | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.data = data
        self._rest = [] if rest is None else [Body(rest, None)]
        self._source = source

    @classmethod
    async def peek(cls, reply: Reply, limit: int) -> Self:
        """`reply` with its beginning in memory: more than `limit` bytes, or all of it."""
        rest, data = aiter(reply.chunks()), bytearray()
        while len(data) <= limit and (chunk := await anext(rest, None)) is not None:
            data += chunk
        return cls(reply.status, reply.headers, bytes(data), rest, reply)

    def chunks(self) -> AsyncIterator[bytes]:
        return joined(in_memory(self.data), *self._rest)

    async def read(self, limit: int) -> bytes:
        data = await read_up_to(self.chunks(), limit)
        if data is None:
            raise invalid_answer(f"Google answered over {limit} bytes")
        return data

    async def aclose(self) -> None:
        if self._source is not None:
            await self._source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
