"""One log line per request, which contains no path, query, header or body."""

import logging

import orjson
import pytest

from proxy.log_lines import json_lines
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

FIELDS = {
    *("event", "level", "time", "request_id", "method", "operation", "provider", "status"),
    *("seconds", "own_seconds", "bytes_in", "bytes_out"),
}
WHY = {"refused", "why"}


@pytest.mark.parametrize(
    ("target", "call", "provider", "status"),
    [
        ("/genai/v1/files/a-name?key=secret", "get_file", "gemini", 200),
        ("/genai/v1/secret?key=secret", "other", "gemini", 200),
        ("/genai/upload/v1/files?upload_id=secret&key=secret", "other", "gemini", 200),
        ("/genai/v1/files", "list_files", None, 401),
        ("/secret?key=secret", None, None, 404),
    ],
)
async def test_a_line_names_the_call_without_secrets(
    caplog: pytest.LogCaptureFixture,
    target: str,
    call: str | None,
    provider: str | None,
    status: int,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    async with running_chain(gemini) as client:
        async with client.get(target, headers={"x-secret": "secret"}) as reply:
            assert reply.status == status
    (line,) = [json_lines().format(r) for r in caplog.records if r.name == "genai_ferry.access"]
    assert "secret" not in line
    document = orjson.loads(line)
    assert set(document) == FIELDS | (WHY if status >= 400 else {"tenant"})
    assert (document["operation"], document["provider"], document["status"]) == (
        call,
        provider,
        status,
    )
    assert document["method"] == "GET"
