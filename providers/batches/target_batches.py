"""Batches over a `BatchTarget`: one implementation for all providers except Gemini."""

from dataclasses import replace
from functools import partial

from providers.batches.batch_target import BatchTarget, FoundBatch
from providers.batches.creations import Creations
from providers.batches.ended_results import EndedResults
from providers.credential import Caller
from providers.errors import NotFound, failed_precondition, invalid_argument, not_found
from providers.memory import Limits, MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import Batch, Download, NewBatch, Page, ResultFile, ResultForm
from providers.state import State


class TargetBatches:
    """Implements `providers.provider.Batches`, and what a provider's files need of their results.

    Every method raises NOT_FOUND for a batch that the caller's credential does not show.
    """

    def __init__(
        self,
        target: BatchTarget,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._observer = observer
        self._target = target
        self._creations = Creations(target, state, observer)
        self._memory = memory
        self._limits = limits

    async def create(self, caller: Caller, batch: NewBatch) -> Batch:
        _check_source(batch)
        return await self._creations.create(caller, batch)

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        found = await self._target.find(caller, batch_id)
        batch = found.batch
        if batch.state.terminal:
            self._observer.batch_ended(batch)
        results = await found.results() if batch.state.terminal else None
        if results is None:
            return batch
        try:
            counted = partial(self._observer.results_translated, batch)
            inline = await results.in_order(self._memory, self._limits.inline_results, counted)
            if inline is None and not await results.exist():
                return batch
        except NotFound:
            return batch
        return replace(batch, output=inline or ResultFile(result_file_id(batch_id)))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        return await self._target.page(caller, page_size, page_token)

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        found = await self._target.find(caller, batch_id)
        if found.batch.state.terminal:
            raise failed_precondition(f"the batch has ended ({found.batch.native_status})")
        await found.cancel()

    async def delete(self, caller: Caller, batch_id: str) -> None:
        found = await self._target.find(caller, batch_id)
        if not found.batch.state.terminal:
            raise failed_precondition(
                f"the batch is {found.batch.native_status}; cancel it, and delete it when it has "
                "ended"
            )
        await found.delete()

    # --- the file of its results -----------------------------------------------------------------

    async def ended(self, caller: Caller, batch_id: str) -> Batch:
        """The batch of a result file. Raises NOT_FOUND if it has no results."""
        found, _ = await self._find_results(caller, batch_id)
        return found.batch

    async def download(self, caller: Caller, batch_id: str, form: ResultForm) -> Download:
        """JSON lines, translated while they are read, or the provider's own files."""
        found, results = await self._find_results(caller, batch_id)
        counted = partial(self._observer.results_translated, found.batch)
        return await results.download(self._memory, form, counted)

    async def delete_results(self, caller: Caller, batch_id: str) -> None:
        found, _ = await self._find_results(caller, batch_id)
        await found.delete_results()

    async def _find_results(self, caller: Caller, batch_id: str) -> tuple[FoundBatch, EndedResults]:
        found = await self._target.find(caller, batch_id)
        results = await found.results() if found.batch.state.terminal else None
        if results is None or not await results.exist():
            raise not_found(f"batches/{batch_id} has no results")
        return found, results


def _check_source(batch: NewBatch) -> None:
    file_id = decode_file_id(batch.source) if isinstance(batch.source, str) else None
    if file_id is not None and file_id.kind is FileKind.RESULTS:
        raise invalid_argument(
            "a result file cannot be the input of a batch; give a file of requests"
        )
