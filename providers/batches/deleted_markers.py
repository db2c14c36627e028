"""Markers of batches and results that a client deleted but the provider keeps.

OpenAI and Bedrock cannot delete a batch.
"""

import asyncio
from collections.abc import Sequence

from providers.resource_names import result_file_id
from providers.state import State, write
from providers.stored_objects import DELETED


def batch_marker(batch_id: str) -> str:
    """The name of a batch's marker; names in the state store have no upper case."""
    return f"b{result_file_id(batch_id)}"


class DeletedMarkers:
    """The markers of one upstream.

    A name is that of `batch_marker`, or a file id of results, as `result_file_id` encodes it.
    """

    def __init__(self, upstream: str, state: State) -> None:
        self._prefix = DELETED.name(upstream)
        self._state = state

    async def mark_deleted(self, name: str) -> None:
        await write(self._state, f"{self._prefix}/{name}", b"")

    async def is_deleted(self, name: str) -> bool:
        return await self._state.head(f"{self._prefix}/{name}") is not None

    async def deleted_of(self, names: Sequence[str]) -> set[str]:
        """Those of `names` that are marked as deleted."""
        found = await asyncio.gather(*(self.is_deleted(name) for name in names))
        return {name for name, deleted in zip(names, found, strict=True) if deleted}
