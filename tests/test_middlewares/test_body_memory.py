"""Bodies that take more of the memory budget than is left, or than their share."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.fair_shares import Account
from providers.memory import BUDGET_BYTES, MemoryBudget
from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    START,
    Headers,
    RunningProxy,
    rendered,
    running_proxy,
)

EMPTY = b'{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"contents":[]}'
CLOSED = b"}]}}}}"
GEMINI = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
GOOGLES_BATCHES = "/genai/v1beta/models/gemini-2.5-flash:batchGenerateContent"
MULTIPART = {"Content-Type": "multipart/related; boundary=b"}
DESCRIBED = b"--b\r\n\r\n{" + b" " * 1000 + b"}\r\n--b\r\n\r\ncontent\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        pytest.param(BATCHES, {}, EMPTY + b" " * 1000 + CLOSED, id="batch"),
        pytest.param(GOOGLES_BATCHES, GEMINI, b"{" + b" " * 1000 + b"}", id="relayed batch"),
        pytest.param(START, {}, b"{" + b" " * 1000 + b"}", id="start"),
        pytest.param(START, GEMINI, b"{" + b" " * 1000 + b"}", id="start at Google"),
        pytest.param(START, MULTIPART, DESCRIBED, id="multipart"),
    ],
)
async def test_a_body_that_exhausts_the_budget_is_refused(
    proxy: RunningProxy, target: str, headers: Headers, body: bytes
) -> None:
    """Every body that is in memory as a whole, however small it must be."""
    with proxy.gateway.memory.reserve(BUDGET_BYTES - 1000):
        answer = await proxy.ask("POST", target, headers, body)
    answer.refused(429, "RESOURCE_EXHAUSTED")
    assert answer.headers["retry-after"] == "1"
    assert proxy.gateway.memory.used == 0


@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
async def test_a_body_that_is_only_declared_takes_no_memory_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, framing: str
) -> None:
    limit = BUDGET_BYTES // 2
    headers = {framing: str(limit) if framing == "Content-Length" else "chunked"}
    async with running_proxy(tmp_path, monkeypatch, inline_max_bytes=limit) as proxy:
        async with proxy.connection() as (_, writer):
            writer.write(rendered("POST", BATCHES, headers) + b"1\r\n{\r\n")
            await writer.drain()
            await proxy.begun.wait()
            answer = await proxy.ask("POST", BATCHES, {}, EMPTY + CLOSED)
        answer.refused(400, "INVALID_ARGUMENT")
        assert answer.error["message"].startswith("batch.")


class Watched(MemoryBudget):
    """Of 1 MiB. `arrived` is set when two bodies of 150,000 bytes are in memory."""

    def __init__(self, accepted: Callable[[str], bool]) -> None:
        super().__init__(1 << 20, accepted)
        self.arrived = asyncio.Event()

    def take(self, size: int, account: Account | None = None) -> None:
        super().take(size, account)
        if self.used >= 2 * 2 * 150_000:
            self.arrived.set()


async def test_made_up_keys_leave_memory_to_keys_that_a_provider_has_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.composition.MemoryBudget", Watched)
    half = {"Content-Length": "200000"}
    async with running_proxy(tmp_path, monkeypatch, inline_max_bytes=400_000) as proxy:
        assert (await proxy.ask("GET", "/genai/v1beta/files")).status == 200
        async with proxy.connection() as (_, first), proxy.connection() as (_, second):
            for number, writer in enumerate((first, second)):
                key = {"x-goog-api-key": f"sk-made-up-{number}-1234567890"}
                writer.write(rendered("POST", BATCHES, {**half, **key}) + b" " * 150_000)
            assert isinstance(proxy.gateway.memory, Watched)
            await proxy.gateway.memory.arrived.wait()
            unknown = {"x-goog-api-key": "sk-made-up-2-1234567890"}
            answer = await proxy.ask("POST", BATCHES, unknown, b" " * 150_000)
            assert "no provider has accepted" in answer.refused(429, "RESOURCE_EXHAUSTED")
            answer = await proxy.ask("POST", BATCHES, {}, b" " * 150_000)
            answer.refused(400, "INVALID_ARGUMENT")
