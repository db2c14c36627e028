"""A web page may only call if its origin is the proxy's own or configured, and at an own host."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from providers.credential import Credential
from providers.resources import Page
from tests.test_middlewares.running_chain import Client, Scripted, running_chain, scripted_provider
from tests.test_middlewares.running_proxy import BATCHES, START, RunningProxy, running_proxy

FILES = "/genai/v1beta/files"
OTHER = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
TEXT = {"Content-Type": "text/plain"}


# --- the origin -----------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [OTHER, "null", "", "http://ferry.test.evil.example", "file://"])
@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("GET", FILES, {}, b""),
        ("HEAD", FILES, {}, b""),
        ("POST", BATCHES, TEXT, b'{"batch": {}}'),
        ("POST", START, TEXT, b"{}"),
        ("DELETE", f"{FILES}/file-a", {}, b""),
        ("OPTIONS", FILES, PREFLIGHT, b""),
        ("OPTIONS", "/", PREFLIGHT, b""),
        ("GET", "/", {}, b""),
        ("GET", FILES, {"x-goog-api-key": ""}, b""),
        ("POST", f"{START}?upload_id=none", {}, b"x"),
    ],
)
async def test_a_page_of_another_origin_is_refused_before_anything_else(
    proxy: RunningProxy,
    origin: str,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    answer = await proxy.ask(method, target, {**headers, "Origin": origin}, body)
    assert answer.status == 403
    if method != "HEAD":
        assert "FERRY_CORS_ORIGINS" in answer.refused(403, "PERMISSION_DENIED")
    assert "access-control-allow-origin" not in answer.headers
    assert await proxy.upstream_requests(proxy.openai) == []
    assert proxy.kept() == []


async def test_a_page_of_another_origin_is_told_before_its_body(proxy: RunningProxy) -> None:
    headers = {"Origin": OTHER, "Expect": "100-continue", "Content-Length": "5"}
    (await proxy.ask("POST", BATCHES, headers)).refused(403, "PERMISSION_DENIED")


async def test_a_page_of_the_proxys_own_origin_may_call(proxy: RunningProxy) -> None:
    assert (await proxy.ask("GET", FILES, {"Origin": "http://ferry.test"})).status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://ferry.example", 200),
        ("http://ferry.example", 403),
        ("https://ferry.example:8443", 403),
        ("http://ferry.test", 403),
    ],
)
async def test_the_public_url_is_the_own_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str, status: int
) -> None:
    public = "https://ferry.example:443/team"
    async with running_proxy(tmp_path, monkeypatch, public_url=public) as proxy:
        assert (await proxy.ask("GET", FILES, {"Origin": origin})).status == status


@pytest.mark.parametrize(
    ("configured", "origin", "status"),
    [
        ("https://app.example", "https://app.example", 200),
        ("https://app.example", OTHER, 403),
        ("*", OTHER, 200),
        ("*", "null", 200),
    ],
)
async def test_a_configured_origin_may_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: str, origin: str, status: int
) -> None:
    async with running_proxy(tmp_path, monkeypatch, cors_origins=configured) as proxy:
        assert (await proxy.ask("GET", FILES, {"Origin": origin})).status == status
        preflight = await proxy.ask("OPTIONS", FILES, {"Origin": origin, **PREFLIGHT})
        assert preflight.status == (204 if status == 200 else 403)


@pytest.mark.parametrize("mode", ["cors", "no-cors", "navigate"])
async def test_only_the_origin_decides(proxy: RunningProxy, mode: str) -> None:
    """The JavaScript SDK sends `sec-fetch-mode` from Node, which has no origin."""
    assert (await proxy.ask("GET", FILES, {"Sec-Fetch-Mode": mode})).status == 200


# --- the host -------------------------------------------------------------------------------------


@asynccontextmanager
async def on_own_credential(
    *, tokens: tuple[str, ...] = (), public_url: str | None = None
) -> AsyncIterator[Client]:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=Credential("own"))
    async with running_chain(provider, tokens=tokens, public_url=public_url) as client:
        yield client


async def status_at(client: Client, host: str, key: str = "any") -> int:
    headers = {"Host": host, "x-goog-api-key": key}
    async with client.get(FILES, headers=headers) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("LOCALHOST.:8080", 200),
        ("ferry.localhost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("127.1.2.3", 200),
        ("[::1]:8080", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("evil.example", 403),
        ("evil.example:8080", 403),
        ("localhost.evil.example", 403),
        ("notlocalhost", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.0.2.1", 403),
        ("0.0.0.0:8080", 403),
        ("", 403),
    ],
)
async def test_without_tokens_the_own_credential_is_used_at_own_hosts_only(
    host: str, status: int
) -> None:
    async with on_own_credential() as client:
        assert await status_at(client, host) == status


async def test_a_rebound_name_is_refused_although_its_origin_looks_like_the_proxys_own() -> None:
    async with on_own_credential() as client:
        headers = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}
        headers["x-goog-api-key"] = "any"
        async with client.post("/genai/upload/v1beta/files", headers=headers) as answer:
            error = (await answer.json())["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert "FERRY_PUBLIC_URL" in error["message"]


async def test_the_host_of_the_public_url_is_an_own_host() -> None:
    async with on_own_credential(public_url="https://ferry.example/team") as client:
        assert await status_at(client, "Ferry.example:8080") == 200
        assert await status_at(client, "evil.example") == 403


async def test_with_tokens_any_host_will_do() -> None:
    """A page does not know the token."""
    async with on_own_credential(tokens=("a-client-token",)) as client:
        assert await status_at(client, "ferry.internal", "a-client-token") == 200


async def test_with_the_callers_own_key_any_host_will_do() -> None:
    """Sidecars, containers and forwarded ports have hosts of every kind."""
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        assert await status_at(client, "ferry.internal:1234") == 200
