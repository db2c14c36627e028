"""Traces by OpenTelemetry, which the extra `otel` installs.

The standard variables configure the exporter, the sampler and the resource. Spans have no paths,
queries, headers, prompts, answers or messages of errors.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Final, Self

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from proxy.tracing import Attributes, RequestSpan, Span
from proxy.version import version

CLOSE_SECONDS: Final = 3.0

_NAME: Final = "genai-ferry"
# Only these headers of a request are read.
_PROPAGATED: Final = ("traceparent", "tracestate")


class OpenTelemetryTracer:
    """Implements `proxy.tracing.Tracer`."""

    def __init__(self, exporter: SpanExporter) -> None:
        resource = Resource.create({SERVICE_NAME: _NAME, SERVICE_VERSION: version()})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(_NAME, version())

    @classmethod
    def to_collector(cls) -> Self:
        """Sends OTLP over HTTP, to the collector that the variables name."""
        return cls(OTLPSpanExporter())

    def request(self, headers: Mapping[str, str]) -> RequestSpan:
        """Also makes the span the current one of this task, which ends with the request."""
        given = {name: headers[name] for name in _PROPAGATED if name in headers}
        span = self._tracer.start_span("request", extract(given), SpanKind.SERVER)
        context.attach(trace.set_span_in_context(span))
        return _Span(span)

    @contextmanager
    def call(self, name: str, attributes: Attributes) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # its message may quote the request
            set_status_on_exception=False,
        ) as span:
            yield _Span(span)

    def propagated(self) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        inject(headers)
        return {name: headers[name] for name in _PROPAGATED if name in headers}

    def close(self) -> None:
        """Gives up after a while, since a collector that is gone must not hold up the shutdown."""
        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(CLOSE_SECONDS)


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self, name: str) -> None:
        self._span.update_name(name)
        self._span.end()
