"""Only web pages of the configured origins may call."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from providers.body import Body, once
from providers.resources import Download
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider
from tests.test_middlewares.running_proxy import START, Answer, RunningProxy, running_proxy

PAGE = "https://app.example:8443"
OTHER = "https://evil.example"
FILES = "/genai/v1beta/files"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
CORS_HEADERS = {
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
}


@pytest.fixture
async def open_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningProxy]:
    origins = f"http://localhost:3000,{PAGE}"
    async with running_proxy(tmp_path, monkeypatch, cors_origins=origins) as proxy:
        yield proxy


def names(answer: Answer, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.headers.get(header, "").split(",")}


def said_of_cors(answer: Answer) -> set[str]:
    return CORS_HEADERS & set(answer.headers)


# --- preflights ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [FILES, START, "/genai", "/genai/v1beta/nothing"])
async def test_a_preflight_is_answered_without_a_key(
    open_to_page: RunningProxy, target: str
) -> None:
    answer = await open_to_page.ask("OPTIONS", target, {**PREFLIGHT, "x-goog-api-key": ""})

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    methods = names(answer, "access-control-allow-methods")
    assert methods == {"get", "head", "post", "put", "delete"}
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_allows_our_headers_by_their_names(open_to_page: RunningProxy) -> None:
    ours = {
        "x-goog-api-key",
        "x-goog-upload-header-content-length",
        "x-model-provider",
        "x-ferry-idempotency-key",
        "x-ferry-of-tomorrow",
        "authorization",
        "content-type",
        "user-agent",
        "x-server-timeout",
    }
    foreign = {"x-evil", "cookie", "x-goog-", "x-googly", "*", "x-goog-\u00e9", "x-goog-a b", ""}
    asked = ", ".join(sorted(ours | foreign)).upper().encode("latin-1")

    answer = await open_to_page.ask(
        "OPTIONS", FILES, {**PREFLIGHT, "Access-Control-Request-Headers": asked}
    )

    allowed = names(answer, "access-control-allow-headers")
    assert ours <= allowed
    assert not allowed & foreign


async def test_a_preflight_allows_what_the_providers_read(open_to_page: RunningProxy) -> None:
    answer = await open_to_page.ask("OPTIONS", FILES, PREFLIGHT)

    allowed = names(answer, "access-control-allow-headers")
    assert {"openai-project", "anthropic-beta"} <= allowed


async def test_caches_learn_what_the_answers_depend_on(open_to_page: RunningProxy) -> None:
    async with open_to_page.connection() as (reader, writer):
        writer.write(
            f"OPTIONS {FILES} HTTP/1.1\r\nHost: a\r\nOrigin: {PAGE}\r\n"
            "Access-Control-Request-Method: GET\r\n\r\n".encode()
        )
        # Two header lines with one name, of which `ask` would show only the last.
        block = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert "vary: origin\r\n" in block
    assert "vary: access-control-request-headers\r\n" in block
    for origin in ({}, {"Origin": PAGE}, {"Origin": OTHER}):
        assert (await open_to_page.ask("GET", FILES, origin)).headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [OTHER, "null", PAGE.upper(), f"{PAGE}.evil.example", "", "https://app.example"],
)
async def test_a_preflight_of_another_page_is_refused(
    open_to_page: RunningProxy, origin: str
) -> None:
    answer = await open_to_page.ask("OPTIONS", FILES, {**PREFLIGHT, "Origin": origin})

    answer.refused(403, "PERMISSION_DENIED")
    assert said_of_cors(answer) == set()


@pytest.mark.parametrize("headers", [{"Origin": PAGE}, {"Access-Control-Request-Method": "POST"}])
async def test_other_requests_are_answered_as_without_cors(
    open_to_page: RunningProxy, headers: dict[str, str]
) -> None:
    answer = await open_to_page.ask("OPTIONS", FILES, {**headers, "x-goog-api-key": ""})

    answer.refused(401, "UNAUTHENTICATED")
    assert "access-control-allow-methods" not in answer.headers


# --- answers -------------------------------------------------------------------------------------


async def test_a_page_may_read_an_answer_and_our_headers(open_to_page: RunningProxy) -> None:
    start = {
        "Origin": PAGE,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "3",
    }
    answer = await open_to_page.ask("POST", START, start)

    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert names(answer, "access-control-expose-headers") == {
        "x-ferry-request-id",
        "x-goog-upload-chunk-granularity",
        "x-goog-upload-control-url",
        "x-goog-upload-status",
        "x-goog-upload-url",
    }


@pytest.mark.parametrize(
    ("method", "target", "headers", "code", "status"),
    [
        ("GET", FILES, {"x-goog-api-key": ""}, 401, "UNAUTHENTICATED"),
        ("GET", FILES, {"x-model-provider": "nobody"}, 400, "INVALID_ARGUMENT"),
        ("GET", "/genai/v1beta/nothing", {}, 501, "UNIMPLEMENTED"),
        ("POST", f"{START}?upload_id=a.b.c", {}, 404, "NOT_FOUND"),
        ("POST", START, {"Expect": "something"}, 400, "INVALID_ARGUMENT"),
    ],
)
async def test_a_page_may_read_an_error(
    open_to_page: RunningProxy,
    method: str,
    target: str,
    headers: dict[str, str],
    code: int,
    status: str,
) -> None:
    answer = await open_to_page.ask(method, target, {"Origin": PAGE, **headers})

    answer.refused(code, status)
    assert answer.headers["access-control-allow-origin"] == PAGE
    if "Expect" not in headers:
        assert "x-ferry-request-id" in names(answer, "access-control-expose-headers")


async def test_a_page_may_read_retry_after(open_to_page: RunningProxy) -> None:
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "70"}}
    await open_to_page.strike(open_to_page.openai, {"path": "/v1/files"}, fault)

    answer = await open_to_page.ask("GET", FILES, {"Origin": PAGE})

    answer.refused(429, "RESOURCE_EXHAUSTED")
    assert answer.headers["retry-after"] == "70"
    assert "retry-after" in names(answer, "access-control-expose-headers")


@pytest.mark.parametrize("origin", [OTHER, "null", "http://localhost", "*"])
async def test_another_page_is_refused(open_to_page: RunningProxy, origin: str) -> None:
    answer = await open_to_page.ask("GET", FILES, {"Origin": origin})

    answer.refused(403, "PERMISSION_DENIED")
    assert said_of_cors(answer) == set()


async def test_outside_genai_no_page_reads_anything(open_to_page: RunningProxy) -> None:
    for target in ("/elsewhere", "/healthz"):
        answer = await open_to_page.ask("GET", target, {"Origin": PAGE})
        assert said_of_cors(answer) == set()
        assert "vary" not in answer.headers


async def test_any_page_may_call_if_all_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_proxy(tmp_path, monkeypatch, cors_origins="*") as proxy:
        for origin in (PAGE, OTHER):
            answer = await proxy.ask("GET", FILES, {"Origin": origin})
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers


async def test_without_the_setting_there_are_no_cors_headers(proxy: RunningProxy) -> None:
    own = "http://ferry.test"
    for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        answer = await proxy.ask(method, FILES, {**headers, "Origin": own})
        assert answer.status == {"GET": 200, "OPTIONS": 501}[method]
        assert said_of_cors(answer) == set()
        assert "vary" not in answer.headers


async def test_a_page_may_read_a_stream() -> None:
    async def close() -> None: ...

    download = Download(Body(once(b"data"), None), "application/jsonl", close)
    files = Scripted(lambda *_: download)
    headers = {"x-goog-api-key": "sk-key", "Origin": PAGE}
    openai = scripted_provider("openai", files=files)
    async with running_chain(openai, pages=[PAGE]) as client:
        async with client.get(f"{FILES}/file-1:download?alt=media", headers=headers) as answer:
            assert await answer.read() == b"data"
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE


async def test_a_page_may_call_below_the_public_path() -> None:
    async with running_chain(
        scripted_provider("openai"), pages=[PAGE], public_url="https://a.example/team"
    ) as client:
        async with client.options(f"/team{FILES}", headers=PREFLIGHT) as answer:
            assert answer.status == 204
