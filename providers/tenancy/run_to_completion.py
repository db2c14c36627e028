"""Work that is completed even if the client disconnects."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from providers.errors import FerryError

T = TypeVar("T")

_log: Final = logging.getLogger("genai_ferry.run_to_completion")


async def run_to_completion(
    work: Coroutine[Any, Any, T], cancelled: Callable[[], object] = lambda: None
) -> T:
    """The result of `work`. A cancellation takes effect only after `work` has ended.

    The cancelled caller waits for that, so that it does not release what `work` still uses, such as
    its memory reservation. A second cancellation takes effect at once. `cancelled` is
    called at the first.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        cancelled()
        task.add_done_callback(_log_failure)
        await asyncio.wait([task])
        raise
    return task.result()


def _log_failure(task: asyncio.Future[Any]) -> None:
    """Log how it ended: no client gets the answer. Errors of other classes show only their type."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        reason = error.message if isinstance(error, FerryError) else type(error).__name__
        _log.warning("a call failed after its client had disconnected: %s", reason)
