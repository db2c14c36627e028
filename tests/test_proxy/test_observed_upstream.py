"""Calls to a provider are counted, and their waits are not the proxy's own time."""

import pytest
from prometheus_client import generate_latest
from yarl import URL

from middlewares.observation import Observation
from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy.metrics import Metrics
from proxy.observed_upstream import ObservedUpstream
from proxy.observers import BACKGROUND, CURRENT, CurrentRequest, Telemetry
from proxy.tracing import NOT_TRACED
from tests.scraping import Scrape, parsed
from tests.test_providers.test_gemini.scripted_upstream import (
    Answer,
    ScriptedReply,
    ScriptedUpstream,
)

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


async def test_a_call_without_an_answer_or_a_request(metrics: Metrics) -> None:
    with pytest.raises(UpstreamError):
        await ObservedUpstream(Unreachable(), "openai", Telemetry(metrics)).send(REQUEST)

    labels = {"provider": "openai", "operation": BACKGROUND, "code": "error"}
    assert shown(metrics).of("ferry_upstream_requests_total", **labels) == 1
