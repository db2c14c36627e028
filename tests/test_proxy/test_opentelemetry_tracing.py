from collections.abc import Sequence
from threading import Event

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import proxy.opentelemetry_tracing as tracing


class GoneCollector(SpanExporter):
    def __init__(self) -> None:
        self.asked = Event()
        self.answers = Event()

    def export(self, _: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.answers.wait()
        return SpanExportResult.SUCCESS


def test_a_collector_that_is_gone_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "CLOSE_SECONDS", 0.01)
    collector = GoneCollector()
    tracer = tracing.OpenTelemetryTracer(collector)
    tracer.request({}).end("request")
    try:
        tracer.close()
        assert collector.asked.wait(10)
        assert not collector.answers.is_set()
    finally:
        collector.answers.set()
