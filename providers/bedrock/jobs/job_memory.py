"""What Bedrock does not store of a job: our record and request table, kept under our own job id.

Both are written before the job is created; its name contains our id. Afterwards a binding stores
Bedrock's id, so no other job with the same name can open them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from providers.batches.batch_records import BatchRecords
from providers.batches.request_table import RequestTable, RequestTables
from providers.bedrock.jobs.job_records import name_of
from providers.bedrock.jobs.operations import job_id_of
from providers.json_api.client import Answer
from providers.memory import Reservation
from providers.state import State

_BINDING: Final = "tie-"
_NATIVE: Final = "native"


@dataclass(frozen=True, slots=True)
class KeptJob:
    """`job` is our id, None if another tool created the job; `record` is then empty."""

    job: str | None
    record: Mapping[str, str]


class JobMemory:
    def __init__(self, upstream: str, state: State) -> None:
        self._records = BatchRecords(upstream, state)
        self._tables = RequestTables(upstream, state)

    async def write(self, job: str, record: Mapping[str, str], table: RequestTable) -> None:
        await self._tables.write(job, table)
        await self._records.write(job, record)

    async def bind(self, job: str, native_id: str) -> None:
        await self._records.write(f"{_BINDING}{job}", {_NATIVE: native_id})

    async def job_of(self, native: Answer) -> str | None:
        """Our id of a job that Bedrock has shown; None if it is not ours."""
        name = name_of(native)
        if name is None:
            return None
        binding = await self._records.read(f"{_BINDING}{name.job}")
        return name.job if binding.get(_NATIVE, job_id_of(native)) == job_id_of(native) else None

    async def kept(self, native: Answer) -> KeptJob:
        """What is kept of a job that Bedrock has shown: nothing if another tool created it."""
        job = await self.job_of(native)
        return KeptJob(job, await self._records.read(job) if job else {})

    async def table(self, kept: KeptJob, reservation: Reservation) -> RequestTable | None:
        return await self._tables.read(kept.job, reservation) if kept.job else None

    async def has_table(self, kept: KeptJob) -> bool:
        return kept.job is not None and await self._tables.exists(kept.job)

    async def forget(self, job: str) -> None:
        await self._tables.delete(job)
        await self._records.delete(job)
        await self._records.delete(f"{_BINDING}{job}")
