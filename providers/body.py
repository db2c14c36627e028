"""Streams of bytes that are never in memory as a whole.

A loop that passes chunks on deletes its name for each chunk after use. Otherwise the chunk would
stay in memory while the next one is waited for: a fifth of what 512 uploads at once took.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass


class TruncatedBody(Exception):
    """A body ended before, or went on after, the length it declared."""


@dataclass(frozen=True, slots=True)
class Body:
    """A stream of bytes, readable once. `length` in bytes is None if it is not known in advance."""

    chunks: AsyncIterable[bytes]
    length: int | None


async def once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


class InMemory(AsyncIterator[bytes]):
    """Bytes that are already in memory: reading them waits for nothing."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __anext__(self) -> bytes:
        data, self._data = self._data, b""
        if not data:
            raise StopAsyncIteration
        return data


def in_memory(data: bytes) -> Body:
    """A body of bytes that are already in memory."""
    return Body(InMemory(data), len(data))


async def read_up_to(chunks: AsyncIterable[bytes], limit: int) -> bytes | None:
    """The whole of it in memory; None if it has more than `limit` bytes."""
    parts: list[bytes] = []
    async for chunk in chunks:
        limit -= len(chunk)
        if limit < 0:
            return None
        parts.append(chunk)
    return b"".join(parts)


async def joined(*bodies: Body) -> AsyncIterator[bytes]:
    for body in bodies:
        try:
            async for chunk in body.chunks:
                yield chunk
                del chunk
        finally:
            await close(body)


async def close(body: Body) -> None:
    """Close the generator behind a body now, and not when it is garbage-collected."""
    aclose = getattr(body.chunks, "aclose", None)
    if aclose is not None:
        await aclose()


def join(*bodies: Body) -> Body:
    """The bodies one after another; the length is known if every body's length is."""
    lengths = [body.length for body in bodies]
    known = [length for length in lengths if length is not None]
    return Body(joined(*bodies), sum(known) if len(known) == len(lengths) else None)


class _Started(AsyncIterator[bytes]):
    """A stream of which one chunk was read already."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self._first = first
        self._rest = rest

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._rest)

    async def aclose(self) -> None:
        await self._rest.aclose()


async def start_body(chunks: AsyncGenerator[bytes, None]) -> Body:
    """A body whose first chunk has been read, so an error in it is raised here.

    The client then gets an error status, not a response that breaks off.
    """
    return Body(_Started(await anext(chunks, b""), chunks), None)


async def drain(body: Body) -> None:
    async for _ in body.chunks:
        pass


class Slices:
    """Cuts one stream into consecutive bodies; `position` is the number of bytes read so far.

    Each slice must be read to its end before the next is taken; `skip` drops bytes.
    """

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = aiter(chunks)
        self._rest = b""
        self.position = 0

    def take(self, length: int) -> Body:
        """The next `length` bytes; a stream that ends earlier raises TruncatedBody."""
        return Body(self._exactly(length), length)

    def take_up_to(self, length: int) -> Body:
        """The next `length` bytes, or all that are left if there are fewer."""
        return Body(self._next(length), None)

    async def skip(self, length: int) -> None:
        await drain(self.take(length))

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        end = self.position + length
        async for piece in self._next(length):
            yield piece
            del piece
        if self.position < end:
            raise TruncatedBody("the body ended before its declared length")

    async def _next(self, length: int) -> AsyncIterator[bytes]:
        while length:
            chunk: bytes | None = self._rest
            if not chunk:
                chunk = await anext(self._source, None)
            if chunk is None:
                return
            piece, self._rest = chunk[:length], chunk[length:]
            length -= len(piece)
            self.position += len(piece)
            del chunk
            yield piece
            del piece
