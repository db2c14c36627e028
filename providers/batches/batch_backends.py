"""The interface of both backends of a provider: its own batches and immediate batches."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from providers.batches.ended_results import EndedResults
from providers.credential import Caller
from providers.resources import Batch


@dataclass(frozen=True, slots=True)
class FoundBatch:
    """A batch as it is now. `batch` is without results.

    `results` does not look the batch up again. It raises NOT_FOUND if there are none: the batch has
    not ended, or they were deleted.
    """

    batch: Batch
    results: Callable[[], Awaitable[EndedResults]] = field(repr=False)


class BatchBackend(Protocol):
    """A backend. Every method raises NOT_FOUND for a batch that is not the caller's."""

    async def look_up(self, caller: Caller, batch_id: str) -> FoundBatch: ...

    async def cancel(self, caller: Caller, batch_id: str) -> None: ...

    async def delete(self, caller: Caller, batch_id: str) -> None: ...

    async def delete_results(self, caller: Caller, batch_id: str) -> None: ...
