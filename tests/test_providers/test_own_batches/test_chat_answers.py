"""The lines of results that the proxy writes itself, for APIs like OpenAI's."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from providers.openai.batches import STATUS_WORDS
from providers.openai.client import openai_client
from providers.openai_content.body_to_openai import CHAT, EMBEDDINGS
from providers.own_batches.chat_answers import ChatAnswers
from providers.upstream import UpstreamError
from tests.test_providers.answering import CALLER, answer
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

LINE = orjson.dumps({"custom_id": "r0", "body": {"messages": []}})
COMPLETION: dict[str, Any] = {
    "id": "c",
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    ],
}
VECTOR: dict[str, Any] = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "model": "m",
}


def answers(*scripted: Answer) -> tuple[ChatAnswers, ScriptedUpstream]:
    upstream = ScriptedUpstream(*scripted)
    client = openai_client("acme", URL("https://host.example/v1"), upstream)
    return ChatAnswers(client, 1000, STATUS_WORDS), upstream


@pytest.mark.parametrize(
    ("endpoint", "document", "path"),
    [
        (CHAT, COMPLETION, "/v1/chat/completions"),
        ("/chat/completions", COMPLETION, "/v1/chat/completions"),
        (EMBEDDINGS, VECTOR, "/v1/embeddings"),
    ],
)
async def test_an_answer_is_a_line_that_is_read_like_the_providers_own(
    endpoint: str, document: dict[str, Any], path: str
) -> None:
    chat, upstream = answers(answer(orjson.dumps(document, option=orjson.OPT_INDENT_2)))
    line = await chat.answer(CALLER, "the-model", endpoint, LINE)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert line.startswith(b'{"custom_id":"r0"')
    assert not line.startswith(chat.error_head)
    [sent] = upstream.sent
    assert sent.request.url.path == path
    assert orjson.loads(sent.body)["model"] == "the-model"
    read = orjson.loads(line)
    translated = chat.translate(read, endpoint)
    assert "response" in translated
    assert chat.plain(read, endpoint) in (None, translated)


@pytest.mark.parametrize(
    "output", [b"", b"{", b"null", b"[]", b'"text"', b'{"a":' * 150 + b"1" + b"}" * 150]
)
async def test_an_answer_that_is_no_object_is_an_error(output: bytes) -> None:
    chat, _ = answers(answer(output))
    line = await chat.answer(CALLER, "m", CHAT, LINE)
    assert line.startswith(chat.error_head)
    assert chat.translate(orjson.loads(line), CHAT)["error"]["code"] == 14


async def test_an_answer_that_is_too_long_is_an_error() -> None:
    chat, _ = answers(answer(b"x" * 1001))
    with pytest.raises(UpstreamError, match="too long"):
        await chat.answer(CALLER, "m", CHAT, LINE)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(400, 599), st.text())
def test_an_error_is_one_line(custom_id: str, code: int, message: str) -> None:
    chat, _ = answers()
    line = chat.render_error(custom_id, code, message)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert line.startswith(chat.error_head)
    read = orjson.loads(line)
    assert read["custom_id"] == custom_id
    error = chat.translate(read, CHAT)["error"]
    assert message in error["message"] or not message
