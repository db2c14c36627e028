"""The bytes of one chunk as the client sends them: read once, and counted."""

from collections.abc import AsyncIterator

from providers.body import Body, TruncatedBody
from providers.errors import invalid_argument


class BytesGone(Exception):
    """Bytes are needed that were already read."""


class ClientBytes:
    """`offset`, `end` and `position` (that of the next byte) are offsets in the file."""

    def __init__(self, offset: int, body: Body) -> None:
        """Raises INVALID_ARGUMENT for a body without a declared length."""
        if body.length is None:
            raise invalid_argument("a chunk needs a Content-Length")
        self.offset = self.position = offset
        self.end = offset + body.length
        self._source = aiter(body.chunks)
        self._held_back = b""

    @property
    def exhausted(self) -> bool:
        return self.position == self.end

    def rest(self) -> Body:
        """Everything from `position` on. What is read of it moves `position`."""
        return Body(self._pieces(), self.end - self.position)

    async def skip_to(self, offset: int) -> None:
        """Read and drop bytes up to `offset`, or to the end if that comes first.

        Raises BytesGone if `offset` was already passed, TruncatedBody if the body ends early.
        """
        if self.position > offset:
            raise BytesGone
        while self.position < offset and (piece := await self._next()):
            surplus = max(0, self.position - offset)
            self._held_back = piece[len(piece) - surplus :]
            self.position -= surplus

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await self._next():
            yield piece

    async def _next(self) -> bytes:
        """The next bytes; empty at the end."""
        piece, self._held_back = self._held_back, b""
        while not piece:
            try:
                piece = await anext(self._source)
            except StopAsyncIteration:
                return self._ended()
        self.position += len(piece)
        return piece

    def _ended(self) -> bytes:
        if not self.exhausted:
            raise TruncatedBody("the chunk ended before its declared length")
        return b""
