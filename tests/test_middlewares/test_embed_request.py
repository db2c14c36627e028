"""Calls for embeddings through the chain: the response and the log line."""

import logging
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from middlewares.embeddings_answer import embeddings_body
from providers.resources import Embedded, EmbedForm, EmbedRequest
from tests.test_middlewares.logged_line import logged
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

KEY = {"x-goog-api-key": "sk-a-callers-key"}
BODY = b'{"requests": [{"content": {"parts": [{"text": "a secret text"}]}}]}'
MODEL = "/genai/v1beta/models/a/b:1"
FILLED = "requests[*].taskType=search_document;count=1"


class Memory:
    """Counts how often it is given back."""

    def __init__(self) -> None:
        self.released = 0

    async def release(self) -> None:
        self.released += 1


async def test_several_texts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    memory = Memory()
    embedded = Embedded([b"[0.10, 2]", b"[3]"], 5, FILLED, memory.release)
    embeddings = Scripted(lambda *_: embedded)
    async with running_chain(scripted_provider("p", embeddings=embeddings)) as client:
        path = f"{MODEL}:batchEmbedContents"
        async with client.post(path, data=BODY, headers=KEY) as reply:
            assert reply.headers["x-ferry-warnings"] == FILLED
            assert reply.content_type == "application/json"
            assert await reply.read() == (
                b'{"embeddings":[{"values":[0.10, 2]},{"values":[3]}],'
                b'"usageMetadata":{"promptTokenCount":5}}'
            )
    assert memory.released == 1
    ((call, _, request),) = embeddings.calls
    assert (call, request) == ("embed", EmbedRequest("a/b:1", EmbedForm.MANY, BODY))
    line = logged(caplog, "secret")
    assert (line["operation"], line["status"]) == ("embed_many", 200)
    assert line["warnings"] == ["requests[*].taskType: filled in with search_document (once)"]


async def test_one_text() -> None:
    embeddings = Scripted(lambda *_: Embedded([b"[1]"], None))
    async with running_chain(scripted_provider("p", embeddings=embeddings)) as client:
        async with client.post(f"{MODEL}:embedContent", data=BODY, headers=KEY) as reply:
            assert "x-ferry-warnings" not in reply.headers
            assert await reply.json() == {"embedding": {"values": [1]}}
    assert embeddings.calls[0][2].form is EmbedForm.ONE


@pytest.mark.parametrize("call", ["embedContent", "batchEmbedContents"])
async def test_a_provider_without_embeddings_says_what_works(call: str) -> None:
    provider = scripted_provider("p", prompts=Scripted(lambda *_: None))
    async with running_chain(provider) as client:
        async with client.post(f"{MODEL}:{call}", data=BODY, headers=KEY) as reply:
            error = (await reply.json())["error"]
    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")
    assert "only client.models.generate_content works" in error["message"]


async def test_a_body_that_is_too_large_is_refused() -> None:
    embeddings = Scripted(lambda *_: None)
    async with running_chain(scripted_provider("p", embeddings=embeddings)) as client:
        path = f"{MODEL}:batchEmbedContents"
        async with client.post(path, data=b" " * 1001, headers=KEY) as reply:
            assert "FERRY_INLINE_MAX_BYTES (1000 bytes)" in await reply.text()
    assert embeddings.calls == []


@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3000), max_size=9),
    st.none() | st.integers(0),
)
async def test_the_answer_has_the_length_that_it_declares(
    vectors: Sequence[list[float]], tokens: int | None
) -> None:
    embedded = Embedded(list(map(orjson.dumps, vectors)), tokens)
    body = embeddings_body(embedded, EmbedForm.MANY)
    written = b"".join([chunk async for chunk in body.chunks])
    assert len(written) == body.length
    document = orjson.loads(written)
    assert [each["values"] for each in document["embeddings"]] == vectors
    assert document.get("usageMetadata") == (
        tokens if tokens is None else {"promptTokenCount": tokens}
    )
