"""Everything except uploads is relayed unchanged in both directions."""

from collections.abc import AsyncIterator

import orjson
import pytest
from yarl import URL

from providers.body import in_memory
from providers.provider import RelayedRequest
from tests.contract.gemini_with_fake import CALLER, GeminiWithFake, gemini_with_fake

JSON = {"content-type": "application/json"}


@pytest.fixture
async def google() -> AsyncIterator[GeminiWithFake]:
    async with gemini_with_fake() as provider_with_fake:
        yield provider_with_fake


def asked(method: str, target: str, body: bytes | None = None, **headers: str) -> RelayedRequest:
    inbound = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else in_memory(body)
    return RelayedRequest(method, URL(target, encoded=True), inbound, content)


async def test_the_proxys_own_headers_are_not_sent(google: GeminiWithFake) -> None:
    request = asked(
        "GET",
        "/v1beta/files?pageSize=5",
        x_model_provider="gemini",
        x_ferry_idempotency_key="k",
        cookie="c=1",
        x_forwarded_for="1.2.3.4",
        x_goog_api_client="google-genai-sdk/3.4.0",
    )
    async with await google.relay(CALLER, request) as reply:
        assert reply.status == 200
        assert await reply.read(100) == b"{}"
    [seen] = await google.requests()
    assert seen["query"] == {"pageSize": "5"}
    assert set(seen["headers"]) == {"host", "content-type", "x-goog-api-client"}


async def test_a_request_with_a_body(google: GeminiWithFake) -> None:
    document = orjson.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})
    request = asked("POST", "/v1beta/models/gemini-2.5-flash:generateContent", document)
    async with await google.relay(CALLER, request) as reply:
        assert reply.status == 200
        assert b"echo: hello" in await reply.read(10_000)
    [seen] = await google.requests()
    assert (seen["declared_length"], seen["chunked"]) == (len(document), False)


async def test_a_refusal_is_returned_unchanged(google: GeminiWithFake) -> None:
    async with await google.relay(CALLER, asked("GET", "/v1/batches/none")) as reply:
        assert reply.status == 404
        assert orjson.loads(await reply.read(10_000))["error"]["status"] == "NOT_FOUND"


async def test_a_path_unknown_to_google(google: GeminiWithFake) -> None:
    async with await google.relay(CALLER, asked("GET", "/v1/nonsense/%2F?a=b%20c")) as reply:
        assert reply.status == 404
        assert reply.headers["content-type"].startswith("text/html")


async def test_a_multipart_upload(google: GeminiWithFake) -> None:
    body = (
        b'--B\r\nContent-Type: application/json\r\n\r\n{"file": {"displayName": "dn"}}\r\n'
        b"--B\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n"
    )
    request = asked(
        "POST",
        "/upload/v1beta/files",
        body,
        content_type="multipart/related; boundary=B",
        x_goog_upload_protocol="multipart",
    )
    async with await google.relay(CALLER, request) as reply:
        assert reply.status == 200
        file = orjson.loads(await reply.read(10_000))["file"]
    assert (file["displayName"], file["sizeBytes"]) == ("dn", "5")


async def test_a_raw_upload(google: GeminiWithFake) -> None:
    request = asked(
        "POST",
        "/upload/v1beta/files?uploadType=media",
        b"hello",
        content_type="text/plain",
        x_goog_upload_protocol="raw",
    )
    async with await google.relay(CALLER, request) as reply:
        file = orjson.loads(await reply.read(10_000))["file"]
    assert (file["mimeType"], file["sizeBytes"]) == ("text/plain", "5")
