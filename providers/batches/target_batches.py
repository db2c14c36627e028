"""Batches over a `BatchTarget`: one implementation for all providers except Gemini."""

import logging
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from providers.batches.ended_results import EndedResults
from providers.batches.repeats import Attempt, Repeat
from providers.credential import Caller
from providers.errors import FerryError, NotFound, failed_precondition, invalid_argument, not_found
from providers.json_api.client import outcome_unknown
from providers.memory import Limits, MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import Batch, Download, NewBatch, Page, ResultFile, ResultForm
from providers.state import State

_log: Final = logging.getLogger("genai_ferry.batches")


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
        self._state = state
        self._memory = memory
        self._limits = limits

    async def create(self, caller: Caller, batch: NewBatch) -> Batch:
        _check_source(batch)
        if batch.idempotency_key is None:
            only = await self._target.make(caller, batch, Attempt(None))
            self._observer.batch_created(batch.kind)
            return only.batch
        key, fingerprint = batch.idempotency_key, batch.fingerprint
        repeat = Repeat(self._target.name, self._state, caller.tenant, key, fingerprint)
        recorded = await repeat.recorded()
        if recorded is not None:
            return (await self._target.find(caller, recorded)).batch
        made = await self._attempt(caller, batch, Attempt(repeat))
        first = await repeat.record(made.batch.id)
        if first != made.batch.id:
            await _discard(made)
            return (await self._target.find(caller, first)).batch
        self._observer.batch_created(batch.kind)
        return made.batch

    async def _attempt(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        try:
            return await self._target.make(caller, batch, attempt)
        except FerryError as error:
            if error.permanent and not outcome_unknown(error):
                await attempt.forget()
            raise

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


async def _discard(made: FoundBatch) -> None:
    """Undo a batch, because another request with the same idempotency key was faster."""
    for undo in (made.cancel, made.delete):
        try:
            await undo()
        except FerryError as error:
            # The client gets the batch of the idempotency key.
            _log.warning("a second batch for one key could not be undone: %s", error.status.name)
