"""The metrics: every series that `/metrics` shows, and nothing else.

Labels have values from closed sets only: names of configured providers, of the routes' operations,
of statuses and outcomes. Nothing that a client sends becomes a label. A model is what a provider's
answer names, and only the first ones get a label of their own.
"""

import platform
import re
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

MODELS: Final = 100
OTHER_MODEL: Final = "other"
NONE: Final = "none"
"""A provider or an operation that is not known, as of a request that was refused before."""

_MODEL: Final = re.compile(r"[A-Za-z0-9._:/@+-]{1,128}")

# In seconds: from an answer out of memory to a chunk of a slow upload.
_DURATIONS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SHORT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_BY_CALL: Final = ("provider", "operation")

# Otherwise each series has a second one with its creation time.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one process. Several workers share them if `shared_by_workers` prepared it."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._models: set[str] = set()
        self._connections()
        self._requests()
        self._upstream()
        self._uploads_and_batches()
        self._process()
        self.build.labels(version, platform.python_version()).set(1)

    def model_label(self, model: str) -> str:
        """The model id; `other` beyond the first models, and `none` for an answer without one.

        An ARN is cut to its last segment, since the others name an account and a region.
        """
        name = model.rpartition("/")[2] if model.startswith("arn:") else model
        if not name:
            return NONE
        is_new = name not in self._models
        if is_new and (len(self._models) >= MODELS or not _MODEL.fullmatch(name)):
            return OTHER_MODEL
        self._models.add(name)
        return name

    def _connections(self) -> None:
        self.open_connections = self._gauge(
            "ferry_open_connections", "Open connections of clients, of all workers together."
        )
        self.connection_limit = self._gauge(
            "ferry_connection_limit", "How many connections all workers together can have open."
        )
        self.refused_connections = self._counter(
            "ferry_refused_connections",
            "Connections beyond a limit: of all connections (total), or of one peer's (peer).",
            "limit",
        )
        self.refused_requests = self._counter(
            "ferry_refused_peer_requests",
            "Requests beyond the limit of one client behind a trusted proxy.",
        )

    def _requests(self) -> None:
        self.in_flight = self._gauge(
            "ferry_requests_in_flight", "Requests that are being answered.", *_BY_CALL
        )
        self.requests = self._counter(
            "ferry_requests", "Requests, when they ended.", *_BY_CALL, "code"
        )
        self.duration = self._histogram(
            "ferry_request_duration_seconds",
            "From a request's headers to the last byte of its response.",
            _DURATIONS,
            *_BY_CALL,
        )
        self.own_duration = self._histogram(
            "ferry_request_own_duration_seconds",
            "The part of a request's duration without waits for the client and for the provider.",
            _SHORT,
            *_BY_CALL,
        )
        self.first_byte = self._histogram(
            "ferry_request_first_byte_seconds",
            "From a request's headers to the first byte of its response.",
            _DURATIONS,
            *_BY_CALL,
        )
        self.bytes_in = self._counter(
            "ferry_request_bytes", "Bytes of request bodies that were read.", *_BY_CALL
        )
        self.bytes_out = self._counter(
            "ferry_response_bytes", "Bytes of response bodies that were sent.", *_BY_CALL
        )
        self.cut = self._counter(
            "ferry_responses_cut", "Responses whose body ended early.", *_BY_CALL
        )
        self.refusals = self._counter(
            "ferry_refusals",
            "Refused requests, by Google's status and by who refused: proxy, provider or state.",
            *_BY_CALL,
            "status",
            "origin",
        )

    def _upstream(self) -> None:
        self.upstream_requests = self._counter(
            "ferry_upstream_requests",
            "Calls to providers; the code is `error` for a call without an answer.",
            *_BY_CALL,
            "code",
        )
        self.upstream_duration = self._histogram(
            "ferry_upstream_duration_seconds",
            "From the start of a call to a provider to the headers of its answer.",
            _DURATIONS,
            *_BY_CALL,
        )
        self.retries = self._counter(
            "ferry_retries", "Calls to a provider that were sent again.", "provider"
        )

    def _uploads_and_batches(self) -> None:
        self.uploads_in_flight = self._gauge(
            "ferry_uploads_in_flight", "Requests that are carrying bytes of a file.", "provider"
        )
        self.uploads = self._counter(
            "ferry_uploads",
            "Uploads: started, resumed, finished or cancelled.",
            "provider",
            "event",
        )
        self.uploads_abandoned = self._counter(
            "ferry_uploads_abandoned", "Upload sessions that expired before their end.", "provider"
        )
        self.input_lines = self._counter(
            "ferry_input_lines",
            "Lines of the inputs of batches, once in each creation: translated, native or refused.",
            "provider",
            "outcome",
        )
        self.batches_created = self._counter(
            "ferry_batches_created", "Batches created through the proxy.", "provider", "kind"
        )
        self.batches_ended = self._counter(
            "ferry_batches_ended",
            "Batches, once each, when a client first saw their end.",
            "provider",
            "state",
        )
        self.batch_requests = self._counter(
            "ferry_batch_requests",
            "Requests of ended batches: succeeded, failed or unanswered.",
            "provider",
            "outcome",
        )
        self.result_lines = self._counter(
            "ferry_result_lines",
            "Lines of results that were translated, each time that a client read them.",
            "provider",
            "outcome",
        )
        self.tokens = self._counter(
            "ferry_tokens",
            "Tokens of batches, once each, when a client first read all results.",
            "provider",
            "model",
            "kind",
        )

    def _process(self) -> None:
        self.state_duration = self._histogram(
            "ferry_state_operation_duration_seconds",
            "Operations of the state store, without the bodies that are read later.",
            _SHORT,
            "operation",
        )
        self.state_errors = self._counter(
            "ferry_state_errors", "Operations of the state store that failed.", "operation"
        )
        self.state_bytes = self._largest(
            "ferry_state_bytes",
            "Bytes in the state store: at the last sweep, and what was added since.",
        )
        self.state_limit = self._largest(
            "ferry_state_limit_bytes", "The setting FERRY_STATE_BYTES."
        )
        self.memory_used = self._gauge(
            "ferry_memory_budget_used_bytes", "Reserved bytes of the memory budget."
        )
        self.memory_size = self._gauge(
            "ferry_memory_budget_bytes", "The memory budget of all workers together."
        )
        self.resident_memory = self._gauge(
            "ferry_resident_memory_bytes", "Resident memory of all workers together."
        )
        # Each worker has its own limit, so the sum would hide one that reaches it.
        self.open_descriptors = self._largest(
            "ferry_open_descriptors", "Open file descriptors of the worker that has most of them."
        )
        self.descriptor_limit = self._largest(
            "ferry_descriptor_limit", "How many descriptors a worker can have open."
        )
        self.loop_lag = self._histogram(
            "ferry_event_loop_lag_seconds",
            "How much later than planned the event loop ran a timer.",
            _SHORT,
        )
        self.build = self._info(
            "ferry_build_info",
            "The version of genai-ferry and of Python; always 1.",
            "version",
            "python",
        )
        self.provider = self._info(
            "ferry_provider_info",
            "The configured providers, each with its kind; always 1.",
            "provider",
            "kind",
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry, multiprocess_mode="livesum")

    def _largest(self, name: str, what: str) -> Gauge:
        """A gauge that shows the largest value in any worker."""
        return Gauge(name, what, registry=self.registry, multiprocess_mode="livemax")

    def _info(self, name: str, what: str, *labels: str) -> Gauge:
        """A gauge that is 1 in every worker, and 1 for all of them together."""
        return Gauge(name, what, labels, registry=self.registry, multiprocess_mode="max")

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, what, labels, registry=self.registry, buckets=buckets)
