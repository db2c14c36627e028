"""Markers of batches and results that a client deleted but the provider keeps.

OpenAI and Bedrock cannot delete a batch, and Mistral none that runs.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from providers.errors import not_found
from providers.json_api.client import Answer
from providers.resource_names import result_file_id
from providers.resources import BatchState
from providers.state import State, write
from providers.stored_objects import DELETED

# A client can delete only what has ended, and a creation cancels the batch that it undoes first.
_NEVER_DELETED: Final = (BatchState.PENDING, BatchState.RUNNING)


def batch_marker(batch_id: str) -> str:
    """The name of a batch's marker; names in the state store have no upper case."""
    return f"b{result_file_id(batch_id)}"


class DeletedMarkers:
    """The markers of one upstream.

    A name is that of `batch_marker`, or a file id of results, as `result_file_id` encodes it.
    """

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def mark_deleted(self, name: str) -> None:
        await write(self._state, DELETED.name(self._upstream, name), b"")

    async def is_deleted(self, name: str) -> bool:
        return await self._state.head(DELETED.name(self._upstream, name)) is not None

    async def deleted_of(self, names: Sequence[str]) -> set[str]:
        """Those of `names` that are marked as deleted."""
        found = await asyncio.gather(*(self.is_deleted(name) for name in names))
        return {name for name, deleted in zip(names, found, strict=True) if deleted}

    async def check_batch(self, batch_id: str, state: BatchState) -> None:
        """Raises NOT_FOUND for a batch that is marked as deleted. One that runs has no marker."""
        if state not in _NEVER_DELETED and await self.is_deleted(batch_marker(batch_id)):
            raise not_found(f"batches/{batch_id} was deleted")

    async def not_deleted(self, batches: Sequence[Answer]) -> list[Answer]:
        """Those of `batches` that are not marked as deleted."""
        names = [batch_marker(native.id) for native in batches]
        deleted = await self.deleted_of(names)
        return [n for n, name in zip(batches, names, strict=True) if name not in deleted]
