"""What a provider writes to have batches: a `BatchTarget` makes, finds and lists them."""

from typing import Protocol

from providers.batches.ended_results import EndedResults
from providers.batches.repeats import Attempt
from providers.credential import Caller
from providers.resources import Batch, NewBatch, Page


class FoundBatch(Protocol):
    """A batch that the caller can use, with what its lookup found."""

    @property
    def batch(self) -> Batch:
        """As it is now, without results."""

    async def results(self) -> EndedResults | None:
        """Called only for a batch that has ended; None if its results were deleted."""

    async def cancel(self) -> None:
        """Called only for a batch that has not ended."""

    async def delete(self) -> None:
        """Called only for a batch that has ended, or that lost to another with the same key."""

    async def delete_results(self) -> None:
        """Called only for a batch that has results."""


class BatchTarget(Protocol):
    """`name` is the configured name of the upstream."""

    @property
    def name(self) -> str: ...

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        """Create a batch, or find the one that an earlier attempt with the same key created.

        If it fails, nothing is left behind, unless the outcome of the provider's call is unknown.
        """

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        """Raises NOT_FOUND, also for a batch that was deleted."""

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]: ...
