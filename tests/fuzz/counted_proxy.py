"""`python -m tests.fuzz.counted_proxy`: the proxy, which prints its count of tasks at SIGUSR1."""

import asyncio
import gc
import json
import runpy
import signal

from proxy.allocator import give_back


def print_count(*_: object) -> None:
    gc.collect()
    give_back()  # what is free is no growth
    print(json.dumps({"tasks": len(asyncio.all_tasks())}), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, print_count)
    runpy.run_module("proxy", run_name="__main__")
