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


class Started(AsyncIterator[bytes]):
    """A stream of which `first` was read already. Reading it can be cancelled and continued."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._rest = rest

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._rest)

    async def aclose(self) -> None:
        await close(Body(self._rest, None))


async def start_body(chunks: AsyncGenerator[bytes, None]) -> Body:
    """A body whose first chunk has been read, so an error in it is raised here.

    The client then gets an error status, not a response that breaks off.
    """
    return Body(Started(await anext(chunks, b""), chunks), None)


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
        return Body(_WholeSlice(self, length), length)

    def take_up_to(self, length: int) -> Body:
        """The next `length` bytes, or all that are left if there are fewer."""
        return Body(_Slice(self, length), None)

    async def skip(self, length: int) -> None:
        await drain(self.take(length))

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes, as they arrive; empty at the end of the stream."""
        chunk: bytes | None
        chunk, self._rest = self._rest, b""
        while not chunk:
            chunk = await anext(self._source, None)
            if chunk is None:
                return b""
        if len(chunk) > limit:
            chunk, self._rest = chunk[:limit], chunk[limit:]
        self.position += len(chunk)
        return chunk


class _Slice(AsyncIterator[bytes]):
    """Not a generator: each one that a large body passes through takes 1 % of its CPU time."""

    def __init__(self, slices: Slices, length: int) -> None:
        self._slices = slices
        self._left = length

    async def __anext__(self) -> bytes:
        piece = await self._slices.read(self._left) if self._left else b""
        if not piece:
            self._check_end()
            raise StopAsyncIteration
        self._left -= len(piece)
        return piece

    def _check_end(self) -> None:
        """Any end is right."""


class _WholeSlice(_Slice):
    def _check_end(self) -> None:
        if self._left:
            raise TruncatedBody("the body ended before its declared length")
