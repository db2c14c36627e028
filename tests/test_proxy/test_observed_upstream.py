"""Calls to a provider are counted, and their waits are not the proxy's own time."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from prometheus_client import generate_latest
from yarl import URL

from middlewares.observation import Observation
from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy.metrics import Metrics
from proxy.observed_upstream import ObservedUpstream
from proxy.observers import BACKGROUND, CURRENT, CurrentRequest, Telemetry
from proxy.outbound import OutboundClient
from proxy.tracing import NOT_TRACED
from tests.scraping import Scrape, parsed
from tests.test_providers.test_gemini.scripted_upstream import (
    Answer,
    ScriptedReply,
    ScriptedUpstream,
)
from tests.test_proxy.raw_upstream import raw_upstream, read_head

REQUEST = OutboundRequest("GET", URL("http://provider/files"))


class Unreachable:
    async def send(self, request: OutboundRequest) -> ScriptedReply:
        raise UpstreamError(Status.UNAVAILABLE, "unreachable", unsent=True)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1")


def shown(metrics: Metrics) -> Scrape:
    return parsed(generate_latest(metrics.registry).decode())


async def test_a_call_is_counted_for_its_request(metrics: Metrics) -> None:
    headers = {"x-request-id": "req_1"}
    upstream = ScriptedUpstream(Answer(status=404, headers=headers, body=b"gone"))
    seen = Observation("openai", "get_file")
    token = CURRENT.set(CurrentRequest(seen, NOT_TRACED.request({})))
    try:
        reply = await ObservedUpstream(upstream, "openai", Telemetry(metrics)).send(REQUEST)
        assert (reply.status, await reply.read(10)) == (404, b"gone")
    finally:
        CURRENT.reset(token)

    labels = {"provider": "openai", "operation": "get_file", "code": "404"}
    assert shown(metrics).of("ferry_upstream_requests_total", **labels) == 1
    assert shown(metrics).of("ferry_upstream_duration_seconds_count") == 1
    assert seen.upstream_request_id == "req_1"
    assert seen.waiting.seconds > 0


async def test_a_chunk_that_was_taken_is_not_kept(metrics: Metrics, client: OutboundClient) -> None:
    taken = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(1000))
        await taken.wait()
        writer.write(bytes(1000))

    async def following(chunks: AsyncIterator[bytes]) -> bytes:
        return await anext(chunks)

    async with raw_upstream(conversation) as url:
        upstream = ObservedUpstream(client, "openai", Telemetry(metrics))
        async with await upstream.send(OutboundRequest("GET", url)) as reply:
            chunks = aiter(reply.chunks())
            chunk = await anext(chunks)
            asked = asyncio.create_task(following(chunks))
            await asyncio.sleep(0)
            assert not asked.done()
            assert sys.getrefcount(chunk) == sys.getrefcount(alone := bytes(1000))
            taken.set()
            assert await asked == alone


async def test_a_call_without_an_answer_or_a_request(metrics: Metrics) -> None:
    with pytest.raises(UpstreamError):
        await ObservedUpstream(Unreachable(), "openai", Telemetry(metrics)).send(REQUEST)

    labels = {"provider": "openai", "operation": BACKGROUND, "code": "error"}
    assert shown(metrics).of("ferry_upstream_requests_total", **labels) == 1
