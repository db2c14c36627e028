"""One attempt for an idempotency key, where the outcome of another cannot be looked up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from providers.anthropic.batch_creation import may_have_created
from providers.batches.repeats import Repeat
from providers.errors import FerryError
from providers.status import Status


@asynccontextmanager
async def single_attempt(repeat: Repeat) -> AsyncIterator[None]:
    """Around the one call that makes the batch. Raises ABORTED where there was another attempt.

    The key is free again after an attempt that certainly made nothing.
    """
    if not await repeat.begin():
        raise FerryError(
            Status.ABORTED,
            "an earlier request with this x-ferry-idempotency-key is still under way, or its "
            "outcome is unknown: list the batches, and use another key to create one anyway",
        )
    try:
        yield
    except Exception as error:
        if not may_have_created(error):
            await repeat.forget()
        raise
