"""Requests that two servers could read in different ways, as raw bytes."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from middlewares.http_rules import end_to_end
from tests.test_middlewares.running_proxy import GEMINI_KEY, RunningProxy

KEY = f"x-goog-api-key: {GEMINI_KEY}"
FILES = "/genai/v1beta/files"


def request(line: str, *headers: str, body: str = "", host: str = "Host: ferry.test") -> bytes:
    lines = [line, host, *headers, "", body]
    return "\r\n".join(lines).encode("latin-1")


async def refused(proxy: RunningProxy, data: bytes, code: int = 400) -> str:
    """The message. Nothing was sent to an upstream, and no key is quoted."""
    status = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 501: "UNIMPLEMENTED"}[code]
    answer = await proxy.raw(data)
    message = answer.refused(code, status)
    assert GEMINI_KEY.encode() not in answer.body
    assert await proxy.upstream_requests(proxy.gemini) == []
    return message


@pytest.mark.parametrize(
    "data",
    [
        f"GET {FILES}?key={GEMINI_KEY}\r\n\r\n".encode(),
        request(f"GET {FILES} HTTP/0.9", KEY),
        request(f"GET {FILES} HTTP/1.2", KEY),
        request(f"GET {FILES} HTTP/2.0", KEY),
    ],
)
async def test_other_versions_of_http(proxy: RunningProxy, data: bytes) -> None:
    await refused(proxy, data)
    async with proxy.connection() as (reader, writer):
        writer.write(data)
        assert (await reader.readline())[:13] in (b"HTTP/1.0 400 ", b"HTTP/1.1 400 ")


@pytest.mark.parametrize("method", ["TRACE", "PURGE", "PROPFIND", "LINK"])
async def test_other_methods(proxy: RunningProxy, method: str) -> None:
    message = await refused(proxy, request(f"{method} {FILES} HTTP/1.1", KEY), 501)
    assert message.startswith("this method is not supported; known: GET, HEAD, POST")


async def test_a_tunnel(proxy: RunningProxy) -> None:
    await refused(proxy, request("CONNECT ferry.test:443 HTTP/1.1", KEY), 501)


async def test_an_absolute_address_must_have_the_same_host(proxy: RunningProxy) -> None:
    await refused(proxy, request(f"GET http://other.test{FILES} HTTP/1.1", KEY))
    same = await proxy.raw(request(f"GET http://Ferry.test{FILES} HTTP/1.1", KEY))
    assert same.status == 200


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("1.1", ["Content-Length: 5", "Transfer-Encoding: chunked"]),
        ("1.1", ["Transfer-Encoding: chunked", "Content-Length: 5"]),
        ("1.1", ["Content-Length: 5", "Content-Length: 5"]),
        ("1.1", ["Content-Length: 5, 5"]),
        ("1.1", ["Content-Length: +5"]),
        ("1.1", ["Transfer-Encoding: gzip, chunked"]),
        ("1.1", ["Transfer-Encoding: chunked, gzip"]),
        ("1.1", ["Transfer-Encoding: chunked, chunked"]),
        ("1.1", ["Transfer-Encoding: identity"]),
        ("1.1", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]),
        ("1.1", ["Transfer-Encoding: xchunked"]),
        ("1.1", ["Transfer-Encoding:\x0bchunked"]),
        ("1.1", ["Transfer-Encoding : chunked"]),
        ("1.1", ["Transfer-Encoding:", " chunked"]),
        ("1.1", ["TE: trailers", "Transfer-Encoding: chunked"]),
        ("1.1", ["Transfer-Encoding: chunked", "TE: chunked"]),
        ("1.0", ["Transfer-Encoding: chunked"]),
        ("1.1", ["X-A: b", " folded: c"]),
        ("1.1", ["X-A: b\rX-B: c"]),
        ("1.1", ["X-A: b\nX-B: c"]),
        ("1.1", ["Host: other.test"]),
        ("1.1", ["Connection: Content-Length", "Content-Length: 5"]),
        ("1.1", ["Connection: close, transfer-encoding", "Transfer-Encoding: chunked"]),
        ("1.1", ["Connection: Host"]),
    ],
)
async def test_an_ambiguous_end_of_the_request(
    proxy: RunningProxy, line: str, headers: list[str]
) -> None:
    data = request(f"POST {FILES} HTTP/{line}", KEY, *headers, body="0\r\n\r\n")
    await refused(proxy, data)


@pytest.mark.parametrize(
    "headers",
    [
        ["x-model-provider: gemini", "X-Model-Provider: openai"],
        ["x-model-provider: gemini", "x-model-provider: gemini"],
        [KEY],
        ["Authorization: Bearer a", "Authorization: Bearer b"],
        ["x-goog-user-project: a", "x-goog-user-project: b"],
        ["openai-organization: a", "OpenAI-Organization: b"],
        ["x-ferry-aws-region: us-east-1", "x-ferry-aws-region: eu-west-1"],
        ["x-ferry-idempotency-key: a", "x-ferry-idempotency-key: b"],
        ["X-Goog-Upload-Command: start", "X-Goog-Upload-Command: query"],
        ["anthropic-beta: a", "anthropic-beta: b"],
    ],
)
async def test_a_header_that_decides_must_be_single(
    proxy: RunningProxy, headers: list[str]
) -> None:
    message = await refused(proxy, request(f"GET {FILES} HTTP/1.1", KEY, *headers))
    assert message.endswith("is repeated; send it once")


async def test_a_key_in_the_query_must_be_single(proxy: RunningProxy) -> None:
    message = await refused(proxy, request(f"GET {FILES}?key=a&key=b HTTP/1.1"))
    assert message.endswith("is repeated; send it once")


async def test_other_headers_may_be_repeated(proxy: RunningProxy) -> None:
    headers = ["Accept: a/b", "Accept: c/d", "Via: 1.1 a", "Via: 1.1 b"]
    assert (await proxy.raw(request(f"GET {FILES} HTTP/1.1", KEY, *headers))).status == 200


async def test_headers_that_connection_names_are_not_there(proxy: RunningProxy) -> None:
    named = request(f"GET {FILES} HTTP/1.1", KEY, "Connection: keep-alive, X-Goog-Api-Key")
    assert (await refused(proxy, named, 401)).startswith("no key")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([("A", "1"), ("a", "2"), ("B", "3")], ["A", "a", "B"]),
        ([("Connection", "close"), ("A", "1")], ["Connection", "A"]),
        ([("Connection", "a,c"), ("A", "1"), ("a", "2"), ("B", "3")], ["Connection", "B"]),
        ([("Connection", "x"), ("CONNECTION", " A "), ("a", "1")], ["Connection", "CONNECTION"]),
        ([("Connection", "host"), ("Host", "h")], ["Connection", "Host"]),
    ],
)
def test_what_remains_for_the_next_hop(given: list[tuple[str, str]], kept: list[str]) -> None:
    headers = end_to_end(CIMultiDictProxy(CIMultiDict(given)))
    assert [name for name, _ in headers.items()] == kept
