"""Creates batches over a `BatchTarget`, each at most once for each of its keys."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from providers.batches.batch_target import BatchTarget, FoundBatch
from providers.batches.lost_creations import LostBefore, LostCreations
from providers.batches.repeats import Attempt, Repeat
from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.client import outcome_unknown
from providers.observation import Observer
from providers.resources import Batch, NewBatch
from providers.state import State
from providers.status import Status
from providers.upstream import UpstreamError

# For the call that creates a batch, after its client has left. Providers usually answer sooner.
_FINISH_SECONDS: Final = 3.0

_log: Final = logging.getLogger("genai_ferry.batches")


class Creations:
    def __init__(self, target: BatchTarget, state: State, observer: Observer) -> None:
        self._target = target
        self._state = state
        self._observer = observer
        self._lost = LostCreations(target.name, state)

    async def create(self, caller: Caller, batch: NewBatch) -> Batch:
        if batch.idempotency_key is not None:
            return await self._create_once(caller, batch, batch.idempotency_key)
        attempt = self._lost.attempt(caller.tenant, batch.fingerprint)
        try:
            made = await self._make(caller, batch, attempt)
        except LostBefore as first:
            return await self._create_again(caller, batch, first.key)
        self._observer.batch_created(batch.kind)
        return made.batch

    async def _create_again(self, caller: Caller, batch: NewBatch, key: str) -> Batch:
        await self._lost.wait_settled(self._repeat(caller, batch, key))
        with suppress(NotFound):  # the first batch may have been deleted since
            try:
                return await self._create_once(caller, batch, key)
            finally:
                await self._lost.forget(caller.tenant, batch.fingerprint)
        return await self.create(caller, batch)

    def _repeat(self, caller: Caller, batch: NewBatch, key: str) -> Repeat:
        return Repeat(self._target.name, self._state, caller.tenant, key, batch.fingerprint)

    async def _create_once(self, caller: Caller, batch: NewBatch, key: str) -> Batch:
        repeat = self._repeat(caller, batch, key)
        recorded = await repeat.recorded()
        if recorded is not None:
            return (await self._target.find(caller, recorded)).batch
        made = await self._make(caller, batch, Attempt(repeat))
        first = await repeat.record(made.batch.id)
        if first != made.batch.id:
            await _discard(made)
            return (await self._target.find(caller, first)).batch
        self._observer.batch_created(batch.kind)
        return made.batch

    # --- one attempt -----------------------------------------------------------------------------

    async def _make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        """A client that leaves ends the attempt.

        Only the call that creates the batch first gets some seconds to end by itself. If it were
        interrupted, there might be a batch whose input is deleted.
        """
        making = asyncio.ensure_future(self._target.make(caller, batch, attempt))
        try:
            async with _remembered_if_left(batch, attempt):
                made = await asyncio.shield(making)
        except asyncio.CancelledError:
            try:
                if attempt.sent:
                    await attempt.remember()
                    await asyncio.wait({making}, timeout=_FINISH_SECONDS)
            finally:
                making.cancel()
            await asyncio.wait({making})
            await self._keep_outcome(making, batch, attempt)
            raise
        except FerryError as error:
            if attempt.sent and _answer_lost(error):
                await attempt.remember()
            elif (error.permanent or batch.client_left.is_set()) and not outcome_unknown(error):
                await attempt.forget()
            raise
        if batch.client_left.is_set():
            await attempt.repeat.record(made.batch.id)
        return made

    async def _keep_outcome(
        self, making: "asyncio.Future[FoundBatch]", batch: NewBatch, attempt: Attempt
    ) -> None:
        """What a repeat of the request will find."""
        if making.cancelled():
            if not attempt.sent:
                await attempt.forget()
            return
        error = making.exception()
        if error is None:
            await attempt.repeat.record(making.result().batch.id)
            self._observer.batch_created(batch.kind)
        elif isinstance(error, FerryError) and not outcome_unknown(error):
            await attempt.forget()


@asynccontextmanager
async def _remembered_if_left(batch: NewBatch, attempt: Attempt) -> AsyncIterator[None]:
    """A creation that runs on without its client is remembered for a repeat, once it is sent."""
    watching = asyncio.create_task(_remember_if_left(batch, attempt))
    try:
        yield
    finally:
        if not (batch.client_left.is_set() and attempt.sent):
            watching.cancel()
        await asyncio.wait({watching})


async def _remember_if_left(batch: NewBatch, attempt: Attempt) -> None:
    await batch.client_left.wait()
    await attempt.wait_sent()
    try:
        await attempt.remember()
    except FerryError as error:
        _log.warning("a creation without its client was not remembered: %s", error.status.name)


def _answer_lost(error: FerryError) -> bool:
    """Whether the provider may have created the batch, and no answer came.

    After an answer with an error, the target has already looked for the batch if it can.
    """
    if error.status is Status.DEADLINE_EXCEEDED:
        return outcome_unknown(error)
    lost = isinstance(error, UpstreamError) and error.upstream_status is None
    return lost and outcome_unknown(error)


async def _discard(made: FoundBatch) -> None:
    """Undo a batch, because another request with the same idempotency key was faster."""
    for undo in (made.cancel, made.delete):
        try:
            await undo()
        except FerryError as error:
            # The client gets the batch of the idempotency key.
            _log.warning("a second batch for one key could not be undone: %s", error.status.name)
