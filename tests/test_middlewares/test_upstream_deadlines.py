"""Upstreams that never answer, over real sockets: each deadline, and that the call ends there."""

from pathlib import Path

import pytest

from providers.openai.files import PURPOSE_HEADER
from providers.retries import ATTEMPTS
from providers.upload import GRANULARITY
from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    START,
    Headers,
    running_proxy,
)

GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
RAW: Headers = {"X-Goog-Upload-Protocol": "raw"}
FILES = "/genai/v1beta/files"
GENERATE = "/genai/v1beta/models/m:generateContent"
INLINE = (
    b'{"batch":{"inputConfig":{"requests":{"requests":'
    b'[{"request":{"contents":[{"parts":[{"text":"a"}]}]}}]}}}}'
)
SHORT = 0.2


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "setting"),
    [
        pytest.param("GET", FILES, {}, b"", "call", id="list"),
        pytest.param("GET", f"{FILES}/file-abc", {}, b"", "call", id="get"),
        pytest.param("DELETE", f"{FILES}/file-abc", {}, b"", "call", id="delete"),
        pytest.param("GET", f"{FILES}/file-abc:download", {}, b"", "stall", id="download"),
        pytest.param("POST", BATCHES, {}, INLINE, "answer", id="create"),
        pytest.param("POST", START, RAW, b"x", "answer", id="file"),
        pytest.param("POST", START, GEMINI, b"{}", "call", id="start at Google"),
        pytest.param("GET", FILES, GEMINI, b"", "answer", id="relayed list"),
        pytest.param("POST", GENERATE, GEMINI, b"{}", "answer", id="relayed generate"),
    ],
)
async def test_an_upstream_that_never_answers_ends_at_its_deadline(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    target: str,
    headers: Headers,
    body: bytes,
    setting: str,
) -> None:
    limits = {f"{each}_seconds": 60.0 for each in ("call", "stall", "answer")}
    limits[f"{setting}_seconds"] = SHORT
    async with running_proxy(tmp_path, monkeypatch, **limits) as proxy:
        fake = proxy.gemini if headers.get("x-model-provider") == "gemini" else proxy.openai
        match = {"method": method, "path": "/", "times": ATTEMPTS}
        await proxy.strike(fake, match, {"kind": "delay"})
        answer = await proxy.ask(method, target, headers, body)
        message = answer.refused(504, "DEADLINE_EXCEEDED")
        assert f"{SHORT} seconds (FERRY_{setting.upper()}_SECONDS)" in message
        await proxy.wait_upstream(fake, wait="requests", outcome="client_gone")


async def test_a_chunk_that_has_arrived_may_be_answered_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is sent, no body is moved: the provider thinks."""
    in_parts = {
        "X-Goog-Upload-Header-Content-Length": str(2 * GRANULARITY),
        PURPOSE_HEADER: "batch",
    }
    command = {"X-Goog-Upload-Command": "upload", "X-Goog-Upload-Offset": "0"}
    async with running_proxy(tmp_path, monkeypatch, stall_seconds=1, answer_seconds=2) as proxy:
        started = await proxy.ask("POST", START, in_parts, b"{}")
        target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
        await proxy.strike(proxy.openai, {"path": "/parts"}, {"kind": "delay", "at": "answer"})
        answer = await proxy.ask("POST", target, command, bytes(GRANULARITY))
        message = answer.refused(504, "DEADLINE_EXCEEDED")
        assert "sent nothing for 2 seconds (FERRY_ANSWER_SECONDS)" in message


async def test_the_clients_own_deadline_ends_the_wait_for_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_proxy(tmp_path, monkeypatch) as proxy:
        await proxy.strike(proxy.openai, {"path": "/"}, {"kind": "delay"})
        answer = await proxy.ask("POST", BATCHES, {"X-Server-Timeout": str(SHORT)}, INLINE)
        assert "X-Server-Timeout" in answer.refused(504, "DEADLINE_EXCEEDED")


@pytest.mark.parametrize("call", ["generateContent", "streamGenerateContent?alt=sse"])
async def test_a_provider_that_drips_has_the_clients_time_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    target = f"/genai/v1beta/models/gpt-4o-mini:{call}"
    prompt = b'{"contents":[{"parts":[{"text":"a"}]}]}'
    async with running_proxy(tmp_path, monkeypatch) as proxy:
        await proxy.strike(proxy.openai, {"path": "/completions"}, {"kind": "trickle"})
        answer = await proxy.ask("POST", target, {"X-Server-Timeout": str(SHORT)}, prompt)
        message = answer.refused(504, "DEADLINE_EXCEEDED")
        assert "seconds (X-Server-Timeout)" in message
        await proxy.wait_upstream(proxy.openai, wait="requests", outcome="client_gone")
