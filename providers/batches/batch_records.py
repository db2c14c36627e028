"""What a provider does not store about a batch: its model, its names, its request table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

import orjson

from providers.batches.request_table import RowKind
from providers.kept_records import KeptRecords
from providers.resource_names import FileId, FileKind
from providers.resources import BatchKind
from providers.state import State, write
from providers.stored_objects import RECORDS


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What the creation of a batch stored. Of a batch of another tool all members are the defaults.

    `source` is the kind of the request table, whose name is `job` where the batch does not show it.
    """

    model: str = ""
    display_name: str = ""
    source: RowKind = RowKind.METADATA
    kind: BatchKind = BatchKind.GENERATE
    warnings: str = ""
    job: str = ""


class BatchRecords:
    """The records of one upstream, each under an id that the provider shows before it is read."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self._kept = KeptRecords(state, BatchRecord, partial(record_name, upstream))

    async def write(self, batch_id: str, record: BatchRecord) -> None:
        known = {name: value for name, value in asdict(record).items() if value}
        await write(self._state, record_name(self._upstream, batch_id), orjson.dumps(known))

    async def read(self, batch_id: str) -> BatchRecord:
        return await self._kept.read(batch_id) or BatchRecord()

    async def read_all(self, batch_ids: Sequence[str]) -> list[BatchRecord]:
        """In the same order."""
        return [found or BatchRecord() for found in await self._kept.read_all(batch_ids)]

    async def delete(self, batch_id: str) -> None:
        await self._kept.delete(batch_id)


def record_name(upstream: str, batch_id: str) -> str:
    return RECORDS.name(upstream, str(FileId(FileKind.RESULTS, batch_id)))
