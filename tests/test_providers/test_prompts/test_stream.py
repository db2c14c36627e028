"""A provider's stream: what an error in it may quote."""

from collections.abc import Iterator
from threading import current_thread, main_thread

import orjson
import pytest

from providers.claude_content.message_stream import MessageStream
from providers.gemini_content.streamed_answer import Chunk
from providers.openai_content.chat_stream import ChatStream
from providers.prompts.stream import event_stream
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_middlewares.running_chain import ScriptedReply
from tests.test_providers.answering import CALLER

IN_JSON = {"Content-Type": "application/json"}


async def test_an_error_in_a_stream_quotes_no_key() -> None:
    secret = CALLER.credential.secret
    event = f'data: {{"error": {{"message": "bad {secret}", "code": "c-{secret}"}}}}\n\n'
    reply = ScriptedReply(200, {"Content-Type": "text/event-stream"}, event.encode())
    answer = await event_stream("acme", CALLER, reply, ChatStream(thoughts=False), "")
    with pytest.raises(UpstreamError) as failed:
        await anext(answer.chunks)
    error = failed.value
    assert (error.status, error.message, error.reason) == (Status.UNAVAILABLE, "bad ***", "c-***")


async def test_what_is_unreadable_in_a_stream_quotes_no_key() -> None:
    secret = CALLER.credential.secret
    block = f'{{"type": "content_block_start", "content_block": {{"type": "{secret}"}}}}'
    events = f'data: {block}\n\ndata: {{"type": "message_stop"}}\n\n'.encode()
    reply = ScriptedReply(200, {"Content-Type": "text/event-stream"}, events)
    answer = await event_stream("acme", CALLER, reply, MessageStream(), "")
    with pytest.raises(UpstreamError, match=r"is of type '\*\*\*'"):
        await anext(answer.chunks)


@pytest.mark.parametrize("given", [{}, {"Content-Type": "text/plain"}, IN_JSON])
async def test_a_stream_of_another_type(given: dict[str, str]) -> None:
    """As some servers and the proxies before them send it."""
    choice = {"delta": {"content": "Hi"}, "finish_reason": "stop"}
    event = b"data: " + orjson.dumps({"choices": [choice]}) + b"\n\n"
    answer = await event_stream("acme", CALLER, ScriptedReply(200, given, event), ChatStream(), "")
    chunks = [orjson.loads(chunk) async for chunk in answer.chunks]
    assert chunks[0]["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]


async def test_a_whole_answer_instead_of_a_stream() -> None:
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    reply = ScriptedReply(200, IN_JSON, orjson.dumps({"choices": [choice]}))
    answer = await event_stream("acme", CALLER, reply, ChatStream(), "")
    first, last = [orjson.loads(chunk)["candidates"][0] async for chunk in answer.chunks]
    assert first["content"]["parts"] == [{"text": "Hi"}]
    assert last["finishReason"] == "STOP"


async def test_an_error_with_status_200_instead_of_a_stream() -> None:
    error = {"error": {"message": "No credits", "code": 429}}
    reply = ScriptedReply(200, IN_JSON, orjson.dumps(error))
    answer = await event_stream("acme", CALLER, reply, ChatStream(), "")
    with pytest.raises(UpstreamError, match="No credits") as failed:
        await anext(answer.chunks)
    assert failed.value.status is Status.RESOURCE_EXHAUSTED


async def test_a_web_page_is_refused_and_closed() -> None:
    reply = ScriptedReply(200, {"Content-Type": "text/html"})
    with pytest.raises(UpstreamError, match="acme did not answer with a stream"):
        await event_stream("acme", CALLER, reply, ChatStream(thoughts=False), "")
    assert reply.closed


class Threads:
    """A reader that says in which thread it reads."""

    ended = False

    def read(self, _event: bytes) -> Iterator[Chunk]:
        yield {"loop": current_thread() is main_thread()}

    def end(self) -> Iterator[Chunk]:
        return iter(())


@pytest.mark.parametrize(("length", "in_the_loop"), [(100, True), (100_000, False)])
async def test_a_long_event_does_not_hold_the_event_loop(length: int, in_the_loop: bool) -> None:
    reply = ScriptedReply(200, {"Content-Type": "text/event-stream"}, b"data: " + b"a" * length)
    answer = await event_stream("acme", CALLER, reply, Threads(), "")
    assert [orjson.loads(chunk) async for chunk in answer.chunks] == [{"loop": in_the_loop}]
