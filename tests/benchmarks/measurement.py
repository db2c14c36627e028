"""Measures a proxy process while a workload runs."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PROBE_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Measurement:
    """`moved` and the memory are in bytes, `slowest` in seconds."""

    name: str
    moved: int
    seconds: float
    at_rest: int
    peak: int
    slowest: float


def memory(pid: int, field: str) -> int:
    """A process's memory in bytes: `VmRSS` now, or `VmHWM` at its peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"the kernel tells no {field} of process {pid}")


class HealthProbe:
    """Repeats a request for /healthz, to measure how long the proxy's event loop is busy."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._over = threading.Event()
        self.slowest = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        # In a thread, so the busy event loop of the clients is not measured too.
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address)
        while not self._over.wait(PROBE_SECONDS):
            asked = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            self.slowest = max(self.slowest, time.perf_counter() - asked)
        connection.close()
