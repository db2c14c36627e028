"""The creation of an immediate job: its record is written last."""

import secrets
from contextlib import aclosing
from dataclasses import dataclass, field

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.input_segments import segments
from providers.batches.immediate.job_store import ImmediateJob, JobKey, JobStore
from providers.batches.immediate.job_work import JobWork
from providers.batches.json_lines import LineSplitter
from providers.batches.request_table import RequestTable, RequestTables
from providers.body import Body
from providers.memory import MemoryBudget
from providers.resources import BatchKind


@dataclass(frozen=True, slots=True)
class NewImmediateJob:
    """`input` is lines of the provider's own batch input, one for each row of `table`, in order.

    `invocation` is the name of their format.
    """

    model: str
    kind: BatchKind
    invocation: str
    table: RequestTable = field(repr=False)
    input: Body = field(repr=False)
    display_name: str | None = None
    warnings: str = ""


class JobCreation:
    """`line_limit` is for one input line, in bytes. `ambient` is that of the jobs it creates."""

    def __init__(
        self,
        store: JobStore,
        tables: RequestTables,
        memory: MemoryBudget,
        clock: Clock,
        line_limit: int,
        ambient: bool,
    ) -> None:
        self._store = store
        self._tables = tables
        self._memory = memory
        self._clock = clock
        self._line_limit = line_limit
        self._ambient = ambient

    async def create(self, key: JobKey, new: NewImmediateJob) -> None:
        """Does nothing if the job `key` exists; then the input is not read to its end."""
        if await self._store.find(key) is not None:
            return
        job = ImmediateJob(
            model=new.model,
            display_name=new.display_name,
            kind=new.kind,
            invocation=new.invocation,
            rows=new.table.kind,
            count=len(new.table),
            created=self._clock.now(),
            creation=secrets.token_hex(8),
            ambient=self._ambient,
            warnings=new.warnings,
        )
        work = self._store.work(key, job)
        try:
            await self._write(key, job, work, new)
        except BaseException:
            await self._undo(key, job, work)
            raise
        # If this fails, nothing is deleted: the record may have been stored.
        if not await self._store.create(key, job):
            await self._undo(key, job, work)

    async def _write(
        self, key: JobKey, job: ImmediateJob, work: JobWork, new: NewImmediateJob
    ) -> None:
        await self._tables.write(table_name(key, job), new.table)
        splitter = LineSplitter(self._line_limit, self._memory)
        lines = 0
        async with aclosing(segments(new.input, splitter, self._memory)) as pieces:
            async for first, piece in pieces:
                await work.write_segment(first, piece)
                lines = first + piece.count(b"\n") + 1
        if lines != job.count:
            raise ValueError(f"an input of {lines} records for a table of {job.count}")

    async def _undo(self, key: JobKey, job: ImmediateJob, work: JobWork) -> None:
        await self._store.close(key, job)
        await work.delete()
        await self._tables.delete(table_name(key, job))


def table_name(key: JobKey, job: ImmediateJob) -> str:
    return f"{key}/{job.creation}"
