"""A batch's results, with exactly one answer for each request."""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import orjson

from providers.batches.json_lines import ResultLine, TooLong, pieces, text_of, work_on
from providers.batches.request_table import RequestTable, RowKind
from providers.batches.result_lines import id_at_head, parse_quickly, parse_result
from providers.body import start_body
from providers.gemini_content.result_counts import ResultCounter
from providers.json_api.json_text import may_hold_large_integer, render_compact, render_line
from providers.json_api.structure import PARSED_BYTES, SHORT_BYTES, TooComplex
from providers.limits import JSON_NODES
from providers.long_work import Pauses, off_loop
from providers.memory import Reservation
from providers.observation import LineOutcome, ResultCounts
from providers.resources import Download, Failure, InlineResults
from providers.status import Status, item_error

_TOO_LONG: Final = "The result of this request is longer than FERRY_MAX_LINE_BYTES bytes."
_UNREADABLE: Final = "The result of this request cannot be read."
_NAMELESS: Final = (
    "No answer to this request could be read. Lines of the batch's results that cannot be read and "
    "name no request: {}."
)
CANCELLED: Final = Failure(
    Status.CANCELLED, "The batch was cancelled before this request was answered."
)
EXPIRED: Final = Failure(
    Status.DEADLINE_EXCEEDED, "The batch expired before this request was answered."
)
# How many errors for unanswered requests are made at once; they are all in memory.
_UNANSWERED_AT_ONCE: Final = 256
# The size of the chunks that are sent, as of the slices that are read.
_CHUNK_BYTES: Final = 128 << 10
# A longer line and its translation are not both kept.
_SHORT_BYTES: Final = 256 << 10

_log: Final = logging.getLogger("genai_ferry.results")


@dataclass(slots=True)
class Result:
    """`index` is that of the request, None in a batch of another tool; `key` is JSON."""

    index: int | None
    key: bytes
    document: dict[str, Any]

    def render_line(self) -> bytes:
        line = {"key": orjson.Fragment(self.key), **self.document}
        return render_line(line)


Render: TypeAlias = Callable[[Result], bytes]
Counted: TypeAlias = Callable[[ResultCounts], None]
Item: TypeAlias = tuple[int, bytes]


class ResultLines(Protocol):
    """The results of one ended batch, as its provider has them.

    `id_member` is the member of a line that names its request.
    """

    id_member: str

    def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        """The lines of its results as they arrive. Raises NOT_FOUND if they no longer exist.

        The caller removes each line from its slice, so a long line is freed at once.
        """

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        """As `translate`, in less time, if the answer is one text; None for any other line."""

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        """Translate one line to `{"response"}` or `{"error"}`; never raises."""

    def missing(self, line: int, /) -> Failure:
        """The reason for a request that no line names. Called after the last line.

        `line` is the request's line in the input that was sent, counted from 1.
        """


def not_counted(_: ResultCounts) -> None:
    pass


class BatchResults:
    """The results of one ended batch. `table` is None if another tool created it.

    `counted` is called after all results were read.

    While a long line is translated, its memory is taken from `reservation`. The result then takes
    the place of its line, for which `lines` has memory reserved.
    """

    def __init__(
        self,
        lines: ResultLines,
        table: RequestTable | None,
        reservation: Reservation,
        counted: Counted = not_counted,
    ) -> None:
        self._counted = counted
        self._counter = ResultCounter()
        self._source = lines
        self._table = table
        self._reservation = reservation
        self._seen = bytearray(len(table) if table else 0)
        self._faults: dict[int, str] = {}
        self._too_long = 0
        self._unreadable = 0
        self._nameless = 0

    async def items(self, render: Render) -> AsyncGenerator[list[Item], None]:
        """Slices of (index of the request, its result), in the provider's order.

        Unanswered requests come last. In a batch that another tool created, the index is 0.
        """
        pauses = Pauses()
        async with aclosing(self._source.slices()) as slices:
            async for lines in slices:
                items: list[Item] = []
                while lines:
                    if len(text_of(lines[0])) <= SHORT_BYTES:
                        result = self._read_short(lines)
                        if result is not None:
                            items.append((result.index or 0, render(result)))
                    else:
                        item = await self._render_long(lines, render)
                        if item is not None:
                            items.append(item)
                    if pauses.due():
                        await pauses.pause()
                yield items
        self._log_faults()
        unanswered = [index for index, seen in enumerate(self._seen) if not seen]
        for start in range(0, len(unanswered), _UNANSWERED_AT_ONCE):
            some = unanswered[start : start + _UNANSWERED_AT_ONCE]
            yield [(index, render(self._missing(index))) for index in some]
        counts = self._counter.counts()
        counts.lines[LineOutcome.UNREADABLE] = self._too_long + self._unreadable
        counts.lines[LineOutcome.MISSING] = len(unanswered)
        self._counted(counts)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The results as JSON lines `{"key", "response" | "error"}`, in chunks of any size."""
        async with aclosing(self.items(Result.render_line)) as slices:
            async for items in slices:
                for chunk in _chunks(text for _, text in items):
                    yield chunk
                # Before waiting for the next slice: an item may be long.
                items.clear()

    async def _render_long(self, lines: deque[ResultLine], render: Render) -> Item | None:
        line = lines[0]
        if len(text_of(line)) <= PARSED_BYTES and (found := self._plain(text_of(line))):
            lines.popleft()
            return _item(self._answer(*found), render)
        del line
        read = partial(self._render, lines, render)
        with suppress(TooComplex):
            return await work_on(text_of(lines[0]), JSON_NODES, self._reservation.more, read)
        # Finds the same, and keeps the error for this request.
        return await off_loop(lambda: _item(self._read(lines), render))

    def _render(self, lines: deque[ResultLine], render: Render) -> Item | None:
        short = len(text_of(lines[0])) <= _SHORT_BYTES
        return _item(self._read_short(lines) if short else self._read(lines), render)

    def _read(self, lines: deque[ResultLine]) -> Result | None:
        """The result in the next line; None if it has none, or if its error comes at the end."""
        line = lines.popleft()
        if isinstance(line, TooLong):
            self._too_long += 1
            return self._fault(line.head, _TOO_LONG)
        try:
            named, document = parse_result(line, self._source.id_member)
        except ValueError:
            self._unreadable += 1
            return self._fault(line, _UNREADABLE)
        # A long line and its translation are not both kept.
        del line
        return self._answer(named, self._source.translate(document))

    def _read_short(self, lines: deque[ResultLine]) -> Result | None:
        """As `_read`, without looking for large integers if the answer is one text.

        The look for them takes longer than the parsing. For a longer
        line the caller has reserved memory, and chosen a thread if it is long work.
        """
        line = lines[0]
        if not isinstance(line, TooLong) and (found := parse_quickly(line, self._source.id_member)):
            named, document = found
            result = self._source.plain(document)
            if result is None and not may_hold_large_integer(line):
                result = self._source.translate(document)
            if result is not None:
                lines.popleft()
                return self._answer(named, result)
            del found, document  # there are never two
        return self._read(lines)

    def _plain(self, line: bytes) -> tuple[str, dict[str, Any]] | None:
        """The request that a line names, and its answer if that is one text.

        Only the translation of other answers takes long: see `SHORT_BYTES`.
        """
        found = parse_quickly(line, self._source.id_member)
        result = None if found is None else self._source.plain(found[1])
        return None if found is None or result is None else (found[0], result)

    def _answer(self, named: str, document: dict[str, Any]) -> Result | None:
        if self._table is None:
            self._counter.add(document)
            return Result(None, orjson.dumps(named), document)
        index = self._table.index_of(named)
        if index is None or self._seen[index]:
            return None
        self._seen[index] = 1
        self._counter.add(document)
        return Result(index, self._key(index), document)

    def _fault(self, head: bytes, message: str) -> Result | None:
        """A line that could not be read: reported at the end, unless another line answers."""
        named = id_at_head(head, self._source.id_member)
        if named is None:
            self._nameless += 1
            return None
        if self._table is None:
            return Result(None, orjson.dumps(named), _error(message))
        index = self._table.index_of(named)
        if index is not None:
            self._faults[index] = message
        return None

    def _missing(self, index: int) -> Result:
        return Result(index, self._key(index), self._reason(index))

    def _reason(self, index: int) -> dict[str, Any]:
        if index in self._faults:
            return _error(self._faults[index])
        if self._nameless:
            return _error(_NAMELESS.format(self._nameless))
        failure = self._source.missing(index + 1)
        return {"error": item_error(failure.status, failure.message)}

    def _log_faults(self) -> None:
        if self._too_long or self._unreadable:
            _log.warning(
                "lines of a batch's results that could not be read: %d too long, %d malformed; "
                "of these %d name no request",
                self._too_long,
                self._unreadable,
                self._nameless,
            )

    def _key(self, index: int) -> bytes:
        """The key as JSON. An inline request has none, so in a file its number is used."""
        if self._table is None or self._table.kind is RowKind.METADATA:
            return orjson.dumps(str(index + 1))
        return self._table.rows[index]


async def deliver_file(
    lines: ResultLines,
    table: RequestTable | None,
    reservation: Reservation,
    stack: AsyncExitStack,
    counted: Counted = not_counted,
) -> Download:
    """The results as a download; `stack`, with `reservation` in it, is closed at its end."""
    rendered = BatchResults(lines, table, reservation, counted).lines()
    stack.push_async_callback(rendered.aclose)
    return Download(await start_body(rendered), "application/jsonl", stack.pop_all().aclose)


async def deliver_inline(
    lines: ResultLines,
    table: RequestTable,
    limit: int,
    reservation: Reservation,
    stack: AsyncExitStack,
    counted: Counted = not_counted,
) -> InlineResults | None:
    """All results in request order; None if they exceed `limit` bytes or the memory budget.

    Their memory is taken from `reservation`; `stack`, with `reservation` in it, is closed later.
    """
    items, left = [b""] * len(table), limit
    results = BatchResults(lines, table, reservation, counted)
    slices = results.items(partial(render_inline, table=table))
    stack.push_async_callback(slices.aclose)
    async for rendered in slices:
        for index, item in rendered:
            left -= len(item)
            if left < 0 or not reservation.fits(len(item)):
                return None
            reservation.grow(len(item))
            items[index] = item
    return InlineResults(items, stack.pop_all().aclose)


def render_inline(result: Result, table: RequestTable) -> bytes:
    """One item of `inlinedResponses`, with its request's metadata."""
    document = dict(result.document)
    if result.index is not None and table.rows[result.index] != b"null":
        document["metadata"] = orjson.Fragment(table.rows[result.index])
    return render_compact(document)


def _error(message: str) -> dict[str, Any]:
    return {"error": item_error(Status.INTERNAL, message)}


def _item(result: Result | None, render: Render) -> Item | None:
    return None if result is None else (result.index or 0, render(result))


def _chunks(texts: Iterable[bytes]) -> Iterator[bytes]:
    """The texts as chunks: small ones joined, long ones in parts."""
    small: list[bytes] = []
    size = 0
    for text in texts:
        if small and size + len(text) > _CHUNK_BYTES:
            yield b"".join(small)
            small, size = [], 0
        if len(text) > _CHUNK_BYTES:
            yield from pieces(text)
        else:
            small.append(text)
            size += len(text)
    if small:
        yield b"".join(small)
