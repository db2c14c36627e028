"""A batch's table from index to key or metadata, kept because no provider keeps it.

It is written before the provider's create, under the native id of the input, and read only
after the provider has shown the batch that names this input. The first line is a header, then
one JSON value a line: a key, a custom id, or a metadata object (or null).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import orjson

from providers.memory import Reservation
from providers.state import State, read, write

_INDEXED_ID: Final = re.compile(r"r(\d{10})")
# 100,000 requests (the most any provider takes) with keys of 1,000 bytes, or as many metadata.
_LIMIT_BYTES: Final = 128 << 20


class RowKind(StrEnum):
    """What a row is, and so how a request of the batch is known to the provider."""

    METADATA = "metadata"
    """An inline request's metadata; the custom id is the index."""

    KEY = "key"
    """A line's key; the custom id is the index."""

    CUSTOM_ID = "custom_id"
    """The custom id itself: the input was in the provider's own format."""


def indexed_id(index: int) -> str:
    """The custom id of a request that we translated: its index, in every provider's alphabet."""
    return f"r{index:010d}"


@dataclass(slots=True)
class RequestTable:
    """`rows` are JSON values, one for each request, in the order of the requests."""

    kind: RowKind
    rows: list[bytes] = field(default_factory=list)
    _indices: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def index_of(self, custom_id: str) -> int | None:
        """Which request the provider's custom id names; None where it is none of this batch."""
        if self.kind is RowKind.CUSTOM_ID:
            if not self._indices:
                self._indices = {orjson.loads(row): i for i, row in enumerate(self.rows)}
            return self._indices.get(custom_id)
        found = _INDEXED_ID.fullmatch(custom_id)
        index = int(found.group(1)) if found else len(self.rows)
        return index if index < len(self.rows) else None

    def render(self) -> bytes:
        header = orjson.dumps({"kind": self.kind, "count": len(self.rows)})
        return b"\n".join([header, *self.rows])

    @staticmethod
    def parse(data: bytes) -> "RequestTable":
        header, *rows = data.split(b"\n")
        document = orjson.loads(header)
        if document["count"] != len(rows):
            raise ValueError("a request table of another length than it says")
        return RequestTable(RowKind(document["kind"]), rows)


class RequestTables:
    """The tables of one upstream's batches. `name` is the input's id and the job's, together."""

    def __init__(self, upstream: str, state: State) -> None:
        self._prefix = f"batches/{upstream}"
        self._state = state

    async def write(self, name: str, table: RequestTable) -> None:
        await write(self._state, f"{self._prefix}/{name}", table.render())

    async def read(self, name: str, reservation: Reservation) -> RequestTable | None:
        """The table, counted on `reservation`; None for a batch that was made elsewhere."""
        object_name = f"{self._prefix}/{name}"
        info = await self._state.head(object_name)
        if info is None:
            return None
        reservation.grow(2 * info.size)
        data = await read(self._state, object_name, _LIMIT_BYTES)
        return None if data is None else RequestTable.parse(data)

    async def delete(self, name: str) -> None:
        await self._state.delete(f"{self._prefix}/{name}")
