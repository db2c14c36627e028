"""What Bedrock does not store of a job: our record and request table, kept under our own job id.

Both are written before the job is created; its name contains our id. Afterwards a binding stores
Bedrock's id, so no other job with the same name can open them.
"""

from dataclasses import dataclass

import orjson

from providers.batches.batch_records import BatchRecord, BatchRecords, record_name
from providers.batches.request_table import RequestTable, RequestTables
from providers.bedrock.jobs.job_records import name_of
from providers.bedrock.jobs.operations import job_id_of
from providers.json_api.client import Answer
from providers.kept_records import KeptRecords
from providers.memory import Reservation
from providers.state import State, write


@dataclass(frozen=True, slots=True)
class _Binding:
    """The job at Bedrock that our record belongs to."""

    native: str


@dataclass(frozen=True, slots=True)
class KeptJob:
    """`job` is our id, None if another tool created the job."""

    job: str | None
    record: BatchRecord


class JobMemory:
    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self._records = BatchRecords(upstream, state)
        self._tables = RequestTables(upstream, state)
        self._bindings = KeptRecords(state, _Binding, self._binding)

    async def write(self, job: str, record: BatchRecord, table: RequestTable) -> None:
        await self._tables.write(job, table)
        await self._records.write(job, record)

    async def bind(self, job: str, native_id: str) -> None:
        await write(self._state, self._binding(job), orjson.dumps(_Binding(native_id)))

    async def job_of(self, native: Answer) -> str | None:
        """Our id of a job that Bedrock has shown; None if it is not ours."""
        name = name_of(native)
        if name is None:
            return None
        binding = await self._bindings.read(name.job)
        return name.job if binding in (None, _Binding(job_id_of(native))) else None

    async def kept(self, native: Answer) -> KeptJob:
        """What is kept of a job that Bedrock has shown: nothing if another tool created it."""
        job = await self.job_of(native)
        return KeptJob(job, await self._records.read(job) if job else BatchRecord())

    async def table(self, kept: KeptJob, reservation: Reservation) -> RequestTable | None:
        return await self._tables.read(kept.job, reservation) if kept.job else None

    async def has_table(self, kept: KeptJob) -> bool:
        return kept.job is not None and await self._tables.exists(kept.job)

    async def forget(self, job: str) -> None:
        await self._tables.delete(job)
        await self._records.delete(job)
        await self._bindings.delete(job)

    def _binding(self, job: str) -> str:
        return record_name(self._upstream, f"tie-{job}")
