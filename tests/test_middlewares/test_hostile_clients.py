"""Requests that no honest client sends are refused cleanly, with Google's envelope if they parse.

At the end of a test, `proxy` checks that no bug of ours and no secret was logged.
"""

import pytest

from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    OPENAI_KEY,
    START,
    Headers,
    RunningProxy,
    rendered,
)

GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
FILES = "/genai/v1/files"
INLINE = (
    b'{"batch":{"inputConfig":{"requests":{"requests":'
    b'[{"request":{"contents":[{"parts":[{"text":"a"}]}]}}]}}}}'
)

# --- framing: refused by the parser, before any of our code sees a request -----------------------


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param(
            {"Transfer-Encoding": "chunked", "Content-Length": "4"}, b"0\r\n\r\n", id="both"
        ),
        pytest.param({"Content-Length": "+2"}, b"{}", id="length with a sign"),
        pytest.param({"Content-Length": "2, 2"}, b"{}", id="lengths"),
        pytest.param({"Content-Length": "-2"}, b"{}", id="negative length"),
        pytest.param({"Content-Length": "9" * 26}, b"{}", id="length overflow"),
        pytest.param({"Transfer-Encoding": "xchunked"}, b"0\r\n\r\n", id="unknown coding"),
        pytest.param({"Transfer-Encoding": "chunked"}, b"ZZ\r\n{}\r\n", id="chunk size no number"),
        pytest.param({"Transfer-Encoding": "chunked"}, b"-1\r\n{}\r\n", id="chunk size negative"),
        pytest.param({"Transfer-Encoding": "chunked"}, b"F" * 18 + b"\r\n{}", id="chunk overflow"),
        pytest.param({"X-Folded": "a\r\n b"}, b"", id="folded"),
        pytest.param({"X-Bare": "a\rX-B: c"}, b"", id="bare CR"),
        pytest.param({"X-Space ": "a"}, b"", id="space in name"),
        pytest.param({"x-model-provider": "open\x00ai"}, b"", id="NUL"),
        pytest.param({"X-Long": "a" * 20_000}, b"", id="long"),
        pytest.param({f"X-{n}": "a" * 900 for n in range(400)}, b"", id="many"),
    ],
)
async def test_an_ambiguous_request_is_refused(
    proxy: RunningProxy, headers: Headers, body: bytes
) -> None:
    smuggled = rendered("DELETE", f"{FILES}/smuggled")
    answer = await proxy.raw(rendered("POST", BATCHES, headers, body) + smuggled)
    assert answer.status == 400
    assert await proxy.upstream_requests(proxy.openai) == []


@pytest.mark.parametrize(
    "target",
    [
        b"/genai/v1/files/\xff",
        b"/genai/v1/files?pageToken=\xff",
        b"http://[::1/genai/v1/files",
        b"http://[",
        b"http://",
        b"http:///genai/v1/files",
        b"http://ferry.test:no/",
        b"http://ferry.test:99999/",
        b"http://xn--a/genai/v1/files",
        b"http://xn--a:80/",
        b"http://\xff/",
        b"x://[",
        b"ferry.test:443",
        b"\x80",
        b"?",
        b"#[",
        b"",
        b"*",
        b"/ /",
    ],
)
async def test_a_target_that_is_not_a_uri_is_refused(proxy: RunningProxy, target: bytes) -> None:
    (await proxy.ask("GET", target)).refused(400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "target", ["//[", "//]", "//ferry.test:99999/", "//a:b@[", "/%zz", "/#[", "/?[", "/a//["]
)
async def test_a_path_that_looks_like_an_address_is_a_path(
    proxy: RunningProxy, target: str
) -> None:
    (await proxy.ask("GET", target)).refused(404, "NOT_FOUND")


async def test_an_address_whose_host_cannot_be_decoded_is_like_that_host(
    proxy: RunningProxy,
) -> None:
    host = {"Host": "xn--a"}
    by_path = await proxy.ask("GET", FILES, host)
    by_address = await proxy.ask("GET", f"http://xn--a{FILES}", host)
    assert (by_path.status, by_path.body) == (by_address.status, by_address.body)


async def test_two_lengths_that_differ_are_refused(proxy: RunningProxy) -> None:
    request = rendered("POST", BATCHES, {"Content-Length": "2"}, b"{}")
    doubled = request.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 40")
    assert (await proxy.raw(doubled)).status == 400


# --- methods and versions of HTTP ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "PROPFIND", "PUT"])
async def test_a_method_that_is_not_served_says_so(proxy: RunningProxy, method: str) -> None:
    (await proxy.ask(method, FILES)).refused(501, "UNIMPLEMENTED")


async def test_a_head_has_no_body(proxy: RunningProxy) -> None:
    answer = await proxy.ask("HEAD", FILES)
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "2", b"")


@pytest.mark.parametrize(
    ("method", "target"), [("OPTIONS", "*"), ("GET", "/else"), ("GET", "http://ferry.test/else")]
)
async def test_paths_outside_genai_are_not_found(
    proxy: RunningProxy, method: str, target: str
) -> None:
    (await proxy.ask(method, target)).refused(404, "NOT_FOUND")


async def test_a_websocket_is_not_opened(proxy: RunningProxy) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    for headers in (upgrade, {**GEMINI, **upgrade}):
        answer = await proxy.ask("GET", FILES, headers)
        assert (answer.status, "upgrade" in answer.headers) == (200, False)


async def test_http_1_0_is_answered_in_full_and_closed(proxy: RunningProxy) -> None:
    request = rendered("GET", FILES).replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = await proxy.raw(request)
    assert answer.status == 200
    assert "transfer-encoding" not in answer.headers


async def test_http_1_0_gets_no_interim_answer(proxy: RunningProxy) -> None:
    request = rendered("POST", START, {"Expect": "100-continue"}, b"{}")
    async with proxy.connection() as (reader, writer):
        writer.write(request.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await reader.readline()).split()[1] == b"200"


# --- Expect -------------------------------------------------------------------------------------


async def test_a_client_without_a_key_is_refused_before_the_body(proxy: RunningProxy) -> None:
    headers = {"x-goog-api-key": "", "Expect": "100-continue", "Content-Length": "8388608"}
    answer = await proxy.ask("POST", BATCHES, headers)
    answer.refused(401, "UNAUTHENTICATED")
    assert answer.headers["connection"] == "close"


async def test_a_client_with_a_key_gets_100_continue(proxy: RunningProxy) -> None:
    async with proxy.connection() as (reader, writer):
        writer.write(rendered("POST", START, {"Expect": "100-continue", "Content-Length": "2"}))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readline()).split()[1] == b"200"


@pytest.mark.parametrize("expected", ["200-ok", b"\xe9"])
async def test_an_unknown_expectation_is_refused(
    proxy: RunningProxy, expected: str | bytes
) -> None:
    answer = await proxy.ask("POST", START, {"Expect": expected}, b"{}")
    answer.refused(400, "INVALID_ARGUMENT")


# --- names, pages, tokens -----------------------------------------------------------------------


@pytest.mark.parametrize("collection", ["files", "batches"])
@pytest.mark.parametrize(
    "name",
    ["%00", "a%0ab", "a%0d%0aX:%20b", "..", ".", "%2e%2e", "%2e%2e/x", "..%2f..%2fbatches", "a%25b",
     "%F0%9F%98%80", "%ff", "%", "a" * 600, "a%5Cb", "a;b", "a%3Fb", "a%23b"],
)  # fmt: skip
async def test_a_name_with_invalid_characters_never_reaches_the_provider(
    proxy: RunningProxy, collection: str, name: str
) -> None:
    for method in ("GET", "DELETE"):
        answer = await proxy.ask(method, f"/genai/v1beta/{collection}/{name}")
        answer.refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.openai) == []


@pytest.mark.parametrize("path", ["v1/files/../../x", "v1/%2e%2e/x", "v1/files/..%2f..%2fx"])
async def test_no_relayed_path_leaves_its_base(proxy: RunningProxy, path: str) -> None:
    (await proxy.ask("GET", f"/genai/{path}", GEMINI)).refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.gemini) == []


@pytest.mark.parametrize("model", ["%00", "a%0ab", "..%2f..", "a" * 600, "%F0%9F%98%80"])
async def test_an_invalid_model_is_never_an_internal_error(proxy: RunningProxy, model: str) -> None:
    target = f"/genai/v1/models/{model}:batchGenerateContent"
    answer = await proxy.ask("POST", target, {}, INLINE)
    assert answer.status == 200 or answer.refused(400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("collection", ["files", "batches"])
@pytest.mark.parametrize(
    "query",
    ["pageToken=%00%0a", "pageToken=../../x", "pageToken=%ff", "pageToken=Li4vLi4", "pageToken=*",
     "pageSize=-1", "pageSize=99999999999999999999", "pageSize=1e3", "pageSize=%D9%A3",
     "page_size=x", "pageSize=", "filter=x"],
)  # fmt: skip
async def test_an_invalid_page_is_refused(proxy: RunningProxy, collection: str, query: str) -> None:
    answer = await proxy.ask("GET", f"/genai/v1/{collection}?{query}")
    if query == "pageSize=":
        assert answer.status == 200
    else:
        answer.refused(400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("size", ["0", "999999999"])
async def test_an_enormous_page_size_is_capped(proxy: RunningProxy, size: str) -> None:
    assert (await proxy.ask("GET", f"/genai/v1/files?pageSize={size}")).document == {}


# --- upload URLs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["upload_id=", "upload_id=a", "upload_id=..", "upload_id=%00.%00.%00", "upload_id=%ff.a.b",
     "upload_id=%F0%9F%98%80.a.b", "upload_id=a&upload_id=b", "upload_id=" + "a" * 9000],
)  # fmt: skip
async def test_every_upload_id_that_does_not_open_gets_the_same_404(
    proxy: RunningProxy, query: str
) -> None:
    headers = {"X-Goog-Upload-Command": "query", "x-goog-api-key": OPENAI_KEY}
    answer = await proxy.ask("POST", f"{START}?{query}", headers)
    assert answer.refused(404, "NOT_FOUND") == (
        "no such upload URL: it is not one of this proxy's, or it was sealed with another "
        "FERRY_SECRET_KEY (replicas need the same one; without one, every restart makes a new one)"
    )
    assert answer.headers["x-goog-upload-status"] == "final"


async def test_headers_with_a_chunk_are_ignored(proxy: RunningProxy) -> None:
    """Only the start describes an upload; chunks of newer versions may have further headers."""
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    headers = {"X-Goog-Upload-Command": "query", "x-ferry-of-tomorrow": "x"}
    answer = await proxy.ask("POST", target, headers)
    assert answer.status == 200
