"""Bytes on their way from one side to the other, never held whole."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass


class TruncatedBody(Exception):
    """A body ended before, or went on after, the length it declared."""


@dataclass(frozen=True, slots=True)
class Body:
    """A stream of bytes, readable once. `length` in bytes is None where only the end tells it."""

    chunks: AsyncIterable[bytes]
    length: int | None


async def once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


def held(data: bytes) -> Body:
    """A body of bytes that are in memory already."""
    return Body(once(data), len(data))


async def joined(*bodies: Body) -> AsyncIterator[bytes]:
    for body in bodies:
        async for chunk in body.chunks:
            yield chunk


def join(*bodies: Body) -> Body:
    """One body after the other; its length is known when each of theirs is."""
    lengths = [body.length for body in bodies]
    known = [length for length in lengths if length is not None]
    return Body(joined(*bodies), sum(known) if len(known) == len(lengths) else None)


async def drain(body: Body) -> None:
    async for _ in body.chunks:
        pass


class Slices:
    """Cuts one stream into consecutive bodies of given lengths.

    Each slice must be read to its end, or given up with `skip`, before the next is taken.
    """

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = aiter(chunks)
        self._rest = b""

    def take(self, length: int) -> Body:
        return Body(self._take(length), length)

    async def skip(self, length: int) -> None:
        await drain(self.take(length))

    async def _take(self, length: int) -> AsyncIterator[bytes]:
        while length:
            chunk = self._rest or await self._next()
            piece, self._rest = chunk[:length], chunk[length:]
            length -= len(piece)
            yield piece

    async def _next(self) -> bytes:
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            raise TruncatedBody("the body ended before its declared length") from None
