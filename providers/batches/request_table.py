"""A batch's table from index to key or metadata, which no provider stores.

It is written before the provider's create, under the native id of the input, and read only
after the provider has shown the batch that names this input. The first line is a header, then
one JSON value a line: a key, a custom id, or a metadata object (or null).
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Final

import orjson

from providers.batches.json_lines import NumberedSplitter
from providers.batches.result_lines import find_id
from providers.body import Body, close
from providers.errors import failed_precondition
from providers.limits import REQUEST_TABLE, TABLE_ID, TABLE_ROWS
from providers.long_work import Pauses
from providers.memory import Reservation
from providers.state import State, damaged, parse_as
from providers.stored_objects import TABLES

_INDEXED_ID: Final = re.compile(r"r([0-9]{10})(?:-([0-9a-f]{32}))?")
# The memory of a row in addition to its text: its objects, in a list and in a dictionary.
_ROW_BYTES: Final = 200
# What is written or read at once: a thousand short rows take less than 1 ms.
_SLICE_BYTES: Final = 16 << 10


class RowKind(StrEnum):
    """What a row is, which decides the custom id that the provider gets."""

    METADATA = "metadata"
    """An inline request's metadata; the custom id is the index."""

    KEY = "key"
    """A line's key; the custom id is the index."""

    CUSTOM_ID = "custom_id"
    """The custom id itself; the input is in the provider's own format."""


@dataclass(frozen=True, slots=True)
class _Header:
    kind: RowKind
    count: int


def indexed_id(index: int, job_id: str = "") -> str:
    """The custom id of a translated request: its index, in the alphabet of every provider.

    The job stands in it where the provider remembers nothing else by which to find its table.
    """
    return f"r{index:010d}-{job_id}" if job_id else f"r{index:010d}"


def job_of(custom_id: str) -> str | None:
    """The job that a custom id names; None if it names none."""
    found = _INDEXED_ID.fullmatch(custom_id)
    return found.group(2) if found else None


@dataclass(slots=True)
class RequestTable:
    """`rows` are JSON values, one for each request, in the order of the requests."""

    kind: RowKind
    rows: list[bytes] = field(default_factory=list)
    _indices: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def index_of(self, custom_id: str) -> int | None:
        """The index of the request with this custom id; None if it is not in this batch."""
        if self.kind is RowKind.CUSTOM_ID:
            if not self._indices:
                self._indices = {orjson.loads(row): i for i, row in enumerate(self.rows)}
            return self._indices.get(custom_id)
        found = _INDEXED_ID.fullmatch(custom_id)
        index = int(found.group(1)) if found else len(self.rows)
        return index if index < len(self.rows) else None

    def render(self) -> Body:
        header = orjson.dumps(_Header(self.kind, len(self.rows)))
        return Body(self._slices(header), len(header) + sum(map(len, self.rows)) + len(self.rows))

    async def _slices(self, header: bytes) -> AsyncIterator[bytes]:
        pauses, piece = Pauses(), bytearray(header)
        for row in self.rows:
            piece += b"\n"
            piece += row
            if len(piece) > _SLICE_BYTES:
                yield bytes(piece)
                piece.clear()
                await pauses.pause()
        yield bytes(piece)

    @staticmethod
    async def parse(body: Body) -> "RequestTable":
        """Raises StateError for anything that `render` does not write."""
        pauses, slices = Pauses(), _split(body.chunks)
        first, *rows = await anext(slices)
        header = parse_as(first, _Header)
        table = RequestTable(header.kind)
        table._add(rows)
        async for rows in slices:
            table._add(rows)
            await pauses.pause()
        if header.count != len(table):
            raise damaged()
        return table

    def _add(self, rows: Sequence[bytes]) -> None:
        """Raises StateError for a row that is not JSON: rows become parts of results unchanged."""
        try:
            parsed = [orjson.loads(row) for row in rows]
            if self.kind is RowKind.CUSTOM_ID:
                self._indices.update(zip(parsed, count(len(self.rows)), strict=False))
        except (orjson.JSONDecodeError, TypeError):
            raise damaged() from None
        self.rows += rows


class RequestTables:
    """The tables of one upstream's batches. `name` is the input's id and the job's, together."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def write(self, name: str, table: RequestTable) -> None:
        await self._state.create(TABLES.name(self._upstream, name), table.render())

    async def read(self, name: str, reservation: Reservation) -> RequestTable | None:
        """The table, counted on `reservation`; None for a batch that was made elsewhere."""
        body = await self._state.get(TABLES.name(self._upstream, name))
        if body is None:
            return None
        try:
            if body.length is None or body.length > REQUEST_TABLE:
                raise damaged()
            reservation.grow(2 * body.length)
            return await RequestTable.parse(body)
        finally:
            await close(body)

    async def exists(self, name: str) -> bool:
        return await self._state.head(TABLES.name(self._upstream, name)) is not None

    async def delete(self, name: str) -> None:
        await self._state.delete(TABLES.name(self._upstream, name))


async def _split(chunks: AsyncIterable[bytes]) -> AsyncIterator[list[bytes]]:
    """The lines of a stream, some at a time, in memory for one line and one chunk."""
    rest = bytearray()
    async for chunk in chunks:
        for start in range(0, len(chunk), _SLICE_BYTES):
            *lines, last = chunk[start : start + _SLICE_BYTES].split(b"\n")
            if lines:
                lines[0] = bytes(rest) + lines[0]
                rest.clear()
                yield lines
            rest += last
    yield [bytes(rest)]


async def add_keys(
    table: RequestTable,
    chunks: AsyncIterable[bytes],
    splitter: NumberedSplitter,
    id_member: str,
    reservation: Reservation,
) -> None:
    """Add one row for each line of an input, so that the provider's line numbers find their row.

    For a batch without a stored table. A line without an id gets its number as its key. Memory for
    the rows is taken from `reservation`. Raises FAILED_PRECONDITION for more than 200,000 rows.
    """
    before = len(table)
    pauses = Pauses()
    async with aclosing(splitter.split(chunks)) as slices:
        async for lines in slices:
            while lines:
                number, line = lines.popleft()
                named = await find_id(line, id_member, splitter.reserve)
                usable = named is not None and len(named) <= TABLE_ID
                while len(table) < before + number - 1:
                    _add(table, None, reservation)
                _add(table, named if usable else None, reservation)
                if pauses.due():
                    await pauses.pause()


def _add(table: RequestTable, key: str | None, reservation: Reservation) -> None:
    if len(table) == TABLE_ROWS:
        raise failed_precondition(
            f"the input of the batch has more than {TABLE_ROWS} lines, too many to list an error "
            "for each; the error of the batch says why it failed"
        )
    row = orjson.dumps(key or str(len(table) + 1))
    reservation.grow(len(row) + _ROW_BYTES)
    table.rows.append(row)
