"""`/metrics`, in the text format of Prometheus."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from proxy.metrics import Metrics
from proxy.metrics_files import MetricsFile

_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"

# Only `shared_by_workers` decides where metrics are. A directory that the environment names, for
# another program, may be missing, or may have figures of processes that have ended.
os.environ.pop(_DIRECTORY, None)
values.ValueClass = values.MutexValue
values.MmapedDict = MetricsFile  # type: ignore[attr-defined,assignment]


class MetricsPage:
    """`sample` brings gauges up to date that are otherwise written periodically."""

    def __init__(self, metrics: Metrics, sample: Callable[[], None]) -> None:
        self._metrics = metrics
        self._sample = sample

    async def answer(self, _: web.BaseRequest) -> web.Response:
        self._sample()
        body = generate_latest(self._registry())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def _registry(self) -> CollectorRegistry:
        """With several workers, the series of all of them together, whichever answers."""
        if _DIRECTORY not in os.environ:
            return self._metrics.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry


METRICS: Final = web.AppKey("metrics", Metrics)
PAGE: Final = web.AppKey("metrics_page", MetricsPage)


@contextmanager
def shared_by_workers() -> Iterator[Callable[[int], None]]:
    """For the parent, before any metric exists: workers that it forks share their metrics.

    Returns what to call with the id of a worker that died. Raises OSError if there is no directory
    for temporary files.
    """
    with TemporaryDirectory(prefix="genai-ferry-metrics-") as directory:
        os.environ[_DIRECTORY] = directory
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        try:
            yield mark_process_dead
        finally:
            del os.environ[_DIRECTORY]
            values.ValueClass = values.MutexValue
