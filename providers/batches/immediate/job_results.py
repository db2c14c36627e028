"""The results of a job that has ended."""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from providers.batches.immediate.job_creation import table_name
from providers.batches.immediate.job_store import Ending, ImmediateJob, JobKey
from providers.batches.immediate.job_work import JobWork
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RequestTables
from providers.body import Body, close
from providers.errors import FerryError, not_found
from providers.memory import Reservation
from providers.resources import Batch


class JobResults:
    """Implements `ResultFiles`, for a job whose results existed when this was created.

    `batch` is the job as a batch, without results.
    """

    def __init__(
        self,
        key: JobKey,
        job: ImmediateJob,
        ending: Ending,
        batch: Batch,
        work: JobWork,
        tables: RequestTables,
        splitter: ResultSplitter,
    ) -> None:
        self.job = job
        self.batch = batch
        self._key = key
        self._ending = ending
        self._work = work
        self._tables = tables
        self._splitter = splitter

    async def table(self, reservation: Reservation) -> RequestTable:
        """Counted on `reservation`. Raises NOT_FOUND."""
        table = await self._tables.read(table_name(self._key, self.job), reservation)
        if table is None:
            raise no_job(self._key.job_id)  # the sweep is deleting the job
        return table

    async def lines(self) -> AsyncGenerator[deque[ResultLine], None]:
        """Lines of the provider's own results, for ResultLines.slices.

        Raises NOT_FOUND if they no longer exist.
        """
        async with aclosing(self.files()) as files:
            async for file in files:
                async with aclosing(self._splitter.split(file.chunks)) as slices:
                    async for lines in slices:
                        yield lines

    async def files(self) -> AsyncGenerator[Body, None]:
        """One file, like a job's output but with only the parts of each request that are read."""
        body = await self._work.output(self._ending.output)
        if body is None:
            raise no_results(self._key.job_id)
        try:
            yield body
        finally:
            await close(body)


def no_job(job_id: str) -> FerryError:
    return not_found(f"batches/{job_id} was not found")


def no_results(job_id: str) -> FerryError:
    return not_found(f"batches/{job_id} has no results")
