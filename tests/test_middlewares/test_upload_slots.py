"""Uploads at the same time, on real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.test_middlewares.running_proxy import (
    GEMINI_KEY,
    START,
    Headers,
    RunningProxy,
    read_answer,
    rendered,
    running_proxy,
)

RAW: Headers = {"X-Goog-Upload-Protocol": "raw"}
FIRST, REST = b"a" * 500_000, b"b" * 1000
GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}


@pytest.fixture
async def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningProxy]:
    async with running_proxy(tmp_path, monkeypatch, max_uploads=1) as proxy:
        yield proxy


@pytest.mark.parametrize(("fake", "own"), [("openai", RAW), ("gemini", {**RAW, **GEMINI})])
async def test_an_upload_beyond_the_limit_is_told_to_come_again(
    proxy: RunningProxy, fake: str, own: Headers
) -> None:
    size = {"Content-Length": str(len(FIRST + REST))}
    async with proxy.connection() as (reader, writer):
        writer.write(rendered("POST", START, {**own, **size}) + FIRST)
        upstream = getattr(proxy, fake)
        await proxy.wait_upstream(upstream, wait="bytes", path="files", count=100_000)
        refused = await proxy.ask("POST", START, own, b"late")
        message = refused.refused(429, "RESOURCE_EXHAUSTED")
        assert "FERRY_MAX_UPLOADS is 1" in message
        assert refused.headers["retry-after"] == "1"
        assert "x-goog-upload-status" not in refused.headers
        started = await proxy.ask("POST", START, {"X-Goog-Upload-Protocol": "resumable"}, b"{}")
        assert started.status == 200  # it moves no bytes
        writer.write(REST)
        assert (await read_answer(reader)).status == 200
    assert (await proxy.ask("POST", START, own, b"next")).status == 200


async def test_keys_that_no_provider_knows_leave_slots_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = {"Content-Length": str(len(FIRST + REST))}
    made_up, known = {**RAW, "x-goog-api-key": "sk-made-up"}, {**RAW, "x-goog-api-key": "sk-known"}
    async with running_proxy(tmp_path, monkeypatch, max_uploads=2) as proxy:
        async with proxy.connection() as (reader, writer):
            writer.write(rendered("POST", START, {**RAW, **size}) + FIRST)
            await proxy.wait_upstream(proxy.openai, wait="bytes", path="files", count=100_000)
            refused = await proxy.ask("POST", START, made_up, b"late")
            message = refused.refused(429, "RESOURCE_EXHAUSTED")
            assert "for keys that no provider has accepted lately" in message
            assert "FERRY_MAX_UPLOADS is 2" in message
            assert refused.headers["retry-after"] == "1"
            assert (await proxy.ask("GET", "/genai/v1/files", known)).status == 200
            assert (await proxy.ask("POST", START, known, b"in time")).status == 200
            writer.write(REST)
            assert (await read_answer(reader)).status == 200
        assert (await proxy.ask("POST", START, made_up, b"next")).status == 200
