import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy import threads


async def test_a_cancelled_call_that_waits_for_a_thread_is_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a file that it would close stays open."""
    free, done = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as one_thread:
        monkeypatch.setattr(threads, "_DISK", one_thread)
        one_thread.submit(free.wait)
        waiting = asyncio.create_task(threads.surely_in_thread(done.set))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert done.is_set()
