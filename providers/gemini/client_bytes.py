"""The bytes of one chunk as the client sends them: read once, and counted."""

from providers.body import Body, Slices
from providers.errors import invalid_argument


class BytesGone(Exception):
    """Bytes are needed that were already read."""


class ClientBytes:
    """`offset`, `end` and `position` (that of the next byte) are offsets in the file."""

    def __init__(self, offset: int, body: Body) -> None:
        """Raises INVALID_ARGUMENT for a body without a declared length."""
        if body.length is None:
            raise invalid_argument("a chunk needs a Content-Length")
        self.offset = offset
        self.end = offset + body.length
        self._bytes = Slices(body.chunks)

    @property
    def position(self) -> int:
        return self.offset + self._bytes.position

    @property
    def exhausted(self) -> bool:
        return self.position == self.end

    def rest(self) -> Body:
        """Everything from `position` on. What is read of it moves `position`."""
        return self._bytes.take(self.end - self.position)

    async def skip_to(self, offset: int) -> None:
        """Read and drop bytes up to `offset`, or to the end if that comes first.

        Raises BytesGone if `offset` was already passed, TruncatedBody if the body ends early.
        """
        if self.position > offset:
            raise BytesGone
        await self._bytes.skip(min(offset, self.end) - self.position)
