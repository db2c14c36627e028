"""The results of a batch that has ended: translated, or the provider's own files unchanged."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from providers.batches.batch_results import Counted, ResultLines, deliver_file, deliver_inline
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.body import Body, start_body
from providers.errors import not_found
from providers.long_work import Pauses
from providers.memory import MemoryBudget, Reservation
from providers.resources import Download, InlineResults, ResultForm

_NO_FILES: Final = (
    "The provider wrote no results for this batch. The results in Gemini's form say why."
)


class Results(ResultLines, Protocol):
    def files(self) -> AsyncGenerator[Body, None]:
        """The provider's own files; each is readable until the next is requested.

        Raises NOT_FOUND before the first if one of them is known to be missing.
        """


async def lines_of(
    files: AsyncGenerator[Body, None], splitter: ResultSplitter
) -> AsyncGenerator[deque[ResultLine], None]:
    """Slices of the lines of `files`, one file after the other."""
    pauses = Pauses()
    async with aclosing(files):
        async for file in files:
            async with aclosing(splitter.split(file.chunks)) as slices:
                async for lines in slices:
                    yield lines
                    # Other requests go on even if the source never waits.
                    if pauses.due():
                        await pauses.pause()


@dataclass(frozen=True, slots=True)
class EndedResults:
    """`inline`: whether the requests came inline, so that their table has their metadata.

    `table` reads the requests' table; None if another tool created the batch. `exist`: whether each
    request has a result, or a known reason for having none.
    """

    inline: bool
    lines: Results = field(repr=False)
    table: Callable[[Reservation], Awaitable[RequestTable | None]] = field(repr=False)
    exist: Callable[[], Awaitable[bool]] = field(repr=False)

    async def in_order(
        self, memory: MemoryBudget, limit: int, counted: Counted
    ) -> InlineResults | None:
        """All results in request order; None if they exceed `limit` bytes or came from a file."""
        if not self.inline:
            return None
        async with AsyncExitStack() as stack:
            reservation = stack.enter_context(memory.reserve())
            table = await self.table(reservation)
            if table is None or table.kind is not RowKind.METADATA:
                return None
            return await deliver_inline(self.lines, table, limit, reservation, stack, counted)

    async def download(self, memory: MemoryBudget, form: ResultForm, counted: Counted) -> Download:
        """JSON lines, translated while they are read, or the provider's own files.

        Only translated lines are `counted`.
        """
        if form is ResultForm.NATIVE:
            return await deliver_native(self.lines.files())
        async with AsyncExitStack() as stack:
            reservation = stack.enter_context(memory.reserve())
            table = await self.table(reservation)
            return await deliver_file(self.lines, table, reservation, stack, counted)


async def deliver_native(files: AsyncGenerator[Body, None]) -> Download:
    """The files one after another as a download, which has no known length."""
    chunks = _chunks(files)
    return Download(await start_body(chunks), "application/jsonl", chunks.aclose)


async def _chunks(files: AsyncGenerator[Body, None]) -> AsyncGenerator[bytes, None]:
    """The bytes of all files, with a line break between two if the first ends without one."""
    count, last = 0, b"\n"
    async with aclosing(files):
        async for file in files:
            count += 1
            if not last.endswith(b"\n"):
                yield b"\n"
            async for chunk in file.chunks:
                last = chunk or last
                yield chunk
    if not count:
        raise not_found(_NO_FILES)
