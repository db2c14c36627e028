from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from providers.credential import Caller, Credential
from providers.gemini.buffered_reply import BufferedReply
from providers.gemini.redacted_relay import RedactedRelay
from providers.gemini.relay import GeminiRelay
from providers.provider import RelayedRequest
from providers.upstream import Reply
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

GOOGLE = URL("https://generativelanguage.googleapis.com")
KEY = "AIzaAIzaOfTheProxy"
CALLER = Caller(Credential(api_key=KEY), "tenant")
POST = RelayedRequest("POST", URL("/v1/models/m:x"), {"Accept-Encoding": "gzip"}, None)
STREAM = {"Content-Type": "text/event-stream"}


async def relayed(answer: Answer) -> Reply:
    upstream = ScriptedUpstream(answer)
    reply = await RedactedRelay(GeminiRelay(GOOGLE, upstream)).relay(CALLER, POST)
    assert "accept-encoding" not in upstream.sent[0].request.headers
    return reply


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, {"Content-Length": "40", "X-Odd": f"of {KEY}"}, f"'api_key:{KEY}'".encode()),
        Answer(200, {**STREAM, "X-Odd": f"of {KEY}"}, f"'api_key:{KEY}'".encode()),
    ],
)
async def test_an_error_does_not_show_the_proxys_key(answer: Answer) -> None:
    reply = await relayed(answer)
    assert (reply.status, reply.headers["x-odd"]) == (answer.status, "of ***")
    assert "Content-Length" not in reply.headers
    assert await reply.read(100) == b"'api_key:***'"


async def test_other_answers_are_relayed_unchanged() -> None:
    reply = await relayed(Answer(200, {"Content-Length": "2"}, b"{}"))
    assert (reply.headers["Content-Length"], await reply.read(2)) == ("2", b"{}")


def in_pieces(*pieces: bytes) -> "Scripted":
    async def rest() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Scripted(BufferedReply(400, {}, b"", rest()))


class Scripted:
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def relay(self, _caller: Caller, _request: RelayedRequest) -> Reply:
        return self._reply


@given(st.lists(st.sampled_from([KEY, "AIza", "A", "x", KEY[:-1]])), st.integers(1, 9))
async def test_the_cuts_of_an_answer_do_not_matter(texts: list[str], size: int) -> None:
    text = "".join(texts)
    pieces = [text[start : start + size].encode() for start in range(0, len(text), size)]
    reply = await RedactedRelay(in_pieces(*pieces)).relay(CALLER, POST)
    assert await reply.read(10_000) == text.replace(KEY, "***").encode()


async def test_what_cannot_be_the_key_does_not_wait() -> None:
    relay = RedactedRelay(in_pieces(b"data: {}\n\n", b"x AIza"))
    reply = await relay.relay(CALLER, POST)
    assert [chunk async for chunk in reply.chunks() if chunk] == [b"data: {}\n\n", b"x ", b"AIza"]
