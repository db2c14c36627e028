"""JSON lines cut out of a stream, in memory that one line bounds."""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from typing import Final

from providers.errors import invalid_argument
from providers.memory import MemoryBudget, Reservation

_BOM: Final = b"\xef\xbb\xbf"
# Lines shorter than this are the ordinary buffer of a stream and not counted.
_UNCOUNTED_BYTES: Final = 256 << 10


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
                head, newline, rest = chunk.rpartition(b"\n")
                if not newline:
                    self._wait(waiting, rest, number, reservation)
                    continue
                waiting += head
                lines = _numbered(bytes(waiting), number)
                self._check(lines)
                number += waiting.count(b"\n") + 1
                waiting = bytearray()
                reservation.release()
                self._wait(waiting, rest, number, reservation)
                if lines:
                    yield lines
            if last := _numbered(bytes(waiting), number):
                self._check(last)
                yield last

    def _wait(self, waiting: bytearray, more: bytes, number: int, reservation: Reservation) -> None:
        waiting += more
        self._check([(number, waiting)])
        if len(waiting) > _UNCOUNTED_BYTES:
            reservation.grow(len(more))

    def _check(self, lines: Sequence[tuple[int, bytes | bytearray]]) -> None:
        for number, line in lines:
            if len(line) > self._limit:
                raise invalid_argument(
                    f"longer than {self._limit} bytes (FERRY_MAX_LINE_BYTES)",
                    path=f"line {number}",
                )


def _numbered(text: bytes, first: int) -> list[tuple[int, bytes]]:
    lines = text.split(b"\n")
    if first == 1:
        lines[0] = lines[0].removeprefix(_BOM)
    numbered = [(first + index, line.strip()) for index, line in enumerate(lines)]
    return [(number, line) for number, line in numbered if line]
