"""The input of a batch, line by line, in the form that the provider reads."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from providers.batches.file_signature import text_only
from providers.batches.json_lines import LineSplitter, Repairs, work_on
from providers.batches.line_formats import (
    GeminiLines,
    LineFormat,
    LineFormats,
    RequestTranslator,
    parse_line,
)
from providers.batches.line_templates import TEMPLATED_BYTES
from providers.batches.request_table import RowKind
from providers.errors import invalid_argument
from providers.json_api.json_text import one_line, parse_json
from providers.json_api.structure import TooComplex
from providers.limits import LINE_NODES
from providers.long_work import Pauses
from providers.memory import MemoryBudget
from providers.resources import InlineRequest

OpenInput = Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Line:
    """What is sent to the provider for one request, and its row in the request table.

    `endpoint` is the provider's endpoint that the request is for.
    """

    text: bytes
    row: bytes
    row_kind: RowKind
    endpoint: str


class BatchInput(Protocol):
    @property
    def as_stored(self) -> bool:
        """Whether the input is a file that can be sent unchanged; known after a full reading."""

    def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        """Every request in order; each call reads again. Raises INVALID_ARGUMENT with a path."""


class InlineInput:
    """Requests in the body of the creation."""

    as_stored = False

    def __init__(self, requests: Sequence[InlineRequest], memory: MemoryBudget) -> None:
        self._requests = requests
        self._memory = memory

    async def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        pauses = Pauses()
        for index, item in enumerate(self._requests):
            translate = partial(_translated, translator, index, item)
            try:
                text = await work_on(item.request, LINE_NODES, self._memory.reserve, translate)
            except TooComplex as error:
                raise invalid_argument(error.message, path=item.path) from None
            yield Line(text, item.metadata, RowKind.METADATA, translator.endpoint)
            await pauses.pause()


def _translated(translator: RequestTranslator, index: int, item: InlineRequest) -> bytes:
    return translator.line(index, parse_json(item.request), item.path)


class FileInput:
    """Requests in a file, in Gemini's or the provider's format. `open_input` starts a reading."""

    def __init__(self, open_input: OpenInput, splitter: LineSplitter, formats: LineFormats) -> None:
        self._open = open_input
        self._splitter = splitter
        self._formats = formats
        self._repairs = Repairs()

    @property
    def as_stored(self) -> bool:
        return not self._repairs.made

    async def lines(self, translator: RequestTranslator) -> AsyncGenerator[Line, None]:
        reader = _Reader(self._formats, translator)
        repairs = self._repairs = Repairs()
        async with self._open() as chunks, aclosing(text_only(chunks)) as text:
            async with aclosing(self._splitter.split(text, repairs)) as slices:
                pauses = Pauses()
                async for numbered in slices:
                    while numbered:
                        yield await self._next(numbered, reader)
                        await pauses.pause()

    async def _next(self, numbered: deque[tuple[int, bytes]], reader: "_Reader") -> Line:
        number, text = numbered[0]
        if len(text) <= TEMPLATED_BYTES and (line := reader.templated(number, text)):
            numbered.popleft()
            return line
        del text  # a long line and its translation are not both kept
        read = partial(self._read, numbered, reader)
        try:
            return await work_on(numbered[0][1], LINE_NODES, self._splitter.reserve, read)
        except TooComplex as error:
            raise invalid_argument(error.message, path=f"line {number}") from None

    def _read(self, numbered: deque[tuple[int, bytes]], reader: "_Reader") -> Line:
        number, text = numbered.popleft()
        document = parse_line(number, text)
        lines = reader.format(number, document)
        short = text if len(text) <= TEMPLATED_BYTES else None
        if lines.row_kind is RowKind.CUSTOM_ID:
            written = one_line(text)
            self._repairs.made |= written != text
        else:
            written = b""  # a long line and its translation are not both kept
        del text
        line = reader.line(lines, number, document, written)
        del document  # a template is made of another
        if short is not None:
            reader.learn(number, short)
        return line


class _Reader:
    """One reading of a file; its first line decides the format of all."""

    def __init__(self, formats: LineFormats, translator: RequestTranslator) -> None:
        self._formats = formats
        self._translator = translator
        self._lines: LineFormat | None = None
        self._index = 0

    def templated(self, number: int, text: bytes) -> Line | None:
        """A line of Gemini's format that differs from an earlier one only in its texts."""
        lines = self._lines
        if not isinstance(lines, GeminiLines):
            return None
        read = lines.templated(self._index, number, text)
        return None if read is None else self._line(lines, *read)

    def learn(self, number: int, text: bytes) -> None:
        """Expect lines like this one, which was the last."""
        if isinstance(self._lines, GeminiLines):
            self._lines.learn(number, text)

    def format(self, number: int, document: dict[str, Any]) -> LineFormat:
        """The format of the file. Raises INVALID_ARGUMENT for a line in another format."""
        lines = self._lines or self._formats.recognise(document, self._translator)
        self._formats.check(document, lines, number)
        self._lines = lines
        return lines

    def line(
        self, lines: LineFormat, number: int, document: dict[str, Any], written: bytes
    ) -> Line:
        """What to send for one line; in a provider's own format that is `written` itself."""
        sent, row = lines.read(self._index, number, document)
        return self._line(lines, written if sent is None else sent, row)

    def _line(self, lines: LineFormat, sent: bytes, row: bytes) -> Line:
        self._index += 1
        return Line(sent, row, lines.row_kind, lines.endpoint)
