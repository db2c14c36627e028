"""JSON lines cut out of a stream, in memory that one line bounds."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Generic, Never, TypeAlias, TypeVar

from providers.errors import invalid_argument
from providers.memory import MemoryBudget, Reservation

_BOM: Final = b"\xef\xbb\xbf"
# Lines shorter than this are the ordinary buffer of a stream and not counted.
_UNCOUNTED_BYTES: Final = 256 << 10
# Of one chunk at once: translating its lines holds the event loop up (streaming.md section 2).
_SLICE_BYTES: Final = 64 << 10
# What a line takes of memory while it is parsed and translated, its own text included, against
# that text. Measured of lines of 30 MiB, in every provider's translation: 6.0 for text with one
# emoji in it (four bytes a character), 4.0 for base64, 3.0 for ASCII, 2.4 in parts of 1 KiB; only
# what is all structure takes more (8.2 in parts of 100 bytes).
_WORK_FACTOR: Final = 6
# A line of results may hold its whole request, and some members of the provider's own.
_RESULT_SLACK_BYTES: Final = 1 << 20
# An id of 1000 bytes, however it is escaped, and what may stand before it.
HEAD_BYTES: Final = 8 << 10

Line = TypeVar("Line")


def work_bytes(size: int) -> int:
    """What a line of `size` bytes takes of memory beside its text while something is made of it."""
    return (_WORK_FACTOR - 1) * size if size > _UNCOUNTED_BYTES else 0


def pieces(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), _SLICE_BYTES):
        yield chunk[start : start + _SLICE_BYTES]


@dataclass(slots=True)
class Repairs:
    """Whether something was removed while the lines were read.

    That is a byte order mark, a blank line, or white space around a line.
    """

    made: bool = False


class _Splitter(ABC, Generic[Line]):
    """Lines of at most `limit` bytes each; a long one draws on `memory`."""

    def __init__(self, limit: int, memory: MemoryBudget) -> None:
        self._limit = limit
        self._memory = memory

    async def split(
        self, chunks: AsyncIterable[bytes], repairs: Repairs | None = None
    ) -> AsyncGenerator[deque[Line], None]:
        """Slices of lines, without blank lines and a byte order mark, which `repairs` notes.

        A long line is counted until the next slice is asked for; a caller that takes a line out of
        its slice holds the only reference. Raises RESOURCE_EXHAUSTED when the budget is empty.
        """
        with self._memory.reserve() as reservation:
            cutter = _Cutter(self, self._limit, reservation, repairs or Repairs())
            async for chunk in chunks:
                for piece in pieces(chunk):
                    lines = cutter.feed(piece)
                    if lines:
                        yield lines
                    if b"\n" in piece:
                        # What waits now came in this piece, and is too short to be counted.
                        reservation.release()
            if last := cutter.end():
                yield last

    def working(self, size: int) -> AbstractContextManager[Reservation]:
        """Count what is made of a line of `size` bytes, for as long as it is being made."""
        return self._memory.reserve(work_bytes(size))

    @abstractmethod
    def line(self, number: int, text: bytes, /) -> Line: ...

    @abstractmethod
    def too_long(self, number: int, head: bytes, /) -> Line:
        """In place of a line beyond the limit, as soon as it is beyond it."""


class LineSplitter(_Splitter[tuple[int, bytes]]):
    """(number from 1, line). Raises INVALID_ARGUMENT with the number of a line beyond the limit."""

    def line(self, number: int, text: bytes, /) -> tuple[int, bytes]:
        return number, text

    def too_long(self, number: int, _: bytes, /) -> Never:
        raise invalid_argument(
            f"longer than {self._limit} bytes (FERRY_MAX_LINE_BYTES)", path=f"line {number}"
        )


@dataclass(frozen=True, slots=True)
class TooLong:
    """What is left of a result beyond the limit: its first HEAD_BYTES, or fewer."""

    head: bytes


ResultLine: TypeAlias = bytes | TooLong


class ResultSplitter(_Splitter[ResultLine]):
    """One bad line is one failed item, no failed file. `limit` as for the lines of an input."""

    def __init__(self, limit: int, memory: MemoryBudget) -> None:
        super().__init__(limit + _RESULT_SLACK_BYTES, memory)

    def line(self, _: int, text: bytes, /) -> bytes:
        return text

    def too_long(self, _: int, head: bytes, /) -> TooLong:
        return TooLong(head)


class NumberedSplitter(_Splitter[tuple[int, ResultLine]]):
    """(number from 1, line) of an input that was not checked."""

    def line(self, number: int, text: bytes, /) -> tuple[int, ResultLine]:
        return number, text

    def too_long(self, number: int, head: bytes, /) -> tuple[int, ResultLine]:
        return number, TooLong(head)


class _Cutter(Generic[Line]):
    """What waits for its end."""

    def __init__(
        self, made: _Splitter[Line], limit: int, reservation: Reservation, repairs: Repairs
    ) -> None:
        self._made = made
        self._limit = limit
        self._reservation = reservation
        self._repairs = repairs
        self._number = 1
        self._waiting = bytearray()
        self._beyond = False

    def feed(self, piece: bytes) -> deque[Line]:
        """The lines that end in this piece, and one that is found to be too long."""
        lines: deque[Line] = deque()
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._wait(end, lines)
            if not self._waiting:
                self._repairs.made = True
            lines += self.end()
        self._wait(rest, lines)
        return lines

    def end(self) -> deque[Line]:
        """The line that ends here; none if it is blank, or was already reported as too long."""
        written, self._waiting = bytes(self._waiting), bytearray()
        text = written.removeprefix(_BOM) if self._number == 1 else written
        text, number = text.strip(), self._number
        if len(text) != len(written):
            self._repairs.made = True
        del written
        self._number, self._beyond = number + 1, False
        return deque([self._made.line(number, text)] if text else [])

    def _wait(self, more: bytes, lines: deque[Line]) -> None:
        if self._beyond:
            return
        self._waiting += more
        # As it came, since a line that waits for its end cannot be stripped yet.
        if len(self._waiting) > self._limit:
            head, self._waiting = bytes(self._waiting[:HEAD_BYTES]), bytearray()
            self._beyond = True
            self._reservation.release()
            lines.append(self._made.too_long(self._number, head))
        elif len(self._waiting) > _UNCOUNTED_BYTES:
            self._reservation.grow(len(more))
