"""The input of a batch: first all of it is checked, then it is streamed with its exact length.

Neither the requests nor their translations are in memory at once. The translations are kept in a
spool; without space there, the input is read twice: first to check every line and count the bytes,
then to send them.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from providers.batches.batch_input import BatchInput
from providers.batches.json_lines import pieces
from providers.batches.line_formats import RequestTranslator
from providers.batches.request_table import RequestTable, RowKind
from providers.body import Body
from providers.errors import FerryError, invalid_argument
from providers.limits import REQUEST_TABLE
from providers.long_work import Pauses
from providers.memory import Reservation
from providers.observation import InputOutcome, Observer
from providers.spool import Spool
from providers.status import Status

# The size of the pieces that are sent.
_SLICE_BYTES: Final = 64 << 10
# One piece of a spool: each takes a switch to a thread.
_SPOOLED_AT_ONCE: Final = 256 << 10
# The memory that a row takes in addition to its text.
_ROW_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What a provider accepts in one batch; `whose` is its name, for messages."""

    whose: str
    requests: int
    size: int


@dataclass(frozen=True, slots=True)
class Framing:
    """The bytes before, between and after the lines, in the form that the provider reads."""

    head: bytes = b""
    between: bytes = b"\n"
    tail: bytes = b""

    def length(self, lines: int, texts: int) -> int:
        """The length of `lines` lines whose texts have `texts` bytes in total."""
        return len(self.head) + texts + len(self.between) * max(0, lines - 1) + len(self.tail)


JSON_LINES: Final = Framing(between=b"\n", tail=b"\n")


@dataclass(frozen=True, slots=True)
class Extent:
    """What is to be sent: its length in bytes, and where it is.

    `source` is a spool, or the digest of its bytes and of all rows, and then it is read again.
    """

    length: int
    source: Spool | bytes


class _Digest:
    """Of the bytes that are sent, without the tail of the framing, and of the rows."""

    def __init__(self) -> None:
        self._sent = blake2b(digest_size=16)
        self._rows = blake2b(digest_size=16)

    def add_sent(self, piece: bytes) -> None:
        self._sent.update(piece)

    def add_row(self, row: bytes) -> None:
        self._rows.update(b"%d:" % len(row))
        self._rows.update(row)

    def digest(self) -> bytes:
        return self._sent.digest() + self._rows.digest()


class _Outgoing:
    """Writes what is to be sent into a spool, and if that has no space, into a digest."""

    def __init__(self, framing: Framing, spool: Spool) -> None:
        self._framing = framing
        self._spool = spool
        self._digest: _Digest | None = None
        self._buffer = bytearray(framing.head)
        self._between = b""

    async def add(self, text: bytes) -> None:
        self._buffer += self._between
        self._between = self._framing.between
        for piece in pieces(text):
            self._buffer += piece
            if len(self._buffer) >= _SPOOLED_AT_ONCE:
                await self._flush()

    async def end(self, rows: Iterable[bytes]) -> Spool | bytes:
        """Where it is, as in an Extent."""
        await self._flush()
        self._buffer += self._framing.tail
        if self._digest is None and await self._spool.write(bytes(self._buffer)):
            return self._spool
        digest = self._digest or await self._digest_of_spool()
        pauses = Pauses()
        for row in rows:
            digest.add_row(row)
            await pauses.pause()
        return digest.digest()

    async def _flush(self) -> None:
        piece = bytes(self._buffer)
        self._buffer.clear()
        if self._digest is None and not await self._spool.write(piece):
            self._digest = await self._digest_of_spool()
        if self._digest is not None:
            self._digest.add_sent(piece)

    async def _digest_of_spool(self) -> _Digest:
        digest = _Digest()
        async for piece in self._spool.read():
            digest.add_sent(piece)
        await self._spool.clear()
        return digest


@dataclass(frozen=True, slots=True)
class CheckedInput:
    """An input in which every line can be sent.

    `as_stored`: the input is a file that can be sent unchanged.
    """

    table: RequestTable
    extent: Extent
    endpoint: str
    as_stored: bool

    @property
    def length(self) -> int:
        """The number of bytes to send."""
        return self.extent.length

    @property
    def native(self) -> bool:
        """Whether the input was in the provider's own format."""
        return self.table.kind is RowKind.CUSTOM_ID

    def report_to(self, observer: Observer) -> None:
        outcome = InputOutcome.NATIVE if self.native else InputOutcome.TRANSLATED
        observer.input_checked(outcome, len(self.table))


@contextmanager
def observed_refusals(observer: Observer) -> Iterator[None]:
    """For a block that checks an input: only an error about a line has a path."""
    try:
        yield
    except FerryError as error:
        if error.path is not None:
            observer.input_checked(InputOutcome.REFUSED, 1)
        raise


async def check(
    source: BatchInput,
    translator: RequestTranslator,
    limits: InputLimits,
    framing: Framing,
    reservation: Reservation,
    spool: Spool,
) -> CheckedInput:
    """Read and check all of the input, and keep its translation in `spool` if there is space.

    Memory for its request table is taken from `reservation`.
    """
    await spool.clear()  # of an earlier check
    table: RequestTable | None = None
    texts, length, endpoint, outgoing = 0, 0, "", _Outgoing(framing, spool)
    async with aclosing(source.lines(translator)) as lines:
        async for line in lines:
            table = table or RequestTable(line.row_kind)
            table.rows.append(line.row)
            reservation.grow(len(line.row) + _ROW_BYTES)
            texts, endpoint = texts + len(line.text), line.endpoint
            length = framing.length(len(table), texts)
            _check_limits(limits, len(table), length)
            await outgoing.add(line.text)
            del line  # its text may be long, and the next one too
    if table is None:
        raise invalid_argument("the file has no requests")
    if (table.render().length or 0) > REQUEST_TABLE:
        raise invalid_argument(f"all keys together have at most {REQUEST_TABLE} bytes")
    extent = Extent(length, await outgoing.end(table.rows))
    return CheckedInput(table, extent, endpoint, source.as_stored)


def _check_limits(limits: InputLimits, requests: int, length: int) -> None:
    if requests > limits.requests:
        raise invalid_argument(f"{limits.whose} takes at most {limits.requests} requests a batch")
    if length > limits.size:
        raise invalid_argument(f"{limits.whose} takes at most {limits.size} bytes a batch")


def translated(
    source: BatchInput, translator: RequestTranslator, framing: Framing, extent: Extent
) -> Body:
    """What was checked, in the form that the provider reads.

    If it is not in a spool, it is read again. This raises ABORTED, before its last byte, if it no
    longer is what was checked: other tools may change a file.
    """
    if not isinstance(extent.source, bytes):
        return Body(extent.source.read(), extent.length)
    slices = _slices(source, translator, framing, extent.source)
    return Body(_of_length(slices, extent.length), extent.length)


async def _of_length(
    slices: AsyncGenerator[bytes, None], length: int
) -> AsyncGenerator[bytes, None]:
    left = length
    async with aclosing(slices):
        async for piece in slices:
            left -= len(piece)
            if left < 0:
                break
            yield piece
    if left:
        raise _changed()


def _changed() -> FerryError:
    return FerryError(Status.ABORTED, "the file changed while it was read; create the batch again")


async def _slices(
    source: BatchInput, translator: RequestTranslator, framing: Framing, digest: bytes
) -> AsyncGenerator[bytes, None]:
    """Always keeps the last byte back, so that a request with other lines never is complete."""
    buffer, between, read = bytearray(framing.head), b"", _Digest()
    read.add_sent(framing.head)
    async with aclosing(source.lines(translator)) as lines:
        async for line in lines:
            read.add_row(line.row)
            read.add_sent(between)
            buffer += between
            between = framing.between
            for piece in pieces(line.text):
                read.add_sent(piece)
                buffer += piece
                if len(buffer) > _SLICE_BYTES:
                    yield bytes(buffer[:-1])
                    del buffer[:-1]
            del line  # its text may be long, and the next one too
    if read.digest() != digest:
        raise _changed()
    buffer += framing.tail
    if buffer:
        yield bytes(buffer)
