"""An upstream whose calls are measured, traced, and named in the log of their request."""

import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Final, Self

from middlewares.observation import Observation, Waiting
from providers.upstream import OutboundRequest, Reply, Upstream
from proxy.observers import BACKGROUND, CURRENT, Telemetry

_NO_ANSWER: Final = "error"
# Where providers name a call (openai.md, anthropic.md, bedrock.md).
_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id")


class ObservedUpstream:
    """Implements `providers.upstream.Upstream` for the provider with the name `provider`."""

    def __init__(self, upstream: Upstream, provider: str, telemetry: Telemetry) -> None:
        self._upstream = upstream
        self._provider = provider
        self._tracer = telemetry.tracer
        # To look one up takes longer than to write to it. Their labels are closed sets.
        self._requests = cache(telemetry.metrics.upstream_requests.labels)
        self._duration = cache(telemetry.metrics.upstream_duration.labels)

    async def send(self, request: OutboundRequest) -> Reply:
        current = CURRENT.get()
        seen = None if current is None else current.seen
        call = (self._provider, (seen and seen.operation) or BACKGROUND)
        attributes: dict[str, str | int] = {
            "http.request.method": request.method,
            "server.address": request.url.host or "",
            "ferry.provider": self._provider,
        }
        began, code = time.monotonic(), _NO_ANSWER
        with self._tracer.call(request.method, attributes) as span, _waiting(seen):
            try:
                reply = await self._upstream.send(self._traced(request))
                code = str(reply.status)
                span.set({"http.response.status_code": reply.status})
                if reply.status >= 400:
                    span.fail(code)
            except BaseException as error:
                span.fail(type(error).__name__)
                raise
            finally:
                self._requests(*call, code).inc()
                self._duration(*call).observe(time.monotonic() - began)
        if seen is None:
            return reply
        named = next(filter(None, map(reply.headers.get, _REQUEST_IDS)), None)
        seen.upstream_request_id = named or seen.upstream_request_id
        return _ObservedReply(reply, seen.waiting)

    def _traced(self, request: OutboundRequest) -> OutboundRequest:
        """A signature that covers other headers stays valid."""
        propagated = self._tracer.propagated()
        if not propagated:
            return request
        return replace(request, headers={**request.headers, **propagated})


def _waiting(seen: Observation | None) -> Waiting | nullcontext[None]:
    return nullcontext() if seen is None else seen.waiting


class _ObservedReply:
    """Implements `providers.upstream.Reply`: waits for the rest of an answer are not our time."""

    def __init__(self, reply: Reply, waiting: Waiting) -> None:
        self._reply = reply
        self._waiting = waiting
        self.status = reply.status
        self.headers = reply.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._reply.chunks())
        try:
            while True:
                with self._waiting:
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
                del chunk  # as in providers/body.py
        finally:
            aclose = getattr(chunks, "aclose", None)
            if aclose is not None:
                await aclose()

    async def read(self, limit: int) -> bytes:
        with self._waiting:
            return await self._reply.read(limit)

    async def aclose(self) -> None:
        await self._reply.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
