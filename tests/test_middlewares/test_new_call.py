"""A new call of the SDK needs only an operation and a row of the table."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

import pytest
from aiohttp import web

from middlewares import operations as op
from middlewares.capabilities import FILES
from middlewares.request_keys import GATEWAY, PROVIDER, ROUTE, Call
from middlewares.request_rewrite import named, read_inline, relayed
from middlewares.routes import TABLE
from providers.body import Body
from providers.credential import Caller
from providers.memory import BUDGET_BYTES
from providers.provider import Provider
from providers.resources import Download
from tests.test_middlewares.logged_line import logged
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = {"x-goog-api-key": "a"}
PATH = "/genai/v1beta/models/publisher/m:0:repeatContent"


@dataclass(frozen=True, slots=True)
class RepeatContent:
    """Streams a text twice."""

    timing: ClassVar = op.Timing.ANSWERED
    model: str
    text: bytes

    async def carry_out(self, provider: Provider, caller: Caller) -> Download:
        FILES.required(provider)

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(2):
                yield f"data: {self.model} {caller.credential.api_key} ".encode() + self.text

        return Download(Body(chunks(), None), "text/event-stream")


async def parse(request: web.Request) -> op.Operation:
    if FILES.of(request[PROVIDER]) is None:
        return await relayed(request)
    return RepeatContent(request[ROUTE].name, await read_inline(request))


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("POST", "models/{name}:repeatContent")
    monkeypatch.setitem(TABLE, row, Call("repeat_content", parse))


async def test_a_new_call_from_its_route_to_its_streamed_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry.access")
    provider = scripted_provider("p", files=Scripted(lambda *_: None))
    async with running_chain(provider) as client:
        async with client.post(PATH, headers=KEY, data=b"hi\n") as reply:
            assert (reply.status, reply.content_type) == (200, "text/event-stream")
            assert await reply.read() == b"data: publisher/m:0 a hi\n" * 2
        assert client.app is not None
        client.app[GATEWAY].memory.take(BUDGET_BYTES)  # the body's reservation was released
    assert logged(caplog, "a hi")["operation"] == "repeat_content"


async def test_a_provider_without_the_capability_relays_it_or_refuses() -> None:
    relay = Scripted(lambda *_: ScriptedReply(body=b"Google's own"))
    gemini, plain = scripted_provider("gemini", relay=relay), scripted_provider("p")
    async with running_chain(gemini, plain) as client:
        async with client.post(PATH, headers=KEY, data=b"hi") as reply:
            assert await reply.read() == b"Google's own"
        headers = {**KEY, "x-model-provider": "p"}
        async with client.post(PATH, headers=headers, data=b"hi") as reply:
            assert (reply.status, (await reply.json())["error"]["status"]) == (
                501,
                "UNIMPLEMENTED",
            )


async def test_a_call_without_a_body_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call("get_model", named(FILES, lambda name: RepeatContent(name, b"")))
    monkeypatch.setitem(TABLE, ("GET", "models/{name}"), call)
    provider = scripted_provider("p", files=Scripted(lambda *_: None))
    async with running_chain(provider) as client:
        async with client.get("/genai/v1/models/publisher%2Fm:0", headers=KEY) as reply:
            assert await reply.read() == b"data: publisher/m:0 a " * 2
