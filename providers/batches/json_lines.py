"""Splits a stream into JSON lines, in no more memory than one line needs."""

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Generic, Never, TypeAlias, TypeVar

from providers.errors import invalid_argument
from providers.json_api.structure import SHORT_BYTES, Structure, weigh
from providers.limits import RESULT_EXTRA, RESULT_HEAD
from providers.long_work import off_loop
from providers.memory import MemoryBudget, Reservation

_BOM: Final = b"\xef\xbb\xbf"
_TEXT: Final = re.compile(rb"\S")
# No memory is reserved for shorter lines: they fit into the usual buffer of a stream.
_UNCOUNTED_BYTES: Final = 256 << 10
# At most this much of a chunk at once, and at most this many lines: finding them blocks the event
# loop. Each slice is a step of every generator up to the socket, and larger ones leave the cache.
_SLICE_BYTES: Final = 128 << 10
_SLICE_LINES: Final = 4096
# The memory that a line and its translation take, as a multiple of the line's text. Measured with
# lines of 30 MiB, in every provider's translation: 6.0 for text with one emoji in it (four bytes a
# character), 4.0 for base64, 3.0 for ASCII, 2.4 in parts of 1 KiB. Structure takes more (8.2 in
# parts of 100 bytes), and is counted in addition.
_WORK_FACTOR: Final = 6

Line = TypeVar("Line")
T = TypeVar("T")
Reserve: TypeAlias = Callable[[int], AbstractContextManager[Reservation]]


def work_bytes(structure: Structure) -> int:
    """The memory, beyond its text, that translating a line takes."""
    size = structure.length
    return structure.extra_bytes + ((_WORK_FACTOR - 1) * size if size > _UNCOUNTED_BYTES else 0)


async def work_on(
    text: bytes,
    most_nodes: int,
    reserve: Reserve,
    function: Callable[[], T],
) -> T:
    """Translates a line or a request: calls `function`, in a thread if `text` makes it long work.

    The memory that this takes is reserved. Raises TooComplex before the call.
    """
    if len(text) <= SHORT_BYTES:
        return function()
    structure = await weigh(text, most_nodes)
    del text  # `function` may be the last to need it
    with reserve(work_bytes(structure)):
        return await off_loop(function) if structure.is_long_work else function()


def pieces(chunk: bytes) -> Iterable[bytes]:
    """`chunk` in slices, each short enough to be handled at once."""
    if len(chunk) <= _SLICE_BYTES:
        return (chunk,)
    return (chunk[at : at + _SLICE_BYTES] for at in range(0, len(chunk), _SLICE_BYTES))


@dataclass(slots=True)
class Repairs:
    """Whether something was removed while the lines were read.

    That is a byte order mark, a blank line, or white space around a line.
    """

    made: bool = False


class _Splitter(ABC, Generic[Line]):
    """Lines of at most `limit` bytes each; memory for a long one is taken from `memory`."""

    def __init__(self, limit: int, memory: MemoryBudget) -> None:
        self._limit = limit
        self._memory = memory

    async def split(
        self, chunks: AsyncIterable[bytes], repairs: Repairs | None = None
    ) -> AsyncGenerator[deque[Line], None]:
        """Slices of lines. Blank lines and a byte order mark are removed and noted in `repairs`.

        Memory stays reserved for a long line until the next slice is requested. A caller that
        removes a line from its slice has the only reference. Raises RESOURCE_EXHAUSTED when the
        budget is used up.
        """
        with self._memory.reserve() as reservation:
            cutter = _Cutter(self, self._limit, reservation, repairs or Repairs())
            async for chunk in chunks:
                for piece in pieces(chunk):
                    start = 0
                    while start < len(piece):
                        lines, start = cutter.feed(piece, start)
                        if lines:
                            yield lines
                    if b"\n" in piece:
                        # The unfinished line is a part of this piece: too short to be counted.
                        reservation.release()
            if last := cutter.end():
                yield last

    def reserve(self, size: int) -> AbstractContextManager[Reservation]:
        """Reserve memory for the translation of a line, for a block."""
        return self._memory.reserve(size)

    @abstractmethod
    def line(self, number: int, text: bytes, /) -> Line: ...

    @abstractmethod
    def too_long(self, number: int, head: bytes, /) -> Line:
        """Replaces a line, as soon as it exceeds the limit."""


class LineSplitter(_Splitter[tuple[int, bytes]]):
    """(number from 1, line). Raises INVALID_ARGUMENT with the number of a line that is too long."""

    def line(self, number: int, text: bytes, /) -> tuple[int, bytes]:
        return number, text

    def too_long(self, number: int, _: bytes, /) -> Never:
        raise invalid_argument(
            f"longer than {self._limit} bytes (FERRY_MAX_LINE_BYTES)", path=f"line {number}"
        )


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that exceeds the limit; `head` are its first bytes, at most RESULT_HEAD."""

    head: bytes


ResultLine: TypeAlias = bytes | TooLong


def text_of(line: ResultLine) -> bytes:
    """All that there is to parse of a line of results."""
    return line.head if isinstance(line, TooLong) else line


class ResultSplitter(_Splitter[ResultLine]):
    """A line that is too long fails only its item. `limit` is that for lines of an input."""

    def __init__(self, limit: int, memory: MemoryBudget) -> None:
        super().__init__(limit + RESULT_EXTRA, memory)

    def line(self, _: int, text: bytes, /) -> bytes:
        return text

    def too_long(self, _: int, head: bytes, /) -> TooLong:
        return TooLong(head)


class NumberedSplitter(_Splitter[tuple[int, ResultLine]]):
    """(number from 1, line), for an input that was not checked."""

    def line(self, number: int, text: bytes, /) -> tuple[int, ResultLine]:
        return number, text

    def too_long(self, number: int, head: bytes, /) -> tuple[int, ResultLine]:
        return number, TooLong(head)


class _Cutter(Generic[Line]):
    """Joins pieces into lines: keeps the line that has not ended yet."""

    def __init__(
        self, splitter: _Splitter[Line], limit: int, reservation: Reservation, repairs: Repairs
    ) -> None:
        self._splitter = splitter
        self._limit = limit
        self._reservation = reservation
        self._repairs = repairs
        self._number = 1
        self._unfinished = bytearray()
        self._too_long = False

    def feed(self, piece: bytes, start: int) -> tuple[deque[Line], int]:
        """The lines that end in this piece from `start` on, and one that became too long.

        Returns also where to go on: after so many lines that may be before the end of the piece.
        """
        lines: deque[Line] = deque()
        # `find` takes a tenth of the time of `split`, which was 8 % of all for long lines.
        while (end := piece.find(b"\n", start)) >= 0:
            if self._unfinished or self._too_long or end - start > self._limit:
                self._add(piece[start:end], lines)
                if not self._unfinished:
                    self._repairs.made = True
                lines += self.end()
            elif line := self._line(piece[start:end]):
                lines += line
            else:
                self._repairs.made = True
                end = self._end_of_blank_lines(piece, end)
            start = end + 1
            if len(lines) >= _SLICE_LINES:
                return lines, start
        self._add(piece[start:], lines)
        return lines, len(piece)

    def _end_of_blank_lines(self, piece: bytes, end: int) -> int:
        """The end of the last blank line in a row of them, of which the first ends at `end`.

        They are skipped at once: one at a time, a piece of them blocks the event loop for 60 ms.
        """
        most = end + 1 + self._limit
        text = _TEXT.search(piece, end + 1, most)
        last = piece.rfind(b"\n", end, text.start() if text else most)
        self._number += piece.count(b"\n", end, last)
        return last

    def end(self) -> deque[Line]:
        """The line that ends here; empty if it is blank, or was already reported as too long."""
        written, self._unfinished, self._too_long = bytes(self._unfinished), bytearray(), False
        return deque(self._line(written))

    def _line(self, written: bytes) -> tuple[()] | tuple[Line]:
        """The next line, unless it is blank."""
        text = written.removeprefix(_BOM) if self._number == 1 else written
        text, number = text.strip(), self._number
        if len(text) != len(written):
            self._repairs.made = True
        self._number = number + 1
        return (self._splitter.line(number, text),) if text else ()

    def _add(self, more: bytes, lines: deque[Line]) -> None:
        if self._too_long:
            return
        self._unfinished += more
        # Not stripped: that is only possible when the line has ended.
        if len(self._unfinished) > self._limit:
            head, self._unfinished = bytes(self._unfinished[:RESULT_HEAD]), bytearray()
            self._too_long = True
            self._reservation.release()
            lines.append(self._splitter.too_long(self._number, head))
        elif len(self._unfinished) > _UNCOUNTED_BYTES:
            self._reservation.grow(len(more))
