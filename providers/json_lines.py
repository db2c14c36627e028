"""JSON lines cut out of a stream, in memory that one line bounds."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from typing import Final

from providers.errors import invalid_argument
from providers.memory import MemoryBudget, Reservation

_BOM: Final = b"\xef\xbb\xbf"
# Lines shorter than this are the ordinary buffer of a stream and not counted.
_UNCOUNTED_BYTES: Final = 256 << 10
# Of one chunk at once: translating its lines holds the event loop up (streaming.md).
_SLICE_BYTES: Final = 64 << 10


class LineSplitter:
    """Lines of at most `limit` bytes each; what waits for its end draws on `memory`."""

    def __init__(self, limit: int, memory: MemoryBudget) -> None:
        self._limit = limit
        self._memory = memory

    async def split(
        self, chunks: AsyncIterable[bytes]
    ) -> AsyncGenerator[Sequence[tuple[int, bytes]], None]:
        """Slices of (line number from 1, line), blank lines left out, a BOM tolerated.

        Raises INVALID_ARGUMENT with the number of a line beyond the limit.
        """
        number, waiting = 1, bytearray()
        with self._memory.reserve() as reservation:
            async for chunk in chunks:
                for piece in _pieces(chunk):
                    head, newline, rest = piece.rpartition(b"\n")
                    if not newline:
                        self._wait(waiting, rest, number, reservation)
                        continue
                    waiting += head
                    lines = self._numbered(bytes(waiting), number)
                    number += waiting.count(b"\n") + 1
                    waiting = bytearray()
                    reservation.release()
                    self._wait(waiting, rest, number, reservation)
                    if lines:
                        yield lines
            if last := self._numbered(bytes(waiting), number):
                yield last

    def _wait(self, waiting: bytearray, more: bytes, number: int, reservation: Reservation) -> None:
        waiting += more
        if not self._fits(number, waiting):
            # Enough of it to be known by at its end.
            del waiting[self._limit + 1 :]
        elif len(waiting) > _UNCOUNTED_BYTES:
            reservation.grow(len(more))

    def _numbered(self, text: bytes, first: int) -> list[tuple[int, bytes]]:
        lines = enumerate(text.split(b"\n"), start=first)
        # As they came, since a line that waits for its end cannot be stripped yet.
        fitting = [(number, line) for number, line in lines if self._fits(number, line)]
        if fitting and fitting[0][0] == 1:
            fitting[0] = (1, fitting[0][1].removeprefix(_BOM))
        numbered = [(number, line.strip()) for number, line in fitting]
        return [(number, line) for number, line in numbered if line]

    def _fits(self, number: int, line: bytes | bytearray) -> bool:
        if len(line) <= self._limit:
            return True
        self._too_long(number)
        return False

    def _too_long(self, number: int) -> None:
        raise invalid_argument(
            f"longer than {self._limit} bytes (FERRY_MAX_LINE_BYTES)", path=f"line {number}"
        )


class ResultSplitter(LineSplitter):
    """Leaves a line beyond the limit out: one bad line is one failed item, no failed file."""

    def _too_long(self, number: int) -> None:
        pass


def _pieces(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), _SLICE_BYTES):
        yield chunk[start : start + _SLICE_BYTES]
