"""The outbound client without a socket."""

import pytest
from aiohttp import ClientSession
from aioresponses import aioresponses
from yarl import URL

from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy.outbound import OutboundClient

ADDRESS = URL("https://upstream.example/v1/files")


async def test_a_reply_has_status_headers_and_body(
    client: OutboundClient, answers: aioresponses
) -> None:
    answers.get(ADDRESS, status=404, body=b"none", headers={"X-Request-Id": "r1"})
    async with await client.send(OutboundRequest("GET", ADDRESS)) as reply:
        assert reply.status == 404
        assert reply.headers["x-request-id"] == "r1"
        assert await reply.read(100) == b"none"


async def test_headers_are_sent_unchanged(client: OutboundClient, answers: aioresponses) -> None:
    answers.post(ADDRESS)
    headers = {"Authorization": "Bearer k", "X-Empty": ""}
    await client.send(OutboundRequest("POST", ADDRESS, headers, b"x"))
    [call] = answers.requests["POST", ADDRESS]
    assert call.kwargs["headers"] == headers


async def test_a_body_alone_decides_its_framing(
    client: OutboundClient, answers: aioresponses
) -> None:
    answers.post(ADDRESS)
    headers = {"Content-Length": "99", "Transfer-Encoding": "chunked", "X-Kept": "yes"}
    await client.send(OutboundRequest("POST", ADDRESS, headers, b"x"))
    [call] = answers.requests["POST", ADDRESS]
    assert call.kwargs["headers"] == {"X-Kept": "yes"}


async def test_a_redirect_is_an_answer_like_any_other(
    client: OutboundClient, answers: aioresponses
) -> None:
    answers.get(ADDRESS, status=302, headers={"Location": "https://elsewhere.example/"})
    async with await client.send(OutboundRequest("GET", ADDRESS)) as reply:
        assert reply.status == 302


async def test_a_reply_over_the_limit_is_refused(
    client: OutboundClient, answers: aioresponses
) -> None:
    answers.get(ADDRESS, body=b"12345")
    async with await client.send(OutboundRequest("GET", ADDRESS)) as reply:
        with pytest.raises(UpstreamError) as caught:
            await reply.read(4)
    assert caught.value.status == Status.UNAVAILABLE


async def test_the_fixture_is_still_needed() -> None:
    """If this fails, aioresponses supports this aiohttp: remove the `answers` fixture."""
    async with ClientSession() as session:
        with aioresponses() as plain:
            plain.get(ADDRESS)
            with pytest.raises(TypeError, match="stream_writer"):
                await session.get(ADDRESS)
