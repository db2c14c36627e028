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


async def test_what_is_no_stream_is_refused_and_closed() -> None:
    reply = ScriptedReply(200, {"Content-Type": "application/json"})
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
