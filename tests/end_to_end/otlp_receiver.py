"""A collector that keeps the spans that it gets by OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class SpanSeen:
    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    kind: int
    attributes: dict[str, str | int]


@dataclass
class OtlpReceiver:
    """`raw` is everything that was received, to search it for what must not be there."""

    url: str = ""
    spans: list[SpanSeen] = field(default_factory=list)
    raw: bytes = b""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        data = await request.read()
        self.raw += data
        export = ExportTraceServiceRequest.FromString(data)
        for resource in export.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(map(_seen, scope.spans))
        self._changed.set()
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    async def until(self, operation: str) -> SpanSeen:
        """Waits for the span of a request with that operation."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                self._changed.clear()
                for span in self.spans:
                    if span.attributes.get("gen_ai.operation.name") == operation:
                        return span
                await self._changed.wait()

    def below(self, parent: SpanSeen) -> list[SpanSeen]:
        return [span for span in self.spans if span.parent_id == parent.span_id]


def _seen(span: object) -> SpanSeen:
    attributes = {
        each.key: each.value.string_value or int(each.value.int_value)
        for each in span.attributes  # type: ignore[attr-defined]
    }
    return SpanSeen(
        span.name,  # type: ignore[attr-defined]
        span.trace_id,  # type: ignore[attr-defined]
        span.span_id,  # type: ignore[attr-defined]
        span.parent_span_id,  # type: ignore[attr-defined]
        span.kind,  # type: ignore[attr-defined]
        attributes,
    )


@asynccontextmanager
async def otlp_receiver() -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.receive)
    server = TestServer(app)
    await server.start_server(access_log=None)
    receiver.url = str(server.make_url("/")).rstrip("/")
    try:
        yield receiver
    finally:
        await server.close()
