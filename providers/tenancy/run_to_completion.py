"""Work that does not break off half way because the client left."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from providers.errors import FerryError

T = TypeVar("T")

_log: Final = logging.getLogger("genai_ferry.run_to_completion")


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. A cancellation meanwhile holds once it has ended, and not before.

    Whoever is cancelled waits, so that what the work uses of a request, its share of the memory
    budget among it, is not given back too early. A second cancellation is not waited for.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.add_done_callback(_tell)
        await asyncio.wait([task])
        raise
    return task.result()


def _tell(task: asyncio.Future[Any]) -> None:
    """How it ended, since no client hears of it. What no client may read is told by its type."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        told = error.message if isinstance(error, FerryError) else type(error).__name__
        _log.warning("what a client that left had begun failed: %s", told)
