"""The results of a batch that has ended, as each provider hands them on."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from providers.batches.batch_results import ResultLines, deliver_file, deliver_inline
from providers.batches.native_results import ResultFiles, deliver_native
from providers.batches.request_table import RequestTable, RowKind
from providers.memory import MemoryBudget, Reservation
from providers.resources import Download, InlineResults, ResultForm


@dataclass(frozen=True, slots=True)
class EndedResults:
    """`inline`: whether the requests came inline, so that their table has their metadata.

    `lines` are read for Gemini's form, `files` for the provider's own. `table` reads the requests'
    table; None if another tool created the batch. `exist`: whether each request has a result, or a
    known reason for having none.
    """

    inline: bool
    lines: ResultLines = field(repr=False)
    files: ResultFiles = field(repr=False)
    table: Callable[[Reservation], Awaitable[RequestTable | None]] = field(repr=False)
    exist: Callable[[], Awaitable[bool]] = field(repr=False)

    async def in_order(self, memory: MemoryBudget, limit: int) -> InlineResults | None:
        """All results in request order; None if they exceed `limit` bytes or came from a file."""
        if not self.inline:
            return None
        async with AsyncExitStack() as stack:
            reservation = stack.enter_context(memory.reserve())
            table = await self.table(reservation)
            if table is None or table.kind is not RowKind.METADATA:
                return None
            return await deliver_inline(self.lines, table, limit, reservation, stack)

    async def download(self, memory: MemoryBudget, form: ResultForm) -> Download:
        """JSON lines, translated while they are read, or the provider's own files."""
        if form is ResultForm.NATIVE:
            return await deliver_native(self.files)
        async with AsyncExitStack() as stack:
            reservation = stack.enter_context(memory.reserve())
            table = await self.table(reservation)
            return await deliver_file(self.lines, table, reservation, stack)
