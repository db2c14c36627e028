"""One log line per request, which contains no path, query, header or body."""

import logging
import re
from ipaddress import IPv4Network

import pytest

from providers.provider import KeyForm
from tests.test_middlewares.logged_line import logged
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
    document = logged(caplog, "secret")
    assert set(document) == FIELDS | (WHY if status >= 400 else {"tenant"})
    assert (document["operation"], document["provider"], document["status"]) == (
        call,
        provider,
        status,
    )
    assert document["method"] == "GET"


KEY = {"x-goog-api-key": "a-key"}


@pytest.mark.parametrize(
    ("trusted", "given", "taken"),
    [
        ("127.0.0.0/8", "an-id.of:the/proxy=1", True),
        ("127.0.0.0/8", "", False),
        ("127.0.0.0/8", "two words", False),
        ("127.0.0.0/8", "i" * 129, False),
        ("127.0.0.0/8", "a-key", False),
        ("127.0.0.0/8", "sk-of-another-provider", False),
        ("10.0.0.0/8", "an-id", False),
    ],
)
async def test_only_a_valid_id_of_a_trusted_proxy_is_taken_over(
    caplog: pytest.LogCaptureFixture, trusted: str, given: str, taken: bool
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    form = KeyForm(re.compile(r"sk-\S+"), "a key")
    gemini = scripted_provider(
        "gemini", key_forms=[form], relay=Scripted(lambda *_: ScriptedReply())
    )
    networks = [IPv4Network(trusted)]
    async with running_chain(gemini, trusted=networks) as client:
        headers = {**KEY, "x-request-id": given}
        async with client.get("/genai/v1/files", headers=headers) as reply:
            returned = reply.headers["x-request-id"]
            assert reply.headers["x-ferry-request-id"] == returned
    assert (returned == given) is taken
    assert logged(caplog, "sk-of-another-provider")["request_id"] == returned


async def test_a_streamed_response_is_logged_when_it_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    body = b"0123456789" * 100
    gemini = scripted_provider(
        "gemini", relay=Scripted(lambda *_: ScriptedReply(status=403, body=body))
    )
    async with running_chain(gemini) as client:
        async with client.post("/genai/v1/files", headers=KEY, data=b"12345") as reply:
            assert await reply.read() == body
    line = logged(caplog, KEY["x-goog-api-key"])
    assert (line["status"], line["bytes_out"], line["bytes_in"]) == (403, len(body), 0)
    assert "cut" not in line


class UnclosableReply(ScriptedReply):
    async def aclose(self) -> None:
        raise ConnectionResetError


async def test_a_streamed_response_is_logged_also_if_its_source_cannot_be_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Otherwise it would also stay counted as in flight."""
    caplog.set_level(logging.INFO, logger="genai_ferry")
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: UnclosableReply(body=b"x")))
    async with running_chain(gemini) as client:
        async with client.post("/genai/v1/files", headers=KEY) as reply:
            assert await reply.read() == b"x"
    assert [r.getMessage() for r in caplog.records if r.name == "genai_ferry.access"] == ["request"]
