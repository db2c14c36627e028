"""The input of a batch at OpenAI: checked whole first, then streamed up with its exact length.

It is read twice, so that neither the requests nor their translation are ever held: once to check
every line and count the bytes, once to send them.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from providers.body import Body
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.json_lines import LineSplitter
from providers.memory import Reservation
from providers.openai.batch_lines import (
    GeminiLines,
    LineFormat,
    OpenAILines,
    RequestTranslator,
    format_name,
    parse_line,
)
from providers.openai.client import OpenAIClient
from providers.request_table import RequestTable, RowKind
from providers.resources import InlineRequest

# openai.md section 4
REQUEST_LIMIT: Final = 50_000
INPUT_LIMIT: Final = 200 << 20

# The loop is given back after this much text: 3-5 ms of work (streaming.md).
_SLICE_BYTES: Final = 64 << 10
# What a row takes of memory beside its text.
_ROW_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Line:
    """What goes to OpenAI for one request (nothing, when the file goes as it is), and its row."""

    text: bytes
    row: bytes
    row_kind: RowKind
    endpoint: str


class BatchInput(Protocol):
    def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        """Every request in order, read anew on each call. Raises INVALID_ARGUMENT with a path."""


class InlineInput:
    """Requests that came in the body of the creation."""

    def __init__(self, requests: Sequence[InlineRequest]) -> None:
        self._requests = requests

    async def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        unyielded = 0
        for index, item in enumerate(self._requests):
            text = translator.line(index, orjson.loads(item.request), item.path)
            yield Line(text, item.metadata, RowKind.METADATA, translator.endpoint)
            unyielded += len(text)
            if unyielded > _SLICE_BYTES:
                unyielded = 0
                await asyncio.sleep(0)


class FileInput:
    """Requests in a file at OpenAI, in Gemini's format or in OpenAI's own."""

    def __init__(
        self, client: OpenAIClient, caller: Caller, native_id: str, splitter: LineSplitter
    ) -> None:
        self._client = client
        self._caller = caller
        self._path = f"files/{native_id}/content"
        self._splitter = splitter

    async def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        lines: LineFormat | None = None
        index = 0
        async with aclosing(self._texts()) as texts:
            async for number, text in texts:
                document = parse_line(number, text)
                lines = lines or _recognise(document, translator)
                if format_name(document) != lines.name:
                    raise _mixed(format_name(document), lines.name, number)
                sent, row = lines.read(index, number, document)
                yield Line(sent, row, lines.row_kind, lines.endpoint)
                index += 1

    async def _texts(self) -> AsyncGenerator[tuple[int, bytes], None]:
        async with await self._client.open(self._caller, self._path) as reply:
            async with aclosing(self._splitter.split(reply.chunks())) as slices:
                async for numbered in slices:
                    for number, text in numbered:
                        yield number, text
                    await asyncio.sleep(0)


def _recognise(first: dict[str, object], translator: RequestTranslator) -> LineFormat:
    if format_name(first) == OpenAILines.name:
        return OpenAILines(translator.model, translator.kind)
    return GeminiLines(translator)


def _mixed(found: str, first: str, number: int) -> Exception:
    return invalid_argument(
        f"this line is in {found} format, where {first} format is expected", path=f"line {number}"
    )


@dataclass(frozen=True, slots=True)
class CheckedInput:
    """An input whose every line can be sent; `length` in bytes is that of the translation."""

    table: RequestTable
    length: int
    endpoint: str

    @property
    def native(self) -> bool:
        """Whether the input file goes as it is."""
        return self.table.kind is RowKind.CUSTOM_ID


async def check(
    source: BatchInput, translator: RequestTranslator, reservation: Reservation
) -> CheckedInput:
    """Read the input whole. The table of its requests is counted on `reservation`."""
    table: RequestTable | None = None
    length, endpoint = 0, ""
    async with aclosing(source.lines(translator)) as lines:
        async for line in lines:
            table = table or RequestTable(line.row_kind)
            table.rows.append(line.row)
            reservation.grow(len(line.row) + _ROW_BYTES)
            length, endpoint = length + len(line.text), line.endpoint
            if len(table) > REQUEST_LIMIT:
                raise invalid_argument(f"OpenAI takes at most {REQUEST_LIMIT} requests in a batch")
            if length > INPUT_LIMIT:
                raise invalid_argument(f"OpenAI takes at most {INPUT_LIMIT} bytes in an input")
    if table is None:
        raise invalid_argument("the file holds no request")
    return CheckedInput(table, length, endpoint)


def translated(source: BatchInput, translator: RequestTranslator, length: int) -> Body:
    """The input once more, as OpenAI is to read it."""
    return Body(_slices(source, translator), length)


async def _slices(source: BatchInput, translator: RequestTranslator) -> AsyncGenerator[bytes, None]:
    held = bytearray()
    async with aclosing(source.lines(translator)) as lines:
        async for line in lines:
            held += line.text
            if len(held) > _SLICE_BYTES:
                yield bytes(held)
                held.clear()
    if held:
        yield bytes(held)
