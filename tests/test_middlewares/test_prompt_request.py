"""Single requests to a model through the chain: the response and the log line."""

import asyncio
import logging
from collections.abc import AsyncGenerator

import orjson
import pytest
from aiohttp import ClientError

from providers.errors import FerryError
from providers.resources import AnswerStream, Counted, Generated, Prompt
from providers.status import Status
from providers.upstream import UpstreamError, invalid_answer
from tests.test_middlewares.logged_line import logged
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = {"x-goog-api-key": "sk-a-callers-key"}
BODY = b'{"contents": [{"parts": [{"text": "a secret prompt"}]}]}'
GENERATE = "/genai/v1beta/models/a/b:1:generateContent"
STREAM = "/genai/v1beta/models/a/b:1:streamGenerateContent"
COUNT = "/genai/v1beta/models/a/b:1:countTokens"
DROPPED = "safetySettings;count=1"


async def chunks(*items: bytes | FerryError) -> AsyncGenerator[bytes, None]:
    for item in items:
        if isinstance(item, FerryError):
            raise item
        yield item


def answering(*items: bytes | FerryError, warnings: str = "") -> Scripted:
    return Scripted(lambda *_: AnswerStream(chunks(*items), warnings))


async def test_a_prompt_and_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    prompts = Scripted(lambda *_: Generated(b'{"secret": 1}', DROPPED))
    async with running_chain(scripted_provider("p", prompts=prompts)) as client:
        async with client.post(GENERATE, data=BODY, headers=KEY) as reply:
            assert await reply.json() == {"secret": 1}
            assert reply.headers["x-ferry-warnings"] == DROPPED
    ((call, _, prompt),) = prompts.calls
    assert isinstance(prompt, Prompt)
    assert (call, prompt.model, prompt.request) == ("generate", "a/b:1", BODY)
    line = logged(caplog, "secret")
    assert (line["operation"], line["status"]) == ("generate", 200)
    assert line["warnings"] == ["safetySettings: dropped (once)"]


async def test_a_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    tokens = Scripted(lambda *_: Counted(7, DROPPED))
    async with running_chain(scripted_provider("p", tokens=tokens)) as client:
        async with client.post(COUNT, data=BODY, headers=KEY) as reply:
            assert await reply.json() == {"totalTokens": 7}
            assert reply.headers["x-ferry-warnings"] == DROPPED
    ((call, _, prompt),) = tokens.calls
    assert isinstance(prompt, Prompt)
    assert (call, prompt.model, prompt.request) == ("count", "a/b:1", BODY)
    line = logged(caplog, "secret")
    assert (line["operation"], line["warnings"]) == (
        "count_tokens",
        ["safetySettings: dropped (once)"],
    )


async def test_a_stream() -> None:
    prompts = answering(b'{"a":1}', b'{"b":2}', warnings=DROPPED)
    async with running_chain(scripted_provider("p", prompts=prompts)) as client:
        async with client.post(f"{STREAM}?alt=sse", data=BODY, headers=KEY) as reply:
            assert reply.content_type == "text/event-stream"
            assert reply.headers["x-ferry-warnings"] == DROPPED
            assert await reply.read() == b'data: {"a":1}\n\ndata: {"b":2}\n\n'
        async with client.post(STREAM, data=BODY, headers=KEY) as reply:
            assert await reply.json() == [{"a": 1}, {"b": 2}]


async def test_an_error_before_the_first_chunk_is_the_response() -> None:
    prompts = answering(invalid_answer("broken off"))
    async with running_chain(scripted_provider("p", prompts=prompts)) as client:
        async with client.post(f"{STREAM}?alt=sse", data=BODY, headers=KEY) as reply:
            assert reply.status == 503
            assert (await reply.json())["error"]["message"] == "broken off"


async def test_an_error_in_the_middle_is_an_event_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    prompts = answering(b'{"a":1}', invalid_answer("broken off"))
    async with running_chain(scripted_provider("p", prompts=prompts)) as client:
        async with client.post(f"{STREAM}?alt=sse", data=BODY, headers=KEY) as reply:
            first, second, rest = (await reply.read()).split(b"\n\n")
    assert (first, rest) == (b'data: {"a":1}', b"")
    assert second.startswith(b'data: {"error":{"code":503,')
    error = orjson.loads(second.removeprefix(b"data: "))["error"]
    assert (error["status"], error["message"]) == ("UNAVAILABLE", "broken off")
    assert error["details"][0]["domain"] == "p"
    line = logged(caplog, "secret")
    assert (line["status"], line["refused"], line["why"]) == (200, "UNAVAILABLE", "broken off")


async def test_what_a_provider_says_in_a_stream_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    said = UpstreamError(Status.UNAVAILABLE, "your secret prompt was bad", reason="server_error")
    prompts = answering(b'{"a":1}', said)
    async with running_chain(scripted_provider("p", prompts=prompts)) as client:
        async with client.post(f"{STREAM}?alt=sse", data=BODY, headers=KEY) as reply:
            assert "your secret prompt was bad" in await reply.text()
    line = logged(caplog, "secret")
    assert (line["refused"], line["upstream_error"]) == ("UNAVAILABLE", "server_error")


@pytest.mark.parametrize("path", [GENERATE, STREAM, COUNT])
async def test_a_provider_without_prompts_says_what_works(path: str) -> None:
    provider = scripted_provider("p", files=Scripted(lambda *_: None))
    async with running_chain(provider) as client:
        async with client.post(path, data=BODY, headers=KEY) as reply:
            error = (await reply.json())["error"]
    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")
    assert "only client.files works" in error["message"]


# --- the client's time ---------------------------------------------------------------------------


class Endless:
    """A stream that is written faster than anybody reads it."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            self.ended.set()

    def answer(self, *_: object) -> AnswerStream:
        return AnswerStream(self.chunks())

    def reply(self, *_: object) -> "EndlessReply":
        return EndlessReply(self)


class EndlessReply(ScriptedReply):
    def __init__(self, source: Endless) -> None:
        super().__init__()
        self._source = source

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async for chunk in self._source.chunks():
            yield chunk


@pytest.mark.parametrize("relayed", [False, True])
async def test_a_stream_that_nobody_reads_ends_with_the_clients_time(
    monkeypatch: pytest.MonkeyPatch, relayed: bool
) -> None:
    monkeypatch.setattr("middlewares.response_rewrite._LAST_WRITE_SECONDS", 0)
    source = Endless()
    if relayed:
        provider = scripted_provider("p", relay=Scripted(source.reply))
    else:
        provider = scripted_provider("p", prompts=Scripted(source.answer))
    async with running_chain(provider) as client:
        headers = KEY | {"X-Server-Timeout": "0.2"}
        async with client.post(f"{STREAM}?alt=sse", data=BODY, headers=headers) as reply:
            assert reply.status == 200
            async with asyncio.timeout(10):
                await source.ended.wait()
            with pytest.raises(ClientError):
                await reply.read()
