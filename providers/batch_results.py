"""A batch's results from wherever the provider keeps them: each request answered exactly once."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from providers.body import Body, join, once
from providers.held_json import render_held
from providers.memory import Reservation
from providers.request_table import RequestTable, RowKind
from providers.resource_names import result_file_id
from providers.resources import Batch, Download, File, FileSource, InlineResults


@dataclass(frozen=True, slots=True)
class Result:
    """`index` is the request's, None in a batch that another tool made; `key` is JSON."""

    index: int | None
    key: bytes
    document: dict[str, Any]

    def render_line(self) -> bytes:
        line = {"key": orjson.Fragment(self.key), **self.document}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def result_file(batch: Batch) -> File:
    """The file of the results of an ended batch."""
    return File(
        id=result_file_id(batch.id),
        display_name=batch.display_name,
        mime_type="application/jsonl",
        create_time=batch.end_time,
        source=FileSource.GENERATED,
        downloadable=True,
    )


class ResultLines(Protocol):
    """What one provider has to say about one ended batch.

    `id_member` is the member of a line that names its request.
    """

    id_member: str

    def slices(self) -> AsyncGenerator[Sequence[bytes], None]:
        """The lines of its results as they come. Raises NOT_FOUND where there are none any more."""

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        """One line to `{"response"}` or `{"error"}`; never raises."""

    def missing(self) -> dict[str, Any]:
        """The result of a request that no line names; asked for after the last line."""


class BatchResults:
    """The results of one ended batch. `table` is None where another tool made it."""

    def __init__(self, lines: ResultLines, table: RequestTable | None) -> None:
        self._source = lines
        self._table = table
        self._seen = bytearray(len(table) if table else 0)

    async def results(self) -> AsyncGenerator[Sequence[Result], None]:
        """Slices of results in the provider's order; the unanswered requests come last."""
        async with aclosing(self._source.slices()) as slices:
            async for lines in slices:
                read = [self._read(text) for text in lines]
                yield [result for result in read if result is not None]
        yield [self._missing(index) for index, seen in enumerate(self._seen) if not seen]

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The results as JSON lines `{"key", "response" | "error"}`."""
        async with aclosing(self.results()) as slices:
            async for results in slices:
                if text := b"".join(result.render_line() for result in results):
                    yield text

    def _read(self, text: bytes) -> Result | None:
        """One line; None for what names no request, whose result then is that it has none."""
        try:
            line = orjson.loads(text)
            custom_id = str(line[self._source.id_member])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None
        document = self._source.translate(line)
        if self._table is None:
            return Result(None, orjson.dumps(custom_id), document)
        index = self._table.index_of(custom_id)
        if index is None or self._seen[index]:
            return None
        self._seen[index] = 1
        return Result(index, self._key(index), document)

    def _missing(self, index: int) -> Result:
        return Result(index, self._key(index), self._source.missing())

    def _key(self, index: int) -> bytes:
        """An inline request has no key: in a file its number stands for it."""
        if self._table is None or self._table.kind is RowKind.METADATA:
            return orjson.dumps(str(index + 1))
        return self._table.rows[index]


async def deliver_file(
    lines: ResultLines, table: RequestTable | None, stack: AsyncExitStack
) -> Download:
    """The results as a download; what `stack` holds is given back when it has ended."""
    rendered = BatchResults(lines, table).lines()
    stack.push_async_callback(rendered.aclose)
    # What cannot even begin is refused with a status, not by a body that breaks off.
    first = Body(once(await anext(rendered, b"")), None)
    body = join(first, Body(rendered, None))
    return Download(body, "application/jsonl", stack.pop_all().aclose)


async def deliver_inline(
    lines: ResultLines,
    table: RequestTable,
    limit: int,
    reservation: Reservation,
    stack: AsyncExitStack,
) -> InlineResults | None:
    """All results in request order; None where they are more than `limit` bytes.

    They are counted on `reservation`, which `stack` gives back with whatever else it holds.
    """
    items, left = [b""] * len(table), limit
    slices = BatchResults(lines, table).results()
    stack.push_async_callback(slices.aclose)
    async for results in slices:
        for result in results:
            item = render_inline(result, table)
            left -= len(item)
            if left < 0:
                return None
            reservation.grow(len(item))
            items[result.index or 0] = item
    return InlineResults(items, stack.pop_all().aclose)


def render_inline(result: Result, table: RequestTable) -> bytes:
    """One item of `inlinedResponses`, with its request's metadata."""
    document = dict(result.document)
    if result.index is not None and table.rows[result.index] != b"null":
        document["metadata"] = orjson.Fragment(table.rows[result.index])
    return render_held(document)
