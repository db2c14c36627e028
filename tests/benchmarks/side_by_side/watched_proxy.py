"""`python -m tests.benchmarks.side_by_side.watched_proxy`: the proxy, whose callbacks are timed.

At SIGUSR1 it prints the longest callback of the event loop since the last time, in seconds of CPU
time: while it runs, nothing else does. A callback's time on the clock would also count what other
processes did meanwhile.
"""

import asyncio
import json
import runpy
import signal
import time
from collections.abc import Callable


class Watch:
    def __init__(self, run: Callable[[asyncio.Handle], None]) -> None:
        self._run = run
        self._longest = 0.0
        self._told = 0

    def timed(self, handle: asyncio.Handle) -> None:
        began = time.thread_time()
        self._run(handle)
        self._longest = max(self._longest, time.thread_time() - began)

    def tell(self, *_: object) -> None:
        self._told += 1
        print(json.dumps({"longest": self._longest, "number": self._told}), flush=True)
        self._longest = 0.0


if __name__ == "__main__":
    watch = Watch(asyncio.Handle._run)
    signal.signal(signal.SIGUSR1, watch.tell)

    def run(handle: asyncio.Handle) -> None:  # a bound method would not be given the handle
        watch.timed(handle)

    asyncio.Handle._run = run  # type: ignore[assignment, method-assign]
    runpy.run_module("proxy", run_name="__main__")
