"""Allows one attempt per idempotency key, because Anthropic cannot show an attempt's outcome."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from providers.anthropic.batch_creation import may_have_created
from providers.batches.repeats import Repeat
from providers.errors import FerryError
from providers.status import Status


@asynccontextmanager
async def single_attempt(repeat: Repeat) -> AsyncIterator[None]:
    """Enter this around the call that creates the batch. Raises ABORTED after another attempt.

    The key can be used again after an attempt that certainly created nothing.
    """
    if not await repeat.begin():
        raise FerryError(
            Status.ABORTED,
            "an earlier request with this x-ferry-idempotency-key is still running, or its outcome "
            "is unknown: list the batches, and use another key to create one anyway",
        )
    try:
        yield
    except Exception as error:
        if not may_have_created(error):
            await repeat.forget()
        raise
